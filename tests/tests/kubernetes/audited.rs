//! Two audit logs of the same requests, ours and the API server's, laid side by side: they agree on
//! every field.
//!
//! Owns the commands, and the few words that differ. Requests are matched command by command, as
//! sorted rows: clients ask for several things at a time.

use serde_json::Value;
use tests::kube::audit::Event;
use tests::kube::kubectl::Kubectl;
use tests::kube::{GATEWAY, KubeCluster};
use tests::programs;
use tests::world::World;

use super::libraries::PYTHON;
use super::through::{open, shell};

/// Commands of many kinds; some fail, which is no matter here.
const COMMANDS: &[&str] = &[
    "$KUBECTL get pods",
    "$KUBECTL get pods -A -o json",
    "$KUBECTL get pods -n team-a --field-selector metadata.name=batch-1",
    "$KUBECTL get pods -l app=web --field-selector status.phase=Running",
    "$KUBECTL get nodes,namespaces,secrets -o name",
    "$KUBECTL get widgets.shop.example,secrets.vault.example -o name",
    "$KUBECTL get namespace shop; $KUBECTL get node node-1",
    "$KUBECTL get pod nobody; $KUBECTL get no-such-kind",
    "timeout 2 $KUBECTL get pods --watch -o name",
    "timeout 2 $KUBECTL get pod web-1 --watch -o name",
    "$KUBECTL wait --for=condition=Ready pod/web-1 --timeout=5s",
    "$KUBECTL describe pod web-1; $KUBECTL describe node node-1",
    "$KUBECTL explain pods.spec; $KUBECTL api-resources; $KUBECTL api-versions",
    "$KUBECTL auth can-i delete pods; $KUBECTL auth can-i --list",
    "$KUBECTL top pods; $KUBECTL cluster-info; $KUBECTL version",
    "$KUBECTL get --raw /healthz; $KUBECTL get --raw '/readyz?verbose'; $KUBECTL get --raw /metrics >metrics",
    "$KUBECTL get --raw /; $KUBECTL get --raw /api/v1/namespaces/shop/pods/web-1/status",
    "$KUBECTL get --raw /api/v1/nodes/node-1/proxy/pods",
    "$KUBECTL get --raw /api/v1/namespaces/shop/services/web/proxy/x/y",
    "$KUBECTL get --raw /apis/apps/v1/namespaces/shop/deployments/web/scale",
    "$KUBECTL logs web-1 -c app; $KUBECTL logs web-1 -c app -f --tail=1",
    "$KUBECTL exec web-1 -c app -- echo hello",
    "echo line | $KUBECTL exec -i web-1 -c app -- cat",
    "$KUBECTL exec web-1 -c app -- no-such-program; $KUBECTL exec nobody -- true",
    "$KUBECTL attach web-1 -c app",
    "$KUBECTL cp -c app web-1:app.conf fetched",
    "timeout 2 $KUBECTL port-forward pod/web-1 :1",
    "$KUBECTL create configmap audited --from-literal=a=b",
    "$KUBECTL label configmap audited x=y; $KUBECTL annotate configmap audited n=1",
    "$KUBECTL patch configmap audited -p '{\"data\":{\"a\":\"c\"}}'",
    "$KUBECTL get configmap audited -o yaml >it.yaml; $KUBECTL replace -f it.yaml",
    "$KUBECTL get configmap audited -o yaml >it.yaml; $KUBECTL diff -f it.yaml; $KUBECTL apply -f it.yaml",
    "$KUBECTL apply --server-side --force-conflicts -f it.yaml; rm it.yaml",
    "KUBE_EDITOR='sed -i s/c/d/' $KUBECTL edit configmap audited",
    "$KUBECTL delete configmap audited; $KUBECTL delete configmap -l no=such",
    "$KUBECTL create deployment audited --image=registry.test/a:1",
    "$KUBECTL scale deployment audited --replicas=2; $KUBECTL set image deployment/audited a=registry.test/a:2",
    "$KUBECTL rollout history deployment/audited; $KUBECTL rollout restart deployment/audited",
    "$KUBECTL rollout status deployment/audited --timeout=1s; $KUBECTL expose deployment audited --port=80",
    "$KUBECTL autoscale deployment audited --max=3; $KUBECTL delete hpa,service,deployment audited",
    "$KUBECTL create serviceaccount audited; $KUBECTL create role audited --verb=get --resource=pods",
    "echo '{}' >t; $KUBECTL create --raw /api/v1/namespaces/shop/serviceaccounts/audited/token -f t",
    "$KUBECTL delete serviceaccount,role audited",
    "$KUBECTL delete --raw '/api/v1/namespaces/shop/configmaps?labelSelector=no%3Dsuch'",
    "$KUBECTL cordon node-1; $KUBECTL uncordon node-1; $KUBECTL taint node node-1 a=b:NoSchedule-",
    "$KUBECTL run audited --image=registry.test/a:1; $KUBECTL delete pod audited --grace-period=0 --force",
    "$KUBECTL debug web-1 --image=registry.test/a:1 -c debugger",
    "$KUBECTL create namespace audited; $KUBECTL delete namespace audited --wait=false",
];

