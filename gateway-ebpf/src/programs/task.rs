//! What the kernel knows of the calling task, read into a record.
//!
//! Offsets come from the running kernel's BTF. A field that cannot be read stays 0 (the executable:
//! marked as not known), and whoever needs it refuses.

use core::ffi::c_void;

use aya_ebpf::helpers::bpf_get_current_pid_tgid;
use aya_ebpf::helpers::generated::{
    bpf_get_current_comm, bpf_get_current_task, bpf_ktime_get_boot_ns, bpf_probe_read_kernel,
};
use gateway_ebpf::{EXECUTABLE_KNOWN, LOGIN_UID_UNSET, Offsets, Record};

use super::govern::task_cgroup;
use super::maps::offsets;

/// Reads a value at `offset` of the kernel structure at `base`; `None` where the structure, the
/// field or the memory is not there.
#[inline(always)]
pub(crate) fn read<T: Copy + Default>(base: u64, offset: u32) -> Option<T> {
    if base == 0 || offset == Offsets::ABSENT {
        return None;
    }
    let mut value = T::default();
    let address = base.wrapping_add(u64::from(offset)) as *const c_void;
    // SAFETY: the helper checks the address itself; the destination is a value of that size.
    let failed =
        unsafe { bpf_probe_read_kernel((&raw mut value).cast(), size_of::<T>() as u32, address) };
    (failed == 0).then_some(value)
}

/// The calling task's `task_struct`.
#[inline(always)]
pub(crate) fn current() -> u64 {
    // SAFETY: no arguments.
    unsafe { bpf_get_current_task() }
}

/// Fills in process, user, executable, cgroup and time.
#[inline(always)]
pub(crate) fn fill(record: &mut Record) {
    let at = offsets();
    let task = current();
    let pid_tgid = bpf_get_current_pid_tgid();
    record.tgid = (pid_tgid >> 32) as u32;
    record.tid = pid_tgid as u32;
    record.cgroup = task_cgroup();
    // SAFETY: no arguments; the other takes 16 bytes of the record.
    unsafe {
        record.connected_boottime_ns = bpf_ktime_get_boot_ns();
        bpf_get_current_comm(record.comm.as_mut_ptr().cast(), 16);
    }
    let cred = read(task, at.task_cred).unwrap_or(0);
    // Without credentials: the overflow uid, which is nobody's.
    record.uid = read(cred, at.cred_euid).unwrap_or(u32::MAX);
    record.gid = read(cred, at.cred_egid).unwrap_or(u32::MAX);
    record.login_uid = read(task, at.task_loginuid).unwrap_or(LOGIN_UID_UNSET);
    let leader = read(task, at.task_group_leader).unwrap_or(0);
    record.start_boottime_ns = read(leader, at.task_start_boottime).unwrap_or(0);
    record.exec_id = read(leader, at.task_self_exec_id).unwrap_or(0);
    fill_executable(record, task, &at);
}

/// Fills in the executable's device and inode.
#[inline(always)]
fn fill_executable(record: &mut Record, task: u64, at: &Offsets) {
    let mm = read(task, at.task_mm).unwrap_or(0);
    let file = read(mm, at.mm_exe_file).unwrap_or(0);
    let inode = read(file, at.file_f_inode).unwrap_or(0);
    let super_block = read(inode, at.inode_i_sb).unwrap_or(0);
    if let (Some(number), Some(device)) =
        (read::<u64>(inode, at.inode_i_ino), read::<u32>(super_block, at.super_block_s_dev))
    {
        record.executable_inode = number;
        record.executable_device = device;
        record.known |= EXECUTABLE_KNOWN;
    }
}
