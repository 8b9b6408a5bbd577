use std::arch::x86_64::*;
use std::marker::PhantomData;

use super::{LANES, activate};
use crate::kernels::layers::{Bordered, NARROW_PANEL, PANEL, Panel, Pointwise, WIDE_PANEL};

/// What a call works on. `input` has `inputs` values a pixel, `addend` and `out` have `outputs`.
struct Job<'a, I> {
    layer: &'a Pointwise,
    input: I,
    addend: Option<&'a [f32]>,
    out: &'a mut [f32],
}

/// The sums of `PIXELS` pixels over `VECTORS` vectors of outputs.
type Sums<const PIXELS: usize, const VECTORS: usize> = [[__m256; VECTORS]; PIXELS];

#[target_feature(enable = "avx2,fma")]
pub fn pointwise(layer: &Pointwise, input: &[f32], addend: Option<&[f32]>, out: &mut [f32]) {
    Job { layer, input: Pixels(input), addend, out }.run();
}

#[target_feature(enable = "avx2,fma")]
pub fn convolve(layer: &Pointwise, input: Bordered<'_>, out: &mut [f32]) {
    // Panel by panel, so that its weights stay in the cache for all rows.
    for panel in layer.panels() {
        for (y, out) in out.chunks_exact_mut(input.width * layer.outputs()).enumerate() {
            let windows = Windows { rows: input.window_rows(y), channels: input.channels };
            Job { layer, input: windows, addend: None, out }.run_whole_panel(panel);
        }
    }
}

#[target_feature(enable = "avx2,fma")]
pub fn stem(layer: &Pointwise, rows: &[[&[f32]; 3]; 3], out: &mut [f32]) {
    // SAFETY: a row has two columns for each pixel and one more, because `out` is a pixel short.
    let tap = |at: usize| unsafe { rows[at / 9][at / 3 % 3].as_ptr().add(at % 3) };
    let input = Planes { taps: std::array::from_fn(tap), life: PhantomData };
    Job { layer, input, addend: None, out }.run();
}

