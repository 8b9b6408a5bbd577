use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use greenroom_device::{ClipSource, Wake};
use greenroom_frame::Rgb8;

use super::file::{self, SLIDESHOW};
use super::{
    Background, Fit, blur, bokeh, colour, drift, gradient, none, pixelate, slideshow, stars, video,
};
use crate::words::{
    Parameter, Value, Values, hex, listed, nearest, parameters_help, read_values, usage,
    write_values,
};
use crate::{SceneError, SceneFormat};

/// Which background is wanted: the checked form of what a user writes.
#[derive(Clone, PartialEq)]
pub enum BackgroundSpec {
    /// `#rrggbb`
    Colour(Rgb8),
    /// `none`: the plain camera. Only ever by name, never as a fallback.
    None,
    /// Another word with its values, as `blur` or `gradient=#102030,#405060`.
    Named(NamedBackground),
    /// A path: PNG, JPEG or WebP.
    Picture(PathBuf),
    /// A path of anything else, a pattern of numbered pictures, or an address.
    Video(ClipSource),
    /// A path of a folder, or `slideshow=SECONDS,FOLDER`.
    Slideshow {
        /// Where the pictures are.
        folder: PathBuf,
        /// From one picture to the next, whole seconds, at least one.
        every: Duration,
    },
}

/// A background that goes by a name, with its values.
#[derive(Clone)]
pub struct NamedBackground {
    kind: &'static Kind,
    values: Vec<Value>,
}

/// A kind that goes by a name: what parses it, prints it, tells of it and makes it.
pub(super) struct Kind {
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

/// All kinds that go by a name, in the order in which they are listed to users.
static KINDS: [Kind; 6] =
    [blur::KIND, bokeh::KIND, pixelate::KIND, gradient::KIND, drift::KIND, stars::KIND];

/// What [`BackgroundSpec::None`] goes by.
const NONE: &str = "none";

impl Kind {
    fn find(name: &str) -> Option<&'static Self> {
        KINDS.iter().find(|kind| kind.name == name)
    }

    /// With all values left out.
    fn bare(&'static self) -> NamedBackground {
        let values = self.parameters.iter().map(|parameter| parameter.allowed.default());
        NamedBackground { kind: self, values: values.collect() }
    }
}

/// `NAME` and what stands behind its `=`.
fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('=').map_or((text, None), |(name, values)| (name, Some(values)))
}

impl BackgroundSpec {
    /// Every kind that needs no file, as its bare name makes it.
    pub fn every() -> impl Iterator<Item = Self> {
        KINDS.iter().map(|kind| Self::Named(kind.bare()))
    }

    /// Makes the background; pictures are decoded here, whole, before anything uses them.
    ///
    /// # Errors
    /// When a picture cannot be read or decoded.
    pub fn build(
        &self,
        fit: Fit,
        scene_format: SceneFormat,
    ) -> Result<Box<dyn Background>, SceneError> {
        self.build_until(fit, scene_format, None)
    }

    /// As [`build`](Self::build), given up when `cancel` rings: a video at once, a picture when it
    /// is decoded.
    pub(crate) fn build_until(
        &self,
        fit: Fit,
        scene_format: SceneFormat,
        cancel: Option<&Wake>,
    ) -> Result<Box<dyn Background>, SceneError> {
        Ok(match self {
            BackgroundSpec::Colour(rgb) => Box::new(colour::Plain::new(*rgb)),
            BackgroundSpec::None => Box::new(none::PlainCamera),
            BackgroundSpec::Named(named) => (named.kind.make)(Values::new(&named.values)),
            // What is there now may be of another kind than what was there when this was written.
            BackgroundSpec::Picture(path) | BackgroundSpec::Video(ClipSource::File(path)) => {
                file::open(path, fit, scene_format, cancel)?
            }
            BackgroundSpec::Video(source) => {
                Box::new(video::Video::open(source, fit, scene_format, cancel)?)
            }
            BackgroundSpec::Slideshow { folder, every } => {
                Box::new(slideshow::Slideshow::open(folder, *every, fit, scene_format)?)
            }
        })
    }

