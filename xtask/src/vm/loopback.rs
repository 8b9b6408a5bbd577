//! v4l2loopback in the dialects that are in use, each from Debian's own package of its source.
//!
//! For each one a whole tree of modules is kept (the kernel's files as hard links), so that the guest can modprobe
//! and rmmod like an installed machine.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::{Context, Result, anyhow, bail};

use super::apt::{self, Apt};
use super::kernel::{self, Kernel, modules_folder};
use super::tools::{self, call, command};

const RECIPE: &str = "loopback 1";
const PACKAGE: &str = "v4l2loopback-dkms";

/// A version and the Debian release that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Version {
    number: &'static str,
    release: &'static str,
}

/// One of each dialect (client events from 0.13, another buffer model from 0.14) and the newest. When a release
/// moves on to another version, this table follows.
const VERSIONS: &[Version] = &[
    Version { number: "0.12.7", release: "bookworm" },
    Version { number: "0.13.2", release: "bookworm-backports" },
    Version { number: "0.15.0", release: "trixie" },
    Version { number: "0.15.4", release: "sid" },
];

/// Which v4l2loopback the guest has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Choice {
    None,
    Version(Version),
}

impl FromStr for Choice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text == "none" {
            return Ok(Self::None);
        }
        let found = VERSIONS.iter().find(|version| version.number == text);
        found.copied().map(Self::Version).ok_or_else(|| {
            let known: Vec<&str> = VERSIONS.iter().map(|version| version.number).collect();
            format!("known are {} and none", known.join(", "))
        })
    }
}

impl fmt::Display for Choice {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::None => "none",
            Self::Version(version) => version.number,
        })
    }
}

/// Gives the folder of modules for the guest, from the cache or made now: about a minute with the package lists.
pub fn prepare(cache: &Path, kernel: &Kernel, choice: Choice) -> Result<PathBuf> {
    let Choice::Version(version) = choice else {
        return Ok(modules_folder(&kernel.root, &kernel.release));
    };
    let folder = cache.join("loopback").join(version.number);
    let modules = modules_folder(&folder, &kernel.release);
    let stamp = format!("{RECIPE}\n{}", kernel.stamp);
    if fs::read_to_string(folder.join("stamp")).is_ok_and(|old| old == stamp) {
        return Ok(modules);
    }
    tools::require(tools::TO_UNPACK)?;
    tools::require(tools::TO_BUILD)?;
    eprintln!(
        "vm: building v4l2loopback {} for {} (first time here)",
        version.number, kernel.release
    );
    let staging = cache.join("loopback").join(format!("{}.new", version.number));
    kernel::empty(&staging)?;

    let source = get_source(cache, &staging, version)?;
    let object = build(kernel, &source)?;
    install(kernel, &staging, &object)?;
    fs::write(staging.join("stamp"), stamp)?;
    kernel::replace(&staging, &folder)?;
    Ok(modules)
}

/// Brings the package and gives the folder of its source.
fn get_source(cache: &Path, staging: &Path, version: Version) -> Result<PathBuf> {
    let machine = Apt::of_this_machine(&cache.join("apt/machine"))?;
    let apt = Apt::of_release(&cache.join("apt").join(version.release), &machine, version.release)?;
    let versions = apt.versions(PACKAGE)?;
    let Some(full) = versions.iter().find(|full| apt::upstream(full) == version.number) else {
        bail!(
            "Debian {} no longer has v4l2loopback {} but {}; bring the table in xtask/src/vm/loopback.rs up to date",
            version.release,
            version.number,
            versions.first().map_or("none", String::as_str)
        );
    };
    let debs = staging.join("debs");
    fs::create_dir(&debs)?;
    for deb in apt.download(&[format!("{PACKAGE}={full}")], &debs)? {
        eprintln!("vm: using {}", deb.title);
        apt::unpack(&deb, staging)?;
    }
    let sources = staging.join("usr/src");
    let mut found =
        fs::read_dir(&sources).with_context(|| format!("{PACKAGE} brought no source"))?;
    Ok(found.next().with_context(|| format!("{PACKAGE} brought no source"))??.path())
}

/// Compiles the module outside the kernel's tree, the way DKMS would.
fn build(kernel: &Kernel, source: &Path) -> Result<PathBuf> {
    let mut make = command("make");
    // The make that may have called us must not pass its options on.
    make.env_remove("MAKEFLAGS").env_remove("MFLAGS").env_remove("MAKELEVEL");
    make.arg("-C").arg(kernel.headers()).arg(format!("M={}", source.display())).arg("modules");
    // The headers name their compiler (gcc-12 on Debian 12); the package gcc brings just that one.
    call(&mut make, "build v4l2loopback").map_err(|error| {
        anyhow!("{error}; if the compiler is what is missing, run `apt-get install gcc` as root, then try again")
    })?;
    Ok(source.join("v4l2loopback.ko"))
}

/// Lays the kernel's modules and ours into one tree and indexes it.
fn install(kernel: &Kernel, staging: &Path, object: &Path) -> Result<()> {
    let tree = modules_folder(staging, &kernel.release);
    let parent = tree.parent().context("a module tree has a parent")?;
    fs::create_dir_all(parent)?;
    let from = modules_folder(&kernel.root, &kernel.release);
    call(
        command("cp").args(["--archive", "--link"]).arg(&from).arg(&tree),
        "link the kernel's modules",
    )?;
    // depmod writes these anew; as links they would be the kernel tree's own.
    for entry in fs::read_dir(&tree)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if name.starts_with("modules.")
            && !name.starts_with("modules.builtin")
            && name != "modules.order"
        {
            fs::remove_file(path)?;
        }
    }
    let updates = tree.join("updates");
    fs::create_dir_all(&updates)?;
    fs::copy(object, updates.join("v4l2loopback.ko"))
        .context("the build left no v4l2loopback.ko")?;
    call(command("depmod").arg("-b").arg(staging).arg(&kernel.release), "index the modules")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_choice_reads_back_as_it_is_written() {
        for text in ["none", "0.12.7", "0.13.2", "0.15.0", "0.15.4"] {
            assert_eq!(text.parse::<Choice>().unwrap().to_string(), text);
        }
        let error = "0.14.0".parse::<Choice>().unwrap_err();
        assert_eq!(error, "known are 0.12.7, 0.13.2, 0.15.0, 0.15.4 and none");
    }
}
