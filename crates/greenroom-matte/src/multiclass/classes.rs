//! From the logits of all classes to the alpha: 1 - softmax(logits) of the room.

use super::network::CLASSES;

/// One row of `[2 rows][2 columns][CLASSES]` logits a pixel becomes two rows of alpha. The logits are overwritten.
pub(super) fn alphas(logits: &mut [f32], top: &mut [f32], bottom: &mut [f32]) {
    let classes = logits.as_chunks_mut::<CLASSES>().0;
    for classes in &mut *classes {
        let room = classes[0];
        // Beyond 80 nothing changes; within, all sums are finite.
        classes.iter_mut().for_each(|logit| *logit = (*logit - room).clamp(-80.0, 80.0));
    }
    classes.as_flattened_mut().iter_mut().for_each(|logit| *logit = exp(*logit));
    let rows = top.as_chunks_mut::<2>().0.iter_mut().zip(bottom.as_chunks_mut::<2>().0);
    for ((top, bottom), taps) in rows.zip(classes.as_chunks::<4>().0) {
        *top = [alpha(&taps[0]), alpha(&taps[1])];
        *bottom = [alpha(&taps[2]), alpha(&taps[3])];
    }
}

/// From e to the power of each logit; that of the room is 1.
fn alpha(powers: &[f32; CLASSES]) -> f32 {
    let person: f32 = powers[1..].iter().sum();
    // What is not a number, which only a damaged file can bring about, becomes 0.
    (person / (1.0 + person)).max(0.0)
}

/// e to the power of `value` for -80 to 80; relative error 2e-7. Without branches and calls, so that the compiler can
/// use vectors.
///
/// value = n ln 2 + r with |r| <= ln 2 / 2; a polynomial gives exp(r), and n goes into the exponent's bits. Polynomial
/// and split of ln 2 are those of the Cephes library's `expf`.
fn exp(value: f32) -> f32 {
    // A float this large has no bits behind the point: adding it rounds to a whole number, which is in the low bits.
    const ROUNDING: f32 = 12_582_912.0;
    let shifted = value * std::f32::consts::LOG2_E + ROUNDING;
    let n = shifted - ROUNDING;
    let r = value - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let mut poly = 1.987_569_1e-4_f32;
    for factor in [1.398_199_9e-3, 8.333_452e-3, 4.166_579_6e-2, 0.166_666_65, 0.5] {
        poly = poly * r + factor;
    }
    let near_one = r * r * poly + (r + 1.0);
    let power = shifted.to_bits().wrapping_sub(ROUNDING.to_bits()) << 23;
    f32::from_bits(near_one.to_bits().wrapping_add(power))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exp_is_exact_enough() {
        for step in -80_000..=80_000 {
            let value = step as f32 / 1000.0;
            let want = f64::from(value).exp();
            assert!((f64::from(exp(value)) / want - 1.0).abs() < 4e-7, "{value}");
        }
    }

    #[test]
    fn alpha_is_what_is_not_room() {
        let mut logits = [0.0; 8 * CLASSES];
        logits[..CLASSES].copy_from_slice(&[1.0, -1.0, 0.5, 2.0, -3.0, 0.25]);
        logits[CLASSES..2 * CLASSES].copy_from_slice(&[1000.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        logits[2 * CLASSES..3 * CLASSES].copy_from_slice(&[-1000.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        logits[3 * CLASSES] = f32::NAN;
        let powers: Vec<f64> = logits[..CLASSES].iter().map(|&l| f64::from(l).exp()).collect();
        let want = 1.0 - powers[0] / powers.iter().sum::<f64>();
        let (mut top, mut bottom) = ([9.0; 4], [9.0; 4]);
        alphas(&mut logits, &mut top, &mut bottom);
        assert!((f64::from(top[0]) - want).abs() < 1e-6);
        assert!(top[1] < 1e-30 && bottom[0] == 1.0 && bottom[1] == 0.0);
        assert!((top[2] - 5.0 / 6.0).abs() < 1e-6);
    }
}
