//! A [`Half`] says which of the subjects are scored.

/// Which of the subjects: parameters are chosen on one half and checked on the other.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Half {
    #[default]
    Both,
    Even,
    Odd,
}
