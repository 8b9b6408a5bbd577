use std::fmt;
use std::str::FromStr;

/// How much work goes into a matte of a built-in model.
///
/// | | the general network sees | a second opinion is asked |
/// |---|---|---|
/// | `Fast` | 0.6 of the samples | every 6 s, after 2 s once it no longer fits |
/// | `Balanced` | 70,000 samples; whole pictures twice while a head is cut by the upper border | every 3 s, after 1 s |
/// | `Best` | whole pictures twice, squeezed more the second time | as balanced |
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Quality {
    /// For slow machines, and quiet ones.
    Fast,
    /// For most.
    #[default]
    Balanced,
    /// For machines that have time.
    Best,
}

impl Quality {
    /// Every level, the cheapest first.
    pub const ALL: [Self; 3] = [Self::Fast, Self::Balanced, Self::Best];
}

impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fast => "fast",
            Self::Balanced => "balanced",
            Self::Best => "best",
        })
    }
}

impl FromStr for Quality {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::ALL.into_iter().find(|quality| quality.to_string() == text).ok_or_else(|| {
            let names: Vec<_> = Self::ALL.iter().map(Self::to_string).collect();
            format!("\"{text}\" is not a quality; give one of {}", names.join(", "))
        })
    }
}
