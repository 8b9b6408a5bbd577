use std::fmt;

use serde::Serialize;

/// A command line: the program and its arguments, without a shell.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Command(pub Vec<String>);

impl Command {
    /// A command of words without spaces, split at spaces.
    pub fn words(line: &str) -> Self {
        Command(line.split_whitespace().map(str::to_owned).collect())
    }

    /// The same command with further arguments.
    #[must_use]
    pub fn with<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.0.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// The line that a person types to run this as root.
    pub fn as_root(&self) -> String {
        format!("sudo {self}")
    }
}

/// As a line for a POSIX shell.
impl fmt::Display for Command {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, word) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,+%@".contains(c);
            if !word.is_empty() && word.chars().all(plain) {
                f.write_str(word)?;
            } else {
                write!(f, "'{}'", word.replace('\'', "'\\''"))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_with_spaces_and_quotes_are_quoted_for_the_shell() {
        let command = Command::words("echo --x=1").with(["a b", "it's", ""]);
        assert_eq!(command.to_string(), r"echo --x=1 'a b' 'it'\''s' ''");
        assert_eq!(command.as_root(), format!("sudo {command}"));
    }
}
