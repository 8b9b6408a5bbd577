use std::fmt::Write as _;

use crate::address::{SCHEMES, cut_address};

/// Text of foreign origin (a device's name, a file's, a program's message) as it may go to a terminal or
/// a log, on one line: every character that [is not printable](is_printable) is written as an escape
/// (`\n`, `\u{1b}`), since whoever chose the text can choose a sequence that a terminal obeys. Addresses in
/// it are told [without secrets](without_secrets).
#[must_use]
pub fn printable(text: &str) -> String {
    let text = &without_secrets(text);
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

/// The text with each address (`scheme://...`) in it cut to what may be told: without user and password,
/// and without the query, which may hold a key. An address ends at white space, `"` or `\`.
#[must_use]
pub fn without_secrets(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(":/") {
        let (before, address) = rest.split_at(at + 1);
        out.push_str(before);
        let scheme = before[..at].rsplit(|c: char| !c.is_ascii_alphanumeric()).next();
        let scheme = scheme.unwrap_or_default().to_ascii_lowercase();
        // As a path, an address loses a slash.
        let is_address = address.starts_with("//") && scheme != "file" && !scheme.is_empty()
            || SCHEMES.contains(&scheme.as_str());
        let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\\');
        let end = if is_address { address.find(ends).unwrap_or(address.len()) } else { 1 };
        match is_address {
            true => out.push_str(&cut_address(&address[..end])),
            false => out.push_str(&address[..end]),
        }
        rest = &address[end..];
    }
    out + rest
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
    fn addresses_are_told_without_secrets() {
        for (text, told) in [
            ("at http://me:pw@h:80/a?b=c, say", "at http://h:80/a?... say"),
            ("\"rtsp://me:p/w@h/x\": no", "\"rtsp://h/x\": no"),
            ("rtsp://me:p/w?x@h/y?key=1 (gone)", "rtsp://h/y?... (gone)"),
            ("/home/me/http:/me:pw@h/x.png", "/home/me/http:/h/x.png"),
            ("slideshow=3,https://me:p@s/s@h", "slideshow=3,https://h"),
            ("HTTP://h/?key=pw and srt://me:pw@h", "HTTP://h/?... and srt://h"),
            ("{\"a\":\"http://h/?a\\\"b\"}", "{\"a\":\"http://h/?...\\\"b\"}"),
            ("tls://[::1]:80/x@y", "tls://y"),
        ] {
            assert_eq!(without_secrets(text), told);
            assert_eq!(printable(&printable(text)), printable(text));
        }
        for harmless in [
            "http://[::1]",
            "is it http://h:9000?",
            "http://cam/x@y",
            "C:/a@b?c",
            "a:/b@c?d",
            "file:///me:x@y?z",
            "/dev/v4l/by-path/pci-0000:00:14.0-usb-0:1:1.0",
            "://",
            "",
        ] {
            assert_eq!(without_secrets(harmless), harmless);
        }
    }

    #[test]
    fn what_was_made_printable_stays_as_it_is() {
        let once = printable("\x1b]0;title\x07\n");
        assert_eq!(printable(&once), once);
    }
}
