//! Backgrounds are read, written and told of here.

use std::fmt;
use std::str::FromStr;

use greenroom_device::ClipSource;

use super::file::{self, SLIDESHOW};
use super::named::{BackgroundKind, NamedBackground};
use super::slideshow::USUAL_TURN;
use super::spec::{BackgroundSpec, KINDS};
use crate::SceneError;
use crate::words::{hex, listed, nearest, parameters_help, read_values, usage, write_values};

/// What [`BackgroundSpec::None`] goes by.
const NONE: &str = "none";
/// What [`BackgroundSpec::Screen`] goes by.
const SCREEN: &str = "screen";

/// `NAME` and what stands behind its `=`.
fn split(text: &str) -> (&str, Option<&str>) {
    text.split_once('=').map_or((text, None), |(name, values)| (name, Some(values)))
}

fn find_kind(name: &str) -> Option<&'static BackgroundKind> {
    KINDS.iter().find(|kind| kind.name == name)
}

impl BackgroundSpec {
    /// Whether `text` is a word or colour, and no path.
    pub fn is_word(text: &str) -> bool {
        let (name, values) = split(text);
        text.starts_with('#')
            || text == NONE
            || text == SCREEN
            || find_kind(name).is_some()
            || name == SLIDESHOW && values.is_some()
            || ClipSource::is_url(text)
    }
}

impl FromStr for BackgroundSpec {
    type Err = SceneError;

    /// `none`, `screen`, `#rrggbb` and `NAME[=VALUE...]` are what they say, also when files of those names
    /// exist (`./blur` names the file); anything else must be a path that exists.
    fn from_str(text: &str) -> Result<Self, SceneError> {
        let (name, values) = split(text);
        if text == NONE {
            return Ok(BackgroundSpec::None);
        }
        if text == SCREEN {
            return Ok(BackgroundSpec::Screen);
        }
        if text.starts_with('#') {
            return Ok(BackgroundSpec::Colour(text.parse()?));
        }
        if let Some(kind) = find_kind(name) {
            let values = read_values(name, kind.parameters, values);
            let values = values.map_err(SceneError::BadBackground)?;
            return Ok(BackgroundSpec::Named(NamedBackground { kind, values }));
        }
        file::spec(text)?.ok_or_else(|| unknown(text, name))
    }
}

fn unknown(text: &str, name: &str) -> SceneError {
    let mut names: Vec<_> = KINDS.iter().map(|kind| kind.name).collect();
    names.extend([SCREEN, NONE]);
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
            BackgroundSpec::Screen => f.write_str(SCREEN),
            BackgroundSpec::Named(named) => {
                f.write_str(named.name())?;
                write_values(f, named.kind.parameters, &named.values)
            }
            BackgroundSpec::Picture(path)
            | BackgroundSpec::Video(ClipSource::File(path) | ClipSource::Pattern(path)) => {
                f.write_str(&file::path_text(path))
            }
            BackgroundSpec::Video(ClipSource::Url(url)) => f.write_str(url),
            BackgroundSpec::Slideshow { folder, every } if *every == USUAL_TURN => {
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
        (
            SCREEN,
            "a screen or window of yours, which you choose in your desktop's picker (on air only)",
        ),
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
            "screen",
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
        for name in ["blur", "blur=9", "#x", "none", "screen"] {
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
        assert_eq!(told("sceen"), "\"sceen\" is no background; did you mean \"screen\"?");
        assert!(told("gradient=#12").contains("#rrggbb"));
        assert!(told("/no/such/file").contains("name a picture, video or folder that exists"));
    }
}
