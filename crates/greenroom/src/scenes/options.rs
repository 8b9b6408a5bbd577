//! A scene in the user's words, as they stand in the configuration, on the command line or in a
//! request.

use std::path::{Path, PathBuf};

use greenroom_device::ClipSource;
use greenroom_scene::{BackgroundSpec, EffectSpec, Fit, ForegroundSpec, SceneError, SceneSpec};
use serde::{Deserialize, Serialize};

/// What a scene shall be, in words; what is not said is as the scene below says, or as usual.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SceneOptions {
    /// What to stand before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<String>,
    /// How a picture or video of another shape is fitted: `cover`, `contain` or `stretch`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fit: Option<String>,
    /// A picture before the person, or `none`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub foreground: Option<String>,
    /// The chain of effects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effects: Option<Vec<String>>,
    /// Which part of the camera's picture is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub framing: Option<String>,
    /// How the person is lit by what is behind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub look: Option<String>,
}

/// The keys of a scene, for those who check them.
pub const SCENE_KEYS: [&str; 6] = ["background", "fit", "foreground", "effects", "framing", "look"];

/// A scene whose words make no sense.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneOptionsError {
    /// A part of it.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// Not a way to fit.
    #[error("\"{0}\" is no way to fit a picture; write cover, contain or stretch")]
    NotAFit(String),
}

impl SceneOptions {
    /// These words where they say something, else those of `below`.
    #[must_use]
    pub fn over(&self, below: &SceneOptions) -> Self {
        let over = self.clone();
        Self {
            background: over.background.or_else(|| below.background.clone()),
            fit: over.fit.or_else(|| below.fit.clone()),
            foreground: over.foreground.or_else(|| below.foreground.clone()),
            effects: over.effects.or_else(|| below.effects.clone()),
            framing: over.framing.or_else(|| below.framing.clone()),
            look: over.look.or_else(|| below.look.clone()),
        }
    }

    /// Whether these words say something of everything that `other` says something of.
    pub(super) fn say_all_of(&self, other: &SceneOptions) -> bool {
        self.over(other) == *self
    }

    /// What the words mean. Looks at files: whether they are there, and of what kind.
    ///
    /// # Errors
    /// One sentence for the first word that makes no sense.
    pub fn check(&self) -> Result<SceneSpec, SceneOptionsError> {
        let usual = SceneSpec::default();
        let effects = self.effects.as_deref().unwrap_or_default();
        let effects = effects.iter().filter(|text| *text != NONE).map(|text| text.parse());
        let effects = effects.collect::<Result<Vec<EffectSpec>, SceneError>>()?;
        EffectSpec::check_chain(&effects)?;
        let foreground = self.foreground.as_deref().filter(|text| *text != NONE);
        Ok(SceneSpec {
            background: parsed(&self.background)?.unwrap_or(usual.background),
            fit: self.fit.as_deref().map(fit).transpose()?.unwrap_or_default(),
            foreground: foreground.map(str::parse).transpose()?,
            effects,
            framing: parsed(&self.framing)?.unwrap_or(usual.framing),
            look: parsed(&self.look)?.unwrap_or(usual.look),
            seed: usual.seed,
        })
    }

    /// The same words, with the paths of files that lie in (or below) `folder` made absolute: words
    /// of a configuration file are meant from where it lies, those of a command from where it was
    /// given.
    #[must_use]
    pub fn located_in(mut self, folder: &Path) -> Self {
        if let Some(background) = &mut self.background {
            let of_slides = background.strip_prefix(SLIDESHOW);
            if let Some((seconds, slides)) = of_slides.and_then(|rest| rest.split_once(',')) {
                *background = format!("{SLIDESHOW}{seconds},{}", located(slides, folder));
            } else if !is_a_word(background) {
                *background = located(background, folder);
            }
        }
        if let Some(foreground) = &mut self.foreground
            && foreground != NONE
        {
            *foreground = located(foreground, folder);
        }
        self
    }
}

/// The one word that has a path behind it: `slideshow=SECONDS,FOLDER`.
const SLIDESHOW: &str = "slideshow=";

