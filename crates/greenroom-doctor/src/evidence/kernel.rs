//! What is installed for the running kernel, and what its processor can do.

use std::collections::VecDeque;
use std::path::{Path, PathBuf};

use greenroom_setup::{Facts, Known, ModuleVersion};
use serde::Serialize;

use crate::root::Root;

/// What is installed for the running kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelFiles {
    /// All files of the module v4l2loopback for the running kernel.
    pub module_files: Known<Vec<PathBuf>>,
    /// The sources of v4l2loopback that DKMS has.
    pub dkms_sources: Known<Vec<DkmsSource>>,
}

/// Sources of the module that DKMS has.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DkmsSource {
    /// The name of their folder: `0.12.7`.
    pub name: String,
    /// The version, if the name is one.
    pub version: Known<ModuleVersion>,
    /// Whether they have been built for the running kernel.
    pub built: Known<bool>,
}

/// What the processor can do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Cpu {
    /// An x86 processor.
    X86 {
        /// It has AVX2 and FMA, on which greenroom's fast code runs.
        avx2: bool,
    },
    /// Another one.
    Other,
}

const DKMS: &str = "/var/lib/dkms/v4l2loopback";

/// A folder of modules has some hundred folders.
const MOST_FOLDERS: usize = 5_000;

impl KernelFiles {
    pub(super) fn read(root: &Root, facts: &Facts) -> Self {
        let Known::Is(release) = &facts.kernel.release else {
            return Self { module_files: Known::Unknown, dkms_sources: Known::Unknown };
        };
        let dkms_sources = match root.names(DKMS) {
            Known::Is(names) => Known::Is(
                names
                    .into_iter()
                    .filter(|name| !name.starts_with("kernel-") && name != "original_module")
                    .map(|name| DkmsSource {
                        version: ModuleVersion::parse(&name).into(),
                        built: root.exists(format!("{DKMS}/{name}/{release}")),
                        name,
                    })
                    .collect(),
            ),
            Known::Unknown => Known::Unknown,
        };
        Self { module_files: module_files(root, release), dkms_sources }
    }
}

/// The files of the module below the folder of a kernel, looked for without following links.
fn module_files(root: &Root, release: &str) -> Known<Vec<PathBuf>> {
    let folders = ["/lib/modules", "/usr/lib/modules"].map(|folder| format!("{folder}/{release}"));
    let Some(top) = folders.iter().find(|top| root.exists(format!("{top}/modules.dep")).is_true())
    else {
        return Known::Unknown;
    };
    let mut found = Vec::new();
    // Other folders there (build, source) are links, or have no modules.
    let tops = ["updates", "extra", "kernel", "weak-updates", "misc"];
    let mut folders: VecDeque<PathBuf> =
        tops.iter().map(|name| Path::new(top).join(name)).collect();
    let mut looked_at = 0;
    while let Some(folder) = folders.pop_front() {
        looked_at += 1;
        if looked_at > MOST_FOLDERS {
            return Known::Unknown;
        }
        let Ok(entries) = std::fs::read_dir(root.path(&folder)) else { continue };
        for entry in entries.flatten() {
            let (name, kind) = (entry.file_name(), entry.file_type());
            let name = name.to_string_lossy();
            if kind.is_ok_and(|kind| kind.is_dir()) {
                folders.push_back(folder.join(&*name));
            } else if name == "v4l2loopback.ko" || name.starts_with("v4l2loopback.ko.") {
                found.push(folder.join(&*name));
            }
        }
    }
    found.sort();
    Known::Is(found)
}

/// By the flags of the first processor in `/proc/cpuinfo`.
pub(super) fn cpu(root: &Root) -> Known<Cpu> {
    let Some(text) = root.text("/proc/cpuinfo") else { return Known::Unknown };
    let value = |key: &str| {
        let lines = text.lines().filter_map(|line| line.split_once(':'));
        lines.into_iter().find(|(name, _)| name.trim() == key).map(|(_, value)| value)
    };
    match (value("flags"), value("Features")) {
        (Some(flags), _) => {
            let has = |flag: &str| flags.split_whitespace().any(|word| word == flag);
            Known::Is(Cpu::X86 { avx2: has("avx2") && has("fma") })
        }
        (None, Some(_)) => Known::Is(Cpu::Other),
        (None, None) => Known::Unknown,
    }
}
