//! What a scene promises to hide, and whether it does: the one check that every scene passes before
//! it is made, whoever asked for it.

use greenroom_matte::People;
use greenroom_scene::{BackgroundSpec, SceneSpec, Target};

/// Rows of detail over the frame's height, at most, in which nobody is known again: those of the
/// effect `anonymise` at its finest.
const UNKNOWN_ROWS: f32 = 12.0;
/// From so many rows on a room counts as weakly hidden: a face that takes a third of the frame's
/// height has more than 8 of them, and friends may know it again (Sinha et al. 2006).
const WEAK_ROWS: f32 = 24.0;

/// A scene that asks for `anonymise` and would show somebody as they are.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "anonymise hides the main person only (people = \"main\" in [cut]), and everybody else would be \
     recognised before the background {background}; write all:anonymise, choose a background that \
     does not show the room, or people = \"all\""
)]
pub struct NotAnonymous {
    background: String,
}

/// Checks that `spec` hides whom it promises to hide, in a frame of `height_px` and with a matte of
/// `people`. The answer is a warning: one sentence, if people who are not in the matte are hidden
/// less than one may think.
///
/// # Errors
/// If `anonymise` is asked for and somebody who is seen is not made anonymous.
pub(crate) fn check_privacy(
    spec: &SceneSpec,
    people: People,
    height_px: u32,
) -> Result<Option<String>, NotAnonymous> {
    let anonymises =
        |target| spec.effects.iter().any(|e| e.name() == "anonymise" && e.target() == target);
    if anonymises(Target::All) {
        return Ok(None);
    }
    // Effects on the background are not counted on: they may hide little, or be laid on another one.
    let Some(rows) = spec.background.room_rows(height_px) else { return Ok(None) };
    let background = &spec.background;
    let is_plain = *background == BackgroundSpec::None;
    match (people, anonymises(Target::Person)) {
        (People::Main, true) if rows > UNKNOWN_ROWS => {
            Err(NotAnonymous { background: background.to_string() })
        }
        (People::Main, false) if rows > WEAK_ROWS && !is_plain => Ok(Some(format!(
            "the background {background} hides the room weakly: people beside the main person may be \
             recognised (people = \"main\" in [cut]); write a stronger one, or people = \"all\""
        ))),
        (People::All, true) if rows > WEAK_ROWS => Ok(Some(format!(
            "anonymise hides whom the network finds, and whom it misses may be recognised before the \
             background {background}; write all:anonymise to hide everything"
        ))),
        _ => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of a scene.
    #[derive(Debug, Clone, Copy, PartialEq, Eq)]
    enum Verdict {
        Right,
        Weak,
        Refused,
    }
    use Verdict::{Refused, Right, Weak};

    fn verdict(background: &str, effects: &[&str], people: People, height_px: u32) -> Verdict {
        let spec = SceneSpec {
            background: background.parse().unwrap(),
            effects: effects.iter().map(|text| text.parse().unwrap()).collect(),
            ..SceneSpec::default()
        };
        match check_privacy(&spec, people, height_px) {
            Ok(None) => Right,
            Ok(Some(warning)) => {
                assert!(warning.contains(background) && !warning.contains('\n'), "{warning}");
                Weak
            }
            Err(error) => {
                let sentence = error.to_string();
                assert!(sentence.contains("all:anonymise"), "{sentence}");
                assert!(sentence.contains(background), "{sentence}");
                Refused
            }
        }
    }

    /// Every background that there is, weak and strong, with every place of `anonymise` in a chain,
    /// for both kinds of matte.
    #[test]
    fn every_way_to_hide_people_is_judged() {
        let picture = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(picture.path(), b"\x89PNG\r\n\x1a\n").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let shown = |path: &std::path::Path| path.to_str().unwrap().to_owned();
        let slides = format!("slideshow=5,{}", shown(folder.path()));
        let (picture, folder) = (shown(picture.path()), shown(folder.path()));
        // The rows of each: the main person anonymised; the main person as they are; everyone
        // anonymised.
        let table = [
            ("none", [Refused, Right, Weak]),
            ("blur=1", [Refused, Weak, Weak]),
            ("blur=14", [Refused, Weak, Weak]),
            ("blur=15", [Refused, Right, Right]),
            ("blur=43", [Refused, Right, Right]),
            ("blur=44", [Right; 3]),
            ("blur", [Right; 3]),
            ("blur=100", [Right; 3]),
            ("bokeh=1", [Refused, Weak, Weak]),
            ("bokeh=20", [Refused, Weak, Weak]),
            ("bokeh=21", [Refused, Right, Right]),
            ("bokeh", [Right; 3]),
            ("pixelate=4", [Refused, Weak, Weak]),
            ("pixelate=29", [Refused, Weak, Weak]),
            ("pixelate", [Refused, Right, Right]),
            ("pixelate=59", [Refused, Right, Right]),
            ("pixelate=60", [Right; 3]),
            ("#00b140", [Right; 3]),
            ("gradient", [Right; 3]),
            ("drift", [Right; 3]),
            ("stars", [Right; 3]),
            (&picture, [Right; 3]),
            (&folder, [Right; 3]),
            (&slides, [Right; 3]),
            ("http://localhost/a.mp4", [Right; 3]),
            ("/dev/null", [Right; 3]),
        ];
        for (background, [main_hidden, main_plain, all_hidden]) in table {
            let judged = |effects: &[&str], people| verdict(background, effects, people, 720);
            for beside in ["", "greyscale", "background:pixelate=200", "mirror", "person:pixelate"]
            {
                for hides in ["anonymise", "anonymize", "person:anonymise=silhouette"] {
                    let chains = [vec![beside, hides], vec![hides, beside]];
                    for chain in chains.map(|chain| chain.into_iter().filter(|e| !e.is_empty())) {
                        let chain: Vec<_> = chain.collect();
                        let told = format!("{background} {chain:?}");
                        assert_eq!(judged(&chain, People::Main), main_hidden, "{told}");
                        assert_eq!(judged(&chain, People::All), all_hidden, "{told}");
                        let whole = [&chain[..], &["all:anonymise"]].concat();
                        assert_eq!(judged(&whole, People::Main), Right, "{told}");
                        assert_eq!(judged(&whole, People::All), Right, "{told}");
                    }
                }
                let beside: Vec<_> = Some(beside).filter(|e| !e.is_empty()).into_iter().collect();
                assert_eq!(judged(&beside, People::Main), main_plain, "{background} {beside:?}");
                assert_eq!(judged(&beside, People::All), Right, "{background} {beside:?}");
            }
        }
        // No kind is left out.
        for spec in BackgroundSpec::every() {
            let name = spec.to_string();
            assert!(table.iter().any(|(background, _)| *background == name), "{name}");
        }
    }

    /// A block of so many pixels hides less in a larger frame.
    #[test]
    fn a_mosaic_is_judged_by_the_size_of_the_frame() {
        for (height_px, expected) in [(360, Right), (720, Right), (1080, Refused), (2160, Refused)]
        {
            assert_eq!(verdict("pixelate=60", &["anonymise"], People::Main, height_px), expected);
        }
        assert_eq!(verdict("pixelate=60", &[], People::Main, 2160), Weak);
        for height_px in [90, 720, 2160] {
            assert_eq!(verdict("blur", &["anonymise"], People::Main, height_px), Right);
            assert_eq!(verdict("none", &["anonymise"], People::Main, height_px), Refused);
        }
    }
}
