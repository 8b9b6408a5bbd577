//! Golden outputs of the built-in models, made by the reference runtime, for the engine's test in
//! `crates/greenroom-matte/tests/golden.rs`, and of the finder of faces for `src/face/tests.rs` there.
//!
//! The inputs come from the same code as in the test; Python only runs the model.

#[path = "../../crates/greenroom-matte/tests/golden/inputs.rs"]
mod inputs;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};

use crate::places::Places;

/// The reference runtime. Its figures are the ones of the files in the repository.
const PACKAGES: [&str; 2] = ["ai-edge-litert==2.3.0", "numpy==2.4.6"];

/// Name of a network, its file, and the width and height of the pictures that it is run on.
pub(crate) type Model = (&'static str, &'static str, usize, usize);

/// The built-in networks.
pub(crate) const MODELS: [Model; 2] = [
    ("landscape", "selfie_segmentation_landscape.tflite", 256, 144),
    ("general", "selfie_segmentation.tflite", 320, 224),
];

/// The network of `MulticlassEngine`, which nobody chooses by name. It is shown a few of the inputs only.
const MULTICLASS: Model = ("multiclass", "selfie_multiclass_256x256.tflite", 256, 256);

/// The network of `FaceFinder`, for which the same goes. Its outputs are floats, five for each anchor.
const FACE: Model = ("face", "face_detection_short_range.tflite", 128, 128);

/// A probability is stored as the nearest of 65536 steps, at most 8e-6 off, in a grey PNG.
const STEPS: f32 = 65535.0;

/// Makes all golden files anew.
///
/// # Errors
/// If the assets are missing, Python or its packages cannot be had, or a file cannot be written.
pub fn run(places: &Places) -> Result<()> {
    let work = places.target.join("golden");
    let python = python(places)?;
    let assets = places.repository.join("assets");
    for (model, file, width, height) in MODELS.into_iter().chain([MULTICLASS, FACE]) {
        let folder = work.join(model);
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let mut inputs = inputs::all(&assets.join("photos"), width, height)
            .context("cannot read assets/photos; run `cargo xtask assets` first")?;
        if [MULTICLASS.0, FACE.0].contains(&model) {
            inputs.retain(inputs::Input::is_for_large_outputs);
        }
        for input in &inputs {
            fs::write(folder.join(&input.name).with_extension("rgb"), &input.rgb)?;
        }
        let script = places.repository.join("xtask/golden.py");
        let mut command = Command::new(&python);
        command.arg(script).arg(assets.join("models").join(file));
        call(command.args([width.to_string(), height.to_string()]).arg(&folder))?;
        let golden = places.repository.join("crates/greenroom-matte/tests/golden").join(model);
        fs::create_dir_all(&golden)?;
        for input in &inputs {
            let output = fs::read(folder.join(&input.name).with_extension("f32"))?;
            let path = golden.join(&input.name);
            match model == FACE.0 {
                true => fs::write(path.with_extension("f32"), output)?,
                false => save(&output, (width, height), &path.with_extension("png"))?,
            }
        }
        let line = |input: &inputs::Input| {
            format!("{} {:016x}\n", input.name, inputs::checksum(&input.rgb))
        };
        fs::write(golden.join("inputs.txt"), inputs.iter().map(line).collect::<String>())?;
        println!("{model}: {} golden outputs in {}", inputs.len(), golden.display());
    }
    Ok(())
}

/// Writes `probabilities`, little-endian floats, as a picture of `width` x `height`.
fn save(probabilities: &[u8], (width, height): (usize, usize), path: &Path) -> Result<()> {
    let steps = quantise(probabilities)?;
    image::ImageBuffer::<image::Luma<u16>, _>::from_raw(width as u32, height as u32, steps)
        .context("the reference's output has another size than its input")?
        .save(path)
        .with_context(|| format!("cannot write {}", path.display()))
}

/// The Python of a virtual environment with the reference runtime, made on first use.
pub(crate) fn python(places: &Places) -> Result<PathBuf> {
    environment(&places.target.join("golden/venv"), &PACKAGES)
}

/// The Python of the virtual environment `venv` with `packages`, made on first use.
pub(crate) fn environment(venv: &Path, packages: &[&str]) -> Result<PathBuf> {
    let python = venv.join("bin/python");
    if !python.exists() {
        call(Command::new("python3").args(["-m", "venv"]).arg(venv))
            .context("cannot make a Python environment; is python3-venv installed?")?;
    }
    call(Command::new(&python).args(["-m", "pip", "install", "--quiet"]).args(packages))?;
    Ok(python)
}

fn call(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("cannot start {command:?}"))?;
    ensure!(status.success(), "{command:?} failed ({status})");
    Ok(())
}

fn quantise(probabilities: &[u8]) -> Result<Vec<u16>> {
    let step = |&bytes: &[u8; 4]| match f32::from_le_bytes(bytes) {
        value @ 0.0..=1.0 => Ok((value * STEPS).round() as u16),
        value => bail!("the reference gave {value}, which is no probability"),
    };
    probabilities.as_chunks().0.iter().map(step).collect()
}
