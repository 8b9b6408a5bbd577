//! A [`EffectKind`] describes effects of one name.

use super::action::Effect;
use super::target::Target;
pub(super) use crate::words::{Allowed, Parameter, Values};

/// A kind of effect: what parses it, prints it, tells of it and makes it, so that none of these can
/// drift from another.
pub(crate) struct EffectKind {
    /// Its name, and other names that are understood.
    pub(super) names: &'static [&'static str],
    /// What it does, in a few words.
    pub(super) help: &'static str,
    /// What it can be laid on; the first is what it is laid on if nothing is said.
    pub(super) targets: &'static [Target],
    /// What can be said behind the `=`, in this order; all of it may be left out.
    pub(super) parameters: &'static [Parameter],
    /// Makes it.
    pub(super) make: fn(Target, Values<'_>) -> Effect,
}
