//! Checks that the embedded models are there before the compiler trips over `include_bytes!`, and rounds the large one.

#[path = "build/round.rs"]
mod round;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// Names and sizes in bytes; `cargo xtask assets` checks the SHA-256.
const MODELS: [(&str, u64); 4] = [
    ("selfie_segmentation.tflite", 249_024),
    ("selfie_segmentation_landscape.tflite", 249_792),
    ("selfie_multiclass_256x256.tflite", 16_371_837),
    ("face_detection_short_range.tflite", 229_032),
];

/// The one that is rounded. It is two thirds of a package as it comes.
const ROUNDED: &str = "selfie_multiclass_256x256.tflite";

fn main() -> Result<(), Box<dyn Error>> {
    // Asked at run time: a target folder may be shared by several clones, and this program with it.
    let package = env::var_os("CARGO_MANIFEST_DIR").ok_or("cargo sets CARGO_MANIFEST_DIR")?;
    let folder = Path::new(&package).join("../../assets/models");
    for source in ["build.rs", "build/round.rs", "src/tflite/flatbuffer.rs"] {
        println!("cargo::rerun-if-changed={source}");
    }
    let mut are_there = true;
    for (name, len_bytes) in MODELS {
        let path = folder.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        let reason = match fs::metadata(&path) {
            Err(_) => {
                format!("the model assets/models/{name} is missing: run `cargo xtask assets` first")
            }
            Ok(found) if found.len() != len_bytes => format!(
                "assets/models/{name} has {} bytes instead of {len_bytes}: delete it and run `cargo xtask assets`",
                found.len()
            ),
            Ok(_) => continue,
        };
        println!("cargo::error={reason}");
        are_there = false;
    }
    if are_there {
        let rounded = round::weights(&fs::read(folder.join(ROUNDED))?)
            .map_err(|broken| format!("assets/models/{ROUNDED}: {broken:?}"))?;
        let made = PathBuf::from(env::var_os("OUT_DIR").ok_or("cargo sets OUT_DIR")?);
        fs::write(made.join(ROUNDED), rounded)?;
    }
    Ok(())
}
