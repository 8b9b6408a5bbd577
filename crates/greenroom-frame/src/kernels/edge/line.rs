/// Two values that change along a row of samples, in 16 bits: of each sample as they are in the row of cells above and in
/// the one below.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    pub(crate) above: [&'a [i16]; 2],
    pub(crate) below: [&'a [i16]; 2],
    /// Of the row below, in 32768ths.
    pub(crate) share: i16,
}

impl<'a> Line<'a> {
    /// Whether there are at least so many of each.
    pub(crate) fn has(&self, len: usize) -> bool {
        [self.above, self.below].as_flattened().iter().all(|values| values.len() >= len)
    }

    /// Those from sample `start` on.
    pub(crate) fn from(self, start: usize) -> Self {
        let [above, below] = [self.above, self.below].map(|row| row.map(|values| &values[start..]));
        Self { above, below, ..self }
    }
}

/// What the values of colours, codes of 0..=255, are multiplied by, both: what [`unmix`](super::unmix) takes.
pub(crate) const COLOURS: [f32; 2] = [64.0; 2];

/// What a gain of 0..2 and an offset of at most 255 codes to either side are multiplied by: what
/// [`relight`](super::relight) takes.
pub(crate) const LIGHT: [f32; 2] = [16_384.0, 64.0];
