//! The tools that make packages, each of one version, built into `target/dist-tools`.

use std::path::PathBuf;
use std::process::Command;
use std::{env, fs};

use anyhow::Result;

use crate::dist::call;
use crate::places::Places;

/// A tool's crate, version and features.
type Tool = (&'static str, &'static str, &'static str);

const CARGO_DEB: Tool = ("cargo-deb", "3.8.0", "");
const CARGO_GENERATE_RPM: Tool = ("cargo-generate-rpm", "0.21.1", "");
const CARGO_CYCLONEDX: Tool = ("cargo-cyclonedx", "0.5.9", "");
const CARGO_ABOUT: Tool = ("cargo-about", "0.9.3", "cli");

/// What the text of the licences depends on, beside the crates.
pub(super) const VERSION_OF_CARGO_ABOUT: &str = CARGO_ABOUT.1;

pub(super) fn cargo_deb(places: &Places) -> Result<Command> {
    get(places, CARGO_DEB).map(Command::new)
}

pub(super) fn cargo_generate_rpm(places: &Places) -> Result<Command> {
    let mut command = Command::new(get(places, CARGO_GENERATE_RPM)?);
    command.arg("generate-rpm");
    Ok(command)
}

pub(super) fn cargo_cyclonedx(places: &Places) -> Result<Command> {
    let mut command = Command::new(get(places, CARGO_CYCLONEDX)?);
    command.arg("cyclonedx");
    Ok(command)
}

pub(super) fn cargo_about(places: &Places) -> Result<Command> {
    get(places, CARGO_ABOUT).map(Command::new)
}

/// The tool's program; built first if it is not there in this version, which takes some minutes.
fn get(places: &Places, (name, version, features): Tool) -> Result<PathBuf> {
    let root = places.target.join("dist-tools");
    let program = root.join("bin").join(name);
    let installed = fs::read_to_string(root.join(".crates.toml")).unwrap_or_default();
    if program.exists() && installed.contains(&format!("\"{name} {version} (")) {
        return Ok(program);
    }
    eprintln!("== building {name} {version} (some minutes, once)");
    let build = root.join("build");
    let mut cargo = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args([
        "install",
        "--locked",
        "--quiet",
        "--version",
        version,
        "--features",
        features,
        name,
    ]);
    cargo.arg("--root").arg(&root).env("CARGO_TARGET_DIR", &build);
    // It runs for seconds: what is saved while it is built counts.
    for (key, value) in
        [("OPT_LEVEL", "1"), ("LTO", "off"), ("CODEGEN_UNITS", "16"), ("DEBUG", "false")]
    {
        cargo.env(format!("CARGO_PROFILE_RELEASE_{key}"), value);
    }
    call(cargo.env_remove("CARGO_ENCODED_RUSTFLAGS").env_remove("RUSTFLAGS"))?;
    Ok(program)
}
