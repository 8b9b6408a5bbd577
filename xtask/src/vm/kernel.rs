//! The guest's kernel: Debian's stock image and its headers, unpacked side by side, never installed.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::apt::{self, Apt};
use super::tools::{self, call, command};

/// Changed when what this file makes changes, so that older caches are made anew.
const RECIPE: &str = "kernel 1";

/// An unpacked kernel.
pub struct Kernel {
    /// As `uname -r` says it: `6.1.0-56-amd64`.
    pub release: String,
    /// Where the packages are unpacked: `boot`, `lib/modules`, `usr/src` below it.
    pub root: PathBuf,
    /// What it was made from; a cache that depends on this kernel carries a copy.
    pub stamp: String,
}

impl Kernel {
    /// The image QEMU boots.
    pub fn image(&self) -> PathBuf {
        self.root.join("boot").join(format!("vmlinuz-{}", self.release))
    }

    /// The folder modules are built against.
    pub fn headers(&self) -> PathBuf {
        self.root.join("usr/src").join(format!("linux-headers-{}", self.release))
    }
}

/// The folder of modules below a root, as `modprobe -d ROOT` looks for it.
pub fn modules_folder(root: &Path, release: &str) -> PathBuf {
    root.join("lib/modules").join(release)
}

/// Gives the kernel from the cache, or makes it: about 90 MB of packages, 500 MB unpacked.
pub fn prepare(cache: &Path) -> Result<Kernel> {
    let folder = cache.join("kernel");
    if let Some(kernel) = cached(&folder) {
        return Ok(kernel);
    }
    tools::require(tools::TO_UNPACK)?;
    eprintln!("vm: getting Debian's kernel (first time here)");
    let staging = cache.join("kernel.new");
    empty(&staging)?;
    let (debs, root) = (staging.join("debs"), staging.join("root"));
    fs::create_dir(&debs)?;
    fs::create_dir(&root)?;

    let apt = Apt::of_this_machine(&cache.join("apt/machine"))?;
    let image =
        apt::only(apt.dependencies("linux-image-amd64", &["linux-image-"])?, "linux-image-amd64")?;
    let release = image.trim_start_matches("linux-image-").to_owned();
    let headers = format!("linux-headers-{release}");
    let mut packages = apt.dependencies(&headers, &["linux-headers-", "linux-kbuild-"])?;
    packages.extend([image, headers]);

    let mut titles = String::new();
    for deb in apt.download(&packages, &debs)? {
        eprintln!("vm: using {}", deb.title);
        titles.push_str(&deb.title);
        titles.push('\n');
        apt::unpack(&deb, &root)?;
    }
    fs::remove_dir_all(&debs)?;
    if !root.join("lib").exists() {
        // From Debian 13 on the packages bring usr/lib alone, and depmod looks in lib.
        std::os::unix::fs::symlink("usr/lib", root.join("lib"))?;
    }
    call(command("depmod").arg("-b").arg(&root).arg(&release), "index the kernel's modules")?;
    relocate_headers(&root, &folder.join("root"), &release)?;

    fs::write(staging.join("stamp"), stamp(&folder, &titles))?;
    fs::write(staging.join("release"), &release)?;
    replace(&staging, &folder)?;
    cached(&folder).context("the kernel just made does not read back")
}

fn cached(folder: &Path) -> Option<Kernel> {
    let stamp_text = fs::read_to_string(folder.join("stamp")).ok()?;
    let release = fs::read_to_string(folder.join("release")).ok()?;
    let current = stamp_text.starts_with(&stamp(folder, ""));
    current.then(|| Kernel { release, root: folder.join("root"), stamp: stamp_text })
}

/// The place is part of the stamp: the headers' Makefile holds it.
fn stamp(folder: &Path, titles: &str) -> String {
    format!("{RECIPE}\nin {}\n{titles}", folder.display())
}

/// The headers' Makefile includes its other half by absolute path, as if installed; points it to where it will lie.
fn relocate_headers(root: &Path, final_root: &Path, release: &str) -> Result<()> {
    let makefile = root.join("usr/src").join(format!("linux-headers-{release}/Makefile"));
    let text = fs::read_to_string(&makefile)
        .with_context(|| format!("cannot read {}", makefile.display()))?;
    let moved = text.replace(
        "include /usr/src/",
        &format!("include {}/", final_root.join("usr/src").display()),
    );
    fs::write(&makefile, moved).with_context(|| format!("cannot write {}", makefile.display()))
}

/// Makes an empty folder, whatever a broken-off run left there.
pub fn empty(folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder).with_context(|| format!("cannot empty {}", folder.display()))?;
    }
    fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))
}

/// Puts a finished folder in the place of an older one.
pub fn replace(staging: &Path, folder: &Path) -> Result<()> {
    if folder.exists() {
        fs::remove_dir_all(folder)
            .with_context(|| format!("cannot remove {}", folder.display()))?;
    }
    fs::rename(staging, folder).with_context(|| format!("cannot make {}", folder.display()))
}
