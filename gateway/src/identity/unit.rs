//! What a cgroup path says: the system unit and the container, outermost first.
//!
//! Owns the reading of names. Must not know processes or workloads. Pure: text in, text out.
//!
//! Only names that a privileged manager gave count. A path is read from the root down; slices of
//! the system manager come first, and the first component that is no slice ends what can be
//! trusted: everything below was made by whoever that cgroup was delegated to (a user's own
//! manager, a container's systemd, a service with `Delegate=`), under any name it liked. So
//! `payments.service` below `user@1000.service` is `user@1000.service`, and nothing else.
//! Names follow systemd's `cgroup-util.c` rules: at most 255 characters of `[A-Za-z0-9:_.\\@-]`,
//! and one leading `_` is an escape.

/// What could be read from a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PathFacts {
    /// The system manager's unit, such as `nightly-report.service`.
    pub unit: Option<String>,
    /// How many components of the path, counted from the root, lead to the unit.
    pub unit_depth: usize,
    /// The container's id as its runtime wrote it, in full.
    pub container: Option<String>,
    /// How many components of the path, counted from the root, lead to the container.
    pub container_depth: usize,
}

/// Reads a cgroup path that begins with `/`.
#[must_use]
pub fn read_path(path: &str) -> PathFacts {
    let components: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
    let (slices, below) = split_slices(&components);
    let mut facts = PathFacts::default();
    match below.first().and_then(|name| leaf_unit(name)) {
        Some(unit) if may_stand_under(slices, &unit) => {
            facts.unit_depth = slices.len() + 1;
            facts.unit = Some(unit);
        }
        // A leaf that is not allowed there is nobody: not even its slice.
        Some(_) => {}
        None if below.is_empty() && !slices.is_empty() => {
            facts.unit_depth = slices.len();
            facts.unit = slices.last().map(|slice| unescape(slice).to_owned());
        }
        None => {}
    }
    if let Some((id, deeper)) = container_of(slices, below) {
        facts.container_depth = slices.len() + deeper;
        facts.container = Some(id.to_owned());
    }
    facts
}

/// The leading slices, and the rest. Only root makes directories that high (slices are not
/// delegated), so a slice counts wherever it stands; below `user.slice`, where a user comes close,
/// each must be nested as its name says (`a-b.slice` inside `a.slice`).
fn split_slices<'a, 'b>(components: &'a [&'b str]) -> (&'a [&'b str], &'a [&'b str]) {
    let mut parent = "";
    let mut depth = 0;
    for component in components {
        let name = unescape(component);
        let Some(stem) = name.strip_suffix(".slice").filter(|_| is_unit_name(name)) else { break };
        let nested = match stem.rsplit_once('-') {
            Some((outer, _)) => outer == parent,
            None => parent.is_empty(),
        };
        let strict = components.first() == Some(&"user.slice");
        if strict && !nested {
            break;
        }
        parent = stem;
        depth += 1;
    }
    components.split_at_checked(depth).unwrap_or((components, &[]))
}

/// The unit that a component below the slices names.
fn leaf_unit(component: &str) -> Option<String> {
    let name = unescape(component);
    let known = [".service", ".scope", ".socket", ".mount", ".swap"];
    let named = known.iter().any(|suffix| name.len() > suffix.len() && name.ends_with(suffix));
    (named && is_unit_name(name)).then(|| name.to_owned())
}

/// Below `user.slice` the system manager puts users' own managers and login sessions only.
fn may_stand_under(slices: &[&str], unit: &str) -> bool {
    if slices.first() != Some(&"user.slice") {
        return true;
    }
    let of_a_user = |prefix: &str| {
        let uid = unit.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".service"));
        uid.is_some_and(|uid| !uid.is_empty() && uid.bytes().all(|byte| byte.is_ascii_digit()))
    };
    of_a_user("user@")
        || of_a_user("user-runtime-dir@")
        || (unit.starts_with("session-") && unit.ends_with(".scope"))
}

