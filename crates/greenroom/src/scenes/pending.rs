//! Changes that wait for media to be loaded.

use greenroom_scene::{Keep, SceneSpec};

use super::book::NoSuchScene;
use super::replied::Replied;
use super::{SceneBook, SceneWords};

/// A change of what is shown.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    /// These words over what is shown.
    Words(SceneWords),
    /// The scene of this name.
    Scene(String),
    /// What this book shows, since a file has changed: beneath what is asked for meanwhile.
    Follow(Box<SceneBook>),
}

impl Change {
    /// Makes the change in `book`.
    pub(super) fn apply(&self, book: &mut SceneBook) -> Result<(), NoSuchScene> {
        match self {
            Change::Words(words) => book.change(words),
            Change::Scene(name) => book.go_to(name)?,
            Change::Follow(other) => book.show_as(other),
        }
        Ok(())
    }

    /// Whether nothing is left of the change `older` when this one is made after it.
    pub(super) fn overtakes(&self, older: &Change) -> bool {
        match (self, older) {
            (Change::Scene(_), _) | (Change::Follow(_), Change::Follow(_)) => true,
            (Change::Words(words), Change::Words(older)) => words.say_all_of(older),
            _ => false,
        }
    }
}

/// A change and who wants it.
pub(super) struct Wish {
    pub(super) change: Change,
    /// What goes on as it is.
    pub(super) keep: Keep,
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
    pub(super) book: SceneBook,
    pub(super) spec: SceneSpec,
    pub(super) keep: Keep,
    pub(super) cut: bool,
}

/// What is being loaded, and for whom.
pub(super) struct Pending {
    /// In the order in which they are made.
    pub(super) wishes: Vec<Wish>,
    pub(super) target: Target,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_overtakes_what_it_leaves_nothing_of() {
        let background = || Some("blur".to_owned());
        let words = |background, effects: Option<&str>| {
            let effects = effects.map(|effect| vec![effect.to_owned()]);
            Change::Words(SceneWords { background, effects, ..SceneWords::default() })
        };
        let (one, other) = (words(background(), None), words(Some("none".into()), None));
        let both = words(background(), Some("sepia"));
        let scene = Change::Scene("a".into());
        let follow = Change::Follow(Box::default());
        for (newer, older, expected) in [
            (&one, &other, true),
            (&one, &one, true),
            (&both, &one, true),
            (&one, &both, false),
            (&words(None, Some("sepia")), &one, false),
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
