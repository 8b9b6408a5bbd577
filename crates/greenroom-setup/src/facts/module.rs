//! The module v4l2loopback: installed, loaded, which version.

use serde::Serialize;

use super::kernel::{Kernel, module_folder};
use super::root::Root;
use crate::{Known, ModuleVersion};

/// The module v4l2loopback.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Module {
    /// For which kernels it is installed.
    pub installed: Known<Installed>,
    /// Whether it is loaded.
    pub loaded: Known<Loaded>,
    /// Whether `/dev/v4l2loopback` is there, through which nodes are added.
    pub control: Known<bool>,
    /// The parameter `max_buffers` of the loaded module.
    pub max_buffers: Known<u32>,
}

/// For which kernels the module is installed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Installed {
    /// For none.
    No,
    /// For other kernels than the running one.
    OnlyFor(Vec<String>),
    /// For the running kernel.
    Yes {
        /// Its version; [`ModuleVersion::BEFORE_CONTROL`] if it tells none.
        version: Known<ModuleVersion>,
        /// Whether it was built on this machine (by DKMS, akmods or hand), and not by whoever made
        /// the kernel.
        built_here: bool,
    },
    /// It is part of the running kernel.
    BuiltIn,
}

/// Whether the module is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Loaded {
    /// No.
    No,
    /// Yes.
    Yes {
        /// Its version; [`ModuleVersion::BEFORE_CONTROL`] if it tells none.
        version: Known<ModuleVersion>,
        /// How often its nodes are open, or the module is used otherwise: it cannot be unloaded
        /// unless this is 0.
        users: Known<u32>,
    },
}

impl Module {
    pub(super) fn read(root: &Root, kernel: &Kernel) -> Self {
        let control = match root.exists("/sys/class/misc/v4l2loopback") {
            Known::Is(true) => Known::Is(true),
            _ => root.exists("/dev/v4l2loopback"),
        };
        let max_buffers = root.word("/sys/module/v4l2loopback/parameters/max_buffers");
        Self {
            installed: installed(root, kernel),
            loaded: loaded(root),
            control,
            max_buffers: max_buffers.and_then(|word| word.parse().ok()).into(),
        }
    }
}

fn loaded(root: &Root) -> Known<Loaded> {
    let Some(modules) = root.text("/proc/modules") else { return Known::Unknown };
    let line = modules.lines().find(|line| line.split(' ').next() == Some("v4l2loopback"));
    let built_in = || root.exists("/sys/module/v4l2loopback").is_true();
    if line.is_none() && !built_in() {
        return Known::Is(Loaded::No);
    }
    let version = match root.exists("/sys/module/v4l2loopback/version") {
        Known::Is(false) => Some(ModuleVersion::BEFORE_CONTROL),
        _ => root
            .text("/sys/module/v4l2loopback/version")
            .and_then(|text| ModuleVersion::parse(&text)),
    };
    let users = line.and_then(|line| line.split(' ').nth(2)?.parse().ok());
    Known::Is(Loaded::Yes { version: version.into(), users: users.into() })
}

fn installed(root: &Root, kernel: &Kernel) -> Known<Installed> {
    let Known::Is(release) = &kernel.release else { return Known::Unknown };
    let folder = module_folder(root, release);
    if let Some(folder) = &folder {
        let index = |name| root.text(format!("{folder}/{name}")).unwrap_or_default();
        if let Some(file) = module_file(&index("modules.dep")) {
            let version = version_of_file(root, &format!("{folder}/{file}"))
                .or_else(|| version_of_sources(root, &file));
            let built_here = ["updates/", "extra/"].iter().any(|part| file.starts_with(part));
            return Known::Is(Installed::Yes { version: version.into(), built_here });
        }
        if index("modules.builtin").lines().any(|line| line.ends_with("/v4l2loopback.ko")) {
            return Known::Is(Installed::BuiltIn);
        }
    }
    let Known::Is(kernels) = &kernel.installed else { return Known::Unknown };
    let has_it = |other: &&String| {
        let index = module_folder(root, other)
            .and_then(|folder| root.text(format!("{folder}/modules.dep")));
        *other != release && index.is_some_and(|index| module_file(&index).is_some())
    };
    let others: Vec<_> = kernels.iter().filter(has_it).cloned().collect();
    Known::Is(if others.is_empty() { Installed::No } else { Installed::OnlyFor(others) })
}

/// The file of the module, from an index like `updates/dkms/v4l2loopback.ko.xz: kernel/…`.
fn module_file(index: &str) -> Option<String> {
    let files = index.lines().filter_map(|line| line.split(':').next());
    let name = |file: &str| file.rsplit('/').next().map(str::to_owned);
    let mut files = files.filter(|file| {
        name(file)
            .is_some_and(|name| name == "v4l2loopback.ko" || name.starts_with("v4l2loopback.ko."))
    });
    files.next().map(str::to_owned)
}

/// The version that a module's file tells, if it is not compressed.
fn version_of_file(root: &Root, file: &str) -> Option<ModuleVersion> {
    if !file.ends_with(".ko") {
        return None;
    }
    let bytes = root.bytes(file)?;
    // Its section .modinfo is a row of KEY=VALUE that end with 0.
    let mut fields = bytes.split(|byte| *byte == 0);
    let is_module = bytes.starts_with(b"\x7fELF");
    match fields.find_map(|field| field.strip_prefix(b"version=")) {
        Some(version) => ModuleVersion::parse(&String::from_utf8_lossy(version)),
        None => is_module.then_some(ModuleVersion::BEFORE_CONTROL),
    }
}

/// The version of the sources that DKMS or akmods has, if the module was built from them.
fn version_of_sources(root: &Root, file: &str) -> Option<ModuleVersion> {
    let only = |names: Known<Vec<String>>, prefix: &str| {
        let names = names.get()?.clone();
        let mut versions =
            names.iter().filter_map(|name| ModuleVersion::parse(name.strip_prefix(prefix)?));
        // Of two, it is not known which one this is.
        versions.next().filter(|_| versions.next().is_none())
    };
    if file.starts_with("updates/") || file.starts_with("extra/dkms") {
        only(root.names("/var/lib/dkms/v4l2loopback"), "")
    } else if file.starts_with("extra/") {
        only(root.names("/usr/src/akmods"), "v4l2loopback-kmod-")
    } else {
        None
    }
}