impl SceneOptions {
    /// The files and folders that are shown, there or not.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let slides = self.background.as_deref().and_then(|text| text.strip_prefix(SLIDESHOW));
        let folder = slides.and_then(|slides| slides.split_once(','));
        self.paths().into_iter().chain(folder.map(|(_, folder)| folder.into())).collect()
    }

    /// The files that the words name, there or not.
    pub(super) fn paths(&self) -> Vec<PathBuf> {
        let background = self.background.as_deref().filter(|text| !is_a_word(text));
        let foreground = self.foreground.as_deref().filter(|text| *text != NONE);
        let foreground = foreground.map(|text| match text.parse::<ForegroundSpec>() {
            Ok(spec) => spec.picture,
            Err(_) => PathBuf::from(text),
        });
        background.map(PathBuf::from).into_iter().chain(foreground).collect()
    }
}

/// What takes a foreground or effect away.
const NONE: &str = "none";

fn parsed<T: std::str::FromStr<Err = SceneError>>(
    text: &Option<String>,
) -> Result<Option<T>, SceneError> {
    text.as_deref().map(str::parse).transpose()
}

fn fit(text: &str) -> Result<Fit, SceneOptionsError> {
    match text {
        "cover" => Ok(Fit::Cover),
        "contain" => Ok(Fit::Contain),
        "stretch" => Ok(Fit::Stretch),
        _ => Err(SceneOptionsError::NotAFit(text.to_owned())),
    }
}

/// Whether a background is told by a word, a colour or an address rather than by a path.
fn is_a_word(text: &str) -> bool {
    text.contains("://") || BackgroundSpec::is_word(text)
}

/// `text`, a path or one with details behind it, seen from `folder`.
fn located(text: &str, folder: &Path) -> String {
    if text.is_empty() {
        return String::new();
    }
    let path = match text.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((below, home)) => home.join(below),
        None => folder.join(text),
    };
    // A word that is misspelt is no path: it is to be told what is near.
    if !text.contains(['/', '.']) && !path.exists() {
        return text.to_owned();
    }
    // A path that is no text stays as it was written; it is then not found, which is told.
    path.into_os_string().into_string().unwrap_or_else(|_| text.to_owned())
}

/// The files that a scene shows, to be watched for changes.
pub(super) fn files_of(spec: &SceneSpec) -> Vec<PathBuf> {
    let background = spec.background.file().map(Path::to_owned);
    let foreground = spec.foreground.as_ref().map(|foreground| foreground.picture.clone());
    background.into_iter().chain(foreground).collect()
}

/// A background in words, without the password of an address: logs are shown around.
pub(super) fn background_text(background: &BackgroundSpec) -> String {
    match background {
        BackgroundSpec::Video(source @ ClipSource::Url(_)) => source.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lie_over_others() {
        let options = |background: Option<&str>, framing: Option<&str>| SceneOptions {
            background: background.map(str::to_owned),
            framing: framing.map(str::to_owned),
            ..SceneOptions::default()
        };
        let over = options(Some("blur"), None).over(&options(Some("none"), Some("auto")));
        assert_eq!(over, options(Some("blur"), Some("auto")));
        assert_eq!(SceneOptions::default().check().unwrap(), SceneSpec::default());
    }

    #[test]
    fn paths_are_meant_from_where_they_were_written() {
        let options = SceneOptions {
            background: Some("pictures/a.jpg".into()),
            foreground: Some("logo.png,top-left".into()),
            ..SceneOptions::default()
        };
        let located = options.clone().located_in(Path::new("/home/me"));
        assert_eq!(located.background.as_deref(), Some("/home/me/pictures/a.jpg"));
        assert_eq!(located.foreground.as_deref(), Some("/home/me/logo.png,top-left"));
        let options = SceneOptions { background: Some("slideshow=5,./a".into()), ..options };
        let located = options.located_in(Path::new("/home/me"));
        assert_eq!(located.background.as_deref(), Some("slideshow=5,/home/me/./a"));
        for word in ["blurr", "blur", "blur=40", "#00b140", "none", "https://example.org/a.mp4"] {
            let options = SceneOptions { background: Some(word.into()), ..SceneOptions::default() };
            let located = options.located_in(Path::new("/home/me"));
            assert_eq!(located.background.as_deref(), Some(word));
        }
    }

    #[test]
    fn senseless_words_get_a_sentence() {
        let fit = SceneOptions { fit: Some("squeeze".into()), ..SceneOptions::default() };
        assert!(fit.check().unwrap_err().to_string().contains("cover, contain or stretch"));
        let effects = Some(vec!["greyscale".to_owned(); 17]);
        let many = SceneOptions { effects, ..SceneOptions::default() };
        assert!(many.check().unwrap_err().to_string().contains("16"));
    }
}
