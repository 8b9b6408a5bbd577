//! A scene as the user describes it in the configuration, on the command line or in a request.

use std::path::{Path, PathBuf};

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser};
use greenroom_device::ClipSource;
use greenroom_scene::{BackgroundSpec, EffectSpec, Fit, ForegroundSpec, SceneError, SceneSpec};
use serde::{Deserialize, Serialize};

/// Declares [`SceneOptions`] with everything that is the same for each of its fields.
///
/// A field is a key of `[scenes.NAME]`, a key of the request `set`, and an option of `greenroom run`
/// and `greenroom render`, whose help is the field's documentation. A new property of a scene needs a
/// field here, its meaning in [`SceneOptions::check`], a command of `greenroom set` (`SceneProperty` in
/// `cli/on_air.rs`), and a line in `config/example.toml`; tests look for the last two.
macro_rules! scene_options {
    ($($(#[$attribute:meta])* pub $key:ident: $kind:ty,)+) => {
        /// What the user says of a scene. What is not said is as in the scene below, or the default.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, Args)]
        #[serde(deny_unknown_fields)]
        #[cfg_attr(test, derive(schemars::JsonSchema))]
        pub struct SceneOptions {
            $(
                $(#[$attribute])*
                #[serde(default, skip_serializing_if = "Option::is_none")]
                pub $key: $kind,
            )+
        }

        /// The keys of a scene, in the order in which they are listed to the user.
        pub const SCENE_KEYS: &[&str] = &[$(stringify!($key)),+];

        impl SceneOptions {
            /// These options, and those of `below` for what these do not say.
            #[must_use]
            pub fn over(&self, below: &SceneOptions) -> Self {
                Self { $($key: self.$key.as_ref().or(below.$key.as_ref()).cloned(),)+ }
            }

            /// The same options; an empty text or list counts as not said.
            #[must_use]
            pub fn without_empty(self) -> Self {
                Self { $($key: self.$key.filter(|said| !said.is_empty()),)+ }
            }
        }
    };
}

scene_options! {
    /// The background behind you [default: blur]: blur, #rrggbb, a picture, a video, a folder of pictures,
    /// screen (a screen or window of yours), none (the plain camera), … `greenroom list backgrounds` lists them all.
    #[arg(short, long, value_name = "BACKGROUND", env = "GREENROOM_BACKGROUND")]
    pub background: Option<String>,

    /// How a picture or video of another shape is fitted [default: cover].
    #[arg(long, value_parser = fit_values(), env = "GREENROOM_FIT")]
    pub fit: Option<String>,

    /// A picture in front of you: `PATH[,PLACE[,WIDTH%[,OPACITY%]]]`, or none.
    #[arg(long, value_name = "PICTURE", env = "GREENROOM_FOREGROUND")]
    pub foreground: Option<String>,

    /// An effect, `[person:|background:|all:]NAME[=VALUE,…]`; several make a chain. `greenroom list
    /// effects` lists them all.
    #[arg(
        long = "effect",
        value_name = "EFFECT",
        value_delimiter = ' ',
        env = "GREENROOM_EFFECTS"
    )]
    pub effects: Option<Vec<String>>,

    /// Which part of the camera's picture is used [default: whole]: whole, `zoom=FACTOR[,X,Y]`, or
    /// auto, which follows you. `greenroom list framings` lists them all.
    #[arg(long, value_name = "FRAMING", env = "GREENROOM_FRAMING")]
    pub framing: Option<String>,

    /// How the background lights you [default: usual]: off, usual, or `wrap=PERCENT,match=PERCENT` (its light
    /// on your edge; your brightness and colour follow it).
    #[arg(long, value_name = "LOOK", env = "GREENROOM_LOOK")]
    pub look: Option<String>,
}

/// The values of `fit`, their help on the command line, and what they mean.
const FITS: [(&str, &str, Fit); 3] = [
    ("cover", "Fill the frame and cut off what stands out", Fit::Cover),
    ("contain", "Show all of the picture, with black bars", Fit::Contain),
    ("stretch", "Distort the picture to the frame", Fit::Stretch),
];

/// The values that the command line takes for `fit`.
pub(crate) fn fit_values() -> PossibleValuesParser {
    FITS.map(|(word, help, _)| PossibleValue::new(word).help(help)).into()
}

/// A scene option that has no meaning.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SceneOptionsError {
    /// A part of the scene.
    #[error(transparent)]
    Scene(#[from] SceneError),
    /// An unknown way to fit a picture.
    #[error("\"{0}\" is no way to fit a picture; write cover, contain or stretch")]
    NotAFit(String),
    /// PipeWire is not built in.
    #[error(
        "this greenroom was built without PipeWire and shows no screen; choose another background, or build it with the \
         feature pipewire"
    )]
    NoScreens,
}