    /// Whether a person before it would stand in another light than in the room: not in the room
    /// itself, and not before a plain colour, which others may key out.
    pub fn lights_the_person(&self) -> bool {
        match self {
            BackgroundSpec::Colour(_) | BackgroundSpec::None => false,
            BackgroundSpec::Named(named) => named.kind.room_rows.is_none(),
            BackgroundSpec::Picture(_)
            | BackgroundSpec::Video(_)
            | BackgroundSpec::Slideshow { .. } => true,
        }
    }

    /// How much of the real room can be made out: rows of detail over a frame of `height_px`, all of
    /// them for `none`; `None` if the room is not shown at all. A mosaic has as many as it has rows
    /// of blocks, a blur two for each cycle that keeps half of its contrast.
    pub fn room_rows(&self, height_px: u32) -> Option<f32> {
        match self {
            BackgroundSpec::None => Some(height_px as f32),
            BackgroundSpec::Named(named) => {
                named.kind.room_rows.map(|rows| rows(Values::new(&named.values), height_px))
            }
            BackgroundSpec::Colour(_)
            | BackgroundSpec::Picture(_)
            | BackgroundSpec::Video(_)
            | BackgroundSpec::Slideshow { .. } => None,
        }
    }

    /// Whether making it reads files or addresses, which may take seconds or for ever.
    pub fn needs_files(&self) -> bool {
        match self {
            BackgroundSpec::Colour(_) | BackgroundSpec::None | BackgroundSpec::Named(_) => false,
            BackgroundSpec::Picture(_)
            | BackgroundSpec::Video(_)
            | BackgroundSpec::Slideshow { .. } => true,
        }
    }

    /// Whether `text` is a word or colour, and no path.
    pub fn is_word(text: &str) -> bool {
        let (name, values) = split(text);
        text.starts_with('#')
            || text == NONE
            || Kind::find(name).is_some()
            || name == SLIDESHOW && values.is_some()
            || ClipSource::is_url(text)
    }

    /// Whether it has more than one picture to go on to.
    pub fn is_slideshow(&self) -> bool {
        matches!(self, BackgroundSpec::Slideshow { .. })
    }

    /// Whether it has a time of its own.
    pub fn plays(&self) -> bool {
        matches!(self, BackgroundSpec::Video(_)) || self.is_slideshow()
    }

    /// The file that is shown, if it is one. Folders are looked at by the slideshow itself.
    pub fn file(&self) -> Option<&Path> {
        match self {
            BackgroundSpec::Picture(path) | BackgroundSpec::Video(ClipSource::File(path)) => {
                Some(path)
            }
            _ => None,
        }
    }
}

impl Default for BackgroundSpec {
    /// `blur`: the room itself, out of focus, without the person.
    fn default() -> Self {
        Self::Named(KINDS[0].bare())
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

impl FromStr for BackgroundSpec {
    type Err = SceneError;

    /// `none`, `#rrggbb` and `NAME[=VALUE...]` are what they say, also when files of those names
    /// exist (`./blur` names the file); anything else must be a path that exists.
    fn from_str(text: &str) -> Result<Self, SceneError> {
        let (name, values) = split(text);
        if text == NONE {
            return Ok(BackgroundSpec::None);
        }
        if text.starts_with('#') {
            return Ok(BackgroundSpec::Colour(text.parse()?));
        }
        if let Some(kind) = Kind::find(name) {
            let values = read_values(name, kind.parameters, values);
            let values = values.map_err(SceneError::BadBackground)?;
            return Ok(BackgroundSpec::Named(NamedBackground { kind, values }));
        }
        file::spec(text)?.ok_or_else(|| unknown(text, name))
    }
}

fn unknown(text: &str, name: &str) -> SceneError {
    let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    names.push(NONE);
    let advice = match nearest(name, names.iter().copied()) {
        _ if text.contains('/') => {
            "there is nothing at that path; name a picture, video or folder that exists".to_owned()
        }
        Some(near) => format!("did you mean \"{near}\"?"),
        None => {
            names.push("#rrggbb");
            format!(
                "write {} or the path of a picture, video or folder that exists",
                listed(&names, "or")
            )
        }
    };
    SceneError::BadBackground(format!("\"{text}\" is no background; {advice}"))
}

impl fmt::Display for BackgroundSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            BackgroundSpec::Colour(rgb) => f.write_str(&hex(*rgb)),
            BackgroundSpec::None => f.write_str(NONE),
            BackgroundSpec::Named(named) => {
                f.write_str(named.name())?;
                write_values(f, named.kind.parameters, &named.values)
            }
            BackgroundSpec::Picture(path)
            | BackgroundSpec::Video(ClipSource::File(path) | ClipSource::Pattern(path)) => {
                f.write_str(&file::path_text(path))
            }
            BackgroundSpec::Video(ClipSource::Url(url)) => f.write_str(url),
            BackgroundSpec::Slideshow { folder, every } if *every == file::USUAL_TURN => {
                f.write_str(&file::path_text(folder))
            }
            BackgroundSpec::Slideshow { folder, every } => {
                write!(f, "{SLIDESHOW}={},{}", every.as_secs(), folder.display())
            }
        }
    }
}

