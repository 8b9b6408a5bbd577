use std::arch::x86_64::*;

use super::{LANES, activate};
use crate::kernels::layers::Depthwise;

/// Pixels that are summed at a time: neighbours share most of their inputs.
const PIXELS: usize = 4;

#[target_feature(enable = "avx2,fma")]
pub fn depthwise(layer: &Depthwise, rows: &[&[f32]], out: &mut [f32]) {
    depthwise_from(layer, rows, out, 0);
}

/// The channels from `first` on, a multiple of eight.
#[target_feature(enable = "avx2,fma")]
pub fn depthwise_from(layer: &Depthwise, rows: &[&[f32]], out: &mut [f32], first: usize) {
    match (layer.window(), layer.stride()) {
        (3, 1) => row::<3, 1, 6>(layer, rows, out, first),
        (3, 2) => row::<3, 2, 9>(layer, rows, out, first),
        (5, 1) => row::<5, 1, 8>(layer, rows, out, first),
        (5, 2) => row::<5, 2, 11>(layer, rows, out, first),
        (window, stride) => unreachable!("no layer has a window of {window} and stride {stride}"),
    }
}

/// `COLUMNS` is how many columns [`PIXELS`] neighbours look at.
#[target_feature(enable = "avx2,fma")]
fn row<const WINDOW: usize, const STRIDE: usize, const COLUMNS: usize>(
    layer: &Depthwise,
    rows: &[&[f32]],
    out: &mut [f32],
    first: usize,
) {
    const { assert!(COLUMNS == (PIXELS - 1) * STRIDE + WINDOW) };
    let rows = rows.first_chunk().expect("the caller gives as many rows as the window has");
    let pixels = out.len() / layer.channels();
    let whole = pixels / PIXELS * PIXELS;
    for channel in (first..layer.channels()).step_by(LANES) {
        // SAFETY: the pixels of each tile are below `pixels`; the rows have the columns that all
        // pixels look at; the channels are a multiple of eight.
        unsafe {
            for pixel in (0..whole).step_by(PIXELS) {
                tile::<WINDOW, STRIDE, COLUMNS, PIXELS>(layer, rows, out, (pixel, channel));
            }
            for pixel in whole..pixels {
                tile::<WINDOW, STRIDE, WINDOW, 1>(layer, rows, out, (pixel, channel));
            }
        }
    }
}

/// Eight channels of `COUNT` pixels.
///
/// # Safety
/// `pixel + COUNT` is at most the number of pixels of `out`; the rows have all the columns that
/// these look at, `COLUMNS` of them; `channel + 8` is at most the number of channels.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn tile<
    const WINDOW: usize,
    const STRIDE: usize,
    const COLUMNS: usize,
    const COUNT: usize,
>(
    layer: &Depthwise,
    rows: &[&[f32]; WINDOW],
    out: &mut [f32],
    (pixel, channel): (usize, usize),
) {
    let channels = layer.channels();
    // SAFETY: the caller's promise; weights and bias have the lengths that go with the window and
    // the channels, because the layer's constructor asserts that.
    unsafe {
        let weights = layer.weights().as_ptr().add(channel);
        let mut sums = [_mm256_loadu_ps(layer.bias().as_ptr().add(channel)); COUNT];
        for (y, row) in rows.iter().enumerate() {
            let values = row.as_ptr().add(pixel * STRIDE * channels + channel);
            let columns: [__m256; COLUMNS] =
                std::array::from_fn(|x| _mm256_loadu_ps(values.add(x * channels)));
            for x in 0..WINDOW {
                let weight = _mm256_loadu_ps(weights.add((y * WINDOW + x) * channels));
                for (index, sum) in sums.iter_mut().enumerate() {
                    *sum = _mm256_fmadd_ps(columns[index * STRIDE + x], weight, *sum);
                }
            }
        }
        let middle = rows[WINDOW / 2].as_ptr();
        for (index, sum) in sums.into_iter().enumerate() {
            let mut value = activate(layer.activation(), sum);
            if layer.adds_input() {
                let column = (pixel + index) * STRIDE + WINDOW / 2;
                let input = _mm256_loadu_ps(middle.add(column * channels + channel));
                value = _mm256_add_ps(value, input);
            }
            _mm256_storeu_ps(out.as_mut_ptr().add((pixel + index) * channels + channel), value);
        }
    }
}
