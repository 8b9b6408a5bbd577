use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::SceneError;
use crate::words::{listed, nearest};

/// Width of a picture if nothing is said, as a share of the frame's.
pub(super) const USUAL_WIDTH: f32 = 0.25;
/// Distance from the edges if nothing is said, as a share of the frame's height.
pub(super) const USUAL_MARGIN: f32 = 0.03;

/// A picture before the person: a podium, a logo.
#[derive(Debug, Clone, PartialEq)]
pub struct ForegroundSpec {
    /// A PNG or WebP with transparency; a JPEG is a rectangle.
    pub picture: PathBuf,
    /// Where in the frame it is.
    pub place: Place,
    /// Its width as a share of the frame's, 0.01 to 1.0; a quarter if nothing is said. It is less
    /// where the picture would be higher than the frame. [`Place::Fill`] does not ask for it.
    pub width_share: Option<f32>,
    /// How much of it covers what is behind, 0.01 to 1.0.
    pub opacity: f32,
    /// Distance from the frame's edges as a share of its height, 0.0 to 0.4; if nothing is said
    /// 0.03, and none below [`Place::Bottom`], where podiums stand.
    pub margin_share: Option<f32>,
}

/// Where in the frame a picture is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)]
pub enum Place {
    TopLeft,
    Top,
    TopRight,
    Left,
    Centre,
    Right,
    BottomLeft,
    Bottom,
    #[default]
    BottomRight,
    /// All of the frame; what stands out is cut off evenly.
    Fill,
}

impl Place {
    /// Every place with its name.
    const NAMES: [(&'static str, Self); 10] = [
        ("top-left", Place::TopLeft),
        ("top", Place::Top),
        ("top-right", Place::TopRight),
        ("left", Place::Left),
        ("centre", Place::Centre),
        ("right", Place::Right),
        ("bottom-left", Place::BottomLeft),
        ("bottom", Place::Bottom),
        ("bottom-right", Place::BottomRight),
        ("fill", Place::Fill),
    ];

    fn read(name: &str) -> Option<Self> {
        // What half of the world writes.
        let name = if name == "center" { "centre" } else { name };
        Self::NAMES.iter().find(|(other, _)| *other == name).map(|&(_, place)| place)
    }

    fn name(self) -> &'static str {
        let named = Self::NAMES.iter().find(|(_, place)| *place == self);
        named.expect("every place is in the table").0
    }
}

/// One percentage of the text.
struct Percent {
    name: &'static str,
    least: f32,
    most: f32,
}

const PERCENTS: [Percent; 3] = [
    Percent { name: "size", least: 1.0, most: 100.0 },
    Percent { name: "opacity", least: 1.0, most: 100.0 },
    Percent { name: "margin", least: 0.0, most: 40.0 },
];

impl ForegroundSpec {
    /// A picture at the place where it is if nothing else is said.
    pub fn new(picture: PathBuf) -> Self {
        let place = Place::default();
        Self { picture, place, width_share: None, opacity: 1.0, margin_share: None }
    }
}

impl FromStr for ForegroundSpec {
    type Err = SceneError;

    /// `PATH[,PLACE[,SIZE%[,OPACITY%[,MARGIN%]]]]`. It is read from its end, so that a path may
    /// hold commas; the path must exist.
    fn from_str(text: &str) -> Result<Self, SceneError> {
        let parts: Vec<&str> = text.split(',').collect();
        let first = parts.len().saturating_sub(PERCENTS.len() + 1).max(1);
        let place = (first..parts.len())
            .rev()
            .find_map(|at| Place::read(parts[at].trim()).map(|place| (at, place)));
        let Some((at, place)) = place else {
            let spec = Self::new(PathBuf::from(text));
            return if spec.picture.exists() { Ok(spec) } else { Err(not_there(text, &parts)) };
        };
        let mut spec = Self::new(PathBuf::from(parts[..at].join(",")));
        spec.place = place;
        if !spec.picture.exists() {
            return Err(not_there(&parts[..at].join(","), &parts[..at]));
        }
        for (index, (text, percent)) in parts[at + 1..].iter().zip(&PERCENTS).enumerate() {
            let share = percent.read(text)?;
            match index {
                0 => spec.width_share = Some(share),
                1 => spec.opacity = share,
                _ => spec.margin_share = Some(share),
            }
        }
        Ok(spec)
    }
}

