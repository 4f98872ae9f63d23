//! Who can change a program: whom one has to be to run it.
//!
//! Owns the rule that root runs nothing that another user can change. Looks at every directory on
//! the way, at the links and at the file itself.

use std::collections::BTreeSet;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use super::files::Files;

const STICKY: u32 = 0o1000;
const OTHERS_WRITE: u32 = 0o002;

/// Who can change what is at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Root alone.
    Root,
    /// This user and group, and root.
    User(u32, u32),
    /// Several users, or anybody.
    Several,
}

/// Who can change what is at these paths.
pub(super) fn owner<'a>(files: &Files, paths: impl IntoIterator<Item = &'a Path>) -> Owner {
    let mut users = BTreeSet::new();
    for path in paths {
        let real = files.resolve(path).unwrap_or_else(|_| path.to_owned());
        for one in path.ancestors().chain(real.ancestors()) {
            let Ok(about) = std::fs::symlink_metadata(files.outside(one)) else { continue };
            let anybody = about.mode() & OTHERS_WRITE != 0 && about.mode() & STICKY == 0;
            if anybody && !about.is_symlink() {
                return Owner::Several;
            }
            if about.uid() != 0 {
                users.insert((about.uid(), about.gid()));
            }
        }
    }
    let mut ids: Vec<(u32, u32)> = users.into_iter().collect();
    ids.dedup_by_key(|(user, _)| *user);
    match ids.as_slice() {
        [] => Owner::Root,
        [(user, group)] => Owner::User(*user, *group),
        _ => Owner::Several,
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, chown};

    use super::*;

    #[test]
    fn whoever_owns_a_directory_on_the_way_can_change_the_program() {
        let root = tempfile::tempdir().unwrap();
        let path = Path::new("/srv/venv/bin/python");
        let outside = root.path().join("srv/venv/bin/python");
        fs::create_dir_all(outside.parent().unwrap()).unwrap();
        fs::write(&outside, "").unwrap();
        let files = Files::below(root.path());
        assert_eq!(owner(&files, [path]), Owner::Root);
        chown(root.path().join("srv/venv"), Some(64_001), Some(64_002)).expect("takes root");
        assert_eq!(owner(&files, [path]), Owner::User(64_001, 64_002));
        chown(&outside, Some(64_003), None).unwrap();
        assert_eq!(owner(&files, [path]), Owner::Several);
        let open = fs::Permissions::from_mode(0o777);
        fs::set_permissions(root.path().join("srv"), open).unwrap();
        assert_eq!(owner(&files, [Path::new("/srv")]), Owner::Several);
    }
}
