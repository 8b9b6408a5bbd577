/// Raises samples of which the network is half sure, since networks cut into hair.
#[derive(Debug)]
pub(crate) struct Raiser {
    /// What each level becomes, at most.
    raised: Box<[u8; 256]>,
}

/// Probabilities that half-sure samples are raised by: networks are less sure of hair than of the room
/// beside it. 0.5 gains more on clips with the true alpha, but less against RVM's mattes of other people.
const GAMMA: f32 = 0.7;

/// Samples that are left out at once if all of them are sure.
const CHUNK: usize = 32;

impl Default for Raiser {
    fn default() -> Self {
        let raised = |level| ((level as f32 / 255.0).powf(GAMMA) * 255.0).round() as u8;
        Self { raised: Box::new(std::array::from_fn(raised)) }
    }
}

impl Raiser {
    /// Raises all of `mask`.
    pub(crate) fn raise(&self, mask: &mut [u8]) {
        for levels in mask.chunks_mut(CHUNK) {
            if has_unsure(levels) {
                levels.iter_mut().for_each(|level| *level = self.raised[usize::from(*level)]);
            }
        }
    }

    /// Raises each sample of `mask` by so many 255ths of the way as the more of both `raisable` says.
    pub(crate) fn raise_some(&self, raisable: [&[u8]; 2], mask: &mut [u8]) {
        let [one, other] = raisable.map(|shares| shares.chunks(CHUNK));
        for ((levels, one), other) in mask.chunks_mut(CHUNK).zip(one).zip(other) {
            let shares = one.iter().zip(other).map(|(one, other)| one | other);
            let may_be_raised = shares.fold(0, |any, share| any | share) != 0;
            if may_be_raised && has_unsure(levels) {
                for ((level, one), other) in levels.iter_mut().zip(one).zip(other) {
                    let share = u32::from(*one.max(other));
                    let [old, new] = [*level, self.raised[usize::from(*level)]].map(u32::from);
                    *level = (old + (new - old) * share / 255) as u8;
                }
            }
        }
    }
}

/// Whether any of the levels is between 0 and 255. Most samples are not, and raising them changes nothing.
fn has_unsure(levels: &[u8]) -> bool {
    // Without a way out before the end, so that it is made into vectors.
    let between = levels.iter().map(|level| u8::from(level.wrapping_add(1) > 1));
    between.fold(0, |any, one| any | one) != 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sure_samples_stay_and_unsure_ones_are_raised_as_far_as_they_may_be() {
        let raiser = Raiser::default();
        let mask: Vec<u8> = (0..=255).cycle().take(999).collect();
        let mut all = mask.clone();
        raiser.raise(&mut all);
        for (&level, &raised) in mask.iter().zip(&all) {
            let is_sure = level == 0 || level == 255;
            assert!(if is_sure { raised == level } else { raised >= level }, "{level} {raised}");
        }
        assert!(all[128] > 140, "{}", all[128]);
        // Half of the way in the first half, by the more of both; not at all in the other.
        let some: Vec<u8> = (0..999).map(|at| if at < 500 { 128 } else { 0 }).collect();
        let none = vec![0; 999];
        for raisable in [[&some[..], &none[..]], [&none, &some]] {
            let mut raised = mask.clone();
            raiser.raise_some(raisable, &mut raised);
            assert_eq!(raised[500..], mask[500..]);
            assert!(raised[128] > 128 && raised[128] < all[128], "{}", raised[128]);
        }
        let mut fully = mask;
        raiser.raise_some([&[255; 999], &none], &mut fully);
        assert_eq!(fully, all);
    }
}
