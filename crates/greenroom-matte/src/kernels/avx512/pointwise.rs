use std::arch::x86_64::*;

use super::{HALF, LANES, activate};
use crate::kernels::avx2;
use crate::kernels::layers::{
    Activation, Bordered, NARROW_PANEL, PANEL, Panel, Pointwise, WIDE_PANEL,
};

/// Pixels that are summed at a time, first so many, then what is left: most rows are of whole tens.
const PIXELS: [usize; 4] = [16, 10, 4, 1];

/// Where the inputs of the pixels of a row are: in `N` places, at each `count` of a pixel side by side; those of the next
/// pixel are `stride` further.
#[derive(Clone, Copy)]
struct Inputs<const N: usize> {
    places: [*const f32; N],
    count: usize,
    stride: usize,
}

/// A row of a panel. `addend` and `out` are of its first output in the first pixel; there are `outputs` values a pixel.
#[derive(Clone, Copy)]
struct Row {
    weights: *const f32,
    bias: *const f32,
    addend: Option<*const f32>,
    out: *mut f32,
    outputs: usize,
    activation: Activation,
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub fn pointwise(layer: &Pointwise, input: &[f32], addend: Option<&[f32]>, out: &mut [f32]) {
    if layer.outputs() == NARROW_PANEL {
        return avx2::pointwise(layer, input, addend, out);
    }
    let (count, pixels) = (layer.inputs(), out.len() / layer.outputs());
    let inputs = Inputs { places: [input.as_ptr()], count, stride: count };
    for panel in layer.panels() {
        // SAFETY: input, addend and out are of as many pixels, and the panel is one of the layer's.
        unsafe { run(inputs, Row::new(layer, panel, addend, out), panel, pixels) };
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub fn convolve(layer: &Pointwise, input: Bordered<'_>, out: &mut [f32]) {
    if layer.outputs() == NARROW_PANEL {
        return avx2::convolve(layer, input, out);
    }
    let Bordered { width, channels, .. } = input;
    // Panel by panel, so that its weights stay in the cache for all rows.
    for panel in layer.panels() {
        for (y, out) in out.chunks_exact_mut(width * layer.outputs()).enumerate() {
            let places = input.window_rows(y).map(<[f32]>::as_ptr);
            let inputs = Inputs { places, count: 3 * channels, stride: channels };
            // SAFETY: each of the three rows has two pixels more than `out`, so all windows are in it, and the layer has
            // as many inputs as a window has values.
            unsafe { run(inputs, Row::new(layer, panel, None, out), panel, width) };
        }
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub fn stem(layer: &Pointwise, rows: &[[&[f32]; 3]; 3], out: &mut [f32]) {
    if layer.outputs() == NARROW_PANEL {
        return avx2::stem(layer, rows, out);
    }
    let places = std::array::from_fn::<_, 9, _>(|at| rows[at / 3][at % 3].as_ptr());
    let inputs = Inputs { places, count: 3, stride: 2 };
    for panel in layer.panels() {
        let pixels = out.len() / layer.outputs();
        // SAFETY: a row has two columns for each pixel and one more, because `out` is a pixel short.
        unsafe { run(inputs, Row::new(layer, panel, None, out), panel, pixels) };
    }
}

impl Row {
    fn new(layer: &Pointwise, panel: Panel, addend: Option<&[f32]>, out: &mut [f32]) -> Self {
        Self {
            weights: layer.panel_weights(panel).as_ptr(),
            bias: layer.bias()[panel.first..].as_ptr(),
            addend: addend.map(|addend| addend.as_ptr().wrapping_add(panel.first)),
            out: out.as_mut_ptr().wrapping_add(panel.first),
            outputs: layer.outputs(),
            activation: layer.activation(),
        }
    }
}

/// All `pixels` of a panel.
///
/// # Safety
/// `inputs` and `row` are of so many pixels, and of the panel's layer.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn run<const N: usize>(inputs: Inputs<N>, row: Row, panel: Panel, pixels: usize) {
    // SAFETY: the caller's promise, and each panel is as wide as is said here.
    unsafe {
        match panel.width {
            WIDE_PANEL => run_panel::<N, true>(inputs, row, pixels),
            PANEL => run_panel::<N, false>(inputs, row, pixels),
            width => unreachable!("no panel beside others is {width} wide"),
        }
    }
}

/// # Safety
/// As for [`run`]; the panel is a vector wide, and half of one more if it `IS_WIDE`.
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn run_panel<const N: usize, const IS_WIDE: bool>(
    inputs: Inputs<N>,
    row: Row,
    pixels: usize,
) {
    const { assert!(PIXELS[0] == 16 && PIXELS[1] == 10 && PIXELS[2] == 4 && PIXELS[3] == 1) };
    let mut pixel = 0;
    // SAFETY: each tile ends at or before `pixels`.
    unsafe {
        // Twenty-four sums and more do not leave enough registers for a wide panel's.
        while !IS_WIDE && pixel + PIXELS[0] <= pixels {
            tile::<N, IS_WIDE, 16>(inputs, row, pixel);
            pixel += PIXELS[0];
        }
        while pixel + PIXELS[1] <= pixels {
            tile::<N, IS_WIDE, 10>(inputs, row, pixel);
            pixel += PIXELS[1];
        }
        while pixel + PIXELS[2] <= pixels {
            tile::<N, IS_WIDE, 4>(inputs, row, pixel);
            pixel += PIXELS[2];
        }
        while pixel < pixels {
            tile::<N, IS_WIDE, 1>(inputs, row, pixel);
            pixel += 1;
        }
    }
}

/// Pixels `pixel..pixel + COUNT` of a panel. Never inlined, as that of AVX2.
///
/// # Safety
/// As for [`run_panel`], and these pixels are there.
#[inline(never)]
#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
unsafe fn tile<const N: usize, const IS_WIDE: bool, const COUNT: usize>(
    inputs: Inputs<N>,
    row: Row,
    pixel: usize,
) {
    let Row { mut weights, bias, addend, out, outputs, activation } = row;
    // SAFETY: the pixels are there, and have `outputs` values each in `addend` and `out`, and `count` at each of the places;
    // for each of these inputs there is a row of the panel's width of weights. The bias has the panel's width.
    unsafe {
        let mut sums = [_mm512_loadu_ps(bias); COUNT];
        let mut more = [_mm256_setzero_ps(); COUNT];
        if IS_WIDE {
            more = [_mm256_loadu_ps(bias.add(LANES)); COUNT];
        }
        if let Some(addend) = addend {
            for (index, (sum, more)) in sums.iter_mut().zip(&mut more).enumerate() {
                let addend = addend.add((pixel + index) * outputs);
                *sum = _mm512_add_ps(*sum, _mm512_loadu_ps(addend));
                if IS_WIDE {
                    *more = _mm256_add_ps(*more, _mm256_loadu_ps(addend.add(LANES)));
                }
            }
        }
        for place in inputs.places {
            let values = place.add(pixel * inputs.stride);
            for input in 0..inputs.count {
                let weight = _mm512_loadu_ps(weights);
                for (index, sum) in sums.iter_mut().enumerate() {
                    let value = *values.add(index * inputs.stride + input);
                    *sum = _mm512_fmadd_ps(_mm512_set1_ps(value), weight, *sum);
                }
                if IS_WIDE {
                    // Fetched again, which is faster than a register of their own for all values.
                    let weight = _mm256_loadu_ps(weights.add(LANES));
                    for (index, sum) in more.iter_mut().enumerate() {
                        let value = *values.add(index * inputs.stride + input);
                        *sum = _mm256_fmadd_ps(_mm256_set1_ps(value), weight, *sum);
                    }
                }
                weights = weights.add(if IS_WIDE { LANES + HALF } else { LANES });
            }
        }
        for (index, (sum, more)) in sums.into_iter().zip(more).enumerate() {
            let out = out.add((pixel + index) * outputs);
            _mm512_storeu_ps(out, activate(activation, sum));
            if IS_WIDE {
                _mm256_storeu_ps(out.add(LANES), avx2::activate(activation, more));
            }
        }
    }
}
