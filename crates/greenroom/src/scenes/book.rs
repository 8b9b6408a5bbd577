use std::path::PathBuf;

use greenroom_matte::People;

use super::SceneWords;
use super::privacy::check_privacy;

/// The scenes there are, by name, in the order of the configuration; and which is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SceneBook {
    scenes: Vec<(String, SceneWords)>,
    /// The one that is shown, if it has a name.
    name: Option<String>,
    /// What was said on the command line, or on air since the scene was gone to: it lies over the
    /// scene, whatever becomes of that.
    changes: SceneWords,
    /// What is shown, in words: the changes over the scene.
    words: SceneWords,
    /// Whom the matte shows.
    people: People,
}

/// No scene of that name.
#[derive(Debug, thiserror::Error)]
#[error("no scene is called \"{wanted}\"; {}", there_are(.names))]
pub struct NoSuchScene {
    wanted: String,
    names: Vec<String>,
}

fn there_are(names: &[String]) -> String {
    match names {
        [] => "the configuration has no [scenes.NAME]".to_owned(),
        names => format!("there are {}", names.join(", ")),
    }
}

impl SceneBook {
    /// The book of `scenes`; `name` is shown first, with `changes` (of the command line) over it. The
    /// matte shows `people`.
    ///
    /// # Errors
    /// [`NoSuchScene`].
    pub fn new(
        scenes: Vec<(String, SceneWords)>,
        name: Option<String>,
        changes: &SceneWords,
        people: People,
    ) -> Result<Self, NoSuchScene> {
        let mut book = Self { scenes, people, ..Self::default() };
        if let Some(name) = name {
            book.go_to(&name)?;
        }
        book.change(changes);
        Ok(book)
    }

    /// The same book, open at the scene `name`, with what was said on the command line over it.
    ///
    /// # Errors
    /// [`NoSuchScene`].
    pub fn opened_at(&self, name: &str) -> Result<Self, NoSuchScene> {
        let mut book = self.clone();
        book.go_to(name)?;
        book.change(&self.changes);
        Ok(book)
    }

    /// Whom the matte shows.
    pub fn people(&self) -> People {
        self.people
    }

