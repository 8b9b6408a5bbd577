use std::fmt;
use std::str::FromStr;

use crate::SceneError;
use crate::words::nearest;

/// How much the person is made to stand in the light of what is behind.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LookSpec {
    /// How strongly the background's light spills over the person's edge, 0.0 to 1.0.
    pub wrap: f32,
    /// How far the person's brightness and colour follow the background's, 0.0 to 1.0.
    pub matching: f32,
}

impl LookSpec {
    /// The person as the camera has them.
    pub const OFF: Self = Self { wrap: 0.0, matching: 0.0 };
}

impl Default for LookSpec {
    /// Modest: nobody sees that something was done, only that it fits.
    fn default() -> Self {
        Self { wrap: 0.4, matching: 0.5 }
    }
}

const OFF: &str = "off";
const USUAL: &str = "usual";

impl FromStr for LookSpec {
    type Err = SceneError;

    /// `off`, `usual`, or `wrap=PERCENT`, `match=PERCENT` or both; what is not said is as usual.
    fn from_str(text: &str) -> Result<Self, SceneError> {
        match text.trim() {
            OFF => return Ok(Self::OFF),
            USUAL => return Ok(Self::default()),
            _ => {}
        }
        let mut look = Self::default();
        for part in text.split(',') {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            let share = match name.trim() {
                "wrap" => &mut look.wrap,
                "match" => &mut look.matching,
                name => return Err(SceneError::BadLook(unknown(name))),
            };
            let percent = value.trim().trim_end_matches('%').parse::<f32>().ok();
            *share = match percent.filter(|percent| (0.0..=100.0).contains(percent)) {
                Some(percent) => percent / 100.0,
                None => {
                    return Err(SceneError::BadLook(format!(
                        "\"{part}\" is no look; {} is 0 to 100 percent, for example {0}=50",
                        name.trim()
                    )));
                }
            };
        }
        Ok(look)
    }
}

fn unknown(name: &str) -> String {
    match nearest(name, [OFF, USUAL, "wrap", "match"].into_iter()) {
        Some(near) => format!("\"{name}\" is no look; did you mean \"{near}\"?"),
        None => format!("\"{name}\" is no look; write off, usual or wrap=PERCENT,match=PERCENT"),
    }
}

impl fmt::Display for LookSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // To a hundredth of a percent.
        let [wrap, matching] =
            [self.wrap, self.matching].map(|share| (share * 10_000.0).round() / 100.0);
        match *self {
            look if look == Self::OFF => f.write_str(OFF),
            look if look == Self::default() => f.write_str(USUAL),
            _ => write!(f, "wrap={wrap},match={matching}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for text in ["off", "usual", "wrap=0,match=100", "wrap=33.5,match=10"] {
            let spec: LookSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
        }
        let usual = LookSpec::default();
        assert_eq!("wrap=10%".parse::<LookSpec>().unwrap(), LookSpec { wrap: 0.1, ..usual });
        assert_eq!("wrap=0,match=0".parse::<LookSpec>().unwrap(), LookSpec::OFF);
    }

    #[test]
    fn wrong_texts_get_one_sentence() {
        let told = |text: &str| text.parse::<LookSpec>().unwrap_err().to_string();
        assert_eq!(told("wrp=3"), "\"wrp\" is no look; did you mean \"wrap\"?");
        for text in ["wrap", "wrap=101", "match=-1", "match=NaN", "wrap=1,match=x"] {
            assert!(told(text).contains("0 to 100 percent"), "{text}");
        }
        assert!(told("").contains("write off"));
    }
}
