//! The running kernel, and what is installed for it.

use serde::Serialize;

use super::root::Root;
use crate::Known;

/// The running kernel.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Kernel {
    /// What `uname -r` says: `6.8.0-51-generic`.
    pub release: Known<String>,
    /// Whether its modules are installed. They are gone when an update of the kernel has replaced
    /// them and the system has not been restarted yet.
    pub modules: Known<bool>,
    /// Whether what modules are built with is installed for it (`/lib/modules/…/build`).
    pub headers: Known<bool>,
    /// Whether it has the module videodev, which v4l2loopback needs, or has it built in.
    pub videodev: Known<bool>,
    /// Arch and its kin: the package that it comes from (`linux-zen`).
    pub arch_package: Known<String>,
    /// The releases of all kernels whose modules are installed.
    pub installed: Known<Vec<String>>,
    /// Debian, Ubuntu and their kin: the installed packages that always depend on the newest
    /// kernel.
    pub packages: Known<Vec<KernelPackage>>,
}

/// An installed package that depends on the newest kernel of a flavour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct KernelPackage {
    /// The flavour, the name without `linux-image-`: `generic-hwe-24.04`, `amd64`, `rpi-v8`.
    pub flavour: String,
    /// The kernel that it depends on now: `6.11.0-17-generic`.
    pub release: Known<String>,
}

impl Kernel {
    pub(super) fn read(root: &Root) -> Self {
        let release = Known::from(root.word("/proc/sys/kernel/osrelease"));
        let folder = release.get().and_then(|release| module_folder(root, release));
        let modules = match (&release, &folder) {
            (Known::Unknown, _) => Known::Unknown,
            (Known::Is(_), folder) => Known::Is(folder.is_some()),
        };
        let in_folder = |name: &str| folder.as_ref().map(|folder| format!("{folder}/{name}"));
        let videodev = in_folder("modules.dep").and_then(|path| {
            let builtin = in_folder("modules.builtin").and_then(|path| root.text(path));
            let all = root.text(path)? + &builtin.unwrap_or_default();
            Some(all.contains("/videodev.ko"))
        });
        Self {
            headers: in_folder("build").map_or(Known::Unknown, |path| root.exists(path)),
            videodev: videodev.into(),
            arch_package: in_folder("pkgbase").and_then(|path| root.word(path)).into(),
            packages: kernel_packages(root),
            installed: installed(root),
            release,
            modules,
        }
    }

    /// What comes after the numbers of the release: `generic`, `cloud-amd64`, `rpi-v8`.
    pub fn flavour(&self) -> Option<String> {
        let release = self.release.get()?;
        // 6.6.62+rpt-rpi-v8, 6.1.0-rpi7-rpi-v8
        if let Some(start) = release.rfind("-rpi-") {
            return Some(release[start + 1..].to_owned());
        }
        let is_number = |part: &&str| part.starts_with(|c: char| c.is_ascii_digit());
        let words: Vec<_> = release.split('-').skip_while(is_number).collect();
        (!words.is_empty()).then(|| words.join("-"))
    }

    /// The installed package that keeps a kernel of the running flavour up to date.
    pub fn package(&self) -> Option<&KernelPackage> {
        let (release, flavour) = (self.release.get()?, self.flavour()?);
        let packages = self.packages.get()?;
        let numbers = |release: &str| release.split('-').next().map(str::to_owned);
        let same_flavour = |package: &&KernelPackage| match &package.release {
            Known::Is(release) => release.ends_with(&format!("-{flavour}")),
            Known::Unknown => package.flavour == flavour,
        };
        let find = |fits: &dyn Fn(&str) -> bool| {
            packages.iter().find(|package| package.release.is_and(|of| fits(of)))
        };
        find(&|of| of == release)
            .or_else(|| {
                find(&|of| numbers(of) == numbers(release) && of.ends_with(&format!("-{flavour}")))
            })
            .or_else(|| packages.iter().find(same_flavour))
    }

    /// The newer kernel of the running flavour that is installed and will be started next time: as
    /// the package says, or else the newest with a release like the running one's (Fedora).
    pub fn successor(&self) -> Option<&str> {
        let release = self.release.get()?;
        if let Some(package) = self.package() {
            let of_package = package.release.get()?;
            return (of_package != release).then_some(of_package);
        }
        let ending = |release: &str| release.rsplit('.').next().map(str::to_owned);
        let is_fedora = release.contains(".fc");
        let like = self.installed.get()?.iter().filter(|other| ending(other) == ending(release));
        let newest = like.max_by_key(|release| numbers(release))?;
        (is_fedora && numbers(newest) > numbers(release)).then_some(newest)
    }
}

