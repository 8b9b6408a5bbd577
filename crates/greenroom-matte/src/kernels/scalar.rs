//! The reference: plain Rust, one thing after the other. The inner loops run along the channels,
//! so that the compiler can still use what the machine has.

use super::layers::{Bordered, Depthwise, PANEL, Panel, Pointwise, Quadruple, WIDE_PANEL};
use crate::kernels::Activation;

impl Activation {
    fn apply(self, value: f32) -> f32 {
        match self {
            Activation::None => value,
            Activation::Relu => value.max(0.0),
            Activation::HardSwish => value * (value / 6.0 + 0.5).clamp(0.0, 1.0),
        }
    }
}

pub fn pointwise(layer: &Pointwise, input: &[f32], addend: Option<&[f32]>, out: &mut [f32]) {
    for panel in layer.panels() {
        for (pixel, values) in input.chunks_exact(layer.inputs()).enumerate() {
            let at = pixel * layer.outputs() + panel.first;
            let addend = addend.map(|addend| &addend[at..][..panel.width]);
            pixel_panel(layer, panel, &[values], addend, &mut out[at..][..panel.width]);
        }
    }
}

pub fn convolve(layer: &Pointwise, input: Bordered<'_>, out: &mut [f32]) {
    let Bordered { width, channels, .. } = input;
    for (y, out) in out.chunks_exact_mut(width * layer.outputs()).enumerate() {
        let rows = input.window_rows(y);
        for panel in layer.panels() {
            for pixel in 0..width {
                let values = rows.map(|row| &row[pixel * channels..][..3 * channels]);
                let out = &mut out[pixel * layer.outputs() + panel.first..][..panel.width];
                pixel_panel(layer, panel, &values, None, out);
            }
        }
    }
}

/// The outputs of `panel` for one pixel, whose inputs lie in `parts`.
fn pixel_panel(
    layer: &Pointwise,
    panel: Panel,
    parts: &[&[f32]],
    addend: Option<&[f32]>,
    out: &mut [f32],
) {
    // A fixed width lets the compiler unroll.
    match panel.width {
        WIDE_PANEL => pixel_panel_of::<WIDE_PANEL>(layer, panel, parts, addend, out),
        PANEL => pixel_panel_of::<PANEL>(layer, panel, parts, addend, out),
        _ => pixel_panel_of::<8>(layer, panel, parts, addend, out),
    }
}

fn pixel_panel_of<const WIDTH: usize>(
    layer: &Pointwise,
    panel: Panel,
    parts: &[&[f32]],
    addend: Option<&[f32]>,
    out: &mut [f32],
) {
    let mut sums = [0.0; WIDTH];
    sums.copy_from_slice(&layer.bias()[panel.first..][..WIDTH]);
    let mut weights = layer.panel_weights(panel).as_chunks::<WIDTH>().0.iter();
    for values in parts {
        for (value, weights) in values.iter().zip(&mut weights) {
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum += value * weight;
            }
        }
    }
    if let Some(addend) = addend {
        for (sum, addend) in sums.iter_mut().zip(addend) {
            *sum += addend;
        }
    }
    for (out, sum) in out.iter_mut().zip(sums) {
        *out = layer.activation().apply(sum);
    }
}

pub fn stem(layer: &Pointwise, rows: &[[&[f32]; 3]; 3], out: &mut [f32]) {
    for (pixel, out) in out.chunks_exact_mut(layer.outputs()).enumerate() {
        let mut patch = [0.0; 27];
        for (taps, row) in patch.chunks_exact_mut(3).zip(rows.iter().flatten()) {
            taps.copy_from_slice(&row[2 * pixel..][..3]);
        }
        pointwise(layer, &patch, None, out);
    }
}

pub fn depthwise(layer: &Depthwise, rows: &[&[f32]], out: &mut [f32]) {
    let channels = layer.channels();
    let window = layer.window();
    for (pixel, out) in out.chunks_exact_mut(channels).enumerate() {
        let first = pixel * layer.stride() * channels;
        out.copy_from_slice(layer.bias());
        for (row, weights) in rows.iter().zip(layer.weights().chunks_exact(window * channels)) {
            let pixels = row[first..].chunks_exact(channels);
            for (values, weights) in pixels.zip(weights.chunks_exact(channels)) {
                for ((out, value), weight) in out.iter_mut().zip(values).zip(weights) {
                    *out += value * weight;
                }
            }
        }
        let middle = &rows[window / 2][first + window / 2 * channels..][..channels];
        for (out, value) in out.iter_mut().zip(middle) {
            let added = if layer.adds_input() { *value } else { 0.0 };
            *out = layer.activation().apply(*out) + added;
        }
    }
}

pub fn accumulate(row: &[f32], sums: &mut [f32]) {
    for pixel in row.chunks_exact(sums.len()) {
        for (sum, value) in sums.iter_mut().zip(pixel) {
            *sum += value;
        }
    }
}

pub fn double(channels: usize, near: &[f32], far: &[f32], out: &mut [f32]) {
    let last = near.len() - channels;
    let blend = |at: usize| 0.75 * near[at] + 0.25 * far[at];
    for at in 0..near.len() {
        let before = if at < channels { at } else { at - channels };
        let after = if at >= last { at } else { at + channels };
        let (pixel, channel) = (at / channels, at % channels);
        let to = 2 * pixel * channels + channel;
        out[to] = 0.25 * blend(before) + 0.75 * blend(at);
        out[to + channels] = 0.75 * blend(at) + 0.25 * blend(after);
    }
}

pub fn quadruple(layer: &Quadruple, row: &[f32], top: &mut [f32], bottom: &mut [f32]) {
    let channels = layer.channels();
    let pixels = row.chunks_exact(channels);
    for ((pixel, top), bottom) in
        pixels.zip(top.chunks_exact_mut(2)).zip(bottom.chunks_exact_mut(2))
    {
        let outputs = top.iter_mut().chain(bottom);
        for (out, weights) in outputs.zip(layer.weights().chunks_exact(channels)) {
            let sum: f32 = pixel.iter().zip(weights).map(|(value, weight)| value * weight).sum();
            *out = logistic_of(sum + layer.bias());
        }
    }
}

pub fn logistic(values: &mut [f32]) {
    for value in values {
        *value = logistic_of(*value);
    }
}

fn logistic_of(value: f32) -> f32 {
    1.0 / (1.0 + (-value).exp())
}
