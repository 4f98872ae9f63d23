//! Loads, attaches and replaces the kernel programs.
//!
//! Owns the list of programs and the order in which they are attached. At no moment is a governed
//! connect judged by nobody: pinned links keep the old program running until the new one takes its
//! place in the same link. Nothing is redirected before the maps are filled, because nobody is
//! governed before. The daemon's end is not the programs' end; only [`Programs::uninstall`] is.

use std::fs;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;

use aya::programs::{BtfTracePoint, Program};
use aya::{Btf as LoaderBtf, Ebpf, EbpfLoader};

use super::cgroups::CgroupTree;
use super::maps::Maps;
use super::pins::{BPF_FILE_SYSTEM, InstanceName, MapSizes, Pins, shapes};
use super::{InterceptionError, offsets, syscall};

/// The object that the build script made.
static OBJECT: &[u8] = aya::include_bytes_aligned!(concat!(env!("OUT_DIR"), "/gateway-ebpf.o"));

/// What to install, and where.
#[derive(Clone, Debug)]
pub struct Installation {
    /// The name under which maps and links are pinned.
    pub instance: InstanceName,
    /// The BPF file system; it is mounted there if it is not.
    pub bpf_file_system: PathBuf,
    /// Room in the maps. Takes effect when they are made; pinned ones of another size are refused.
    pub sizes: MapSizes,
    /// Write debug lines from the programs through the log.
    pub debug: bool,
    /// Attach the programs that follow the cgroup tree, where the kernel takes them.
    pub follow_tree: bool,
}

impl Installation {
    /// An installation at the usual place with the usual sizes.
    #[must_use]
    pub fn new(instance: InstanceName) -> Self {
        Self {
            instance,
            bpf_file_system: PathBuf::from(BPF_FILE_SYSTEM),
            sizes: MapSizes::default(),
            debug: false,
            follow_tree: true,
        }
    }
}

/// What was there before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// Nothing: maps are empty, nobody is governed.
    Fresh,
    /// Pinned maps and links of an earlier daemon: who was governed still is.
    Adopted,
}

/// The installed programs and their maps.
#[derive(Debug)]
pub struct Programs {
    pub(super) maps: Maps,
    pins: Pins,
    tree: CgroupTree,
    tracepoints: bool,
    adoption: Adoption,
}

/// A program that is attached to the root of the cgroup tree.
struct Hook {
    program: &'static str,
    /// `enum bpf_attach_type` in linux/bpf.h.
    attach_type: u32,
}

/// In attaching order: what carries a binding and answers for it comes before what makes one.
const HOOKS: &[Hook] = &[
    Hook { program: "pcl_carry", attach_type: 3 },
    Hook { program: "pcl_peer4", attach_type: 29 },
    Hook { program: "pcl_peer6", attach_type: 30 },
    Hook { program: "pcl_bind4", attach_type: 8 },
    Hook { program: "pcl_bind6", attach_type: 9 },
    Hook { program: "pcl_socket", attach_type: 2 },
    Hook { program: "pcl_egress", attach_type: 1 },
    Hook { program: "pcl_sendmsg4", attach_type: 14 },
    Hook { program: "pcl_sendmsg6", attach_type: 15 },
    Hook { program: "pcl_connect4", attach_type: 10 },
    Hook { program: "pcl_connect6", attach_type: 11 },
];

/// Programs that this kernel may refuse, with their tracepoints.
const TRACEPOINTS: &[(&str, &str)] = &[
    ("pcl_cgroup_made", "cgroup_mkdir"),
    ("pcl_cgroup_gone", "cgroup_rmdir"),
    ("pcl_task_moved", "cgroup_attach_task"),
    ("pcl_task_exec", "sched_process_exec"),
];

