//! Checks that the embedded models are there before the compiler trips over `include_bytes!`.

use std::path::Path;

/// Names and sizes in bytes; `cargo xtask assets` checks the SHA-256.
const MODELS: [(&str, u64); 4] = [
    ("selfie_segmentation.tflite", 249_024),
    ("selfie_segmentation_landscape.tflite", 249_792),
    ("selfie_multiclass_256x256.tflite", 16_371_837),
    ("face_detection_short_range.tflite", 229_032),
];

fn main() {
    // Asked at run time: a target folder may be shared by several clones, and this program with it.
    let package = std::env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it for build scripts");
    let folder = Path::new(&package).join("../../assets/models");
    println!("cargo::rerun-if-changed=build.rs");
    for (name, len_bytes) in MODELS {
        let path = folder.join(name);
        println!("cargo::rerun-if-changed={}", path.display());
        match std::fs::metadata(&path) {
            Err(_) => println!(
                "cargo::error=the model assets/models/{name} is missing: run `cargo xtask assets` first"
            ),
            Ok(found) if found.len() != len_bytes => println!(
                "cargo::error=assets/models/{name} has {} bytes instead of {len_bytes}: delete it and run `cargo xtask assets`",
                found.len()
            ),
            Ok(_) => {}
        }
    }
}
