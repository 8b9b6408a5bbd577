/// Two values that change along a row of samples, cell by cell.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Line<'a> {
    /// In the middle of each cell.
    pub(crate) first: &'a [f32],
    pub(crate) second: &'a [f32],
    /// For each sample the share of the cell to the right.
    pub(crate) shares: &'a [f32],
    /// How many samples on end lie between the same two cells, and which is the left one: as many
    /// samples in all as there are shares.
    pub(crate) stretches: &'a [(u32, u32)],
}
