//! Distributions, and where each of them has the module v4l2loopback.

use serde::Serialize;

use crate::facts::{
    AKMODS_CERTIFICATE, DKMS_CERTIFICATE, Facts, Installed, KernelPackage, OsRelease,
    PackageManager,
};
use crate::plan::{Explanation, explain};
use crate::{Generation, Known, ModuleVersion, builds_for};

/// Families of distributions with one way to the module.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Distribution {
    /// Ubuntu, Linux Mint and others with Ubuntu's packages.
    Ubuntu,
    /// Debian, LMDE, Raspberry Pi OS.
    Debian,
    /// Fedora and its kin, without Enterprise Linux.
    Fedora,
    /// Arch, Manjaro, EndeavourOS, CachyOS.
    Arch,
    /// openSUSE Tumbleweed and Leap.
    OpenSuse,
    /// Alpine.
    Alpine,
    /// Any other: no package names are known.
    Other,
}

impl Distribution {
    /// The family of a distribution.
    pub fn of(os: &OsRelease) -> Self {
        const ENTERPRISE: [&str; 6] = ["rhel", "centos", "rocky", "almalinux", "ol", "amzn"];
        if os.is_like("ubuntu") {
            Distribution::Ubuntu
        } else if os.is_like("debian") || os.id == "raspbian" {
            Distribution::Debian
        } else if os.is_like("fedora") && !ENTERPRISE.contains(&os.id.as_str()) {
            Distribution::Fedora
        } else if os.is_like("arch") || os.id == "manjaro" {
            Distribution::Arch
        } else if os.is_like("suse") || os.is_like("opensuse") || os.id.starts_with("opensuse") {
            Distribution::OpenSuse
        } else if os.is_like("alpine") {
            Distribution::Alpine
        } else {
            Distribution::Other
        }
    }
}

/// Who signs a module, for kernels that load no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Signature {
    /// The distribution: its kernel trusts it.
    Distribution,
    /// A key of this machine, which the firmware has to learn.
    OwnKey(&'static str),
    /// Nobody, or a key that cannot be imported in the usual way.
    None,
}

/// Where the module comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ModuleSource {
    pub(crate) manager: PackageManager,
    pub(crate) packages: Vec<String>,
    /// Why these packages and no others.
    pub(crate) why: String,
    pub(crate) signature: Signature,
    /// Whether it is built on this machine.
    pub(crate) builds: Option<Builder>,
    /// The version that the package is known to have.
    pub(crate) version: Option<ModuleVersion>,
    pub(crate) generation: Generation,
}

/// What builds a module on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Builder {
    Dkms,
    Akmods,
}

/// Where the module comes from on this system, or why it cannot be had.
pub(crate) fn module_source(facts: &Facts) -> Result<ModuleSource, Explanation> {
    let Some(os) = facts.system.os.get() else { return Err(explain::unknown_distribution(facts)) };
    let Some(release) = facts.kernel.release.get() else {
        return Err(explain::unknown_kernel());
    };
    let source = match Distribution::of(os) {
        Distribution::Ubuntu => ubuntu(facts, os, release)?,
        Distribution::Debian => debian(facts, os, release)?,
        Distribution::Fedora => fedora(facts, release),
        Distribution::Arch => arch(facts, release)?,
        Distribution::OpenSuse => open_suse(facts, os)?,
        Distribution::Alpine => alpine(facts)?,
        Distribution::Other => return Err(explain::unknown_distribution(facts)),
    };
    if let (Some(version), Some(kernel)) = (source.version, facts.kernel_version())
        && source.builds.is_some()
        && !builds_for(version, kernel)
    {
        return Err(explain::module_too_old(facts, version));
    }
    Ok(source)
}

/// Flavours of kernels that Ubuntu itself builds. A kernel from elsewhere has no prebuilt module.
const UBUNTU_FLAVOURS: [&str; 13] = [
    "generic",
    "lowlatency",
    "oem",
    "azure",
    "aws",
    "gcp",
    "gke",
    "oracle",
    "ibm",
    "kvm",
    "raspi",
    "realtime",
    "nvidia",
];