    /// What is shown.
    pub fn words(&self) -> &SceneWords {
        &self.words
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Every scene with what is wrong with it, or what it may hide too little of (a warning), in a
    /// frame of `height_px`; those that are right are left out.
    pub fn check_all(&self, height_px: u32) -> Vec<(String, anyhow::Result<String>)> {
        let check = |words: &SceneWords| -> anyhow::Result<Option<String>> {
            Ok(check_privacy(&words.check()?, self.people, height_px)?)
        };
        let checked = self.scenes.iter().map(|(name, words)| (name.clone(), check(words)));
        checked.filter_map(|(name, checked)| Some((name, checked.transpose()?))).collect()
    }

    /// The files and folders that are shown in any of the scenes.
    pub fn files(&self) -> Vec<PathBuf> {
        let scenes = self.scenes.iter().map(|(_, words)| words);
        scenes.chain([&self.words]).flat_map(SceneWords::files).collect()
    }

    /// How many scenes there are.
    pub fn len(&self) -> usize {
        self.scenes.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.scenes.is_empty()
    }

    /// Shows the scene `name`, without what was changed before.
    ///
    /// # Errors
    /// [`NoSuchScene`].
    pub fn go_to(&mut self, name: &str) -> Result<(), NoSuchScene> {
        let found = self.scenes.iter().find(|(scene, _)| scene == name);
        let (name, words) = found.ok_or_else(|| NoSuchScene {
            wanted: name.to_owned(),
            names: self.scenes.iter().map(|(name, _)| name.clone()).collect(),
        })?;
        self.name = Some(name.clone());
        self.words = words.clone();
        self.changes = SceneWords::default();
        Ok(())
    }

    /// Shows the scene behind the one that is shown, after the last the first; `false` if there is
    /// no other.
    pub fn go_on(&mut self) -> bool {
        let names = self.scenes.iter().map(|(name, _)| Some(name.as_str()));
        let at = names.clone().position(|name| name == self.name.as_deref());
        let next = at.map_or(0, |at| (at + 1) % self.scenes.len());
        match self.scenes.get(next) {
            Some((name, words)) if Some(next) != at => {
                (self.name, self.words) = (Some(name.clone()), words.clone());
                self.changes = SceneWords::default();
                true
            }
            _ => false,
        }
    }

    /// Lays `words` over what is shown.
    pub fn change(&mut self, words: &SceneWords) {
        self.changes = words.over(&self.changes);
        self.words = words.over(&self.words);
    }

    /// Goes on showing what `other` shows, with its own scenes.
    pub fn show_as(&mut self, other: &Self) {
        self.name.clone_from(&other.name);
        self.changes = other.changes.clone();
        self.words = other.words.clone();
    }

    /// Takes over the scenes of another version of the configuration. What is shown follows if its
    /// own words changed there; what was said on the command line or on air goes on lying over it:
    /// who hides something is not shown because a file was saved.
    pub fn take_over(&mut self, scenes: Vec<(String, SceneWords)>) {
        let words_in = |scenes: &[(String, SceneWords)], name: &str| {
            scenes.iter().find(|(scene, _)| scene == name).map(|(_, words)| words.clone())
        };
        if let Some(name) = self.name.clone() {
            match (words_in(&self.scenes, &name), words_in(&scenes, &name)) {
                (old, Some(new)) if old.as_ref() != Some(&new) => {
                    self.words = self.changes.over(&new);
                }
                (_, Some(_)) => {}
                // It goes on without a name.
                (_, None) => self.name = None,
            }
        }
        self.scenes = scenes;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: People = People::All;

    fn words(background: &str) -> SceneWords {
        SceneWords { background: Some(background.to_owned()), ..SceneWords::default() }
    }

    fn scenes(backgrounds: &[(&str, &str)]) -> Vec<(String, SceneWords)> {
        backgrounds.iter().map(|(name, text)| ((*name).to_owned(), words(text))).collect()
    }

    #[test]
    fn scenes_are_found_and_follow_each_other() {
        let there = scenes(&[("a", "#111111"), ("b", "#222222"), ("c", "#333333")]);
        let mut book =
            SceneBook::new(there, Some("b".into()), &SceneWords::default(), ALL).unwrap();
        assert_eq!((book.name(), book.words()), (Some("b"), &words("#222222")));
        assert!(book.go_on() && book.name() == Some("c"));
        assert!(book.go_on() && book.name() == Some("a"));
        let error = book.go_to("d").unwrap_err().to_string();
        assert!(error.contains("there are a, b, c"), "{error}");
        assert_eq!(book.name(), Some("a"));
        let mut empty = SceneBook::new(vec![], None, &words("blur"), ALL).unwrap();
        assert!(!empty.go_on() && empty.words() == &words("blur"));
        let mut only = SceneBook::new(scenes(&[("a", "blur")]), None, &words("none"), ALL).unwrap();
        assert!(only.go_on() && !only.go_on());
    }

    #[test]
    fn the_command_line_lies_over_the_configuration() {
        let there = scenes(&[("a", "#111111")]);
        let book = SceneBook::new(there, Some("a".into()), &words("blur"), ALL).unwrap();
        assert_eq!((book.name(), book.words()), (Some("a"), &words("blur")));
    }

    #[test]
    fn what_is_shown_follows_its_own_words() {
        let there = scenes(&[("a", "#111111"), ("b", "#222222")]);
        let mut book =
            SceneBook::new(there, Some("a".into()), &SceneWords::default(), ALL).unwrap();
        book.change(&words("none"));
        book.take_over(scenes(&[("a", "#111111"), ("b", "#999999")]));
        assert_eq!(book.words(), &words("none"), "its own words are the same");
        book.take_over(scenes(&[("a", "#444444")]));
        assert_eq!(book.words(), &words("none"), "what was said on air lies over it");
        book.go_to("a").unwrap();
        assert_eq!(book.words(), &words("#444444"));
        book.take_over(scenes(&[("a", "#666666")]));
        assert_eq!(book.words(), &words("#666666"));
        book.take_over(scenes(&[("z", "#555555")]));
        assert_eq!((book.name(), book.words()), (None, &words("#666666")));
    }
}
