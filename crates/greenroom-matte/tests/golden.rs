//! Our engine against the reference runtime: every pixel of every golden output within 1e-3, on
//! every instruction set. `cargo xtask golden` makes the files.

#![allow(clippy::unwrap_used)]

#[path = "golden/inputs.rs"]
mod inputs;

use std::path::{Path, PathBuf};

use greenroom_matte::{AlphaMap, Engine, InputTensor, Isa, Model, SelfieEngine};

/// Probabilities are stored as the nearest of 65536 steps, at most 8e-6 off.
const STEPS: f32 = 65535.0;
const TOLERANCE: f32 = 1e-3;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// The interleaved bytes as the model's three planes in 0..=1.
fn fill(tensor: &mut InputTensor, rgb: &[u8]) {
    let pixels = rgb.len() / 3;
    for (at, value) in tensor.values_mut().iter_mut().enumerate() {
        *value = f32::from(rgb[at % pixels * 3 + at / pixels]) / 255.0;
    }
}

fn checksums(model: Model) -> Vec<(String, u64)> {
    let text = std::fs::read_to_string(folder("tests/golden").join(format!("{model}/inputs.txt")))
        .unwrap();
    text.lines()
        .map(|line| {
            let (name, sum) = line.split_once(' ').unwrap();
            (name.to_owned(), u64::from_str_radix(sum, 16).unwrap())
        })
        .collect()
}

fn golden(model: Model, name: &str) -> Vec<f32> {
    let path = folder("tests/golden").join(format!("{model}/{name}.png"));
    let image = image::open(&path).unwrap().into_luma16();
    image.into_raw().into_iter().map(|step| f32::from(step) / STEPS).collect()
}

fn check(model: Model) {
    let description = model.description();
    let size = description.input_size;
    let inputs = inputs::all(
        &folder("../../assets/photos"),
        size.width_px as usize,
        size.height_px as usize,
    )
    .expect("the photos are there after `cargo xtask assets`");
    let checksums = checksums(model);
    assert!(inputs.len() >= 14 && checksums.len() == inputs.len());
    for isa in Isa::available() {
        let mut engine = SelfieEngine::built_in(model, isa).unwrap();
        let mut tensor = InputTensor::new(&description);
        let mut alpha = AlphaMap::new(&description);
        let mut worst_of_all = 0.0_f32;
        for (input, (name, checksum)) in inputs.iter().zip(&checksums) {
            assert_eq!(&input.name, name);
            assert_eq!(
                inputs::checksum(&input.rgb),
                *checksum,
                "{name}: the input itself has changed (another JPEG decoder?)"
            );
            fill(&mut tensor, &input.rgb);
            engine.infer(&tensor, &mut alpha).unwrap();
            let golden = golden(model, name);
            assert_eq!(golden.len(), alpha.values().len());
            let mut worst = 0.0_f32;
            for (have, want) in alpha.values().iter().zip(&golden) {
                assert!(have.is_finite());
                worst = worst.max((have - want).abs());
            }
            assert!(worst <= TOLERANCE, "{model} {isa} {name}: {worst} off");
            worst_of_all = worst_of_all.max(worst);
        }
        println!("{model} {isa}: at most {worst_of_all} off on {} inputs", inputs.len());
    }
}

#[test]
fn landscape_is_the_reference_within_a_thousandth() {
    check(Model::Landscape);
}

#[test]
fn general_is_the_reference_within_a_thousandth() {
    check(Model::General);
}
