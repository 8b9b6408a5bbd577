use std::path::PathBuf;

use greenroom_matte::People;

use super::SceneOptions;
use super::privacy::check_privacy;

/// The scenes there are, by name, in the order of the configuration; and which is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SceneLibrary {
    scenes: Vec<(String, SceneOptions)>,
    /// The one that is shown, if it has a name.
    name: Option<String>,
    /// What was said on the command line, or on air since the scene was gone to: it lies over the
    /// scene, whatever becomes of that.
    changes: SceneOptions,
    /// What is shown: the changes over the scene.
    options: SceneOptions,
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

impl SceneLibrary {
    /// The library of `scenes`; `name` is shown first, with `changes` (of the command line) over it. The
    /// matte shows `people`.
    ///
    /// # Errors
    /// [`NoSuchScene`].
    pub fn new(
        scenes: Vec<(String, SceneOptions)>,
        name: Option<String>,
        changes: &SceneOptions,
        people: People,
    ) -> Result<Self, NoSuchScene> {
        let mut library = Self { scenes, people, ..Self::default() };
        if let Some(name) = name {
            library.go_to(&name)?;
        }
        library.change(changes);
        Ok(library)
    }

    /// The same library, open at the scene `name`, with what was said on the command line over it.
    ///
    /// # Errors
    /// [`NoSuchScene`].
    pub fn opened_at(&self, name: &str) -> Result<Self, NoSuchScene> {
        let mut library = self.clone();
        library.go_to(name)?;
        library.change(&self.changes);
        Ok(library)
    }

    /// Whom the matte shows.
    pub fn people(&self) -> People {
        self.people
    }

    /// What is shown.
    pub fn options(&self) -> &SceneOptions {
        &self.options
    }

    /// Its name, if it has one.
    pub fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    /// Every scene with what is wrong with it, or what it may hide too little of (a warning), in a
    /// frame of `height_px`; those that are right are left out.
    pub fn check_all(&self, height_px: u32) -> Vec<(String, anyhow::Result<String>)> {
        let check = |options: &SceneOptions| -> anyhow::Result<Option<String>> {
            Ok(check_privacy(&options.check()?, self.people, height_px)?)
        };
        let checked = self.scenes.iter().map(|(name, options)| (name.clone(), check(options)));
        checked.filter_map(|(name, checked)| Some((name, checked.transpose()?))).collect()
    }

    /// The files and folders that are shown in any of the scenes.
    pub fn files(&self) -> Vec<PathBuf> {
        let scenes = self.scenes.iter().map(|(_, options)| options);
        scenes.chain([&self.options]).flat_map(SceneOptions::files).collect()
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
        let (name, options) = found.ok_or_else(|| NoSuchScene {
            wanted: name.to_owned(),
            names: self.scenes.iter().map(|(name, _)| name.clone()).collect(),
        })?;
        self.name = Some(name.clone());
        self.options = options.clone();
        self.changes = SceneOptions::default();
        Ok(())
    }

    /// Shows the scene behind the one that is shown, after the last the first; `false` if there is
    /// no other.
    pub fn go_on(&mut self) -> bool {
        let names = self.scenes.iter().map(|(name, _)| Some(name.as_str()));
        let at = names.clone().position(|name| name == self.name.as_deref());
        let next = at.map_or(0, |at| (at + 1) % self.scenes.len());
        match self.scenes.get(next) {
            Some((name, options)) if Some(next) != at => {
                (self.name, self.options) = (Some(name.clone()), options.clone());
                self.changes = SceneOptions::default();
                true
            }
            _ => false,
        }
    }

    /// Lays `options` over what is shown.
    pub fn change(&mut self, options: &SceneOptions) {
        self.changes = options.over(&self.changes);
        self.options = options.over(&self.options);
    }

    /// Goes on showing what `other` shows, with its own scenes.
    pub fn show_as(&mut self, other: &Self) {
        self.name.clone_from(&other.name);
        self.changes = other.changes.clone();
        self.options = other.options.clone();
    }

    /// Takes over the scenes of another version of the configuration. What is shown follows if its
    /// own options changed there; what was said on the command line or on air goes on lying over it:
    /// who hides something is not shown because a file was saved.
    pub fn take_over(&mut self, scenes: Vec<(String, SceneOptions)>) {
        let options_in = |scenes: &[(String, SceneOptions)], name: &str| {
            scenes.iter().find(|(scene, _)| scene == name).map(|(_, options)| options.clone())
        };
        if let Some(name) = self.name.clone() {
            match (options_in(&self.scenes, &name), options_in(&scenes, &name)) {
                (old, Some(new)) if old.as_ref() != Some(&new) => {
                    self.options = self.changes.over(&new);
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

    fn options(background: &str) -> SceneOptions {
        SceneOptions { background: Some(background.to_owned()), ..SceneOptions::default() }
    }

    fn scenes(backgrounds: &[(&str, &str)]) -> Vec<(String, SceneOptions)> {
        backgrounds.iter().map(|(name, text)| ((*name).to_owned(), options(text))).collect()
    }

    #[test]
    fn scenes_are_found_and_follow_each_other() {
        let there = scenes(&[("a", "#111111"), ("b", "#222222"), ("c", "#333333")]);
        let mut library =
            SceneLibrary::new(there, Some("b".into()), &SceneOptions::default(), ALL).unwrap();
        assert_eq!((library.name(), library.options()), (Some("b"), &options("#222222")));
        assert!(library.go_on() && library.name() == Some("c"));
        assert!(library.go_on() && library.name() == Some("a"));
        let error = library.go_to("d").unwrap_err().to_string();
        assert!(error.contains("there are a, b, c"), "{error}");
        assert_eq!(library.name(), Some("a"));
        let mut empty = SceneLibrary::new(vec![], None, &options("blur"), ALL).unwrap();
        assert!(!empty.go_on() && empty.options() == &options("blur"));
        let mut only =
            SceneLibrary::new(scenes(&[("a", "blur")]), None, &options("none"), ALL).unwrap();
        assert!(only.go_on() && !only.go_on());
    }

    #[test]
    fn the_command_line_lies_over_the_configuration() {
        let there = scenes(&[("a", "#111111")]);
        let library = SceneLibrary::new(there, Some("a".into()), &options("blur"), ALL).unwrap();
        assert_eq!((library.name(), library.options()), (Some("a"), &options("blur")));
    }

    #[test]
    fn what_is_shown_follows_its_own_options() {
        let there = scenes(&[("a", "#111111"), ("b", "#222222")]);
        let mut library =
            SceneLibrary::new(there, Some("a".into()), &SceneOptions::default(), ALL).unwrap();
        library.change(&options("none"));
        library.take_over(scenes(&[("a", "#111111"), ("b", "#999999")]));
        assert_eq!(library.options(), &options("none"), "its own options are the same");
        library.take_over(scenes(&[("a", "#444444")]));
        assert_eq!(library.options(), &options("none"), "what was said on air lies over it");
        library.go_to("a").unwrap();
        assert_eq!(library.options(), &options("#444444"));
        library.take_over(scenes(&[("a", "#666666")]));
        assert_eq!(library.options(), &options("#666666"));
        library.take_over(scenes(&[("z", "#555555")]));
        assert_eq!((library.name(), library.options()), (None, &options("#666666")));
    }
}