impl Programs {
    /// Loads the programs; adopts pinned maps and replaces the programs in pinned links, or attaches
    /// and pins anew. Takes tens of milliseconds and blocks: call it before serving, or on a thread
    /// that may block.
    ///
    /// # Errors
    /// [`InterceptionError`]: no BTF, no cgroup2, no BPF file system, pinned maps of another shape,
    /// a program that the kernel refuses, or missing capabilities (`CAP_BPF`, `CAP_NET_ADMIN`,
    /// `CAP_PERFMON`). What was attached before stays attached.
    pub fn load_or_adopt(installation: &Installation) -> Result<Self, InterceptionError> {
        let tree = CgroupTree::find()?;
        let pins = Pins::new(&installation.bpf_file_system, &installation.instance);
        pins.prepare(&installation.bpf_file_system)?;
        let adoption = if pins.are_installed() { Adoption::Adopted } else { Adoption::Fresh };
        pins.check_maps(&installation.sizes)?;
        let mut object = load(installation, &pins)?;
        let root = tree.open_root()?;
        for hook in HOOKS {
            attach(&mut object, hook, root.as_fd(), &pins)?;
        }
        let tracepoints = installation.follow_tree && attach_tracepoints(&mut object, &pins)?;
        remove_unknown_links(&pins)?;
        let maps = Maps::open(&pins)?;
        Ok(Self { maps, pins, tree, tracepoints, adoption })
    }

    /// Whether an earlier daemon's pins were adopted.
    #[must_use]
    pub fn adoption(&self) -> Adoption {
        self.adoption
    }

    /// Whether the kernel itself governs cgroups that appear later. Without it the tree has to be
    /// watched, and a task may run for a moment before its cgroup is governed.
    #[must_use]
    pub fn governs_new_cgroups(&self) -> bool {
        self.tracepoints
    }

    /// The cgroup tree to whose root the programs are attached.
    #[must_use]
    pub fn tree(&self) -> &CgroupTree {
        &self.tree
    }

    /// How many of the programs are attached now, by their pinned links, and how many there should
    /// be: fewer means that somebody took one down.
    #[must_use]
    pub fn attached(&self) -> (usize, usize) {
        let wanted = HOOKS.iter().map(|hook| hook.program);
        let present = wanted.filter(|program| self.pins.link(program).exists()).count();
        (present, HOOKS.len())
    }

    /// The directory of the links' pins.
    #[must_use]
    pub fn pinned_at(&self) -> PathBuf {
        self.pins.links()
    }

    /// Where this instance's events are pinned.
    pub(super) fn events_pin(&self) -> PathBuf {
        self.pins.map("EVENTS")
    }

    /// Detaches everything: from here on nothing is captured. For an operator who says so.
    ///
    /// # Errors
    /// [`InterceptionError::Pins`] where a pin cannot be removed.
    pub fn uninstall(installation: &Installation) -> Result<(), InterceptionError> {
        let pins = Pins::new(&installation.bpf_file_system, &installation.instance);
        pins.remove().map_err(|source| InterceptionError::Pins { path: pins.links(), source })
    }
}

/// Loads the object, with its maps from their pins where they are pinned.
fn load(installation: &Installation, pins: &Pins) -> Result<Ebpf, InterceptionError> {
    let offsets = offsets::of_running_kernel()?;
    let debug = u32::from(installation.debug);
    let mut loader = EbpfLoader::new();
    loader.override_global("OFFSETS", &offsets, true).override_global("DEBUG", &debug, true);
    for (name, entries) in installation.sizes.by_name() {
        loader.map_max_entries(name, entries);
    }
    for shape in shapes(&installation.sizes) {
        loader.map_pin_path(shape.name, pins.map(shape.name));
    }
    let mut object =
        loader.load(OBJECT).map_err(|source| InterceptionError::Object(Box::new(source)))?;
    if installation.debug
        && let Err(error) = super::events::log_debug_lines(&mut object)
    {
        tracing::warn!(%error, "the programs' debug lines cannot be shown");
    }
    Ok(object)
}

