#[inline(always)]
pub(super) fn classify(kinds: &mut [u8], alpha: &[u8], marks: &[u8]) {
    let (blocks, rest) = alpha.as_chunks::<{ super::BLOCK }>();
    let (whole, last) = kinds.split_at_mut(blocks.len());
    for ((kind, block), mark) in whole.iter_mut().zip(blocks).zip(marks) {
        // Whole arrays, which are one comparison of vectors.
        *kind = match block {
            _ if *block == [0; super::BLOCK] => super::ROOM,
            _ if *block == [255; super::BLOCK] => super::PERSON | mark,
            _ => super::MIXED | mark,
        };
    }
    if let ([kind, ..], Some(&first), Some(mark)) = (last, rest.first(), marks.get(blocks.len())) {
        *kind = match first {
            _ if rest.iter().any(|&alpha| alpha != first) => super::MIXED | mark,
            0 => super::ROOM,
            255 => super::PERSON | mark,
            _ => super::MIXED | mark,
        };
    }
}

/// Values of a row that are worked out at once.
const LANES: usize = 8;

#[inline(always)]
pub(super) fn widen(
    out: &mut [i16],
    cells: &[f32],
    shares: &[f32],
    stretches: &[(u32, u32)],
    times: f32,
) {
    let shares = &shares[..out.len()];
    let mut start = 0;
    for &(count, left) in stretches {
        let (left, right) = (cells[left as usize] * times, cells[left as usize + 1] * times);
        let more = right - left;
        let value = |share: f32| {
            let value = (left + more * share).clamp(-32_768.0, 32_767.0);
            // To the nearest: of floats from 2^23 on, the lowest bits are the whole part. `as i16` alone is not
            // made into vectors.
            (value + 12_582_912.0).to_bits() as i16
        };
        let end = start + count as usize;
        while start < end {
            // What is too much is written once more, by the next stretch.
            match (out[start..].first_chunk_mut::<LANES>(), shares[start..].first_chunk::<LANES>())
            {
                (Some(out), Some(shares)) => {
                    for x in 0..LANES {
                        out[x] = value(shares[x]);
                    }
                }
                _ => {
                    for (out, share) in out[start..end].iter_mut().zip(&shares[start..end]) {
                        *out = value(*share);
                    }
                }
            }
            start += LANES;
        }
        start = end;
    }
}

#[inline(always)]
pub(super) fn grade(out: &mut [u8], row: &[u8], gain: u16, offset: i16) {
    for (out, sample) in out.iter_mut().zip(row) {
        // The upper half of a product of 16 bits is one instruction for sixteen lanes: with floats
        // this takes three times as long.
        let lit = (u32::from(u16::from(*sample) << 8) * u32::from(gain)) >> 16;
        *out = ((lit as i16).saturating_add(offset).saturating_add(32) >> 6).clamp(0, 255) as u8;
    }
}
