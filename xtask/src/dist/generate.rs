//! The files that the program and tools make, in `target/PROFILE/packaging`: pages, completions, licences.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{fs, io::Write};

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};

use crate::dist::{Dist, call, output, tools};

/// Shells and the ending of their completions' file.
const SHELLS: [(&str, &str); 4] =
    [("bash", "bash"), ("zsh", "zsh"), ("fish", "fish"), ("elvish", "elv")];

const LICENCES: &str = "THIRD-PARTY-LICENCES.txt";
const BILL_OF_MATERIALS: &str = "greenroom.cdx.json";

/// Makes all of them.
pub(super) fn all(dist: &Dist<'_>) -> Result<()> {
    let folder = dist.build.folder().join("packaging");
    fs::create_dir_all(folder.join("completions")).with_context(|| folder.display().to_string())?;
    let says = |words: &[&str]| output(Command::new(dist.build.program()).args(words));
    gzip(&folder.join("greenroom.1"), &says(&["man"])?)?;
    for (shell, ending) in SHELLS {
        let path = folder.join("completions").join(format!("greenroom.{ending}"));
        write(&path, &says(&["completions", shell])?)?;
    }
    write(&folder.join("config.toml"), &says(&["config", "example"])?)?;
    let changes = fs::read(dist.places.repository.join("CHANGELOG.md")).context("CHANGELOG.md")?;
    gzip(&folder.join("CHANGELOG.md"), &changes)?;
    gzip(&folder.join("changelog.Debian"), debian_changelog(dist)?.as_bytes())?;
    if dist.with_licences {
        licences(dist, &folder)?;
        gzip(&folder.join(BILL_OF_MATERIALS), bill_of_materials(dist)?.as_bytes())?;
    }
    Ok(())
}

/// What of [`all`] is left out without the tools for licences: the ends of the files' names.
pub(super) fn is_of_licences(source: &str) -> bool {
    [LICENCES, BILL_OF_MATERIALS].iter().any(|name| source.contains(name))
}

/// The changelog as Debian's tools read it.
fn debian_changelog(dist: &Dist<'_>) -> Result<String> {
    let manifest = super::tree::metadata(dist.places, "deb")?;
    let maintainer = manifest["maintainer"].as_str().context("no maintainer is named")?;
    let mut date = Command::new("date");
    date.args(["--utc", "--rfc-email", "--date"]).arg(format!("@{}", dist.build.epoch_s));
    let date = output(date.env("LC_ALL", "C"))?;
    Ok(format!(
        "greenroom ({}-1) unstable; urgency=medium\n\n  * CHANGELOG.md.gz says what is new.\n\n -- {maintainer}  {}\n",
        dist.version,
        String::from_utf8_lossy(&date).trim(),
    ))
}

/// The licence texts of all crates that are in the program: minutes of work, done again only when the crates have changed.
fn licences(dist: &Dist<'_>, folder: &Path) -> Result<()> {
    let settings = dist.places.repository.join("packaging/licences");
    let (config, template) = (settings.join("about.toml"), settings.join("about.hbs"));
    let mut hasher = Sha256::new();
    hasher.update(tools::VERSION_OF_CARGO_ABOUT);
    for path in [&dist.places.repository.join("Cargo.lock"), &config, &template] {
        hasher.update(fs::read(path).with_context(|| path.display().to_string())?);
    }
    let key: String = hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    let key_file = folder.join("licences.key");
    if fs::read_to_string(&key_file).is_ok_and(|made_of| made_of == key) {
        return Ok(());
    }
    let mut about = tools::cargo_about(dist.places)?;
    // Offline: the texts are those of the crates themselves.
    about.args(["generate", "--fail", "--offline", "--manifest-path"]);
    about.arg(dist.places.repository.join("crates/greenroom/Cargo.toml"));
    about.arg("--config").arg(config).arg(template);
    gzip(&folder.join(LICENCES), &output(dist.build.environment(&mut about))?)?;
    write(&key_file, key.as_bytes())
}

/// The list of all crates that are in the program, for programs: CycloneDX.
fn bill_of_materials(dist: &Dist<'_>) -> Result<String> {
    let repository = dist.places.repository.canonicalize()?;
    let manifest = repository.join("crates/greenroom/Cargo.toml");
    let mut cyclonedx = tools::cargo_cyclonedx(dist.places)?;
    cyclonedx.args(["--quiet", "--format", "json", "--describe", "binaries", "--target"]);
    cyclonedx.arg(format!("{}-unknown-linux-gnu", std::env::consts::ARCH));
    cyclonedx.arg("--manifest-path").arg(&manifest);
    call(dist.build.environment(&mut cyclonedx))?;
    let made = repository.join("crates/greenroom/greenroom_bin.cdx.json");
    let text = fs::read_to_string(&made)
        .with_context(|| format!("cargo-cyclonedx made no {}", made.display()))?;
    // It makes one for each program of the workspace, beside its manifest.
    for made in ["crates/greenroom/greenroom", "xtask/xtask", "xtask-assets/xtask-assets"] {
        let made = repository.join(format!("{made}_bin.cdx.json"));
        if made.exists() {
            fs::remove_file(&made).with_context(|| made.display().to_string())?;
        }
    }
    // Crates of the workspace are named by where they lie.
    Ok(text.replace(&format!("file://{}", repository.display()), "file:///greenroom"))
}

/// The list of crates beside the packages.
pub(super) fn bill_of_materials_beside(dist: &Dist<'_>) -> Result<PathBuf> {
    let packed = dist.build.folder().join("packaging").join(format!("{BILL_OF_MATERIALS}.gz"));
    let path = dist.folder.join(format!("greenroom-{}.cdx.json", dist.version));
    write(&path, &output(Command::new("gzip").arg("--decompress").arg("--stdout").arg(packed))?)?;
    Ok(path)
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    fs::write(path, bytes).with_context(|| format!("cannot write {}", path.display()))
}

/// `PATH.gz`, without a name and a time inside.
fn gzip(path: &Path, bytes: &[u8]) -> Result<()> {
    let packed = PathBuf::from(format!("{}.gz", path.display()));
    let mut gzip = Command::new("gzip");
    gzip.args(["--best", "--no-name"]).stdin(Stdio::piped());
    gzip.stdout(fs::File::create(&packed).with_context(|| packed.display().to_string())?);
    let mut child = gzip.spawn().context("cannot run gzip")?;
    // gzip reads all before it writes to a pipe of ours: it has none.
    child.stdin.take().context("gzip takes nothing")?.write_all(bytes)?;
    anyhow::ensure!(child.wait()?.success(), "gzip failed");
    Ok(())
}
