//! Looking at files with the rights of a workload's user.
//!
//! Owns the change of the thread's file-system user and groups, and its undoing. Must not know
//! what is read. Ends, on every way out, with the daemon's own rights; a thread that cannot get
//! them back ends the process, because it would serve other work with wrong rights.

/// While it lives, this thread opens files as the given user would.
///
/// setfsuid(2) also takes the capabilities that override file permissions from the thread's
/// effective set while the user is not root. All of this is per thread in the kernel; the C
/// library's `setgroups` is not, so the system call is made directly.
#[derive(Debug)]
pub(super) struct BorrowedRights {
    own_uid: libc::uid_t,
    own_gid: libc::gid_t,
    own_groups: Vec<libc::gid_t>,
    /// Rights are the thread's: the value may not be dropped on another.
    _not_send: std::marker::PhantomData<*const ()>,
}

impl BorrowedRights {
    /// Takes on the rights of a user with one group and no others; `None` where that is refused.
    pub(super) fn of(uid: u32, gid: u32) -> Option<Self> {
        let own_groups: Vec<libc::gid_t> =
            nix::unistd::getgroups().ok()?.into_iter().map(nix::unistd::Gid::as_raw).collect();
        if !set_groups(&[]) {
            return None;
        }
        let rights = Self {
            own_uid: file_system_uid(),
            own_gid: file_system_gid(),
            own_groups,
            _not_send: std::marker::PhantomData,
        };
        // SAFETY: both calls take a number and change this thread's credentials only.
        unsafe {
            libc::setfsgid(gid);
            libc::setfsuid(uid);
        }
        // On failure `rights` is dropped here and puts everything back.
        (file_system_uid() == uid && file_system_gid() == gid).then_some(rights)
    }
}

impl Drop for BorrowedRights {
    fn drop(&mut self) {
        // SAFETY: both calls take a number and change this thread's credentials only.
        unsafe {
            libc::setfsuid(self.own_uid);
            libc::setfsgid(self.own_gid);
        }
        let restored = set_groups(&self.own_groups)
            && file_system_uid() == self.own_uid
            && file_system_gid() == self.own_gid;
        if !restored {
            std::process::abort();
        }
    }
}

fn set_groups(groups: &[libc::gid_t]) -> bool {
    // SAFETY: the kernel reads `groups.len()` ids from the slice and changes this thread only.
    let done = unsafe { libc::syscall(libc::SYS_setgroups, groups.len(), groups.as_ptr()) };
    done == 0
}

/// Both calls answer with the id of before; an id that cannot be (-1) changes nothing.
fn file_system_uid() -> libc::uid_t {
    // SAFETY: the call takes a number; -1 is never a valid id, so nothing changes.
    let before = unsafe { libc::setfsuid(libc::uid_t::MAX) };
    before.cast_unsigned()
}

fn file_system_gid() -> libc::gid_t {
    // SAFETY: the call takes a number; -1 is never a valid id, so nothing changes.
    let before = unsafe { libc::setfsgid(libc::gid_t::MAX) };
    before.cast_unsigned()
}
