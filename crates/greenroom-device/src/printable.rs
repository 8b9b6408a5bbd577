use std::fmt::Write as _;

/// Text of foreign origin (a device's name, a file's, a program's message) as it may go to a terminal or
/// a log, on one line: every character that [is not printable](is_printable) is written as an escape
/// (`\n`, `\u{1b}`), since whoever chose the text can choose a sequence that a terminal obeys.
#[must_use]
pub fn printable(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_printable(c) => out.push(c),
            c => {
                // A string takes whatever is written to it.
                let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
            }
        }
    }
    out
}

/// Whether a terminal shows `c` as it is. Control characters it obeys; a bidirectional override shows
/// text in another order than it has; a line or paragraph separator begins a line.
#[must_use]
pub fn is_printable(c: char) -> bool {
    !c.is_control()
        && !matches!(
            c,
            '\u{61c}'
                | '\u{200e}'
                | '\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2066}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0001}'..='\u{e007f}'
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escape_sequences_do_not_pass() {
        assert_eq!(printable("\x1b[31mroot\x07"), "\\u{1b}[31mroot\\u{7}");
        assert_eq!(printable("\u{9b}31m\x7f"), "\\u{9b}31m\\u{7f}");
        assert_eq!(printable("a\nb\r\tc"), "a\\nb\\r\\tc");
        assert_eq!(printable("gpj.\u{202e}exe\u{2028}"), "gpj.\\u{202e}exe\\u{2028}");
        assert_eq!(printable("Kamera é 摄像头 👩‍💻"), "Kamera é 摄像头 👩‍💻");
    }

    #[test]
    fn what_was_made_printable_stays_as_it_is() {
        let once = printable("\x1b]0;title\x07\n");
        assert_eq!(printable(&once), once);
    }
}
