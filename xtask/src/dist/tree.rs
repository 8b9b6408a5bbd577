//! The files of the package in their places, below any folder; and the tarball of them.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, ensure};
use toml::Value;

use crate::dist::{Dist, call, generate};
use crate::places::Places;

/// What goes beside install.sh.
const BESIDE: [&str; 4] = ["packaging/install.sh", "LICENSE-MIT", "LICENSE-APACHE", "README.md"];

/// `[package.metadata.TOOL]`.
pub(super) fn metadata(places: &Places, tool: &str) -> Result<Value> {
    let path = places.repository.join("crates/greenroom/Cargo.toml");
    let text = fs::read_to_string(&path).with_context(|| path.display().to_string())?;
    let manifest: toml::Table = text.parse().with_context(|| path.display().to_string())?;
    let found = manifest["package"].get("metadata").and_then(|metadata| metadata.get(tool));
    found.cloned().with_context(|| format!("Cargo.toml has no [package.metadata.{tool}]"))
}

/// A file of the package.
struct Asset {
    source: PathBuf,
    /// Below `usr`.
    target: PathBuf,
    mode: u32,
}

/// Puts the files of the package below `usr`, which is made anew.
pub(super) fn make(dist: &Dist<'_>, usr: &Path) -> Result<()> {
    if usr.exists() {
        fs::remove_dir_all(usr).with_context(|| format!("cannot remove {}", usr.display()))?;
    }
    for Asset { source, target, mode } in assets(dist)? {
        copy(&source, &usr.join(target), mode)?;
    }
    Ok(())
}

pub(super) fn copy(source: &Path, target: &Path, mode: u32) -> Result<()> {
    let folder = target.parent().context("a file lies in a folder")?;
    fs::create_dir_all(folder).with_context(|| folder.display().to_string())?;
    fs::copy(source, target).with_context(|| format!("cannot copy {}", source.display()))?;
    fs::set_permissions(target, fs::Permissions::from_mode(mode))?;
    Ok(())
}

fn assets(dist: &Dist<'_>) -> Result<Vec<Asset>> {
    let manifest = metadata(dist.places, "deb")?;
    let list = manifest["assets"].as_array().context("`assets` is no list")?;
    let mut found = Vec::new();
    for entry in list {
        let words: Vec<_> =
            entry.as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let &[source, target, mode] = words.as_slice() else {
            anyhow::bail!("not a source, a target and a mode: {entry}");
        };
        if !dist.with_licences && generate::is_of_licences(source) {
            continue;
        }
        let mode = u32::from_str_radix(mode, 8).with_context(|| format!("not a mode: {entry}"))?;
        let target =
            target.strip_prefix("usr/").with_context(|| format!("not below usr: {entry}"))?;
        for source in sources(dist, source)? {
            let name = source.file_name().context("a file has a name")?;
            let target =
                if target.ends_with('/') { Path::new(target).join(name) } else { target.into() };
            found.push(Asset { source, target, mode });
        }
    }
    Ok(found)
}

/// The files that a manifest calls `source`, which is relative to the package or to the repository.
pub(super) fn sources(dist: &Dist<'_>, source: &str) -> Result<Vec<PathBuf>> {
    if let Some(built) = source.strip_prefix("target/release/") {
        return matching(&dist.build.folder().join(built));
    }
    let package = dist.places.repository.join("crates/greenroom");
    let base = if source.starts_with("../") { package } else { dist.places.repository.clone() };
    matching(&base.join(source))
}

/// The files that `FOLDER/*ENDING` means, or the one file.
fn matching(source: &Path) -> Result<Vec<PathBuf>> {
    let name = source.file_name().unwrap_or_default().to_string_lossy();
    let Some(ending) = name.strip_prefix('*') else { return Ok(vec![source.to_owned()]) };
    let folder = source.parent().context("a file lies in a folder")?;
    let names = fs::read_dir(folder).with_context(|| folder.display().to_string())?;
    let paths = names.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    let mut paths: Vec<_> =
        paths.into_iter().filter(|path| path.to_string_lossy().ends_with(ending)).collect();
    ensure!(!paths.is_empty(), "nothing is called {}", source.display());
    paths.sort();
    Ok(paths)
}

/// The tarball.
pub(super) fn tarball(dist: &Dist<'_>) -> Result<PathBuf> {
    let name = format!("greenroom-{}-{}-linux", dist.version, std::env::consts::ARCH);
    let folder = dist.folder.join("tarball");
    let inside = folder.join(&name);
    make(dist, &inside.join("usr"))?;
    for source in BESIDE {
        let source = dist.places.repository.join(source);
        let mode =
            if source.extension().is_some_and(|ending| ending == "sh") { 0o755 } else { 0o644 };
        copy(&source, &inside.join(source.file_name().context("a file has a name")?), mode)?;
    }
    let path = dist.folder.join(format!("{name}.tar.xz"));
    let mut tar = Command::new("tar");
    // One order, one owner, one time; folders have the same mode whatever the umask is.
    tar.args([
        "--create",
        "--xz",
        "--sort=name",
        "--owner=0",
        "--group=0",
        "--numeric-owner",
        "--format=gnu",
    ]);
    tar.arg("--mode=u+rwX,go+rX,go-w")
        .arg(format!("--mtime=@{}", dist.build.epoch_s))
        .arg("--file")
        .arg(&path);
    // Several threads would cut the data differently on each machine.
    tar.arg("--directory")
        .arg(&folder)
        .arg(&name)
        .env("XZ_OPT", "--threads=1 --lzma2=preset=9,lc=1,lp=2,pb=2");
    call(&mut tar)?;
    Ok(path)
}
