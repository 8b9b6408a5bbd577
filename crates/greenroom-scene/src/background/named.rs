//! A background that goes by a name is of a [`BackgroundKind`], which describes it.

use std::fmt;

use super::Background;
use crate::words::{Parameter, Value, Values, write_values};

/// A background that goes by a name, with its values.
#[derive(Clone)]
pub struct NamedBackground {
    pub(super) kind: &'static BackgroundKind,
    pub(super) values: Vec<Value>,
}

/// A kind that goes by a name: what parses it, prints it, tells of it and makes it.
pub(super) struct BackgroundKind {
    pub(super) name: &'static str,
    /// What it is, in a few words.
    pub(super) help: &'static str,
    /// What can be said behind the `=`, in this order; all of it may be left out.
    pub(super) parameters: &'static [Parameter],
    /// If it is the room itself, whose light the person is in already: how many rows of detail it
    /// leaves of the room, with these values, in a frame of so many pixels of height.
    pub(super) room_rows: Option<fn(Values<'_>, u32) -> f32>,
    pub(super) make: fn(Values<'_>) -> Box<dyn Background>,
}

impl BackgroundKind {
    /// With all values left out.
    pub(super) fn bare(&'static self) -> NamedBackground {
        let values = self.parameters.iter().map(|parameter| parameter.allowed.default());
        NamedBackground { kind: self, values: values.collect() }
    }
}

impl NamedBackground {
    /// The name, without values.
    pub fn name(&self) -> &'static str {
        self.kind.name
    }
}

impl PartialEq for NamedBackground {
    fn eq(&self, other: &Self) -> bool {
        (self.name(), &self.values) == (other.name(), &other.values)
    }
}

impl fmt::Debug for NamedBackground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        write_values(f, self.kind.parameters, &self.values)
    }
}
