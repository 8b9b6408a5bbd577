//! What the configuration and the descriptions of models have in common: TOML files that users write.

use std::io::{self, Read};
use std::path::Path;

use toml::Table;

/// A file that is larger is none of ours.
const MAX_BYTES: u64 = 1 << 20;

/// The text of the file at `path`.
///
/// # Errors
/// The system's, for a file that is none, and for one that is too large.
pub(crate) fn read(path: &Path) -> io::Result<String> {
    // Looked at before it is opened: a pipe would be waited for.
    if !std::fs::metadata(path)?.is_file() {
        return Err(io::Error::other("it is no file"));
    }
    let mut text = String::new();
    std::fs::File::open(path)?.take(MAX_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > MAX_BYTES {
        return Err(io::Error::other("it is larger than 1 MiB"));
    }
    Ok(text)
}

/// What `text` says.
///
/// # Errors
/// What the parser says, with the line.
pub(crate) fn table(text: &str) -> Result<Table, String> {
    text.parse().map_err(|error: toml::de::Error| {
        let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
        let line = line.map(|line| format!("line {line}: ")).unwrap_or_default();
        format!("{line}{}", one_line(error.message()))
    })
}

/// The first key of `table` that is none of `known`, and what to write in its place.
pub(crate) fn unknown_key(table: &Table, known: &[&str]) -> Option<(String, String)> {
    let key = table.keys().find(|key| !known.contains(&key.as_str()))?;
    // A command line's word, and TOML's usual way to write it.
    let near = |name: &&&str| strsim::damerau_levenshtein(&key.replace('-', "_"), name);
    let nearest = known.iter().min_by_key(near).filter(|name| near(name) <= 1 + name.len() / 3);
    let hint = match nearest {
        Some(name) => format!("did you mean \"{name}\"?"),
        None => format!("there are {}", known.join(", ")),
    };
    Some((one_line(key), hint))
}

/// Longest piece of a foreign text in a sentence.
const MAX_QUOTED_CHARS: usize = 200;

/// `text` as it may stand in a sentence: on one line, without control characters, and cut if it is
/// long.
pub(crate) fn one_line(text: &str) -> String {
    let words = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut shown: String = words.chars().take(MAX_QUOTED_CHARS).collect();
    if shown.len() < words.len() {
        shown.push('…');
    }
    shown.replace(char::is_control, "\u{fffd}")
}
