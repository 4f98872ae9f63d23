//! Every kubectl does through the gateway what it does without one.
//!
//! Owns the commands. Those that change something are run in a pod, or on objects, of their own.

use tests::kube::KubeCluster;
use tests::kube::kubectl::Kubectl;

use super::through::{direct, lasting, open, shell};

/// Commands that change nothing: output, errors and status are the same.
const LOOKS: &[&str] = &[
    "$KUBECTL get pods",
    "$KUBECTL get pods -o wide",
    "$KUBECTL get pods -o json",
    "$KUBECTL get pods -o yaml",
    "$KUBECTL get pods -l app=web -o name",
    "$KUBECTL get pods --field-selector metadata.name=web-1",
    "$KUBECTL get pod web-1 -o jsonpath='{.spec.containers[*].name}'",
    "$KUBECTL get nodes,namespaces -o name",
    "$KUBECTL get secret database -o yaml",
    "$KUBECTL get secrets.vault.example,widgets.shop.example -o yaml",
    "$KUBECTL get pod nobody",
    "$KUBECTL get no-such-kind",
    "$KUBECTL describe pod web-1",
    // The current one shows keys in any order.
    "$KUBECTL describe secret database | sort",
    "$KUBECTL get --raw /healthz",
    "$KUBECTL get --raw /api/v1/nodes/node-1/proxy/pods",
    "$KUBECTL api-resources --namespaced=true -o name",
    "$KUBECTL auth can-i get pods",
    "$KUBECTL auth can-i --list | sort",
    "$KUBECTL api-versions",
    "$KUBECTL explain deployment.spec.replicas",
    "$KUBECTL explain widgets",
    "$KUBECTL top pods",
    "$KUBECTL wait --for=condition=Ready pod/web-1 --timeout=5s",
    "$KUBECTL rollout status deployment/web --timeout=1s",
    "$KUBECTL get pods --chunk-size=1 -o name",
    "$KUBECTL get pods -A --sort-by=.metadata.name -o custom-columns=N:.metadata.name",
    "$KUBECTL get --raw '/readyz?verbose'",
    "$KUBECTL debug web-1 --image=registry.test/debug:1 -c debugger",
    "$KUBECTL proxy --port=0 >proxied & client=$!; until [ -s proxied ]; do sleep 0.05; done; \
     place=$(sed -n 's/.* //p' proxied); rm proxied; \
     curl --silent \"http://$place/api/v1/namespaces/shop/pods/web-1\" | grep '\"name\": \"web-1\"'; kill $client",
    "$KUBECTL logs web-1 -c app",
    "$KUBECTL logs web-1 -c app --tail=1",
    "$KUBECTL logs -f web-1 -c sidecar",
    "$KUBECTL logs nobody",
    "$KUBECTL exec web-1 -c app -- echo hello",
    "$KUBECTL exec web-1 -c app -- sh -c 'echo out; echo err >&2; exit 5'",
    "$KUBECTL exec web-1 -c app -- no-such-program",
    "$KUBECTL exec web-1 -c app -- head -c 3000000 /dev/zero | md5sum",
    "echo a line of input | $KUBECTL exec -i web-1 -c app -- cat",
    "head -c 3000000 /dev/zero | $KUBECTL exec -i web-1 -c app -- md5sum",
    "$KUBECTL exec nobody -- true",
    "$KUBECTL attach web-1 -c app",
    "$KUBECTL cp -c app web-1:app.conf fetched.conf && cat fetched.conf",
    "echo colour=blue >sent; $KUBECTL cp -c app sent web-1:sent && \
     $KUBECTL exec web-1 -c app -- cat sent",
    "timeout 3 $KUBECTL get pods --watch -o name",
];