/// Loads one program and puts it into its pinned link, or attaches it and pins the link.
fn attach(
    object: &mut Ebpf,
    hook: &Hook,
    root: BorrowedFd<'_>,
    pins: &Pins,
) -> Result<(), InterceptionError> {
    let failed = |source| InterceptionError::Attach { program: hook.program, source };
    let program = loaded(object, hook.program)?;
    let fd = program.fd().map_err(|source| refused(hook.program, source))?.as_fd();
    let path = pins.link(hook.program);
    if path.exists() {
        let link = syscall::object_get(&path).map_err(failed)?;
        return syscall::link_update(link.as_fd(), fd).map_err(failed);
    }
    let link = syscall::link_create(fd, root, hook.attach_type).map_err(failed)?;
    syscall::object_pin(link.as_fd(), &path).map_err(failed)
}

/// The program of that name, loaded into the kernel.
fn loaded<'a>(
    object: &'a mut Ebpf,
    name: &'static str,
) -> Result<&'a mut Program, InterceptionError> {
    let program = object.program_mut(name).ok_or(InterceptionError::NoProgram(name))?;
    let result = match program {
        Program::CgroupSockAddr(program) => program.load(),
        Program::CgroupSock(program) => program.load(),
        Program::CgroupSkb(program) => program.load(),
        Program::SockOps(program) => program.load(),
        _ => return Err(InterceptionError::NoProgram(name)),
    };
    result.map_err(|source| refused(name, source))?;
    Ok(program)
}

fn refused(program: &'static str, source: aya::programs::ProgramError) -> InterceptionError {
    InterceptionError::Refused { program, source: Box::new(source) }
}

/// Attaches the optional programs; `false` where this kernel does not take them.
fn attach_tracepoints(object: &mut Ebpf, pins: &Pins) -> Result<bool, InterceptionError> {
    let Ok(types) = LoaderBtf::from_sys_fs() else { return Ok(false) };
    for (name, tracepoint) in TRACEPOINTS {
        let program = object.program_mut(name).ok_or(InterceptionError::NoProgram(name))?;
        let program: &mut BtfTracePoint =
            program.try_into().map_err(|source| refused(name, source))?;
        let opened = program
            .load(tracepoint, &types)
            .map_err(|error| error.to_string())
            .and_then(|()| program.fd().map_err(|error| error.to_string()))
            .and_then(|fd| syscall::tracepoint_open(fd.as_fd()).map_err(|e| e.to_string()));
        let link = match opened {
            Ok(link) => link,
            Err(error) => {
                tracing::warn!(program = name, error, "optional program not attached");
                return Ok(false);
            }
        };
        // Links of this kind cannot take another program. The new one already runs beside the old,
        // and both do the same; renaming its pin over the old one's ends the old. (No dot in the name:
        // the file system refuses them.)
        let (path, fresh) = (pins.link(name), pins.link(&format!("{name}-new")));
        let failed = |source| InterceptionError::Attach { program: name, source };
        ignore_absent(fs::remove_file(&fresh)).map_err(failed)?;
        syscall::object_pin(link.as_fd(), &fresh).map_err(failed)?;
        fs::rename(&fresh, &path).map_err(failed)?;
    }
    Ok(true)
}

/// Detaches what an earlier version attached and this one does not have.
fn remove_unknown_links(pins: &Pins) -> Result<(), InterceptionError> {
    let failed = |source| InterceptionError::Pins { path: pins.links(), source };
    let known = |name: &str| {
        HOOKS.iter().any(|hook| hook.program == name)
            || TRACEPOINTS.iter().any(|(program, _)| *program == name)
    };
    for entry in fs::read_dir(pins.links()).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if !known(&entry.file_name().to_string_lossy()) {
            ignore_absent(fs::remove_file(entry.path())).map_err(failed)?;
        }
    }
    Ok(())
}

fn ignore_absent(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