fn is_unit_name(name: &str) -> bool {
    name.len() <= 255
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b":-_.\\@".contains(&byte))
}

fn unescape(component: &str) -> &str {
    component.strip_prefix('_').unwrap_or(component)
}

/// The container that the components below the slices begin with, and how many they are.
///
/// Shapes: `docker-ID.scope`, `cri-containerd-ID.scope`, `crio-ID.scope`, `libpod-ID.scope`,
/// `nerdctl-ID.scope` (systemd drivers, Kubernetes' slices included), `/docker/ID`,
/// `/libpod_parent/libpod-ID`, `/kubepods[/CLASS]/podUID/ID` (cgroupfs drivers) and
/// `SLICE:PREFIX:ID` (containerd given systemd names with the cgroupfs driver).
fn container_of<'a>(slices: &[&str], below: &[&'a str]) -> Option<(&'a str, usize)> {
    if slices.first() == Some(&"user.slice") {
        return None;
    }
    match *below {
        [first, ..] if scope_container(first).is_some() => scope_container(first).map(|id| (id, 1)),
        ["docker", id, ..] if is_container_id(id) => Some((id, 2)),
        ["libpod_parent", name, ..] => {
            name.strip_prefix("libpod-").filter(|id| is_container_id(id)).map(|id| (id, 2))
        }
        ["kubepods", pod, id, ..] if pod.starts_with("pod") => pod_container(id).map(|id| (id, 3)),
        ["kubepods", "burstable" | "besteffort", pod, id, ..] if pod.starts_with("pod") => {
            pod_container(id).map(|id| (id, 4))
        }
        [first, ..] => first
            .rsplit_once(':')
            .filter(|(before, id)| before.contains(':') && is_container_id(id))
            .map(|(_, id)| (id, 1)),
        [] => None,
    }
}

fn scope_container(component: &str) -> Option<&str> {
    let stem = component.strip_suffix(".scope")?;
    ["docker-", "cri-containerd-", "crio-", "libpod-", "nerdctl-"]
        .iter()
        .find_map(|prefix| stem.strip_prefix(prefix))
        .filter(|id| is_container_id(id))
}

fn pod_container(component: &str) -> Option<&str> {
    let id = component.strip_prefix("crio-").unwrap_or(component);
    is_container_id(id).then_some(id)
}