#[test]
fn every_kubectl_says_the_same_as_without_a_gateway() {
    let cluster = KubeCluster::shared();
    let (world, direct) = (open(), direct());
    let through = world.kube_station(cluster);
    for which in Kubectl::all() {
        for line in LOOKS {
            let expected = shell(&direct, line, &which.path());
            let said = shell(&through, line, &which.path());
            assert_eq!(said.status, expected.status, "{which:?} {line}: {said:?}");
            assert_eq!(lasting(&said.output), lasting(&expected.output), "{which:?} {line}");
            assert_eq!(lasting(&said.error), lasting(&expected.error), "{which:?} {line}");
        }
    }
}

/// A deployment from its making to its end, with a hand in between.
const CHANGES: &str = r#"
cat >app.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: changing, labels: {app: changing}}
spec:
  replicas: 1
  selector: {matchLabels: {app: changing}}
  template:
    metadata: {labels: {app: changing}}
    spec: {containers: [{name: app, image: "registry.test/app:1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: changing, labels: {app: changing}}
data: {colour: green}
END
$KUBECTL apply -f app.yaml --dry-run=server
$KUBECTL apply -f app.yaml
$KUBECTL apply -f app.yaml
sed -i 's/replicas: 1/replicas: 3/' app.yaml
$KUBECTL diff -f app.yaml | grep '^[-+] '
$KUBECTL apply -f app.yaml
$KUBECTL apply --server-side --force-conflicts -f app.yaml
$KUBECTL scale deployment changing --replicas=2
$KUBECTL set image deployment/changing app=registry.test/app:2
$KUBECTL label deployment changing tier=web
$KUBECTL annotate deployment changing note=one
$KUBECTL patch configmap changing --type=json -p '[{"op":"add","path":"/data/size","value":"9"}]'
$KUBECTL get deployment changing -o jsonpath='{.spec.replicas} {.spec.template.spec.containers[0].image}'
$KUBECTL get configmap changing -o jsonpath='{.data}'
$KUBECTL replace -f app.yaml
$KUBECTL delete deployment,configmap -l app=changing --wait=false
"#;

#[test]
fn a_deployment_is_applied_changed_and_deleted_as_without_a_gateway() {
    let cluster = KubeCluster::shared();
    let (world, direct) = (open(), direct());
    let through = world.kube_station(cluster);
    for which in Kubectl::all() {
        let expected = shell(&direct, CHANGES, &which.path());
        let said = shell(&through, CHANGES, &which.path());
        assert_eq!(said.status, Some(0), "{which:?}: {said:?}");
        assert_eq!(lasting(&said.output), lasting(&expected.output), "{which:?}");
    }
}

/// One connection through a port that is forwarded, to a service that says what it is asked.
const FORWARD: &str = r#"
# Each client forwards to a service of its own: what the last one left behind would be read instead.
rm -f port forwarded errors
python3 -u -c '
import socketserver
class Echo(socketserver.StreamRequestHandler):
    def handle(self):
        self.wfile.write(b"heard " + self.rfile.readline())
with socketserver.TCPServer(("127.0.0.1", 0), Echo) as server:
    print(server.server_address[1])
    for _ in range(3):
        server.handle_request()
' >port &
service=$!
until [ -s port ]; do sleep 0.05; done
$KUBECTL port-forward pod/web-1 ":$(cat port)" >forwarded 2>errors &
client=$!
until grep -q '^Forwarding from 127' forwarded; do
    kill -0 $client 2>/dev/null || { cat errors; kill $service; exit 1; }
    sleep 0.05
done
local=$(sed -n 's/^Forwarding from 127.0.0.1:\([0-9]*\) .*/\1/p' forwarded)
for word in one two three; do
    python3 -c "
import socket
with socket.create_connection(('127.0.0.1', $local)) as stream:
    stream.sendall(b'$word\n')
    print(stream.makefile().read().strip())
"
done
kill $client
wait $service
"#;

#[test]
fn ports_are_forwarded_connection_by_connection() {
    let cluster = KubeCluster::shared();
    let world = open();
    for station in [direct(), world.kube_station(cluster)] {
        for which in Kubectl::all() {
            let said = shell(&station, FORWARD, &which.path());
            assert_eq!(said.output, "heard one\nheard two\nheard three\n", "{which:?}: {said:?}");
        }
    }
}
