use std::arch::x86_64::*;

use super::LANES;

/// The lanes of a vector that starts `left` channels before the last: all, or the lower eight.
#[inline]
fn lanes(left: usize) -> u16 {
    if left < LANES { 0xFF } else { 0xFFFF }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub fn accumulate(row: &[f32], sums: &mut [f32]) {
    let channels = sums.len();
    let pixels = row.len() / channels;
    for channel in (0..channels).step_by(LANES) {
        let mask = lanes(channels - channel);
        let load = |pixel: usize| {
            // SAFETY: pixel < pixels, the row has pixels * channels values, and the mask leaves out what is behind the
            // last channel.
            unsafe { _mm512_maskz_loadu_ps(mask, row.as_ptr().add(pixel * channels + channel)) }
        };
        // Four sums side by side, because each addition waits for the one before it.
        let mut parts = [_mm512_setzero_ps(); 4];
        let whole = pixels / parts.len() * parts.len();
        for pixel in (0..whole).step_by(parts.len()) {
            for (index, part) in parts.iter_mut().enumerate() {
                *part = _mm512_add_ps(*part, load(pixel + index));
            }
        }
        for pixel in whole..pixels {
            parts[0] = _mm512_add_ps(parts[0], load(pixel));
        }
        let [a, b, c, d] = parts;
        let total = _mm512_add_ps(_mm512_add_ps(a, b), _mm512_add_ps(c, d));
        // SAFETY: the mask leaves out what is behind the last channel.
        unsafe {
            let sum = sums.as_mut_ptr().add(channel);
            let total = _mm512_add_ps(_mm512_maskz_loadu_ps(mask, sum), total);
            _mm512_mask_storeu_ps(sum, mask, total);
        }
    }
}

#[target_feature(enable = "avx512f,avx512vl,avx2,fma")]
pub fn double(channels: usize, near: &[f32], far: &[f32], out: &mut [f32]) {
    let quarter = _mm512_set1_ps(0.25);
    let three_quarters = _mm512_set1_ps(0.75);
    let pixels = near.len() / channels;
    for channel in (0..channels).step_by(LANES) {
        let mask = lanes(channels - channel);
        let blend = |pixel: usize| {
            let at = pixel * channels + channel;
            // SAFETY: pixel < pixels, near.len() is far.len(), and the mask leaves out what is behind the last channel.
            let (near, far) = unsafe {
                let (near, far) = (near.as_ptr().add(at), far.as_ptr().add(at));
                (_mm512_maskz_loadu_ps(mask, near), _mm512_maskz_loadu_ps(mask, far))
            };
            _mm512_fmadd_ps(near, three_quarters, _mm512_mul_ps(far, quarter))
        };
        let mut middle = blend(0);
        let mut before = middle;
        for pixel in 0..pixels {
            let after = if pixel + 1 < pixels { blend(pixel + 1) } else { middle };
            let most = _mm512_mul_ps(middle, three_quarters);
            let at = 2 * pixel * channels + channel;
            // SAFETY: pixel < pixels, out.len() is 2 * pixels * channels, and the mask leaves out what is behind the last
            // channel.
            unsafe {
                let out = out.as_mut_ptr().add(at);
                _mm512_mask_storeu_ps(out, mask, _mm512_fmadd_ps(before, quarter, most));
                let next = _mm512_fmadd_ps(after, quarter, most);
                _mm512_mask_storeu_ps(out.add(channels), mask, next);
            }
            (before, middle) = (middle, after);
        }
    }
}
