use std::ops::Range;

use greenroom_frame::Colour;

/// What depends on the colour encoding alone. `fixed` weights are Q16.
pub(super) struct Scale {
    floor: u8,
    span: u16,
    kg: u16,
    kb: u16,
    /// Luma of a unit of `q`: green `q` and blue `-q / 2`.
    luma_of_q: u16,
    /// What half a code of U or V does to green and blue, Q14 of a luma code.
    green: [i32; 2],
    blue: i32,
    /// Chroma codes of a luma code of `B - Y` and of `R - Y`.
    chroma: [f32; 2],
}

impl Scale {
    pub(super) fn new(colour: Colour) -> Self {
        let (kr, kb) = colour.kr_kb();
        let kg = 1.0 - kr - kb;
        let (floor, luma, chroma) = colour.scales();
        let fixed = |share: f32| (share * 65536.0).round() as u16;
        let half = |weight: f32| (0.5 * weight * luma / chroma * 16384.0).round() as i32;
        let (u_of_b, v_of_r) = (2.0 * (1.0 - kb), 2.0 * (1.0 - kr));
        Self {
            floor: floor as u8,
            span: luma as u16,
            kg: fixed(kg),
            kb: fixed(kb),
            luma_of_q: fixed(kg - kb / 2.0),
            green: [half(-kb * u_of_b / kg), half(-kr * v_of_r / kg)],
            blue: half(u_of_b),
            chroma: [u_of_b, v_of_r].map(|whole| chroma / luma / whole),
        }
    }

    /// A sample as luma from 0 (black) to the span (white).
    #[inline(always)]
    fn light(&self, sample: u8) -> u16 {
        u16::from(sample.saturating_sub(self.floor)).min(self.span)
    }
}

/// `a * b`, b Q16: one instruction for eight pixels in every x86-64.
#[inline(always)]
fn times(a: u16, b: u16) -> u16 {
    ((u32::from(a) * u32::from(b)) >> 16) as u16
}

/// Adds one ghost of `luma` to the sums: to `q` its grey times `weight`, Q7; to `k` the weight, as
/// Q7 of white. All three are of one length.
pub(super) fn add_ghost(scale: &Scale, q: &mut [u16], k: &mut [u16], luma: &[u8], weight: f32) {
    // At most 0.36.
    let fixed = (weight * 65536.0).round() as u16;
    let white = times(scale.span << 7, fixed);
    for ((q, k), &luma) in q.iter_mut().zip(k).zip(luma) {
        *q += times(scale.light(luma) << 7, fixed);
        *k += white;
    }
}

/// Sums for each pixel of a row.
#[derive(Default)]
pub(super) struct RowSums {
    /// Weighted grey, Q7: at most 0.6 * 255 * 128.
    pub(super) q: Vec<u16>,
    /// Weights as shares of white, Q7.
    pub(super) k: Vec<u16>,
    /// What half the chroma does to green and blue, Q6.
    green: Vec<i16>,
    blue: Vec<i16>,
    /// What the hologram adds to luma and to blue, less what was too much, Q6.
    added_luma: Vec<i16>,
    added_blue: Vec<i16>,
}

impl RowSums {
    pub(super) fn resize(&mut self, width: usize) {
        let Self { q, k, green, blue, added_luma, added_blue } = self;
        [q, k].into_iter().for_each(|row| row.resize(width, 0));
        [green, blue, added_luma, added_blue].into_iter().for_each(|row| row.resize(width, 0));
    }

    /// Takes a row of chroma for the rows of luma that share it.
    pub(super) fn set_chroma(&mut self, scale: &Scale, u: &[u8], v: &[u8]) {
        let pairs = self.green.chunks_mut(2).zip(self.blue.chunks_mut(2));
        for ((green, blue), (&u, &v)) in pairs.zip(u.iter().zip(v)) {
            let [u, v] = [u, v].map(|code| i32::from(code) - 128);
            green.fill(((scale.green[0] * u + scale.green[1] * v) >> 8) as i16);
            blue.fill(((scale.blue * u) >> 8) as i16);
        }
    }

    /// Makes a row of luma of itself and the sums.
    pub(super) fn finish_luma(&mut self, scale: &Scale, row: &mut [u8]) {
        let white = (scale.span << 6) as i16;
        let sums = self.q.iter().zip(&self.k).zip(self.green.iter().zip(&self.blue));
        let added = self.added_luma.iter_mut().zip(&mut self.added_blue);
        for ((sample, ((&q, &k), (&green, &blue))), (luma_out, blue_out)) in
            row.iter_mut().zip(sums).zip(added)
        {
            // All below is Q6 and within i16: white is 16320 at the most, the sums 1.1 of it.
            let half = (scale.light(*sample) << 5) as i16;
            let blue_light = (k >> 1) as i16 - (q >> 2) as i16;
            let too_green = (half + green + (q >> 1) as i16 - white).max(0) as u16;
            let too_blue = (half + blue + blue_light - white).max(0) as u16;
            let luma = (times(q, scale.luma_of_q) + times(k, scale.kb)) >> 1;
            let luma = (luma as i16)
                - times(too_green, scale.kg) as i16
                - times(too_blue, scale.kb) as i16;
            *luma_out = luma;
            *blue_out = blue_light - too_blue as i16;
            let light = ((half + luma + 32) >> 6).clamp(0, scale.span as i16);
            *sample = scale.floor + light as u8;
        }
    }
}

/// What the hologram adds, summed over the pixels of each chroma sample.
#[derive(Default)]
pub(super) struct ChromaSums {
    luma: Vec<i32>,
    blue: Vec<i32>,
    rows: usize,
}

impl ChromaSums {
    /// Starts a row of `width` samples.
    pub(super) fn start(&mut self, width: usize) {
        for sums in [&mut self.luma, &mut self.blue] {
            sums.clear();
            sums.resize(width, 0);
        }
        self.rows = 0;
    }

    pub(super) fn add(&mut self, row: &RowSums) {
        add_pairs(&mut self.luma, &row.added_luma);
        add_pairs(&mut self.blue, &row.added_blue);
        self.rows += 1;
    }

    /// Makes `columns` of the rows of chroma of themselves and the sums.
    pub(super) fn finish(&self, scale: &Scale, columns: Range<usize>, u: &mut [u8], v: &mut [u8]) {
        let mean = 1.0 / (2 * self.rows * 64) as f32;
        let [to_u, to_v] = scale.chroma.map(|weight| weight * mean);
        let sums = self.luma[columns.clone()].iter().zip(&self.blue[columns.clone()]);
        let chroma = u[columns.clone()].iter_mut().zip(&mut v[columns]);
        for ((u, v), (&luma, &blue)) in chroma.zip(sums) {
            let half = |code: u8| 128.5 + 0.5 * (f32::from(code) - 128.0);
            // Nothing is red: R - Y is -Y.
            *u = (half(*u) + to_u * (blue - luma) as f32) as u8;
            *v = (half(*v) - to_v * luma as f32) as u8;
        }
    }
}

/// Adds neighbours in pairs; the last of an odd row is a pair by itself.
fn add_pairs(sums: &mut [i32], row: &[i16]) {
    for (sum, pair) in sums.iter_mut().zip(row.chunks_exact(2)) {
        *sum += i32::from(pair[0]) + i32::from(pair[1]);
    }
    if let [.., last] = row.chunks_exact(2).remainder()
        && let Some(sum) = sums.last_mut()
    {
        *sum += 2 * i32::from(*last);
    }
}
