/// A foreign name or message as it may go to terminals, logs and JSON: trimmed, and each control
/// character replaced, since whoever chose it can choose an escape sequence.
pub(crate) fn printable(text: &str) -> String {
    text.trim().chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_pass() {
        assert_eq!(printable(" ffmpeg \n"), "ffmpeg");
        assert_eq!(printable("\x1b[31mroot\x07"), "\u{fffd}[31mroot\u{fffd}");
        assert_eq!(printable("\u{9b}31m"), "\u{fffd}31m");
        assert_eq!(printable("kamera é"), "kamera é");
    }
}