impl SceneOptions {
    /// Whether these options say everything that `other` says, so that nothing of `other` is left beneath.
    pub(super) fn says_all_of(&self, other: &SceneOptions) -> bool {
        self.over(other) == *self
    }

    /// What the options mean. Looks whether their files exist, and of what kind they are.
    ///
    /// # Errors
    /// One sentence for the first option that has no meaning.
    pub fn check(&self) -> Result<SceneSpec, SceneOptionsError> {
        let default = SceneSpec::default();
        let effects = self.effects.as_deref().unwrap_or_default();
        let effects = effects.iter().filter(|text| *text != NONE).map(|text| text.parse());
        let effects = effects.collect::<Result<Vec<EffectSpec>, SceneError>>()?;
        EffectSpec::check_chain(&effects)?;
        let foreground = self.foreground.as_deref().filter(|text| *text != NONE);
        let background = parsed(&self.background)?.unwrap_or(default.background);
        if background == BackgroundSpec::Screen && !cfg!(feature = "pipewire") {
            return Err(SceneOptionsError::NoScreens);
        }
        Ok(SceneSpec {
            background,
            fit: self.fit.as_deref().map(fit).transpose()?.unwrap_or_default(),
            foreground: foreground.map(str::parse).transpose()?,
            effects,
            framing: parsed(&self.framing)?.unwrap_or(default.framing),
            look: parsed(&self.look)?.unwrap_or(default.look),
            seed: default.seed,
        })
    }

    /// The same options, with relative paths made absolute from `folder`: paths in a configuration
    /// file start where the file lies, those of a command where it was given.
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

/// The start of `slideshow=SECONDS,FOLDER`, the only background that is a word with a path behind it.
const SLIDESHOW: &str = "slideshow=";

impl SceneOptions {
    /// The files and folders that are shown, whether they exist or not.
    pub(super) fn files(&self) -> Vec<PathBuf> {
        let slides = self.background.as_deref().and_then(|text| text.strip_prefix(SLIDESHOW));
        let folder = slides.and_then(|slides| slides.split_once(','));
        self.paths().into_iter().chain(folder.map(|(_, folder)| folder.into())).collect()
    }

    /// The files that the options name, whether they exist or not.
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

/// The value that removes a foreground or the effects.
const NONE: &str = "none";

fn parsed<T: std::str::FromStr<Err = SceneError>>(
    text: &Option<String>,
) -> Result<Option<T>, SceneError> {
    text.as_deref().map(str::parse).transpose()
}

fn fit(text: &str) -> Result<Fit, SceneOptionsError> {
    let known = FITS.into_iter().find(|(word, ..)| *word == text);
    known.map(|(.., fit)| fit).ok_or_else(|| SceneOptionsError::NotAFit(text.to_owned()))
}

/// The word for `fit`.
pub(super) fn fit_text(fit: Fit) -> &'static str {
    let known = FITS.into_iter().find(|(.., known)| *known == fit);
    known.map_or("cover", |(word, ..)| word)
}

/// Whether a background is a word, a colour or an address rather than a path.
fn is_a_word(text: &str) -> bool {
    text.contains("://") || BackgroundSpec::is_word(text)
}

/// `text`, a path or a path with details behind it, made absolute from `folder`.
fn located(text: &str, folder: &Path) -> String {
    if text.is_empty() {
        return String::new();
    }
    let path = match text.strip_prefix("~/").zip(std::env::home_dir()) {
        Some((below, home)) => home.join(below),
        None => folder.join(text),
    };
    // A misspelt word is not a path: the user is told the nearest word.
    if !text.contains(['/', '.']) && !path.exists() {
        return text.to_owned();
    }
    // A path that is not Unicode stays as it was written: it is then reported as not found.
    path.into_os_string().into_string().unwrap_or_else(|_| text.to_owned())
}

/// The files that a scene shows, which are watched for changes.
pub(super) fn files_of(spec: &SceneSpec) -> Vec<PathBuf> {
    let background = spec.background.file().map(Path::to_owned);
    let foreground = spec.foreground.as_ref().map(|foreground| foreground.picture.clone());
    background.into_iter().chain(foreground).collect()
}

/// A background as text, without the password of an address, since users publish their logs.
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
    fn options_lie_over_others() {
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
    fn senseless_options_get_a_sentence() {
        let fit = SceneOptions { fit: Some("squeeze".into()), ..SceneOptions::default() };
        assert!(fit.check().unwrap_err().to_string().contains("cover, contain or stretch"));
        let effects = Some(vec!["greyscale".to_owned(); 17]);
        let many = SceneOptions { effects, ..SceneOptions::default() };
        assert!(many.check().unwrap_err().to_string().contains("16"));
    }
}
