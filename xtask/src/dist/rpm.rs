//! The .rpm, of the list in the manifest.

use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use std::{env, fs};

use anyhow::{Context, Result};
use toml::{Table, Value};

use super::{Dist, call, generate, tools, tree};

/// Makes the package.
pub(super) fn make(dist: &Dist<'_>) -> Result<PathBuf> {
    let path = dist.folder.join(format!("greenroom-{}-1.{}.rpm", dist.version, env::consts::ARCH));
    let mut metadata = Table::new();
    metadata.insert("version".to_owned(), dist.version.clone().into());
    metadata.insert("assets".to_owned(), Value::Array(assets(dist)?));
    let mut command = tools::cargo_generate_rpm(dist.places)?;
    command.current_dir(&dist.places.repository).args(["--package", "crates/greenroom"]);
    command.args(["--profile", &dist.build.profile, "--payload-compress", "xz"]);
    command.arg("--set-metadata").arg(metadata.to_string()).arg("--output").arg(&path);
    call(dist.build.environment(&mut command))?;
    Ok(path)
}

/// The manifest's assets, of copies that have the time of the last commit: a file that is older would keep its own.
fn assets(dist: &Dist<'_>) -> Result<Vec<Value>> {
    let copies = dist.folder.join("rpm-files");
    if copies.exists() {
        fs::remove_dir_all(&copies).with_context(|| copies.display().to_string())?;
    }
    let time = Duration::from_secs(dist.build.epoch_s.parse().context("checked before")?);
    let mut found = Vec::new();
    for asset in manifest(dist)? {
        let asset = asset.as_table().context("an asset is a table")?;
        let word = |key: &str| {
            let word = asset.get(key).and_then(Value::as_str);
            word.with_context(|| format!("an asset without {key}: {asset}"))
        };
        let source = word("source")?;
        if !dist.with_licences && generate::is_of_licences(source) {
            continue;
        }
        for source in tree::sources(dist, source)? {
            let name = source.file_name().context("a file has a name")?;
            let copy = copies.join(found.len().to_string()).join(name);
            tree::copy(&source, &copy, mode(word("mode")?)?)?;
            let file = fs::File::options().append(true).open(&copy);
            let file = file.with_context(|| copy.display().to_string())?;
            file.set_modified(SystemTime::UNIX_EPOCH + time)?;
            let dest = word("dest")?;
            let dest = if dest.ends_with('/') { Path::new(dest).join(name) } else { dest.into() };
            let mut asset = asset.clone();
            asset.insert("source".to_owned(), copy.to_string_lossy().into_owned().into());
            asset.insert("dest".to_owned(), dest.to_string_lossy().into_owned().into());
            found.push(Value::Table(asset));
        }
    }
    Ok(found)
}

fn mode(text: &str) -> Result<u32> {
    u32::from_str_radix(text, 8).with_context(|| format!("not a mode: {text}"))
}

/// `[package.metadata.generate-rpm]`'s list.
fn manifest(dist: &Dist<'_>) -> Result<Vec<Value>> {
    let manifest = tree::metadata(dist.places, "generate-rpm")?;
    manifest.get("assets").and_then(Value::as_array).cloned().context("`assets` is no list")
}