impl Percent {
    fn read(&self, text: &str) -> Result<f32, SceneError> {
        let Self { name, least, most } = *self;
        let number = text.trim().trim_end_matches('%').parse().ok();
        number
            .filter(|number| (least..=most).contains(number))
            .map(|number: f32| number / 100.0)
            .ok_or_else(|| {
                SceneError::BadForeground(format!(
                    "\"{text}\" cannot be the {name} of a foreground; it is {least}% to {most}%"
                ))
            })
    }
}

fn not_there(text: &str, parts: &[&str]) -> SceneError {
    // Behind a picture that is there, a place was meant.
    let picture = |at: &usize| Path::new(&parts[..*at].join(",")).exists();
    let Some(at) = (1..parts.len()).rev().find(picture) else {
        return SceneError::BadForeground(format!(
            "there is no picture \"{text}\"; name one that exists"
        ));
    };
    let names: Vec<_> = Place::NAMES.iter().map(|&(name, _)| name).collect();
    let advice = match nearest(parts[at], names.iter().copied()) {
        Some(near) => format!("did you mean \"{near}\"?"),
        None => format!("write {}", listed(&names, "or")),
    };
    SceneError::BadForeground(format!("\"{}\" is no place; {advice}", parts[at]))
}

impl fmt::Display for ForegroundSpec {
    /// The place is always said: a path may end in a comma and a place's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{},{}", self.picture.to_string_lossy(), self.place.name())?;
        // To a hundredth of a percent, which no screen shows.
        let percent = |share: f32| format!(",{}%", (share * 10_000.0).round() / 100.0);
        let told = if self.margin_share.is_some() {
            3
        } else if self.opacity != 1.0 {
            2
        } else {
            usize::from(self.width_share.is_some())
        };
        if told >= 1 {
            f.write_str(&percent(self.width_share.unwrap_or(USUAL_WIDTH)))?;
        }
        if told >= 2 {
            f.write_str(&percent(self.opacity))?;
        }
        match self.margin_share {
            Some(margin) => f.write_str(&percent(margin)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_read_from_their_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a, b,left.png");
        std::fs::write(&path, "").unwrap();
        let read = |tail: &str| format!("{}{tail}", path.display()).parse::<ForegroundSpec>();
        let plain = ForegroundSpec::new(path.clone());
        assert_eq!(read("").unwrap(), plain);
        assert_eq!(read(",top").unwrap(), ForegroundSpec { place: Place::Top, ..plain.clone() });
        let full = read(",bottom-left,12.5%,80%,0%").unwrap();
        assert_eq!(full.place, Place::BottomLeft);
        assert_eq!(
            (full.width_share, full.opacity, full.margin_share),
            (Some(0.125), 0.8, Some(0.0))
        );
        for tail in ["", ",top", ",fill", ",left,29%", ",left,25%,50%", ",right,7%,100%,3%"] {
            let spec = read(tail).unwrap();
            let again: ForegroundSpec = spec.to_string().parse().unwrap();
            assert_eq!(again.to_string(), spec.to_string());
            assert_eq!(again.place, spec.place);
        }
        let told = |tail: &str| read(tail).unwrap_err().to_string();
        assert_eq!(told(",botom"), "\"botom\" is no place; did you mean \"bottom\"?");
        let sentence = "\"120%\" cannot be the size of a foreground; it is 1% to 100%";
        assert_eq!(told(",top,120%"), sentence);
        assert!(told(",nowhere").contains("top-left, top"), "{}", told(",nowhere"));
        assert!("/no/such.png".parse::<ForegroundSpec>().is_err());
    }
}