impl fmt::Debug for BackgroundSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "BackgroundSpec(\"{self}\")")
    }
}

impl fmt::Debug for NamedBackground {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())?;
        write_values(f, self.kind.parameters, &self.values)
    }
}

/// All backgrounds with what they take, for a terminal: made from what parses them.
pub fn backgrounds_help() -> String {
    let mut text = String::from("Backgrounds, as NAME[=VALUE[,VALUE...]]:\n");
    for kind in &KINDS {
        text += &format!("\n  {}{}\n", kind.name, usage(kind.parameters));
        text += &format!("      {}\n", kind.help);
        text += &parameters_help(kind.parameters);
    }
    for (name, help) in [
        (NONE, "the plain camera: the room as it is"),
        ("#rrggbb", "one colour, for example #00b140"),
        ("PATH", "a picture, a video, a pattern (%03d.png) or a folder; ./blur is a file's name"),
        ("slideshow=SECONDS,FOLDER", "the pictures of a folder, 10 seconds each if PATH names it"),
        ("http://... https://... rtsp://... rtmp://...", "a video from the network"),
    ] {
        text += &format!("\n  {name}\n      {help}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_come_back_as_they_were() {
        for text in [
            "#00b140",
            "none",
            "blur",
            "blur=80",
            "bokeh=20",
            "pixelate=16",
            "gradient=#102030,#405060",
            "gradient=#102030,#405060,45",
            "drift=#102030,#405060",
            "stars",
            "/dev/null",
        ] {
            let spec: BackgroundSpec = text.parse().unwrap();
            assert_eq!(spec.to_string(), text);
            assert_eq!(spec.to_string().parse::<BackgroundSpec>().unwrap(), spec);
        }
        for spec in BackgroundSpec::every() {
            assert_eq!(spec.to_string().parse::<BackgroundSpec>().unwrap(), spec);
            assert!(backgrounds_help().contains(&format!("\n  {spec}")));
        }
        assert_eq!("blur=50".parse::<BackgroundSpec>().unwrap(), BackgroundSpec::default());
        for name in ["blur", "blur=9", "#x", "none"] {
            assert_eq!(BackgroundSpec::Picture(name.into()).to_string(), format!("./{name}"));
        }
    }

    #[test]
    fn wrong_texts_get_one_sentence_with_the_next_step() {
        let told = |text: &str| text.parse::<BackgroundSpec>().unwrap_err().to_string();
        assert_eq!(told("blru"), "\"blru\" is no background; did you mean \"blur\"?");
        let sentence = told("blur=300");
        assert_eq!(sentence, "\"300\" cannot be the strength of blur; it is 1 to 100");
        assert!(told("stars=1").contains("takes no value"));
        assert!(told("gradient=#12").contains("#rrggbb"));
        assert!(told("/no/such/file").contains("name a picture, video or folder that exists"));
    }
}