/// Prebuilt and signed modules, never DKMS: that leaves the kernel's packages half configured when
/// the module does not build (linuxmint/linuxmint#896), and is refused where the kernel's own
/// package has the module. Package names: Ubuntu's package index (front-door.md, part B). That some
/// kernels have the module in `linux-modules-…` itself: Contents of noble-updates
/// (6.17.0-1022-azure).
fn ubuntu(facts: &Facts, os: &OsRelease, release: &str) -> Result<ModuleSource, Explanation> {
    let flavour = facts.kernel.flavour().unwrap_or_default();
    let mut numbers = release.split('-').skip(1);
    // 6.11.0-17-generic; Pop!_OS has 6.9.3-76060903-generic.
    let is_abi = |part: &str| part.len() <= 4 && part.bytes().all(|byte| byte.is_ascii_digit());
    let family = flavour.split('-').next().unwrap_or_default();
    if !numbers.next().is_some_and(is_abi) || !UBUNTU_FLAVOURS.contains(&family) {
        return Err(explain::other_kernel(facts, release));
    }
    let package = facts.kernel.package();
    let suffix = package.map_or_else(
        || ubuntu_suffix(os, release, &flavour),
        |KernelPackage { flavour, .. }| flavour.clone(),
    );
    let name = format!("linux-modules-v4l2loopback-{suffix}");
    if facts.packages.has(&name).is_false() {
        return Err(explain::no_prebuilt_module(facts, release, &name));
    }
    // Kernels for clouds have the video core in a package of its own.
    let mut packages = vec![name];
    if facts.kernel.videodev.is_false() {
        packages.extend(ubuntu_video_packages(facts));
    }
    Ok(ModuleSource {
        manager: PackageManager::Apt,
        packages,
        why: format!(
            "It has the module prebuilt and signed by Ubuntu for kernels of the flavour \
             {suffix}, also after updates; v4l2loopback-dkms is not used, since a kernel update \
             for which it does not build is left half installed"
        ),
        signature: Signature::Distribution,
        builds: None,
        version: None,
        // 24.04 has 0.12.7 for old kernels; 26.04 began with a kernel for which that does not
        // build.
        generation: match os.version.as_deref().and_then(ModuleVersion::parse) {
            Some(version) if os.id == "ubuntu" && version >= ModuleVersion(26, 4, 0) => {
                Generation::Dynamic
            }
            _ if os.codename.as_deref() == Some("resolute") => Generation::Dynamic,
            _ => Generation::Unknown,
        },
    })
}

/// The packages with the video core of Ubuntu's kernels for clouds.
pub(crate) fn ubuntu_video_packages(facts: &Facts) -> Vec<String> {
    let names = [facts.kernel.flavour(), facts.kernel.release.get().cloned()];
    names.into_iter().flatten().map(|name| format!("linux-modules-extra-{name}")).collect()
}

/// The flavour of the package that brings this kernel, where dpkg does not tell: kernels later than
/// the one that the release began with are called "hwe".
fn ubuntu_suffix(os: &OsRelease, release: &str, flavour: &str) -> String {
    const RELEASES: [(&str, &str, &str); 3] =
        [("jammy", "22.04", "5.15."), ("noble", "24.04", "6.8."), ("resolute", "26.04", "7.0.")];
    let Some((_, version, first)) =
        RELEASES.iter().find(|(name, ..)| os.codename.as_deref() == Some(name))
    else {
        return flavour.to_owned();
    };
    match flavour {
        "generic" | "lowlatency" if !release.starts_with(first) => {
            format!("{flavour}-hwe-{version}")
        }
        "oem" => format!("oem-{version}"),
        _ => flavour.to_owned(),
    }
}

/// DKMS and the headers of the running flavour. Names and the version of Debian 12: asked of its
/// package tool; the version of Debian 13: v4l2loopback#674. Raspberry Pi OS: its documentation.
fn debian(facts: &Facts, os: &OsRelease, release: &str) -> Result<ModuleSource, Explanation> {
    let major = os.version.as_deref().and_then(|version| version.parse::<u32>().ok());
    let codename = os.codename.as_deref();
    let by_release = match (major, codename) {
        (Some(12), _) | (_, Some("bookworm")) if os.id != "linuxmint" => {
            Some(ModuleVersion(0, 12, 7))
        }
        (Some(13), _) | (_, Some("trixie")) if os.id != "linuxmint" => {
            Some(ModuleVersion(0, 15, 0))
        }
        _ => None,
    };
    let listed = facts.packages.available.get().and_then(|packages| {
        packages.get("v4l2loopback-dkms").and_then(|version| ModuleVersion::parse(version))
    });
    let version = listed.or(by_release);
    let flavour = facts.kernel.flavour().unwrap_or_default();
    if flavour.starts_with("cloud-") {
        return Err(explain::kernel_without_video(release));
    }
    let headers = match facts.kernel.package() {
        Some(package) => Some(format!("linux-headers-{}", package.flavour)),
        None if facts.kernel.headers.is_true() => None,
        None => Some(format!("linux-headers-{release}")),
    };
    let mut packages: Vec<_> = headers.into_iter().collect();
    packages.push("v4l2loopback-dkms".to_owned());
    Ok(ModuleSource {
        manager: PackageManager::Apt,
        packages,
        why: "DKMS builds the module for this kernel and for each later one, for which it needs \
              the kernel's headers"
            .to_owned(),
        // DKMS before 3 (Debian 11) does not sign.
        signature: match major {
            Some(..12) if os.id == "debian" || os.id == "raspbian" => Signature::None,
            _ => Signature::OwnKey(DKMS_CERTIFICATE),
        },
        builds: Some(Builder::Dkms),
        version,
        generation: version.map_or(Generation::Unknown, Generation::from),
    })
}

