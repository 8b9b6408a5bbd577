//! A frame may be refused before it is decoded.

use std::borrow::Cow;

/// Why a frame is not handed to libjpeg-turbo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The frame is damaged; the next one may be good.
    Damaged(Cow<'static, str>),
    /// A kind of JPEG that no camera sends; the next one will be the same.
    Foreign(Cow<'static, str>),
}

pub(super) fn damaged(why: &'static str) -> Refusal {
    Refusal::Damaged(Cow::Borrowed(why))
}

pub(super) fn foreign(why: &'static str) -> Refusal {
    Refusal::Foreign(Cow::Borrowed(why))
}
