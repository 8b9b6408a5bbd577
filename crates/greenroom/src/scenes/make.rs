//! Makes scenes: from words, through a checked wish, to what can be shown.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::anyhow;
use greenroom_device::{FileWatch, Wake};
use greenroom_matte::People;
use greenroom_scene::{Reuse, Scene, SceneFormat, SceneSpec};

use super::request::FirstScene;
use super::{SceneLibrary, SceneOptions, check_privacy};
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
    let spec = library.options().check()?;
    let scene = build(&spec, library.people(), Reuse::default(), scene_format, None)?;
    Ok((spec, scene))
}

/// Makes the scene to begin with, at which `library` is open; its files, and the configuration, are watched from before they
/// were read.
///
/// # Errors
/// As [`make_scene`].
pub fn make_first_scene(
    library: &SceneLibrary,
    settings: &SceneSettings,
    scene_format: SceneFormat,
) -> anyhow::Result<(FirstScene, Scene)> {
    let SceneSettings { config, awaits_background, .. } = settings;
    let mut watch = FileWatch::new().map_err(|error| {
        tracing::warn!("{error}; a background that is replaced is not noticed");
    });
    if let Ok(watch) = &mut watch {
        watch.set(&library.options().paths().into_iter().chain(config.clone()).collect::<Vec<_>>());
    }
    let (mut library, mut wanted, mut trouble) = (library.clone(), None, None);
    let (spec, scene) = match make_scene(&library, scene_format) {
        Err(error) if *awaits_background => {
            let sentence = format!("{error:#}; the blurred room is shown until it is there");
            tracing::warn!("scene: {sentence}");
            trouble = Some(sentence);
            wanted = Some(library.clone());
            library.change(&blurred_room());
            make_scene(&library, scene_format)?
        }
        made => made?,
    };
    Ok((FirstScene { library, wanted, trouble, spec, scene_format, watch: watch.ok() }, scene))
}

/// What is shown where something else may not be: the room out of focus.
pub(super) fn blurred_room() -> SceneOptions {
    SceneOptions { background: Some("blur".to_owned()), ..SceneOptions::default() }
}

/// Makes a scene. All that are shown are made here, whoever asked for them, so that none shows people
/// whom it is to hide.
///
/// # Errors
/// As [`make_scene`].
pub(super) fn build(
    spec: &SceneSpec,
    people: People,
    reuse: Reuse,
    scene_format: SceneFormat,
    cancel: Option<&Wake>,
) -> anyhow::Result<Scene> {
    check_privacy(spec, people, scene_format.shape.size.height_px)?;
    // Decoders of other people's formats: a panic in one is no reason to fall.
    let made = catch_unwind(AssertUnwindSafe(|| spec.build_but(reuse, scene_format, cancel)));
    Ok(made.map_err(|_| anyhow!("greenroom failed over this scene, which is our bug"))??)
}