/// Verb, group, version, resource, subresource, namespace, name, path.
type Row = [String; 8];

/// Verbs of ours that the server has as subresources of others.
const OWN: &[&str] = &["exec", "attach", "portforward", "proxy"];

/// The server's words for what is no resource, and ours.
const OF_PATHS: &[(&str, &str)] = &[("head", "get"), ("post", "create"), ("put", "update")];

fn theirs(event: &Event) -> Row {
    let object = event.object.as_ref();
    let verb = match object {
        Some(object) if OWN.contains(&object.subresource.as_str()) => &*object.subresource,
        Some(_) => &*event.verb,
        None => OF_PATHS
            .iter()
            .find(|(own, _)| *own == event.verb)
            .map_or(&*event.verb, |(_, ours)| ours),
    };
    let path = event.uri.split('?').next().unwrap_or_default();
    let text = |get: fn(&tests::kube::audit::Reference) -> &String| {
        object.map(get).cloned().unwrap_or_default()
    };
    [
        verb.to_owned(),
        text(|object| &object.group),
        text(|object| &object.version),
        text(|object| &object.resource),
        text(|object| &object.subresource),
        text(|object| &object.namespace),
        text(|object| &object.name),
        if object.is_some() { String::new() } else { path.to_owned() },
    ]
}

fn ours(line: &Value) -> Row {
    let asked = line.get("resource").expect("a line of a decision says what was asked for");
    let names =
        ["verb", "group", "version", "resource", "subresource", "namespace", "name", "path"];
    names.map(|name| asked.get(name).and_then(Value::as_str).unwrap_or_default().to_owned())
}

fn their_log(cluster: &KubeCluster) -> Vec<Row> {
    let events = cluster.events();
    events.iter().filter(|event| event.user == GATEWAY.name).map(theirs).collect()
}

fn our_log(world: &World) -> Vec<Row> {
    let lines = world.events("operation_decided");
    let sent =
        lines.iter().filter(|line| line.get("effect").is_some_and(|effect| effect == "allow"));
    sent.filter(|line| line.get("kind").is_some_and(|kind| kind != "connect")).map(ours).collect()
}

/// Runs something, and gives how many requests it was.
fn agree(cluster: &KubeCluster, world: &World, what: &str, run: impl FnOnce()) -> usize {
    let (before, ours_before) = (their_log(cluster).len(), our_log(world).len());
    run();
    tests::assert_eventually!(world.open_connections() == 0, "{what} goes on");
    let rest = |mut all: Vec<Row>, before: usize| {
        let mut new = all.split_off(before);
        new.sort();
        new
    };
    let ours = rest(our_log(world), ours_before);
    let theirs = rest(their_log(cluster), before);
    assert_eq!(ours, theirs, "{what}");
    ours.len()
}

#[test]
fn both_audit_logs_agree_on_every_field_of_every_request() {
    let cluster = KubeCluster::shared();
    let world = open();
    let station = world.kube_station(cluster);
    let mut requests = 0;
    for which in Kubectl::all() {
        for line in COMMANDS {
            let what = format!("{which:?}: {line}");
            requests += agree(cluster, &world, &what, || {
                let _ = shell(&station, line, &which.path());
            });
        }
    }
    requests += agree(cluster, &world, "the client of Python", || {
        let _ = programs::run(&mut station.python(PYTHON)).success();
    });
    println!("{requests} requests");
    assert!(requests > 200, "{requests}");
}
