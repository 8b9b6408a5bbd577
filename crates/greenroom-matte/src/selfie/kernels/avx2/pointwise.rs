use std::arch::x86_64::*;

use super::{LANES, activate};
use crate::selfie::kernels::layers::{NARROW_PANEL, PANEL, Panel, Pointwise, WIDE_PANEL};

/// What a call works on. `input` has `inputs` values a pixel, `addend` and `out` have `outputs`.
struct Job<'a> {
    layer: &'a Pointwise,
    input: Input<'a>,
    addend: Option<&'a [f32]>,
    out: &'a mut [f32],
}

#[derive(Clone, Copy)]
enum Input<'a> {
    /// Pixels side by side.
    Pixels(&'a [f32]),
    /// `[plane][row]`, two columns a pixel and one more.
    Planes(&'a [[&'a [f32]; 3]; 3]),
}

/// The sums of `PIXELS` pixels over `VECTORS` vectors of outputs.
type Sums<const PIXELS: usize, const VECTORS: usize> = [[__m256; VECTORS]; PIXELS];

#[target_feature(enable = "avx2,fma")]
pub fn pointwise(layer: &Pointwise, input: &[f32], addend: Option<&[f32]>, out: &mut [f32]) {
    Job { layer, input: Input::Pixels(input), addend, out }.run();
}

#[target_feature(enable = "avx2,fma")]
pub fn stem(layer: &Pointwise, rows: &[[&[f32]; 3]; 3], out: &mut [f32]) {
    Job { layer, input: Input::Planes(rows), addend: None, out }.run();
}

impl Job<'_> {
    #[target_feature(enable = "avx2,fma")]
    fn run(&mut self) {
        for panel in self.layer.panels() {
            // Twelve sums, three weights or two, one input: sixteen registers at most.
            match panel.width {
                WIDE_PANEL => self.run_panel::<4, 3>(panel),
                PANEL => self.run_panel::<6, 2>(panel),
                NARROW_PANEL => self.run_panel::<8, 1>(panel),
                width => unreachable!("no panel is {width} wide"),
            }
        }
    }

    /// All pixels of a panel, which is `VECTORS` vectors wide.
    #[inline]
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
            match pixels - pixel {
                0 => {}
                1 => self.tile::<1, VECTORS>(panel, pixel),
                2 => self.tile::<2, VECTORS>(panel, pixel),
                3 => self.tile::<3, VECTORS>(panel, pixel),
                rest => {
                    self.tile::<4, VECTORS>(panel, pixel);
                    (pixel + 4..pixel + rest)
                        .for_each(|pixel| self.tile::<1, VECTORS>(panel, pixel));
                }
            }
        }
    }

    /// Pixels `pixel..pixel + PIXELS` of a panel.
    ///
    /// # Safety
    /// These pixels are below the call's number of pixels, and the panel is one of the layer's and
    /// `VECTORS` vectors wide.
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn tile<const PIXELS: usize, const VECTORS: usize>(
        &mut self,
        panel: Panel,
        pixel: usize,
    ) {
        // SAFETY: the caller's promise is that of all three.
        unsafe {
            let start = self.start::<PIXELS, VECTORS>(panel, pixel);
            let sums = match self.input {
                Input::Pixels(input) => self.add_pixels(start, panel, input, pixel),
                Input::Planes(rows) => self.add_planes(start, panel, rows, pixel),
            };
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
    unsafe fn add_pixels<const PIXELS: usize, const VECTORS: usize>(
        &self,
        mut sums: Sums<PIXELS, VECTORS>,
        panel: Panel,
        input: &[f32],
        pixel: usize,
    ) -> Sums<PIXELS, VECTORS> {
        let inputs = self.layer.inputs();
        let weights = self.layer.panel_weights(panel).as_ptr();
        // SAFETY: the pixels exist and the input has `inputs` values for each; the panel has
        // `inputs` rows of VECTORS vectors of weights.
        unsafe {
            let values = input.as_ptr().add(pixel * inputs);
            for index in 0..inputs {
                let weights: [__m256; VECTORS] = std::array::from_fn(|vector| {
                    _mm256_loadu_ps(weights.add((index * VECTORS + vector) * LANES))
                });
                for (pixel, sums) in sums.iter_mut().enumerate() {
                    let value = _mm256_broadcast_ss(&*values.add(pixel * inputs + index));
                    for (sum, weight) in sums.iter_mut().zip(weights) {
                        *sum = _mm256_fmadd_ps(value, weight, *sum);
                    }
                }
            }
        }
        sums
    }

    /// # Safety
    /// As for [`tile`](Self::tile).
    #[inline]
    #[target_feature(enable = "avx2,fma")]
    unsafe fn add_planes<const PIXELS: usize, const VECTORS: usize>(
        &self,
        mut sums: Sums<PIXELS, VECTORS>,
        panel: Panel,
        rows: &[[&[f32]; 3]; 3],
        pixel: usize,
    ) -> Sums<PIXELS, VECTORS> {
        let weights = self.layer.panel_weights(panel).as_ptr();
        for (row, values) in rows.iter().flatten().enumerate() {
            for column in 0..3 {
                // SAFETY: the pixels exist, a row has two columns for each and one more, and the
                // panel has 27 rows of VECTORS vectors of weights, three for each row of values.
                unsafe {
                    let weights: [__m256; VECTORS] = std::array::from_fn(|vector| {
                        let at = ((3 * row + column) * VECTORS + vector) * LANES;
                        _mm256_loadu_ps(weights.add(at))
                    });
                    let values = values.as_ptr().add(2 * pixel + column);
                    for (pixel, sums) in sums.iter_mut().enumerate() {
                        let value = _mm256_broadcast_ss(&*values.add(2 * pixel));
                        for (sum, weight) in sums.iter_mut().zip(weights) {
                            *sum = _mm256_fmadd_ps(value, weight, *sum);
                        }
                    }
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
