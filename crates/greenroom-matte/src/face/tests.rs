//! The network against the reference runtime. `cargo xtask golden` makes the files.

#[path = "../../tests/golden/inputs.rs"]
mod inputs;

use std::fs;
use std::path::{Path, PathBuf};

use super::network::{ANCHORS, ANSWER_LEN, Answer, PICTURE};
use super::*;
use inputs::Input;

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

fn golden(name: &str) -> Vec<Answer> {
    let bytes = fs::read(folder("tests/golden/face").join(name).with_extension("f32")).unwrap();
    let values: Vec<f32> =
        bytes.as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
    values.as_chunks::<ANSWER_LEN>().0.to_vec()
}

/// A logit as a probability, and a box in shares of the input's side.
fn normalised([logit, coordinates @ ..]: Answer) -> Answer {
    let [x, y, width, height] = coordinates.map(|px| px / PICTURE.width as f32);
    [1.0 / (1.0 + (-logit).exp()), x, y, width, height]
}

#[test]
fn the_network_is_the_reference_within_a_thousandth() {
    let photos = folder("../../assets/photos");
    let mut inputs = inputs::all(&photos, PICTURE.width, PICTURE.height)
        .expect("the photos are there after `cargo xtask assets`");
    inputs.retain(Input::is_for_large_outputs);
    let line = |input: &Input| format!("{} {:016x}\n", input.name, inputs::checksum(&input.rgb));
    assert_eq!(
        inputs.iter().map(line).collect::<String>(),
        fs::read_to_string(folder("tests/golden/face/inputs.txt")).unwrap(),
        "an input itself has changed (another JPEG decoder?)"
    );
    for isa in Isa::available() {
        let mut finder = FaceFinder::from_tflite(NAME, FILE, isa).unwrap();
        for Input { name, rgb } in &inputs {
            for (y, row) in rgb.chunks_exact(3 * PICTURE.width).enumerate() {
                let values = finder.memory.picture.row_mut(y);
                values
                    .iter_mut()
                    .zip(row)
                    .for_each(|(v, &byte)| *v = f32::from(byte) / 127.5 - 1.0);
            }
            finder.network.run(isa, &mut finder.memory);
            let (have, want) = (&finder.memory.answers, golden(name));
            assert_eq!((have.len(), want.len()), (ANCHORS, ANCHORS));
            let have = have.iter().copied().flat_map(normalised);
            let off = have.zip(want.into_iter().flat_map(normalised)).map(|(a, b)| (a - b).abs());
            let worst = off.fold(0.0, f32::max);
            println!("{isa} {name}: {worst}");
            assert!(worst <= 1e-3, "{isa} {name}: {worst} off");
        }
    }
}
