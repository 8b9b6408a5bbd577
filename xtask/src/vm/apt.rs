//! Debian packages as files, without touching what is installed: apt with its own lists and cache.
//!
//! Other Debian releases are asked at the mirror this machine already uses, as `apt-get indextargets` names it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, anyhow, bail, ensure};

use super::tools::{call, command};

const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

/// apt's view of some package sources.
pub struct Apt {
    options: Vec<String>,
}

/// A package file that was brought.
pub struct Deb {
    pub path: PathBuf,
    /// Name and version, for people and for the stamp of a cache.
    pub title: String,
}

impl Apt {
    /// The sources this machine has. `folder` is apt's own scratch, made when missing.
    pub fn of_this_machine(folder: &Path) -> Result<Self> {
        let apt = Self::new(folder, &[])?;
        apt.update()?;
        Ok(apt)
    }

    /// Another release of Debian, `bookworm-backports` or `sid` say, from the mirror of `base`.
    pub fn of_release(folder: &Path, base: &Apt, release: &str) -> Result<Self> {
        let mirror = base.mirror()?;
        fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let list = folder.join("sources.list");
        let signed = if Path::new(KEYRING).exists() {
            format!("[signed-by={KEYRING}] ")
        } else {
            String::new()
        };
        fs::write(&list, format!("deb {signed}{mirror} {release} main\n"))?;
        let sources = [
            format!("Dir::Etc::sourcelist={}", list.display()),
            "Dir::Etc::sourceparts=/dev/null".to_owned(),
        ];
        let apt = Self::new(folder, &sources)?;
        apt.update()?;
        Ok(apt)
    }

    fn new(folder: &Path, sources: &[String]) -> Result<Self> {
        for below in ["state/lists/partial", "cache/archives/partial"] {
            fs::create_dir_all(folder.join(below))
                .with_context(|| format!("cannot make {}", folder.display()))?;
        }
        // An empty list of installed packages: what is installed here must not change what we are given.
        let status = folder.join("state/status");
        fs::write(&status, "")?;
        let mut options = vec![
            format!("Dir::State={}", folder.join("state").display()),
            format!("Dir::State::status={}", status.display()),
            format!("Dir::Cache={}", folder.join("cache").display()),
            "Dir::Etc::preferences=/dev/null".to_owned(),
            "Dir::Etc::preferencesparts=/dev/null".to_owned(),
            // Our folders may be closed to apt's own user; the signatures are what protects the packages.
            "APT::Sandbox::User=root".to_owned(),
            "APT::Architecture=amd64".to_owned(),
            "Acquire::Languages=none".to_owned(),
            "Acquire::Retries=2".to_owned(),
        ];
        options.extend_from_slice(sources);
        Ok(Self { options })
    }

    fn command(&self, program: &str) -> Command {
        let mut command = command(program);
        for option in &self.options {
            command.arg("-o").arg(option);
        }
        command
    }

    fn update(&self) -> Result<()> {
        let mut update = self.command("apt-get");
        update.args(["update", "--error-on=any"]);
        call(&mut update, "read Debian's package lists").map_err(|error| {
            anyhow!("{error}; check the network and apt's sources, then try again")
        })?;
        Ok(())
    }

    /// The address of the mirror that serves Debian's main archive.
    fn mirror(&self) -> Result<String> {
        let format = "$(ORIGIN)\t$(LABEL)\t$(COMPONENT)\t$(REPO_URI)";
        let targets = call(
            self.command("apt-get").args([
                "indextargets",
                "--format",
                format,
                "Created-By: Packages",
            ]),
            "ask apt for its mirror",
        )?;
        let mirror = targets.lines().find_map(|line| line.strip_prefix("Debian\tDebian\tmain\t"));
        mirror.map(str::to_owned).context(
            "apt has no source of Debian's main archive, so the VM cannot be made: it needs a Debian machine",
        )
    }

    /// The packages `package` depends on, whose names begin with one of `prefixes`.
    pub fn dependencies(&self, package: &str, prefixes: &[&str]) -> Result<Vec<String>> {
        let text = call(
            self.command("apt-cache").args(["depends", "--important", package]),
            &format!("find {package} among Debian's packages"),
        )?;
        Ok(parse_depends(&text, prefixes))
    }

