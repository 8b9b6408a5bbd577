//! Every instruction set against the reference, for every width and the channels of the family.

mod pairs;

use super::*;
use crate::kernels::Activation;

/// Values that differ everywhere, in about -1..1.
fn noise(len: usize, seed: u32) -> Vec<f32> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    (0..len)
        .map(|_| {
            state ^= state << 13;
            state ^= state >> 17;
            state ^= state << 5;
            (state >> 8) as f32 / (1 << 23) as f32 - 1.0
        })
        .collect()
}

fn assert_close(have: &[f32], want: &[f32], tolerance: f32, what: &str) {
    assert_eq!(have.len(), want.len());
    for (index, (have, want)) in have.iter().zip(want).enumerate() {
        assert!((have - want).abs() <= tolerance, "{what}: {have} instead of {want} at {index}");
    }
}

fn others() -> impl Iterator<Item = Isa> {
    Isa::available().filter(|&isa| isa != Isa::SCALAR)
}

const ACTIVATIONS: [Activation; 3] = [Activation::None, Activation::Relu, Activation::HardSwish];
const CHANNELS: [usize; 8] = [8, 16, 24, 32, 72, 88, 96, 128];

#[test]
fn pointwise_is_the_reference() {
    for (index, inputs) in [8, 16, 24, 27, 32, 72, 88, 96, 128].into_iter().enumerate() {
        for outputs in CHANNELS {
            let activation = ACTIVATIONS[index % 3];
            let (weights, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
            let layer = Pointwise::new((inputs, outputs), &weights, &bias, activation);
            for width in 1..=130 {
                let input = noise(width * inputs, 3);
                let addend = noise(width * outputs, 4);
                let addend = (width % 2 == 0).then_some(&*addend);
                let mut want = vec![0.0; width * outputs];
                pointwise(Isa::SCALAR, &layer, &input, addend, &mut want);
                for isa in others() {
                    let mut have = vec![9.0; width * outputs];
                    pointwise(isa, &layer, &input, addend, &mut have);
                    assert_close(&have, &want, 2e-5, &format!("{isa} {inputs}x{outputs}x{width}"));
                }
            }
        }
    }
}

#[test]
fn pointwise_is_the_sum_it_claims_to_be() {
    let (inputs, outputs) = (3, 24);
    let (weights, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
    let layer = Pointwise::new((inputs, outputs), &weights, &bias, Activation::Relu);
    let (input, addend) = (noise(2 * inputs, 3), noise(2 * outputs, 4));
    let mut out = vec![0.0; 2 * outputs];
    pointwise(Isa::SCALAR, &layer, &input, Some(&addend), &mut out);
    for (at, have) in out.iter().enumerate() {
        let (pixel, output) = (at / outputs, at % outputs);
        let sum: f32 =
            (0..inputs).map(|i| input[pixel * inputs + i] * weights[output * inputs + i]).sum();
        let want = (sum + bias[output] + addend[at]).max(0.0);
        assert!((have - want).abs() < 1e-6);
    }
}

#[test]
fn convolve_is_the_sum_over_its_window() {
    for (channels, outputs, (height, width)) in
        [(8, 16, (3, 7)), (16, 24, (1, 1)), (24, 40, (4, 32))]
    {
        let inputs = 9 * channels;
        let (weights, bias) = (noise(inputs * outputs, 1), noise(outputs, 2));
        let layer = Pointwise::new((inputs, outputs), &weights, &bias, Activation::Relu);
        let values = noise((height + 2) * (width + 2) * channels, 3);
        let mut want = vec![0.0; height * width * outputs];
        for (at, want) in want.iter_mut().enumerate() {
            let (x, y, output) = (at / outputs % width, at / outputs / width, at % outputs);
            let mut sum = bias[output];
            for input in 0..inputs {
                let (row, column) = (input / (3 * channels), input / channels % 3);
                let pixel = (y + row) * (width + 2) + x + column;
                sum +=
                    values[pixel * channels + input % channels] * weights[output * inputs + input];
            }
            *want = sum.max(0.0);
        }
        for isa in Isa::available() {
            let mut have = vec![9.0; want.len()];
            convolve(isa, &layer, Bordered { values: &values, width, channels }, &mut have);
            assert_close(&have, &want, 2e-5, &format!("{isa} {channels}x{outputs}"));
        }
    }
}

#[test]
fn gated_weights_are_a_gated_map() {
    let (inputs, outputs, pixels) = (16, 24, 5);
    let weights = noise(inputs * outputs, 1);
    let layer = || Pointwise::new((inputs, outputs), &weights, &[0.5; 24], Activation::None);
    let (plain, mut gated) = (layer(), layer());
    let (factors, input) = (noise(inputs, 2), noise(pixels * inputs, 3));
    gated.set_gated(&plain, &factors);
    let map: Vec<f32> = input.iter().enumerate().map(|(at, v)| v * factors[at % inputs]).collect();
    let (mut have, mut want) = (vec![0.0; pixels * outputs], vec![0.0; pixels * outputs]);
    pointwise(Isa::SCALAR, &gated, &input, None, &mut have);
    pointwise(Isa::SCALAR, &plain, &map, None, &mut want);
    assert_close(&have, &want, 1e-5, "gated");
}

/// The rows of the three planes of a picture that a row of `width` pixels of a stem's map looks at.
fn stem_rows_of(values: &[f32], width: usize) -> [[&[f32]; 3]; 3] {
    let mut parts = values.chunks_exact(2 * width);
    std::array::from_fn(|_| std::array::from_fn(|_| parts.next().unwrap()))
}

#[test]
fn stem_is_the_reference() {
    for outputs in [8, 16, 24] {
        let (weights, bias) = (noise(27 * outputs, 1), noise(outputs, 2));
        for width in 1..=130 {
            let values = noise(9 * 2 * width, 3);
            let rows = stem_rows_of(&values, width);
            // In floats also where there are products of bf16.
            let run = |isa: Isa| {
                let (activation, in_floats) = (Activation::HardSwish, isa.in_floats());
                let layer = Stem::new(outputs, &weights, &bias, activation, in_floats);
                let mut out = vec![9.0; width * outputs];
                stem(isa, &layer, &rows, ValuesMut::Floats(&mut out));
                out
            };
            let want = run(Isa::SCALAR);
            for isa in others() {
                assert_close(&run(isa), &want, 2e-5, &format!("{isa} stem {outputs}x{width}"));
            }
        }
    }
}

#[test]
fn stem_is_the_sum_over_its_window() {
    let (outputs, width) = (16, 5);
    let (weights, bias) = (noise(27 * outputs, 1), noise(outputs, 2));
    let layer = Stem::new(outputs, &weights, &bias, Activation::Relu, Isa::SCALAR);
    let values = noise(9 * 2 * width, 3);
    let rows = stem_rows_of(&values, width);
    let mut have = vec![9.0; width * outputs];
    stem(Isa::SCALAR, &layer, &rows, ValuesMut::Floats(&mut have));
    for (at, have) in have.iter().enumerate() {
        let (x, output) = (at / outputs, at % outputs);
        let mut sum = bias[output];
        for (tap, weight) in weights[output * 27..][..27].iter().enumerate() {
            let (row, column, plane) = (tap / 9, tap / 3 % 3, tap % 3);
            sum += weight * rows[plane][row].get(2 * x + column).copied().unwrap_or_default();
        }
        assert!((have - sum.max(0.0)).abs() < 1e-5, "{have} instead of {sum} at {at}");
    }
}

#[test]
fn depthwise_is_the_reference() {
    for (window, stride) in [(3, 1), (3, 2), (5, 1), (5, 2)] {
        for (index, channels) in CHANNELS.into_iter().enumerate() {
            let (weights, bias) = (noise(window * window * channels, 1), noise(channels, 2));
            let activation = ACTIVATIONS[index % 3];
            let shape = (window, stride, channels);
            let layer = Depthwise::new(shape, &weights, &bias, activation, index % 2 == 0);
            for width in 1..=130 {
                let columns = (width - 1) * stride + window;
                let values = noise(window * columns * channels, 3);
                let rows: Vec<&[f32]> = values.chunks_exact(columns * channels).collect();
                let mut want = vec![0.0; width * channels];
                depthwise(Isa::SCALAR, &layer, &rows, ValuesMut::Floats(&mut want));
                for isa in others() {
                    let mut have = vec![9.0; width * channels];
                    depthwise(isa, &layer, &rows, ValuesMut::Floats(&mut have));
                    assert_close(&have, &want, 1e-5, &format!("{isa} {shape:?} {width}"));
                }
            }
        }
    }
}

#[test]
fn accumulate_double_and_quadruple_are_the_reference() {
    for channels in CHANNELS {
        let layer = Quadruple::new(channels, &noise(4 * channels, 1), 0.25);
        for width in 1..=130 {
            let (near, far) = (noise(width * channels, 3), noise(width * channels, 4));
            let run = |isa| {
                let mut sums = noise(channels, 5);
                accumulate(isa, Values::Floats(&near), &mut sums);
                let mut doubled = vec![9.0; 2 * near.len()];
                double(isa, channels, &near, &far, &mut doubled);
                let (mut top, mut bottom) = (vec![9.0; 2 * width], vec![9.0; 2 * width]);
                quadruple(isa, &layer, &near, &mut top, &mut bottom);
                [sums, doubled, top, bottom]
            };
            let want = run(Isa::SCALAR);
            for isa in others() {
                for (have, want) in run(isa).iter().zip(&want) {
                    assert_close(have, want, 2e-5, &format!("{isa} {channels}x{width}"));
                }
            }
        }
    }
}

#[test]
fn doubling_a_ramp_keeps_its_mean_and_its_slope() {
    let (near, far) = ([0.0; 8].map(|_| 0.0), [4.0; 8]);
    let row: Vec<f32> = [near, far].concat();
    let mut out = vec![9.0; 32];
    double(Isa::SCALAR, 8, &row, &row, &mut out);
    let first: Vec<f32> = out.iter().step_by(8).copied().collect();
    assert_eq!(first, [0.0, 1.0, 3.0, 4.0]);
}

/// From -100 to 100, and what is beyond.
fn logits() -> Vec<f32> {
    let mut logits: Vec<f32> = (-20_000..=20_000).map(|step| step as f32 / 200.0).collect();
    logits.extend([f32::MAX, f32::MIN, f32::INFINITY, f32::NEG_INFINITY]);
    logits
}

fn assert_logistic(isa: Isa, have: f32, logit: f32) {
    let want = 1.0 / (1.0 + (-f64::from(logit)).exp());
    assert!((0.0..=1.0).contains(&have), "{isa} {logit}: {have}");
    assert!((f64::from(have) - want).abs() < 1e-6, "{isa} {logit}: {have}");
}

#[test]
fn quadruple_is_exact_enough_and_never_leaves_its_range() {
    let mut weights = [0.0; 64];
    // Each output is the logistic of the first channel.
    weights.iter_mut().step_by(16).for_each(|weight| *weight = 1.0);
    let layer = Quadruple::new(16, &weights, 0.0);
    // Times zeros, what is not finite is no number.
    let logits: Vec<f32> = logits().into_iter().filter(|logit| logit.is_finite()).collect();
    let mut row = vec![0.0; 16 * logits.len()];
    row.iter_mut().step_by(16).zip(&logits).for_each(|(value, logit)| *value = *logit);
    for isa in Isa::available() {
        let (mut top, mut bottom) = (vec![9.0; 2 * logits.len()], vec![9.0; 2 * logits.len()]);
        quadruple(isa, &layer, &row, &mut top, &mut bottom);
        for (at, &logit) in logits.iter().enumerate() {
            for have in [top[2 * at], top[2 * at + 1], bottom[2 * at], bottom[2 * at + 1]] {
                assert_logistic(isa, have, logit);
            }
        }
    }
}

#[test]
fn logistic_is_exact_enough_and_never_leaves_its_range() {
    for isa in Isa::available() {
        let mut values = logits();
        logistic(isa, &mut values);
        values
            .into_iter()
            .zip(logits())
            .for_each(|(have, logit)| assert_logistic(isa, have, logit));
    }
}
