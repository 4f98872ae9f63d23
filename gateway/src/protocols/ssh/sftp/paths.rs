//! Paths as bytes.
//!
//! Owns making them absolute and splitting them. Must not know the target's links: `..` is taken
//! lexically, and what comes out is what is judged, or resolved further, and sent.

/// The path made absolute against `home`, without `.`, `..` and empty parts.
pub(super) fn absolute(home: &[u8], path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    let base = if path.starts_with(b"/") { &[][..] } else { home };
    for part in base.split(|byte| *byte == b'/').chain(path.split(|byte| *byte == b'/')) {
        match part {
            b"" | b"." => {}
            b".." => {
                parts.pop();
            }
            part => parts.push(part),
        }
    }
    if parts.is_empty() {
        return b"/".to_vec();
    }
    let mut out = Vec::with_capacity(path.len() + base.len() + 1);
    for part in parts {
        out.push(b'/');
        out.extend_from_slice(part);
    }
    out
}

/// The directory that holds an absolute path, and the path's name in it; `None` for the root.
pub(super) fn split(path: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = path.iter().rposition(|byte| *byte == b'/')?;
    let (parent, name) = path.split_at_checked(at)?;
    let name = name.get(1..).filter(|name| !name.is_empty())?;
    Some((if parent.is_empty() { b"/" } else { parent }, name))
}

/// A name in a directory.
pub(super) fn join(directory: &[u8], name: &[u8]) -> Vec<u8> {
    [directory, b"/", name].concat()
}

/// As rules see it.
pub(super) fn object(path: &[u8]) -> String {
    String::from_utf8_lossy(path).into_owned()
}

/// As people see it: without what a terminal would obey.
pub(super) fn shown(path: &[u8]) -> String {
    object(path).chars().map(|char| if char.is_control() { '\u{fffd}' } else { char }).collect()
}

/// Whether one of two absolute paths is the other, or below it.
pub(super) fn related(one: &[u8], other: &[u8]) -> bool {
    let (short, long) = if one.len() < other.len() { (one, other) } else { (other, one) };
    match long.strip_prefix(short) {
        Some(rest) => rest.is_empty() || rest.starts_with(b"/") || short == b"/",
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_made_absolute_and_cannot_climb_above_the_root() {
        for (path, expected) in [
            ("", "/home/u"),
            (".", "/home/u"),
            ("x", "/home/u/x"),
            ("./x//y/.", "/home/u/x/y"),
            ("../v", "/home/v"),
            ("../../../../etc/passwd", "/etc/passwd"),
            ("/srv/app/../../etc/./shadow/", "/etc/shadow"),
            ("/", "/"),
            ("//", "/"),
            ("/..", "/"),
            ("~", "/home/u/~"),
            ("...", "/home/u/..."),
        ] {
            assert_eq!(absolute(b"/home/u", path.as_bytes()), expected.as_bytes(), "{path}");
        }
    }

    #[test]
    fn a_path_is_split_into_its_directory_and_its_name() {
        assert_eq!(split(b"/a/b"), Some((&b"/a"[..], &b"b"[..])));
        assert_eq!(split(b"/a"), Some((&b"/"[..], &b"a"[..])));
        assert_eq!(split(b"/"), None);
    }

    #[test]
    fn paths_are_related_by_whole_names() {
        assert!(related(b"/a", b"/a/b"));
        assert!(related(b"/a/b", b"/a"));
        assert!(related(b"/", b"/a"));
        assert!(!related(b"/a", b"/ab"));
    }
}