    /// The versions of a package these sources have, newest first.
    pub fn versions(&self, package: &str) -> Result<Vec<String>> {
        let text =
            call(self.command("apt-cache").args(["madison", package]), "ask apt for versions")?;
        Ok(text
            .lines()
            .filter_map(|line| Some(line.split('|').nth(1)?.trim().to_owned()))
            .collect())
    }

    /// Brings packages (`NAME` or `NAME=VERSION`) as files into `folder`, which must be empty.
    pub fn download(&self, packages: &[String], folder: &Path) -> Result<Vec<Deb>> {
        let mut download = self.command("apt-get");
        download.arg("download").args(packages).current_dir(folder);
        call(&mut download, &format!("download {}", packages.join(", ")))?;
        let mut debs = Vec::new();
        for entry in fs::read_dir(folder)? {
            let path = entry?.path();
            let title =
                title(&path).with_context(|| format!("{} is no package file", path.display()))?;
            debs.push(Deb { path, title });
        }
        ensure!(
            debs.len() == packages.len(),
            "apt brought {} packages of {}",
            debs.len(),
            packages.len()
        );
        debs.sort_by(|a, b| a.title.cmp(&b.title));
        Ok(debs)
    }
}

/// Unpacks a package file below `root`, as if installed there, without running its scripts.
pub fn unpack(deb: &Deb, root: &Path) -> Result<()> {
    call(command("dpkg-deb").arg("-x").arg(&deb.path).arg(root), &format!("unpack {}", deb.title))?;
    Ok(())
}

/// `linux-image-6.1.0-56-amd64 6.1.192-2` from `linux-image-6.1.0-56-amd64_6.1.192-2_amd64.deb`.
fn title(path: &Path) -> Option<String> {
    let stem = path.file_name()?.to_str()?.strip_suffix(".deb")?;
    let mut parts = stem.split('_');
    // apt writes the colon of an epoch as %3a in file names.
    Some(format!("{} {}", parts.next()?, parts.next()?.replace("%3a", ":")))
}

fn parse_depends(text: &str, prefixes: &[&str]) -> Vec<String> {
    let names = text
        .lines()
        .filter_map(|line| line.trim_start_matches([' ', '|']).strip_prefix("Depends: "));
    let wanted = |name: &&str| prefixes.iter().any(|prefix| name.starts_with(prefix));
    names.map(str::trim).filter(wanted).map(str::to_owned).collect()
}

/// The upstream part of a Debian version: `0.13.2` from `1:0.13.2-1~bpo12+1`.
pub fn upstream(version: &str) -> &str {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    version.rsplit_once('-').map_or(version, |(upstream, _)| upstream)
}

/// Fails with one sentence when this is no machine apt can make the VM on.
pub fn only(mut names: Vec<String>, what: &str) -> Result<String> {
    match names.len() {
        1 => Ok(names.remove(0)),
        0 => bail!(
            "apt knows no {what}: the VM is made from Debian's packages and needs a Debian machine"
        ),
        _ => bail!("apt names several packages for {what}: {}", names.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dependencies_are_read() {
        let text = "linux-headers-6.1.0-56-amd64\n  Depends: linux-headers-6.1.0-56-common\n\
                    \x20 Depends: linux-kbuild-6.1\n |Depends: linux-compiler-gcc-12-x86\n  Recommends: linux-x\n";
        let names = parse_depends(text, &["linux-headers-", "linux-kbuild-"]);
        assert_eq!(names, ["linux-headers-6.1.0-56-common", "linux-kbuild-6.1"]);
    }

    #[test]
    fn versions_are_read() {
        assert_eq!(upstream("0.12.7-2"), "0.12.7");
        assert_eq!(upstream("1:0.13.2-1~bpo12+1"), "0.13.2");
        assert_eq!(upstream("0.15.0"), "0.15.0");
        let path = Path::new("/x/v4l2loopback-dkms_0.12.7-2_all.deb");
        assert_eq!(title(path).unwrap(), "v4l2loopback-dkms 0.12.7-2");
        assert_eq!(title(Path::new("/x/a_1%3a2-3_all.deb")).unwrap(), "a 1:2-3");
        assert!(title(Path::new("/x/readme.txt")).is_none());
    }
}
