use serde::Serialize;

/// A fact that was read, or could not be read. An unknown fact is never guessed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Known<T> {
    /// What was read.
    Is(T),
    /// It could not be read: no such file, no permission, or contents without sense.
    #[default]
    Unknown,
}

impl<T> Known<T> {
    /// The value, if it is known.
    pub fn get(&self) -> Option<&T> {
        match self {
            Known::Is(value) => Some(value),
            Known::Unknown => None,
        }
    }

    /// Whether the value is known and passes `test`.
    pub fn is_and(&self, test: impl FnOnce(&T) -> bool) -> bool {
        self.get().is_some_and(test)
    }
}

impl Known<bool> {
    /// Whether this is known to be true.
    pub fn is_true(&self) -> bool {
        self.is_and(|value| *value)
    }

    /// Whether this is known to be false.
    pub fn is_false(&self) -> bool {
        self.is_and(|value| !*value)
    }
}

impl<T> From<Option<T>> for Known<T> {
    fn from(value: Option<T>) -> Self {
        value.map_or(Known::Unknown, Known::Is)
    }
}
