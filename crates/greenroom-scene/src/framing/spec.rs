use std::fmt;
use std::str::FromStr;

use crate::SceneError;
use crate::words::nearest;

/// Which part of the camera's picture is used.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum FramingSpec {
    /// All of it.
    #[default]
    Whole,
    /// A part that stays where it is.
    Fixed {
        /// How many times it is enlarged, 1.0 to 4.0.
        zoom: f32,
        /// Where it is across: -1.0 at the picture's left edge, 1.0 at its right.
        pan_x: f32,
        /// Where it is down: -1.0 at the picture's top, 1.0 at its foot.
        pan_y: f32,
    },
    /// The part with the person in it, wherever that is.
    Auto {
        /// Share of the frame's height that head and shoulders take, 0.3 to 0.9.
        tightness: f32,
    },
}

/// What `auto` alone means.
const USUAL_TIGHTNESS: f32 = 0.6;

const NAMES: [&str; 3] = ["whole", "zoom", "auto"];

impl FramingSpec {
    /// What may be written, a line each, for a terminal.
    pub const HELP: &'static str = "\
Framings:

  whole
      all of the camera's picture
  zoom=ZOOM[,X,Y]
      a part that stays where it is
      ZOOM: 1 to 4; X, Y: -1 (left, top) to 1 (right, foot); default 0, the middle
  auto[=TIGHTNESS]
      follows you, calmly
      TIGHTNESS: how much of the height your head and shoulders take, 30% to 90%; default 60%
";
}

impl FromStr for FramingSpec {
    type Err = SceneError;

    /// `whole`, `zoom=1.5[,X,Y]` or `auto[=TIGHTNESS%]`.
    fn from_str(text: &str) -> Result<Self, SceneError> {
        let (name, values) = match text.split_once('=') {
            Some((name, values)) => (name.trim(), Some(values)),
            None => (text.trim(), None),
        };
        let bad = |sentence: String| Err(SceneError::BadFraming(sentence));
        match (name, values) {
            ("whole", None) => Ok(FramingSpec::Whole),
            ("whole", Some(_)) => bad("whole takes no value; write it without the =".to_owned()),
            ("auto", None) => Ok(FramingSpec::Auto { tightness: USUAL_TIGHTNESS }),
            ("auto", Some(value)) => {
                let percent = value.trim().trim_end_matches('%').parse::<f32>().ok();
                match percent.filter(|percent| (30.0..=90.0).contains(percent)) {
                    Some(percent) => Ok(FramingSpec::Auto { tightness: percent / 100.0 }),
                    None => bad(format!(
                        "\"{value}\" cannot be the tightness of auto; it is 30% to 90%"
                    )),
                }
            }
            ("zoom", values) => read_zoom(values.unwrap_or_default()),
            _ => bad(match nearest(name, NAMES.into_iter()) {
                Some(near) => format!("\"{name}\" is no framing; did you mean \"{near}\"?"),
                None => format!(
                    "\"{name}\" is no framing; write whole, zoom=ZOOM[,X,Y] or auto[=TIGHTNESS]"
                ),
            }),
        }
    }
}

fn read_zoom(values: &str) -> Result<FramingSpec, SceneError> {
    let numbers: Option<Vec<f32>> =
        values.split(',').map(|text| text.trim().parse().ok()).collect();
    let in_range = |&[zoom, x, y]: &[f32; 3]| {
        (1.0..=4.0).contains(&zoom) && [x, y].iter().all(|pan| (-1.0..=1.0).contains(pan))
    };
    let read = match numbers.as_deref() {
        Some(&[zoom]) => Some([zoom, 0.0, 0.0]),
        Some(&[zoom, x, y]) => Some([zoom, x, y]),
        _ => None,
    };
    match read.filter(in_range) {
        Some([zoom, pan_x, pan_y]) => Ok(FramingSpec::Fixed { zoom, pan_x, pan_y }),
        None => Err(SceneError::BadFraming(format!(
            "\"{values}\" is no zoom; write zoom=ZOOM or zoom=ZOOM,X,Y with ZOOM from 1 to 4, X and \
             Y from -1 to 1, for example zoom=1.5,0,-0.5"
        ))),
    }
}

impl fmt::Display for FramingSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            FramingSpec::Whole => f.write_str("whole"),
            FramingSpec::Fixed { zoom, pan_x, pan_y } if *pan_x == 0.0 && *pan_y == 0.0 => {
                write!(f, "zoom={zoom}")
            }
            FramingSpec::Fixed { zoom, pan_x, pan_y } => write!(f, "zoom={zoom},{pan_x},{pan_y}"),
            FramingSpec::Auto { tightness } if *tightness == USUAL_TIGHTNESS => f.write_str("auto"),
            FramingSpec::Auto { tightness } => {
                // To a hundredth of a percent.
                write!(f, "auto={}%", (tightness * 10_000.0).round() / 100.0)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for text in
            ["whole", "zoom=1", "zoom=1.5", "zoom=4,-1,0.25", "auto", "auto=45%", "auto=90%"]
        {
            let spec: FramingSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(spec.to_string().parse::<FramingSpec>().unwrap(), spec);
        }
        assert_eq!("auto=60".parse::<FramingSpec>().unwrap().to_string(), "auto");
    }

    #[test]
    fn wrong_texts_get_one_sentence() {
        let told = |text: &str| text.parse::<FramingSpec>().unwrap_err().to_string();
        assert_eq!(told("atuo"), "\"atuo\" is no framing; did you mean \"auto\"?");
        assert!(told("auto=10").contains("30% to 90%"));
        for text in
            ["zoom", "zoom=", "zoom=5", "zoom=2,0", "zoom=2,0,3", "zoom=NaN", "zoom=2,0,0,0"]
        {
            assert!(told(text).contains("from 1 to 4"), "{text}");
        }
        assert!(told("whole=1").contains("no value"));
        assert!(told("").contains("write whole"));
    }
}