impl<I: Input> Job<'_, I> {
    #[target_feature(enable = "avx2,fma")]
    fn run(&mut self) {
        for panel in self.layer.panels() {
            self.run_whole_panel(panel);
        }
    }

    #[target_feature(enable = "avx2,fma")]
    fn run_whole_panel(&mut self, panel: Panel) {
        // Twelve sums (nine in a wide panel), weights and an input: the sixteen registers.
        match panel.width {
            WIDE_PANEL => self.run_panel::<3, 3>(panel),
            PANEL => self.run_panel::<6, 2>(panel),
            NARROW_PANEL => self.run_panel::<8, 1>(panel),
            width => unreachable!("no panel is {width} wide"),
        }
    }

    /// All pixels of a panel, which is `VECTORS` vectors wide.
    #[target_feature(enable = "avx2,fma")]
    fn run_panel<const PIXELS: usize, const VECTORS: usize>(&mut self, panel: Panel) {
        assert_eq!(panel.width, VECTORS * LANES);
        let pixels = self.out.len() / self.layer.outputs();
        let mut pixel = 0;
        // SAFETY: each tile ends at or before `pixels`, and the panel's width was asserted.
        unsafe {
            while pixel + PIXELS <= pixels {
                self.tile::<PIXELS, VECTORS>(panel, pixel);
                pixel += PIXELS;
            }
            if pixel + 4 <= pixels {
                self.tile::<4, VECTORS>(panel, pixel);
                pixel += 4;
            }
            while pixel + 2 <= pixels {
                self.tile::<2, VECTORS>(panel, pixel);
                pixel += 2;
            }
            if pixel < pixels {
                self.tile::<1, VECTORS>(panel, pixel);
            }
        }
    }

    /// Pixels `pixel..pixel + PIXELS` of a panel. Never inlined, because the compiler then keeps
    /// things of the loops around it in registers and the sums on the stack.
    ///
    /// # Safety
    /// These pixels are below the call's number of pixels, and the panel is one of the layer's and
    /// `VECTORS` vectors wide.
    #[inline(never)]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        panel: Panel,
        pixel: usize,
    ) {
        // SAFETY: the caller's promise is that of all three.
        unsafe {
            let start = self.start::<PIXELS, VECTORS>(panel, pixel);
            let sums = self.input.add(self.layer, panel, pixel, start);
            self.finish(sums, panel, pixel);
        }
    }

    /// # Safety
    /// As for [`tile`](Self::tile).
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn start<const PIXELS: usize, const VECTORS: usize>(
        &self,
        panel: Panel,
        pixel: usize,
    ) -> Sums<PIXELS, VECTORS> {
        let bias = &self.layer.bias()[panel.first..][..VECTORS * LANES];
        let mut sums = [[_mm256_setzero_ps(); VECTORS]; PIXELS];
        for vector in 0..VECTORS {
            // SAFETY: the slice was cut to VECTORS vectors.
            let bias = unsafe { _mm256_loadu_ps(bias.as_ptr().add(vector * LANES)) };
            for sums in &mut sums {
                sums[vector] = bias;
            }
        }
        if let Some(addend) = self.addend {
            for (index, sums) in sums.iter_mut().enumerate() {
                let at = (pixel + index) * self.layer.outputs() + panel.first;
                for (vector, sum) in sums.iter_mut().enumerate() {
                    // SAFETY: the pixel exists, the addend has `outputs` values for each, and the
                    // panel's outputs are among them.
                    let value =
                        unsafe { _mm256_loadu_ps(addend.as_ptr().add(at + vector * LANES)) };
                    *sum = _mm256_add_ps(*sum, value);
                }
            }
        }
        sums
    }

    /// # Safety
    /// As for [`tile`](Self::tile).
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn finish<const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        sums: Sums<PIXELS, VECTORS>,
        panel: Panel,
        pixel: usize,
    ) {
        let activation = self.layer.activation();
        for (index, sums) in sums.into_iter().enumerate() {
            let at = (pixel + index) * self.layer.outputs() + panel.first;
            for (vector, sum) in sums.into_iter().enumerate() {
                // SAFETY: the pixel exists, `out` has `outputs` values for each, and the panel's
                // outputs are among them.
                unsafe {
                    let out = self.out.as_mut_ptr().add(at + vector * LANES);
                    _mm256_storeu_ps(out, activate(activation, sum));
                }
            }
        }
    }
}

/// Where the inputs of a pixel are.
trait Input {
    /// `sums` plus weights times inputs of pixels `pixel..pixel + PIXELS`.
    ///
    /// # Safety
    /// As for [`Job::tile`], on a machine with AVX2 and FMA.
    unsafe fn add<const PIXELS: usize, const VECTORS: usize>(
        &self,
        layer: &Pointwise,
        panel: Panel,
        pixel: usize,
        sums: Sums<PIXELS, VECTORS>,
    ) -> Sums<PIXELS, VECTORS>;
}

/// Pixels side by side.
struct Pixels<'a>(&'a [f32]);

/// The rows of 3x3 windows: three neighbouring pixels of each row are inputs of a pixel.
struct Windows<'a> {
    rows: [&'a [f32]; 3],
    channels: usize,
}

/// Where each of the 27 inputs of the first pixel is; those of the next are two values further. (A
/// table, because the compiler else sees that neighbours share inputs, keeps these and spills the
/// sums.)
struct Planes<'a> {
    taps: [*const f32; 27],
    life: PhantomData<&'a [f32]>,
}

impl Input for Pixels<'_> {
    // SAFETY: the caller keeps the contract of `Input::add`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn add<const PIXELS: usize, const VECTORS: usize>(
        &self,
        layer: &Pointwise,
        panel: Panel,
        pixel: usize,
        mut sums: Sums<PIXELS, VECTORS>,
    ) -> Sums<PIXELS, VECTORS> {
        let inputs = layer.inputs();
        let weights = layer.panel_weights(panel).as_ptr();
        // SAFETY: the pixels exist and the input has `inputs` values for each; the panel has
        // `inputs` rows of VECTORS vectors of weights.
        unsafe {
            let values = self.0.as_ptr().add(pixel * inputs);
            multiply_add_all(&mut sums, weights, values, (inputs, inputs));
        }
        sums
    }
}

