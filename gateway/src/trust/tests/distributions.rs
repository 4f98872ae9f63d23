//! The stores of distributions, each with a tool that does what its own does.

use super::*;

#[test]
fn each_distribution_has_its_place() {
    for (mark, tool, anchor) in [
        (
            "/etc/pki/ca-trust/source/README",
            "/usr/bin/update-ca-trust",
            "/etc/pki/ca-trust/source/anchors/portcullis-main.pem",
        ),
        (
            "/etc/pki/trust/README",
            "/usr/sbin/update-ca-certificates",
            "/etc/pki/trust/anchors/portcullis-main.pem",
        ),
        (
            "/etc/ca-certificates/trust-source/README",
            "/usr/bin/update-ca-trust",
            "/etc/ca-certificates/trust-source/anchors/portcullis-main.crt",
        ),
        ("/etc/ca-certificates.conf", "/usr/sbin/update-ca-certificates", ANCHOR),
    ] {
        let root = tempfile::tempdir().unwrap();
        let files = Files::below(root.path());
        for path in [mark, tool] {
            let path = files.outside(Path::new(path));
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        assert_eq!(anchors::find(&files, "main").unwrap().file, Path::new(anchor));
        fs::remove_file(files.outside(Path::new(tool))).unwrap();
        assert!(anchors::find(&files, "main").is_none(), "{mark}");
    }
}

/// A distribution as it is laid out, with a tool that does what its own does, below a root.
struct Distribution {
    name: &'static str,
    anchor: &'static str,
    /// An authority of somebody else's, which stays.
    theirs: &'static str,
    tool: &'static str,
    script: &'static str,
    bundle: &'static str,
    /// Links that programs find the bundle by.
    links: &'static [(&'static str, &'static str)],
}

const DISTRIBUTIONS: &[Distribution] = &[
    Distribution {
        name: "Fedora, RHEL",
        anchor: "/etc/pki/ca-trust/source/anchors/portcullis-main.pem",
        theirs: "/etc/pki/ca-trust/source/anchors/corp.pem",
        tool: "/usr/bin/update-ca-trust",
        script: "[ \"$1\" = extract ] || exit 2\ncd \"$PORTCULLIS_ROOT/etc/pki/ca-trust\"\n\
                 mkdir -p extracted/pem extracted/java\n\
                 cat source/anchors/*.pem > extracted/pem/tls-ca-bundle.pem\n\
                 cksum source/anchors/*.pem > extracted/java/cacerts\n",
        bundle: "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
        links: &[
            (
                "/etc/pki/tls/certs/ca-bundle.crt",
                "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
            ),
            ("/etc/pki/java/cacerts", "/etc/pki/ca-trust/extracted/java/cacerts"),
            ("/usr/lib/jvm/jre/lib/security/cacerts", "/etc/pki/java/cacerts"),
        ],
    },
    Distribution {
        name: "SUSE",
        anchor: "/etc/pki/trust/anchors/portcullis-main.pem",
        theirs: "/etc/pki/trust/anchors/corp.pem",
        tool: "/usr/sbin/update-ca-certificates",
        script: "cd \"$PORTCULLIS_ROOT/etc/pki/trust/anchors\"\n\
                 out=\"$PORTCULLIS_ROOT/var/lib/ca-certificates\"\nmkdir -p \"$out/pem\"\n\
                 cat *.pem > \"$out/ca-bundle.pem\"\ncksum *.pem > \"$out/java-cacerts\"\n\
                 rm -f \"$out\"/pem/*\ncp *.pem \"$out/pem\"\n",
        bundle: "/var/lib/ca-certificates/ca-bundle.pem",
        links: &[
            ("/etc/ssl/ca-bundle.pem", "/var/lib/ca-certificates/ca-bundle.pem"),
            ("/usr/lib64/jvm/jre/lib/security/cacerts", "/var/lib/ca-certificates/java-cacerts"),
        ],
    },
    Distribution {
        name: "Arch",
        anchor: "/etc/ca-certificates/trust-source/anchors/portcullis-main.crt",
        theirs: "/etc/ca-certificates/trust-source/anchors/corp.crt",
        tool: "/usr/bin/update-ca-trust",
        script: "cd \"$PORTCULLIS_ROOT/etc/ca-certificates\"\n\
                 mkdir -p extracted ../ssl/certs\n\
                 cat trust-source/anchors/*.crt > extracted/tls-ca-bundle.pem\n\
                 rm -f ../ssl/certs/*.pem\nfor file in trust-source/anchors/*.crt; do\n\
                 ln -s \"/etc/ca-certificates/$file\" \"../ssl/certs/$(basename \"$file\" .crt).pem\"\n\
                 done\n",
        bundle: "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
        links: &[(
            "/etc/ssl/certs/ca-certificates.crt",
            "/etc/ca-certificates/extracted/tls-ca-bundle.pem",
        )],
    },
];

impl Host {
    /// The same host with another distribution on it.
    fn like(distribution: &Distribution) -> Self {
        let host = Self::new();
        for path in ["/usr/share/ca-certificates", "/usr/local/share", "/etc/ssl", "/usr/sbin"] {
            fs::remove_dir_all(host.at(path)).unwrap();
        }
        host.put(distribution.theirs, &certificates(25));
        host.put(distribution.tool, &format!("#!/bin/sh\nset -e\n{}", distribution.script));
        host.mode(distribution.tool, 0o755);
        for (link, target) in distribution.links {
            fs::create_dir_all(host.at(link).parent().unwrap()).unwrap();
            symlink(target, host.at(link)).unwrap();
        }
        anchors::run(&host.files, &anchors::find(&host.files, "main").unwrap().tool).unwrap();
        host
    }
}

#[test]
fn the_store_of_each_distribution_takes_the_authority_in_and_gives_it_back() {
    for distribution in DISTRIBUTIONS {
        let Distribution { name, anchor, bundle, .. } = *distribution;
        let host = Host::like(distribution);
        let before = host.everything();
        host.apply_all();
        let ours = host.text("/var/lib/portcullis/ca/host-ca.pem");
        assert_eq!(host.text(anchor), ours, "{name}");
        assert_eq!(host.text(bundle).matches(ours.trim_end()).count(), 1, "{name}");
        assert!(host.text(bundle).contains(certificates(25).trim_end()), "{name}");
        let drop_in = host.text(DROP_IN);
        assert!(drop_in.contains(&format!("SSL_CERT_FILE={bundle}\"")), "{name}: {drop_in}");
        // Java's keystore comes along with the tool, and a bundle that is a link to the store's is
        // the store's.
        let layers: Vec<Layer> = host.plan().steps.iter().map(|step| step.layer).collect();
        assert!(!layers.contains(&Layer::Java), "{name}");
        let once = host.everything();
        assert_eq!(host.apply().changed.len(), 0, "{name}");
        assert_eq!(host.everything(), once, "{name}");
        // A new authority takes the old one's place.
        host.authority(&["api.example", "mail.example"]);
        host.apply_all();
        assert!(!host.text(bundle).contains(ours.trim_end()), "{name}");
        host.revert_all();
        let mut after = host.everything();
        let mut before = before;
        for all in [&mut before, &mut after] {
            all.retain(|path, _| !path.starts_with("var/lib/portcullis/ca"));
        }
        assert_eq!(after, before, "{name}");
    }
}

#[test]
fn a_store_that_others_have_added_to_keeps_what_they_added() {
    for distribution in DISTRIBUTIONS {
        let Distribution { name, anchor, theirs, bundle, .. } = *distribution;
        let host = Host::like(distribution);
        host.apply_all();
        let more = "-----BEGIN CERTIFICATE-----\nMORE\n-----END CERTIFICATE-----\n";
        host.put(&theirs.replace("corp", "more"), more);
        anchors::run(&host.files, &anchors::find(&host.files, "main").unwrap().tool).unwrap();
        host.revert_all();
        assert!(!host.at(anchor).exists(), "{name}");
        assert_eq!(host.text(bundle), certificates(25) + more, "{name}");
    }
}
