//! Changes that wait for media to be loaded.

use greenroom_scene::{BackgroundSpec, Reuse, SceneSpec};

use super::library::NoSuchScene;
use super::replied::Replied;
use super::{SceneLibrary, SceneOptions};
use crate::pipewire::Ask;

/// A change of what is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// Lay these options over what is shown.
    Options(SceneOptions),
    /// Show the scene of this name.
    Scene(String),
    /// Show what this library shows, since a file has changed, beneath what is asked for meanwhile.
    Follow(Box<SceneLibrary>),
}

impl Change {
    /// Makes the change in `library`.
    pub(super) fn apply(&self, library: &mut SceneLibrary) -> Result<(), NoSuchScene> {
        match self {
            Change::Options(options) => library.change(options),
            Change::Scene(name) => library.go_to(name)?,
            Change::Follow(other) => library.show_as(other),
        }
        Ok(())
    }

    /// Whether the user is asked for a screen, where the change is made to a scene before `background`. Whoever asks for a
    /// screen that is there already wants another.
    pub(super) fn ask(&self, background: &BackgroundSpec) -> Ask {
        let is_shown = *background == BackgroundSpec::Screen;
        match self {
            Change::Options(options) if options.background.is_none() => Ask::Never,
            // Another way to fit it is no wish for another.
            Change::Options(options) if is_shown && options.fit.is_none() => Ask::Anew,
            Change::Follow(_) if is_shown => Ask::Never,
            Change::Options(_) | Change::Scene(_) | Change::Follow(_) => Ask::IfMissing,
        }
    }

    /// Whether nothing is left of the change `older` when this one is made after it.
    pub(super) fn overtakes(&self, older: &Change) -> bool {
        match (self, older) {
            (Change::Scene(_), _) | (Change::Follow(_), Change::Follow(_)) => true,
            (Change::Options(options), Change::Options(older)) => options.says_all_of(older),
            _ => false,
        }
    }
}

/// A change and who wants it.
pub(super) struct Wish {
    pub(super) change: Change,
    /// What goes on as it is.
    pub(super) reuse: Reuse,
    /// At once, without a cross-fade: it shows the same, better.
    pub(super) cut: bool,
    /// Who asked and waits for a reply: nobody for a file that changed, or when the change is shown
    /// already and made again after those before it.
    pub(super) asked_by: Vec<Replied>,
}

impl Wish {
    /// Tells whoever asked what came of it.
    pub(super) fn reply(self, done: &Result<(), String>) {
        self.asked_by.into_iter().for_each(|replied| replied.tell(done.clone()));
    }

    /// Whether all who asked have gone without waiting for a reply.
    pub(super) fn is_abandoned(&self) -> bool {
        !self.asked_by.is_empty() && self.asked_by.iter().all(Replied::is_abandoned)
    }

    pub(super) fn follows_files(&self) -> bool {
        matches!(self.change, Change::Follow(_))
    }
}

/// What some changes, one after the other, come to.
pub(super) struct Target {
    pub(super) library: SceneLibrary,
    pub(super) spec: SceneSpec,
    pub(super) reuse: Reuse,
    pub(super) cut: bool,
    pub(super) ask: Ask,
}

/// What is being loaded, and for whom.
pub(super) struct Pending {
    /// In the order in which they are made.
    pub(super) wishes: Vec<Wish>,
    pub(super) target: Target,
}

impl Pending {
    /// Whether somebody asked for every part of it, and may go.
    pub(super) fn is_awaited(&self) -> bool {
        self.wishes.iter().all(|wish| !wish.asked_by.is_empty())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_for_a_screen_that_is_there_wants_another() {
        let options = |background: Option<&str>, fit: Option<&str>| {
            let [background, fit] = [background, fit].map(|it| it.map(str::to_owned));
            Change::Options(SceneOptions { background, fit, ..SceneOptions::default() })
        };
        let (screen, other) = (BackgroundSpec::Screen, BackgroundSpec::default());
        for (change, before_screen, before_other) in [
            (options(Some("screen"), None), Ask::Anew, Ask::IfMissing),
            (options(Some("screen"), Some("contain")), Ask::IfMissing, Ask::IfMissing),
            (options(None, Some("contain")), Ask::Never, Ask::Never),
            (Change::Scene("a".into()), Ask::IfMissing, Ask::IfMissing),
            (Change::Follow(Box::default()), Ask::Never, Ask::IfMissing),
        ] {
            assert_eq!((change.ask(&screen), change.ask(&other)), (before_screen, before_other));
        }
    }

    #[test]
    fn a_change_overtakes_what_it_leaves_nothing_of() {
        let background = || Some("blur".to_owned());
        let options = |background, effects: Option<&str>| {
            let effects = effects.map(|effect| vec![effect.to_owned()]);
            Change::Options(SceneOptions { background, effects, ..SceneOptions::default() })
        };
        let (one, other) = (options(background(), None), options(Some("none".into()), None));
        let both = options(background(), Some("sepia"));
        let scene = Change::Scene("a".into());
        let follow = Change::Follow(Box::default());
        for (newer, older, expected) in [
            (&one, &other, true),
            (&one, &one, true),
            (&both, &one, true),
            (&one, &both, false),
            (&options(None, Some("sepia")), &one, false),
            (&scene, &both, true),
            (&scene, &follow, true),
            (&one, &scene, false),
            (&one, &follow, false),
            (&follow, &one, false),
            (&follow, &follow, true),
        ] {
            assert_eq!(newer.overtakes(older), expected, "{newer:?} after {older:?}");
        }
    }
}
