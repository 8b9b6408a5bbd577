//! A [`Target`] is what an effect is laid on.

/// What an effect is laid on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The person.
    Person,
    /// What stands behind.
    Background,
    /// The whole picture, with everything in it.
    All,
}

impl Target {
    pub(super) const EVERY: [Self; 3] = [Target::Person, Target::Background, Target::All];
    /// For effects that suit everything, and the whole picture best.
    pub(super) const ALL_FIRST: &'static [Self] =
        &[Target::All, Target::Person, Target::Background];
    /// For effects that suit everything, and the person best.
    pub(super) const PERSON_FIRST: &'static [Self] =
        &[Target::Person, Target::Background, Target::All];
    /// For effects that make no sense without a person.
    pub(super) const ONLY_PERSON: &'static [Self] = &[Target::Person];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Target::Person => "person",
            Target::Background => "background",
            Target::All => "all",
        }
    }
}
