//! Makes scenes: from words, through a checked wish, to what can be shown.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::anyhow;
use greenroom_device::{FileWatch, Wake};
use greenroom_matte::People;
use greenroom_scene::{BackgroundSpec, Reuse, Scene, SceneFormat, SceneSpec};

use super::request::FirstScene;
use super::{SceneLibrary, SceneOptions, check_privacy};
use crate::pipewire::{Ask, Screens};
use crate::settings::SceneSettings;

/// Makes the scene that the library is open at.
///
/// # Errors
/// One sentence when its words make no sense, a file is not what it should be, or people would be
/// seen that it is to hide.
pub fn make_scene(
    library: &SceneLibrary,
    scene_format: SceneFormat,
) -> anyhow::Result<(SceneSpec, Scene)> {
    make(library, scene_format, None)
}

fn make(
    library: &SceneLibrary,
    scene_format: SceneFormat,
    screens: Option<(&Screens, Ask)>,
) -> anyhow::Result<(SceneSpec, Scene)> {
    let spec = library.options().check()?;
    let wanted = Wanted {
        spec: &spec,
        people: library.people(),
        reuse: Reuse::default(),
        scene_format,
        screens,
    };
    let scene = build(wanted, None)?;
    Ok((spec, scene))
}

/// Makes the scene to begin with, at which `library` is open; its files, and the configuration, are watched from before they
/// were read. A screen is asked for, and not waited for.
///
/// # Errors
/// As [`make_scene`].
pub fn make_first_scene(
    library: &SceneLibrary,
    settings: &SceneSettings,
    scene_format: SceneFormat,
    screens: &Screens,
) -> anyhow::Result<(FirstScene, Scene)> {
    let SceneSettings { config, awaits_background, .. } = settings;
    let mut watch = FileWatch::new().map_err(|error| {
        tracing::warn!("{error}; a background that is replaced is not noticed");
    });
    if let Ok(watch) = &mut watch {
        watch.set(&library.options().paths().into_iter().chain(config.clone()).collect::<Vec<_>>());
    }
    let (mut library, mut wanted, mut trouble) = (library.clone(), None, None);
    let screens = Some((screens, Ask::IfMissing));
    let (spec, scene) = match make(&library, scene_format, screens) {
        Err(error) if *awaits_background => {
            let sentence = format!("{error:#}; the blurred room is shown until it is there");
            tracing::warn!("scene: {sentence}");
            trouble = Some(sentence);
            wanted = Some(library.clone());
            library.change(&blurred_room());
            make(&library, scene_format, screens)?
        }
        made => made?,
    };
    Ok((FirstScene { library, wanted, trouble, spec, scene_format, watch: watch.ok() }, scene))
}

/// What is shown where something else may not be: the room out of focus.
pub(super) fn blurred_room() -> SceneOptions {
    SceneOptions { background: Some("blur".to_owned()), ..SceneOptions::default() }
}

/// A scene that is to be made.
pub(super) struct Wanted<'a> {
    pub(super) spec: &'a SceneSpec,
    pub(super) people: People,
    pub(super) reuse: Reuse,
    pub(super) scene_format: SceneFormat,
    /// Where a screen comes from, and whether the user is asked for it; none is shown without.
    pub(super) screens: Option<(&'a Screens, Ask)>,
}

/// Makes a scene. All that are shown are made here, whoever asked for them, so that none shows people
/// whom it is to hide. Without `cancel` nothing but files is waited for.
///
/// # Errors
/// As [`make_scene`].
pub(super) fn build(wanted: Wanted<'_>, cancel: Option<&Wake>) -> anyhow::Result<Scene> {
    let Wanted { spec, people, reuse, scene_format, screens } = wanted;
    check_privacy(spec, people, scene_format.shape.size.height_px)?;
    let is_screen = spec.background == BackgroundSpec::Screen && !reuse.background;
    let make = || match screens.filter(|_| is_screen) {
        Some((screens, ask)) => {
            let background = screens.background(ask, spec.fit, scene_format, cancel)?;
            Ok(spec.build_before(background, reuse, scene_format)?)
        }
        None => Ok(spec.build_but(reuse, scene_format, cancel)?),
    };
    // Decoders of other people's formats: a panic in one is no reason to fall.
    let made = catch_unwind(AssertUnwindSafe(make));
    made.map_err(|_| anyhow!("greenroom failed over this scene, which is our bug"))?
}
