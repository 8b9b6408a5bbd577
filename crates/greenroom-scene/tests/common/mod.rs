//! What several tests show.

use greenroom_scene::{BackgroundSpec, EffectSpec, SceneSpec};

/// Before one plain background: each effect on each target that it can have.
pub fn scenes_with_effects() -> Vec<SceneSpec> {
    let background = BackgroundSpec::Colour("#00b140".parse().unwrap());
    let mut scenes = Vec::new();
    for effect in EffectSpec::every() {
        for target in ["person", "background", "all"] {
            if let Ok(effect) = format!("{target}:{}", effect.name()).parse() {
                let (background, effects) = (background.clone(), vec![effect]);
                scenes.push(SceneSpec { background, effects, ..SceneSpec::default() });
            }
        }
    }
    scenes
}
