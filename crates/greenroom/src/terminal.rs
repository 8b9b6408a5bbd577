//! What commands print. Names of devices, files and programs, and what a daemon replies, are of foreign
//! origin: they are made [printable] here.

use std::fmt;
use std::io::{self, IsTerminal, Write};

use anyhow::Context;
use greenroom_device::{is_printable, printable, without_secrets};

/// Text for people, line by line; what is put into a line never leaves it.
#[derive(Debug, Default)]
pub struct Lines(String);

impl Lines {
    /// Adds a line.
    pub fn push(&mut self, line: impl fmt::Display) {
        self.0.push_str(&printable(&line.to_string()));
        self.0.push('\n');
    }

    /// Adds lines whose line feeds are meant.
    pub fn push_all(&mut self, lines: &str) {
        lines.lines().for_each(|line| self.push(line));
    }

    /// The text, each line with its line feed.
    pub fn text(&self) -> &str {
        &self.0
    }

    /// Prints them on standard output.
    ///
    /// # Errors
    /// The system's.
    pub fn print(&self) -> anyhow::Result<()> {
        print(&self.0)
    }
}

/// Prints one line.
///
/// # Errors
/// The system's.
pub fn say(line: impl fmt::Display) -> anyhow::Result<()> {
    let mut lines = Lines::default();
    lines.push(line);
    lines.print()
}

/// Prints text of our own on standard output.
///
/// # Errors
/// The system's.
pub fn print(text: &str) -> anyhow::Result<()> {
    io::stdout().write_all(text.as_bytes()).context("standard output")
}

/// What the user answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Consent {
    /// Yes.
    Yes,
    /// Anything else.
    No,
    /// There is no terminal to ask on.
    NobodyThere,
}

/// Asks on the terminal whether what was shown before is to be done.
///
/// # Errors
/// The system's.
pub fn consent() -> anyhow::Result<Consent> {
    if !io::stdin().is_terminal() || !io::stdout().is_terminal() {
        return Ok(Consent::NobodyThere);
    }
    print("\nDo this? [y/N] ")?;
    io::stdout().flush().context("standard output")?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).context("standard input")?;
    Ok(match answer.trim().to_ascii_lowercase().as_str() {
        "y" | "yes" => Consent::Yes,
        _ => Consent::No,
    })
}

/// JSON that says the same and can be shown: what its strings hold that is not printable is escaped, and
/// addresses are without secrets.
#[must_use]
pub fn printable_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in without_secrets(json).chars() {
        match c {
            // Outside of strings; inside of them it is escaped already.
            '\n' => out.push(c),
            c if is_printable(c) => out.push(c),
            c => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_stays_one_line() {
        let mut lines = Lines::default();
        lines.push(format_args!("{:<12}|", "cam\nroot# \x1b[2J"));
        lines.push_all("one\ntwo\u{202e}\n");
        assert_eq!(lines.text(), "cam\\nroot# \\u{1b}[2J|\none\ntwo\\u{202e}\n");
    }

    #[test]
    fn json_stays_json() {
        let value = serde_json::json!({ "card": "a\x1b\n\u{7f}\u{9b}31m\u{202e}\u{e0041}é" });
        for json in [value.to_string(), format!("{value:#}")] {
            let shown = printable_json(&json);
            assert!(shown.chars().all(|c| c == '\n' || is_printable(c)), "{shown:?}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), value);
        }
    }
}
