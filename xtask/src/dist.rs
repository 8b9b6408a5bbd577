//! Makes the packages: .deb, .rpm and a tarball with an install script, with their checksums.
//!
//! What is in them is said once, in `[package.metadata.deb]` of `crates/greenroom/Cargo.toml`. Two runs make the same bytes,
//! in whatever folder: paths are cut out of the program, and every time is that of the last commit.

mod build;
mod deb;
mod generate;
mod rpm;
mod tools;
mod tree;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::{env, fs};

use anyhow::{Context, Result, ensure};
use clap::ValueEnum;
use sha2::{Digest, Sha256};

use self::build::Build;
use crate::places::Places;

#[derive(clap::Args)]
pub struct Arguments {
    /// What to make, several times if need be [default: deb, rpm and tarball]
    #[arg(long, value_enum)]
    only: Vec<Kind>,
    /// Package the program that is there (`target/debug/greenroom` with `--profile dev`), and build none
    #[arg(long)]
    no_build: bool,
    /// The profile of cargo with which the program is built
    #[arg(long, default_value = "shipped")]
    profile: String,
    /// Leave out the licences of the crates and the list of them, for which tools are built: for a quick look, not to be
    /// given to anybody
    #[arg(long)]
    without_licences: bool,
    /// Call the packages by another version: for tests of upgrades
    #[arg(long, value_name = "VERSION")]
    set_version: Option<String>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Kind {
    /// For Debian, Ubuntu and what descends from them
    Deb,
    /// For Fedora, openSUSE and what descends from them
    Rpm,
    /// For every other Linux, with install.sh
    Tarball,
    /// Only the files in their places, below target/dist/tree: for other packages, and to look at
    Tree,
}

/// What all steps know.
struct Dist<'a> {
    places: &'a Places,
    build: Build,
    version: String,
    /// Where the packages go.
    folder: PathBuf,
    with_licences: bool,
}

/// Makes the packages.
///
/// # Errors
/// If a tool is missing or fails, with what it says.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let all = vec![Kind::Deb, Kind::Rpm, Kind::Tarball];
    let kinds = if arguments.only.is_empty() { all } else { arguments.only.clone() };
    let build = Build::new(places, &arguments.profile)?;
    let folder = places.target.join("dist");
    fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
    let version = match &arguments.set_version {
        Some(version) => version.clone(),
        None => env!("CARGO_PKG_VERSION").to_owned(),
    };
    let with_licences = !arguments.without_licences;
    let dist = Dist { places, build, version, folder, with_licences };
    let has = |kind| kinds.contains(&kind);
    let mut made = Vec::new();
    if has(Kind::Deb) || has(Kind::Rpm) || has(Kind::Tree) {
        if !arguments.no_build {
            dist.build.make(build::Jpeg::OfTheSystem)?;
        }
        generate::all(&dist)?;
    }
    if has(Kind::Tree) {
        tree::make(&dist, &dist.folder.join("tree/usr"))?;
        println!("made {}", dist.folder.join("tree").display());
    }
    if has(Kind::Deb) {
        made.push(deb(&dist)?);
    }
    if has(Kind::Rpm) {
        made.push(rpm::make(&dist)?);
    }
    if has(Kind::Tarball) {
        if !arguments.no_build {
            dist.build.make(build::Jpeg::InTheProgram)?;
        }
        generate::all(&dist)?;
        made.push(tree::tarball(&dist)?);
    }
    if !made.is_empty() {
        if with_licences {
            made.push(generate::bill_of_materials_beside(&dist)?);
        }
        write_sums(&dist.folder, &made)?;
    }
    Ok(ExitCode::SUCCESS)
}

fn deb(dist: &Dist<'_>) -> Result<PathBuf> {
    let path = dist.folder.join(format!("greenroom_{}-1_{}.deb", dist.version, debian_arch()?));
    let mut command = tools::cargo_deb(dist.places)?;
    command.current_dir(&dist.places.repository).args(["--package", "greenroom", "--no-build"]);
    command.args(["--no-strip", "--profile", &dist.build.profile, "--deb-version"]);
    command.arg(format!("{}-1", dist.version)).arg("--output").arg(&path);
    call(dist.build.environment(&mut command))?;
    deb::pack_tighter(&path)?;
    Ok(path)
}

fn debian_arch() -> Result<&'static str> {
    match env::consts::ARCH {
        "x86_64" => Ok("amd64"),
        "aarch64" => Ok("arm64"),
        other => anyhow::bail!("there are no packages for {other}"),
    }
}

/// `SHA256SUMS`, as `sha256sum --check` reads it.
fn write_sums(folder: &Path, made: &[PathBuf]) -> Result<()> {
    let mut lines = Vec::new();
    for path in made {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let sum: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        println!("{sum}  {name}  ({:.1} MB)", bytes.len() as f64 / 1e6);
        lines.push(format!("{sum}  {name}\n"));
    }
    lines.sort_by(|one, other| one[64..].cmp(&other[64..]));
    fs::write(folder.join("SHA256SUMS"), lines.concat()).context("cannot write SHA256SUMS")
}

/// Runs a command to its end.
fn call(command: &mut Command) -> Result<()> {
    let program = command.get_program().to_string_lossy().into_owned();
    let status = command.status().with_context(|| format!("cannot run {program}"))?;
    ensure!(status.success(), "{program} failed: {status}");
    Ok(())
}

/// What a command prints.
fn output(command: &mut Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output().with_context(|| format!("cannot run {program}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {}", said.trim());
    Ok(output.stdout)
}
