//! Makes scenes: from words, through a checked wish, to what can be shown.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::anyhow;
use greenroom_device::{FileWatch, Wake};
use greenroom_matte::People;
use greenroom_scene::{Keep, Scene, SceneSpec, Site};

use super::director::FirstScene;
use super::{SceneBook, SceneWords, check_privacy};
use crate::settings::SceneSettings;

/// Makes the scene that the book is open at.
///
/// # Errors
/// One sentence when its words make no sense, a file is not what it should be, or people would be
/// seen that it is to hide.
pub fn make_scene(book: &SceneBook, site: Site) -> anyhow::Result<(SceneSpec, Scene)> {
    let spec = book.words().check()?;
    let scene = build(&spec, book.people(), Keep::default(), site, None)?;
    Ok((spec, scene))
}

/// Makes the scene to begin with, at which `book` is open; its files, and the configuration, are watched from before they
/// were read.
///
/// # Errors
/// As [`make_scene`].
pub fn make_first_scene(
    book: &SceneBook,
    settings: &SceneSettings,
    site: Site,
) -> anyhow::Result<(FirstScene, Scene)> {
    let SceneSettings { config, awaits_background, .. } = settings;
    let mut watch = FileWatch::new().map_err(|error| {
        tracing::warn!("{error}; a background that is replaced is not noticed");
    });
    if let Ok(watch) = &mut watch {
        watch.set(&book.words().paths().into_iter().chain(config.clone()).collect::<Vec<_>>());
    }
    let (mut book, mut wanted, mut trouble) = (book.clone(), None, None);
    let (spec, scene) = match make_scene(&book, site) {
        Err(error) if *awaits_background => {
            let sentence = format!("{error:#}; the blurred room is shown until it is there");
            tracing::warn!("scene: {sentence}");
            trouble = Some(sentence);
            wanted = Some(book.clone());
            book.change(&blurred_room());
            make_scene(&book, site)?
        }
        made => made?,
    };
    Ok((FirstScene { book, wanted, trouble, spec, site, watch: watch.ok() }, scene))
}

/// What is shown where something else may not be: the room out of focus.
pub(super) fn blurred_room() -> SceneWords {
    SceneWords { background: Some("blur".to_owned()), ..SceneWords::default() }
}

/// Makes a scene. All that are shown are made here, whoever asked for them, so that none shows people
/// whom it is to hide.
///
/// # Errors
/// As [`make_scene`].
pub(super) fn build(
    spec: &SceneSpec,
    people: People,
    keep: Keep,
    site: Site,
    cancel: Option<&Wake>,
) -> anyhow::Result<Scene> {
    check_privacy(spec, people, site.shape.size.height_px)?;
    // Decoders of other people's formats: a panic in one is no reason to fall.
    let made = catch_unwind(AssertUnwindSafe(|| spec.build_but(keep, site, cancel)));
    Ok(made.map_err(|_| anyhow!("greenroom failed over this scene, which is our bug"))??)
}
