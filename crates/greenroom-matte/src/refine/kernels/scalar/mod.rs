//! The arithmetic, by the step that it belongs to.

mod guide;
mod key;
mod smooth;
mod spill;
mod sums;

pub(super) use guide::*;
pub(super) use key::*;
pub(super) use smooth::*;
pub(super) use spill::*;
pub(super) use sums::*;
