//! What is wrong with a file.

use super::flatbuffer::Broken;

/// Why a file could not be read as a graph, before the model's name is put to it.
pub(crate) enum Fault {
    Broken(Broken),
    Other(String),
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        Self::Broken(broken)
    }
}

/// "This is another network, because".
pub(crate) fn other<T>(reason: impl Into<String>) -> Result<T, Fault> {
    Err(Fault::Other(reason.into()))
}