impl Input for Windows<'_> {
    // SAFETY: the caller keeps the contract of `Input::add`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn add<const PIXELS: usize, const VECTORS: usize>(
        &self,
        layer: &Pointwise,
        panel: Panel,
        pixel: usize,
        mut sums: Sums<PIXELS, VECTORS>,
    ) -> Sums<PIXELS, VECTORS> {
        let mut weights = layer.panel_weights(panel).as_ptr();
        for row in self.rows {
            // SAFETY: the pixels exist and each row has two pixels more, so all windows are in it; the panel has as
            // many rows of VECTORS vectors of weights as the three windows have values.
            unsafe {
                let values = row.as_ptr().add(pixel * self.channels);
                let count = 3 * self.channels;
                multiply_add_all(&mut sums, weights, values, (count, self.channels));
                weights = weights.add(count * VECTORS * LANES);
            }
        }
        sums
    }
}

impl Input for Planes<'_> {
    // SAFETY: the caller keeps the contract of `Input::add`.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn add<const PIXELS: usize, const VECTORS: usize>(
        &self,
        layer: &Pointwise,
        panel: Panel,
        pixel: usize,
        mut sums: Sums<PIXELS, VECTORS>,
    ) -> Sums<PIXELS, VECTORS> {
        let weights = layer.panel_weights(panel).as_ptr();
        for (index, values) in self.taps.into_iter().enumerate() {
            // SAFETY: the pixels exist, the rows have two columns for each, and the panel has 27
            // rows of VECTORS vectors of weights.
            unsafe {
                let weights = weights.add(index * VECTORS * LANES);
                multiply_add(&mut sums, weights, values.add(2 * pixel), 2);
            }
        }
        sums
    }
}

/// Adds the parts of `count` inputs to the sums: [`multiply_add`] for neighbouring values.
///
/// # Safety
/// There are `count` times `VECTORS` vectors at `weights`, and `count` values at `values` and its `PIXELS - 1` strides.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn multiply_add_all<const PIXELS: usize, const VECTORS: usize>(
    sums: &mut Sums<PIXELS, VECTORS>,
    weights: *const f32,
    values: *const f32,
    (count, stride): (usize, usize),
) {
    /// Inputs in one round of the loop, so that the loop's own work is a small part: 0.94 of the time with one input.
    const AT_A_TIME: usize = 4;
    let whole = count / AT_A_TIME * AT_A_TIME;
    // SAFETY: the caller's promise; `whole` is at most `count`.
    unsafe {
        for first in (0..whole).step_by(AT_A_TIME) {
            for index in first..first + AT_A_TIME {
                multiply_add(sums, weights.add(index * VECTORS * LANES), values.add(index), stride);
            }
        }
        for index in whole..count {
            multiply_add(sums, weights.add(index * VECTORS * LANES), values.add(index), stride);
        }
    }
}

/// Adds one input's part to the sums: its weights, times its value in each pixel; these lie
/// `stride` apart.
///
/// # Safety
/// There are `VECTORS` vectors at `weights`, and values at `values` and its `PIXELS - 1` strides.
#[inline]
#[target_feature(enable = "avx2,fma")]
unsafe fn multiply_add<const PIXELS: usize, const VECTORS: usize>(
    sums: &mut Sums<PIXELS, VECTORS>,
    weights: *const f32,
    values: *const f32,
    stride: usize,
) {
    // SAFETY: the caller's promise.
    unsafe {
        let weights: [__m256; VECTORS] =
            std::array::from_fn(|vector| _mm256_loadu_ps(weights.add(vector * LANES)));
        for (pixel, sums) in sums.iter_mut().enumerate() {
            let value = _mm256_broadcast_ss(&*values.add(pixel * stride));
            for (sum, weight) in sums.iter_mut().zip(weights) {
                *sum = _mm256_fmadd_ps(value, weight, *sum);
            }
        }
    }
}
