//! An unchanged kubeconfig trusts the gateway by an authority below the cluster's own.
//!
//! Owns the two ways to be shown a certificate: signed by that authority, and by the gateway's own.

use tests::kube::KubeCluster;
use tests::kube::kubectl::Kubectl;
use tests::programs;
use tests::world::World;

use super::through::shell;

#[test]
fn every_client_trusts_the_authority_below_the_clusters_and_no_other() {
    let cluster = KubeCluster::shared();
    let with = World::with(cluster, |usual| usual.everything_allowed().classification(""));
    let without = World::with(cluster, |usual| {
        let mut usual = usual.everything_allowed().classification("");
        let is_kept = |line: &&str| !line.contains("client_authority");
        usual.target =
            usual.target.lines().filter(is_kept).map(|line| format!("{line}\n")).collect();
        usual
    });
    let (trusted, untrusted) = (with.kube_station(cluster), without.kube_station(cluster));
    for which in Kubectl::all() {
        let line = "$KUBECTL get pods -o name";
        let said = shell(&trusted, line, &which.path());
        assert!(said.clone().success().contains("pod/web-1"), "{which:?}: {said:?}");
        let said = shell(&untrusted, line, &which.path());
        assert_ne!(said.status, Some(0), "{which:?}: {said:?}");
        assert!(said.error.contains("x509"), "{which:?}: {said:?}");
    }
    // Nothing was changed for it: the kubeconfig names the cluster's authority alone.
    let config =
        std::fs::read_to_string(trusted.home().join(".kube/config")).expect("a kubeconfig");
    let authority = cluster.authority_file();
    assert!(
        config.contains(&format!("certificate-authority: {}", authority.display())),
        "{config}"
    );
    let rust = programs::kubernetes().join("kube-rs-client");
    for (station, is_trusted) in [(&trusted, true), (&untrusted, false)] {
        let said = programs::run(station.command(&rust).arg("list"));
        assert_eq!(said.status == Some(0), is_trusted, "{said:?}");
        let python = "from kubernetes import client, config\nconfig.load_kube_config()\n\
                      print(len(client.CoreV1Api().list_namespaced_pod('shop').items))";
        let said = programs::run(&mut station.python(python));
        assert_eq!(said.status == Some(0), is_trusted, "{said:?}");
    }
}