/// RPM Fusion's akmod: front-door.md, part B. kernel-devel is named with the release of the kernel,
/// as the newest one fits another kernel if updates are waiting; later kernels bring theirs along.
fn fedora(facts: &Facts, release: &str) -> ModuleSource {
    let mut packages = vec!["akmod-v4l2loopback".to_owned()];
    match facts.kernel.successor() {
        Some(successor) => packages.push(format!("kernel-devel-{successor}")),
        None if facts.kernel.headers.is_true() => {}
        None => packages.push(format!("kernel-devel-{release}")),
    }
    ModuleSource {
        manager: PackageManager::Dnf,
        packages,
        why: "akmods builds the module for this kernel and for each later one, for which it needs \
              kernel-devel"
            .to_owned(),
        signature: Signature::OwnKey(AKMODS_CERTIFICATE),
        builds: Some(Builder::Akmods),
        version: None,
        generation: Generation::Dynamic,
    }
}

/// DKMS and the headers of the running kernel's package, whose name is in its module folder.
fn arch(facts: &Facts, release: &str) -> Result<ModuleSource, Explanation> {
    let package = match facts.kernel.arch_package.get() {
        Some(package) => package.clone(),
        // The folder goes when the kernel is updated: then the name is in the release.
        None => arch_package(release).ok_or_else(|| explain::other_kernel(facts, release))?,
    };
    Ok(ModuleSource {
        manager: PackageManager::Pacman,
        packages: vec![format!("{package}-headers"), "v4l2loopback-dkms".to_owned()],
        why: format!(
            "DKMS builds the module for this kernel and for each later one, for which it needs the \
             headers of {package}"
        ),
        signature: Signature::None,
        builds: Some(Builder::Dkms),
        version: None,
        generation: Generation::Dynamic,
    })
}

/// `6.12.9-zen1-1-zen`, `6.6.72-1-lts`, `6.12.10-arch1-1`, `6.12.4-1-MANJARO`.
fn arch_package(release: &str) -> Option<String> {
    if release.ends_with("-MANJARO") {
        let mut numbers = release.split('.');
        return Some(format!("linux{}{}", numbers.next()?, numbers.next()?));
    }
    let endings = [("-zen", "linux-zen"), ("-lts", "linux-lts"), ("-hardened", "linux-hardened")];
    let found = endings.iter().find(|(ending, _)| release.ends_with(ending));
    let found = found.map(|(_, package)| *package);
    found.or(release.contains("-arch").then_some("linux")).map(str::to_owned)
}

/// The module for a flavour, in openSUSE's own repository and signed with its key. Name: many
/// public set-up scripts and package lists; only the flavour "default" is certain.
fn open_suse(facts: &Facts, os: &OsRelease) -> Result<ModuleSource, Explanation> {
    let flavour = facts.kernel.flavour().unwrap_or_default();
    let name = format!("v4l2loopback-kmp-{flavour}");
    if flavour != "default" {
        let release = facts.kernel.release.get().map_or("", String::as_str);
        return Err(explain::no_prebuilt_module(facts, release, &name));
    }
    Ok(ModuleSource {
        manager: PackageManager::Zypper,
        packages: vec![name],
        why: "It has the module prebuilt and signed by openSUSE for this flavour of the kernel, \
              also after updates"
            .to_owned(),
        signature: Signature::Distribution,
        builds: None,
        version: None,
        generation: match os.id.as_str() {
            "opensuse-tumbleweed" => Generation::Dynamic,
            _ => Generation::Unknown,
        },
    })
}

/// Prebuilt for the kernel "lts" (two public set-up scripts; not confirmed by Alpine's own index).
fn alpine(facts: &Facts) -> Result<ModuleSource, Explanation> {
    let flavour = facts.kernel.flavour().unwrap_or_default();
    if flavour != "lts" {
        let release = facts.kernel.release.get().map_or("", String::as_str);
        let name = format!("v4l2loopback-{flavour}");
        return Err(explain::no_prebuilt_module(facts, release, &name));
    }
    Ok(ModuleSource {
        manager: PackageManager::Apk,
        packages: vec!["v4l2loopback-lts".to_owned()],
        why: "It has the module prebuilt for the kernel lts".to_owned(),
        signature: Signature::None,
        builds: None,
        version: None,
        generation: Generation::Dynamic,
    })
}

/// Whether the module is there for the running kernel.
pub(crate) fn module_is_there(facts: &Facts) -> bool {
    let installed = &facts.module.installed;
    let loaded = facts.loaded_generation().is_some();
    loaded || matches!(installed, Known::Is(Installed::Yes { .. } | Installed::BuiltIn))
}
