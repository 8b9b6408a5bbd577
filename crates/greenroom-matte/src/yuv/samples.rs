/// A row, or a whole plane, of each of a picture's three: codes 0..=255, all of one length.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Samples<'a> {
    pub y: &'a [u8],
    pub u: &'a [u8],
    pub v: &'a [u8],
}