/// Runtimes draw 64 hexadecimal digits.
fn is_container_id(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ID: &str = "4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e4f3a9c1e";

    fn unit(path: &str) -> Option<String> {
        read_path(path).unit
    }

    fn container(path: &str) -> Option<String> {
        read_path(&path.replace("ID", ID)).container
    }

    #[test]
    fn a_unit_is_the_first_component_below_the_slices() {
        let cases = [
            ("/system.slice/nightly-report.service", "nightly-report.service"),
            ("/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service"),
            ("/automation.slice/automation-ci.slice/run.scope", "run.scope"),
            ("/automation.slice", "automation.slice"),
            ("/init.scope", "init.scope"),
            ("/lonely.service", "lonely.service"),
            ("/system.slice/_cgroup.service", "cgroup.service"),
            ("/system.slice/dev-disk-by\\x2duuid.swap", "dev-disk-by\\x2duuid.swap"),
        ];
        for (path, expected) in cases {
            assert_eq!(unit(path).as_deref(), Some(expected), "{path}");
        }
    }

    #[test]
    fn a_slice_counts_wherever_root_put_it() {
        for path in ["/a-b.slice/report.service", "/a.slice/other-deep.slice/report.service"] {
            assert_eq!(unit(path).as_deref(), Some("report.service"), "{path}");
        }
    }

    #[test]
    fn a_delegated_subtree_still_belongs_to_its_service() {
        for path in [
            "/system.slice/ci.service/worker-1",
            "/system.slice/ci.service/payments.service",
            "/system.slice/ci.service/system.slice/payments.service",
        ] {
            assert_eq!(unit(path).as_deref(), Some("ci.service"), "{path}");
        }
    }

    #[test]
    fn b2_a_look_alike_in_a_place_that_a_user_controls_is_not_the_system_unit() {
        let user = "/user.slice/user-1000.slice/user@1000.service";
        let inside = format!("{user}/app.slice/payments.service");
        assert_eq!(unit(&inside).as_deref(), Some("user@1000.service"));
        let session = "/user.slice/user-1000.slice/session-3.scope/payments.service";
        assert_eq!(unit(session).as_deref(), Some("session-3.scope"));
        for path in [
            "/user.slice/payments.service",
            "/user.slice/user-1000.slice/payments.service",
            "/user.slice/user-1000.slice/user@payments.service",
            "/user.slice/user-1000.slice/user@1000.service.scope",
            "/lxc.payload.web/system.slice/payments.service",
            "/docker/system.slice/payments.service",
            "/anything/payments.service",
            "/user.slice/other-deep.slice/payments.service",
            "/system.slice/pay ments.service",
            "/system.slice/.service",
            "/",
        ] {
            assert_eq!(unit(path), None, "{path}");
        }
        let machine = "/machine.slice/machine-web.scope/payload/system.slice/payments.service";
        assert_eq!(unit(machine).as_deref(), Some("machine-web.scope"));
    }

    #[test]
    fn a_container_id_is_read_where_a_runtime_writes_it() {
        for path in [
            "/system.slice/docker-ID.scope",
            "/docker/ID",
            "/docker/ID/inner",
            "/machine.slice/libpod-ID.scope/container",
            "/libpod_parent/libpod-ID",
            "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod1.slice/cri-containerd-ID.scope",
            "/kubepods.slice/kubepods-pod1.slice/crio-ID.scope",
            "/kubepods/burstable/pod1/ID",
            "/kubepods/pod1/ID",
            "/kubepods-besteffort-pod1.slice:cri-containerd:ID",
        ] {
            assert_eq!(container(path).as_deref(), Some(ID), "{path}");
        }
    }

    #[test]
    fn a_container_id_that_a_user_could_write_is_none() {
        for path in [
            "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-ID.scope",
            "/user.slice/user-1000.slice/user@1000.service/docker/ID",
            "/user.slice/docker-ID.scope",
            "/system.slice/ci.service/docker-ID.scope",
            "/system.slice/ci.service/docker/ID",
            "/system.slice/libpod-conmon-ID.scope",
            "/docker/short",
            "/system.slice/docker-ID0.scope",
        ] {
            assert_eq!(container(path), None, "{path}");
        }
    }

    proptest! {
        #[test]
        fn b2_nothing_that_is_made_below_a_delegated_unit_changes_what_it_is(
            below in "(/[a-z0-9@:._-]{1,20}(\\.service|\\.slice|\\.scope)?){0,4}",
            runtime in "/(docker/|docker-|kubepods/pod1/|libpod-)?",
        ) {
            for (trusted, unit) in [
                ("/user.slice/user-1000.slice/user@1000.service", "user@1000.service"),
                ("/user.slice/user-1000.slice/session-3.scope", "session-3.scope"),
                ("/system.slice/ci.service", "ci.service"),
            ] {
                let facts = read_path(&format!("{trusted}{below}{runtime}{ID}.scope/{ID}"));
                prop_assert_eq!(facts.unit.as_deref(), Some(unit));
                prop_assert_eq!(facts.container, None);
            }
        }

        #[test]
        fn no_path_makes_the_reader_panic(path in "[ -~]{0,80}") {
            let _facts = read_path(&path);
        }
    }

    #[test]
    fn the_depth_counts_components_from_the_root() {
        let facts = read_path("/system.slice/system-x.slice/x@1.service/deeper");
        assert_eq!(facts.unit_depth, 3);
        let facts = read_path(&format!("/kubepods/burstable/pod1/{ID}/deeper"));
        assert_eq!(facts.container_depth, 4);
    }
}