/// The folder with the modules of a kernel: the one that has an index of them.
pub(super) fn module_folder(root: &Root, release: &str) -> Option<String> {
    let folders = ["/lib/modules", "/usr/lib/modules"];
    let folder = folders.iter().map(|folder| format!("{folder}/{release}"));
    folder.into_iter().find(|folder| root.exists(format!("{folder}/modules.dep")).is_true())
}

/// All numbers in a release, for comparing: 6.14.5-300.fc42 is newer than 6.14.4-300.fc42.
fn numbers(release: &str) -> Vec<u64> {
    release.split(|c: char| !c.is_ascii_digit()).filter_map(|part| part.parse().ok()).collect()
}

fn installed(root: &Root) -> Known<Vec<String>> {
    let mut releases = Vec::new();
    for folder in root.distinct(&["/lib/modules", "/usr/lib/modules"]) {
        let Known::Is(names) = root.names(folder) else { return Known::Unknown };
        let has_index =
            |name: &String| root.exists(format!("{folder}/{name}/modules.dep")).is_true();
        releases.extend(names.into_iter().filter(has_index));
    }
    Known::Is(releases)
}

/// From dpkg's status: installed packages `linux-image-FLAVOUR` whose flavour is no version.
fn kernel_packages(root: &Root) -> Known<Vec<KernelPackage>> {
    let Some(lines) = root.lines("/var/lib/dpkg/status") else { return Known::Unknown };
    let mut packages = Vec::new();
    let mut flavour = None;
    let mut installed = false;
    for line in lines {
        if let Some(name) = line.strip_prefix("Package: ") {
            let is_version = |name: &str| name.starts_with(|c: char| c.is_ascii_digit());
            flavour = name
                .strip_prefix("linux-image-")
                .filter(|name| !is_version(name.trim_start_matches("unsigned-")))
                .map(str::to_owned);
            installed = false;
        } else if let Some(status) = line.strip_prefix("Status: ") {
            installed = status.ends_with(" installed");
        } else if let (Some(depends), true) = (line.strip_prefix("Depends: "), installed)
            && let Some(flavour) = flavour.take()
        {
            let release = depends.split([',', '|']).find_map(|package| {
                let name = package.split_whitespace().next()?.strip_prefix("linux-image-")?;
                let name = name.strip_prefix("unsigned-").unwrap_or(name);
                name.starts_with(|c: char| c.is_ascii_digit()).then(|| name.to_owned())
            });
            packages.push(KernelPackage { flavour, release: release.into() });
        }
    }
    Known::Is(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kernel(release: &str, packages: &[(&str, &str)]) -> Kernel {
        let package = |(flavour, release): &(&str, &str)| KernelPackage {
            flavour: (*flavour).to_owned(),
            release: Known::Is((*release).to_owned()),
        };
        Kernel {
            release: Known::Is(release.to_owned()),
            modules: Known::Is(true),
            headers: Known::Unknown,
            videodev: Known::Unknown,
            arch_package: Known::Unknown,
            installed: Known::Unknown,
            packages: Known::Is(packages.iter().map(package).collect()),
        }
    }

    #[test]
    fn the_flavour_is_what_follows_the_numbers() {
        let flavour = |release| kernel(release, &[]).flavour();
        let cases = [
            ("6.8.0-51-generic", "generic"),
            ("6.17.0-1022-azure", "azure"),
            ("6.1.0-28-cloud-amd64", "cloud-amd64"),
            ("6.12.101+deb13-amd64", "amd64"),
            ("6.6.62+rpt-rpi-v8", "rpi-v8"),
            ("6.1.0-rpi7-rpi-v8", "rpi-v8"),
            ("6.12.9-1-default", "default"),
            ("6.6.70-0-lts", "lts"),
        ];
        for (release, expected) in cases {
            assert_eq!(flavour(release).as_deref(), Some(expected), "{release}");
        }
        assert_eq!(flavour("6.12.11-200.fc41.x86_64"), None);
    }

    #[test]
    fn the_package_of_the_running_kernel_is_told_from_others_of_its_flavour() {
        let packages =
            [("generic", "6.8.0-60-generic"), ("generic-hwe-24.04", "6.11.0-19-generic")];
        let of = |release| {
            let kernel = kernel(release, &packages);
            let found = kernel.package().map(|package| package.flavour.clone());
            (found, kernel.successor().map(str::to_owned))
        };
        let hwe = || Some("generic-hwe-24.04".to_owned());
        assert_eq!(of("6.11.0-19-generic"), (hwe(), None));
        assert_eq!(of("6.11.0-17-generic"), (hwe(), Some("6.11.0-19-generic".to_owned())));
        assert_eq!(of("6.8.0-51-generic").0.as_deref(), Some("generic"));
        assert_eq!(of("6.11.0-1009-oem").0, None);
    }
}
