/// Two rows of cells, at a picture's width, that a row of the picture lies between.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowPair<'a> {
    pub(crate) above: &'a [f32],
    pub(crate) below: &'a [f32],
}
