/// Each cell gets the bits of all cells in the square that reaches so many cells to each side. Above and below there is nothing; beside
/// the rows' ends there is `beside`. `row` is memory: longer than a row of cells by `reach` at both ends.
pub(crate) fn join_around(from: &[u8], into: &mut [u8], row: &mut [u8], reach: usize, beside: u8) {
    let width = row.len() - 2 * reach;
    let rows = from.len() / width;
    row.fill(beside);
    for (y, out) in into.chunks_exact_mut(width).enumerate() {
        let columns = &mut row[reach..][..width];
        columns.fill(0);
        for near in y.saturating_sub(reach)..(y + reach + 1).min(rows) {
            columns.iter_mut().zip(&from[near * width..]).for_each(|(all, cell)| *all |= cell);
        }
        out.fill(0);
        for start in 0..=2 * reach {
            out.iter_mut().zip(&row[start..]).for_each(|(all, cell)| *all |= cell);
        }
    }
}
