use std::time::{Duration, Instant};

use crate::protocol::MAX_REQUEST_BYTES;

/// Puts what comes in pieces together to lines, of at most [`MAX_REQUEST_BYTES`].
#[derive(Debug, Default)]
pub(super) struct Lines {
    /// The beginning of a line whose end has not come.
    begun: Vec<u8>,
    /// The line that has begun is too long already: it is told so, and its rest is passed over.
    overlong: bool,
    since: Option<Instant>,
}

/// A line was too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong;

impl Lines {
    /// Takes what came, at `now`; calls `each` for every line that it completes, and for one that
    /// becomes too long.
    pub(super) fn take(
        &mut self,
        mut came: &[u8],
        now: Instant,
        mut each: impl FnMut(Result<&[u8], TooLong>),
    ) {
        while let Some(end) = came.iter().position(|&byte| byte == b'\n') {
            self.append(&came[..end], &mut each);
            self.finish(&mut each);
            came = &came[end + 1..];
        }
        if !came.is_empty() {
            self.since.get_or_insert(now);
            self.append(came, &mut each);
        }
    }

    /// Nothing more will come: what has begun counts as a line.
    pub(super) fn end(&mut self, mut each: impl FnMut(Result<&[u8], TooLong>)) {
        if self.since.is_some() {
            self.finish(&mut each);
        }
    }

    /// When the rest of a line that has begun must be here.
    pub(super) fn deadline(&self, patience: Duration) -> Option<Instant> {
        self.since.map(|since| since + patience)
    }

    /// Bytes that wait for the rest of their line.
    #[cfg(any(test, feature = "fuzzing"))]
    pub(super) fn kept_bytes(&self) -> usize {
        self.begun.len()
    }

    fn append(&mut self, piece: &[u8], each: &mut impl FnMut(Result<&[u8], TooLong>)) {
        if self.overlong {
            return;
        }
        if self.begun.len() + piece.len() > MAX_REQUEST_BYTES {
            self.overlong = true;
            self.begun = Vec::new();
            each(Err(TooLong));
        } else {
            self.begun.extend_from_slice(piece);
        }
    }

    fn finish(&mut self, each: &mut impl FnMut(Result<&[u8], TooLong>)) {
        if !std::mem::take(&mut self.overlong) {
            each(Ok(&self.begun));
        }
        // Silent clients hold no memory.
        self.begun = Vec::new();
        self.since = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What comes of `input` in pieces of `step` bytes; too long ones as `None`.
    fn lines(input: &[u8], step: usize) -> Vec<Option<Vec<u8>>> {
        let mut lines = Lines::default();
        let mut out = Vec::new();
        let mut each = |line: Result<&[u8], TooLong>| out.push(line.ok().map(<[u8]>::to_vec));
        for piece in input.chunks(step) {
            lines.take(piece, Instant::now(), &mut each);
        }
        lines.end(&mut each);
        out
    }

    #[test]
    fn lines_come_out_whole_however_they_come_in() {
        for step in 1..10 {
            let found = lines(b"one\n\ntwo\nthree", step);
            let expected = ["one", "", "two", "three"].map(|line| Some(line.as_bytes().to_vec()));
            assert_eq!(found, expected, "{step}");
        }
        assert!(lines(b"", 1).is_empty());
        assert_eq!(lines(b"\n", 1), [Some(vec![])]);
    }

    #[test]
    fn a_long_line_is_told_once_and_the_next_is_read() {
        let whole = vec![b'x'; MAX_REQUEST_BYTES];
        let input = [&whole[..], b"\n", &whole[..], b"xxx\nnext\n", &whole[..], b"x"].concat();
        for step in [1000, MAX_REQUEST_BYTES, usize::MAX] {
            let next = Some(b"next".to_vec());
            let expected = vec![Some(whole.clone()), None, next, None];
            assert_eq!(lines(&input, step), expected, "{step}");
        }
    }

    #[test]
    fn only_half_a_line_has_a_deadline() {
        let (now, second) = (Instant::now(), Duration::from_secs(1));
        let mut lines = Lines::default();
        assert_eq!(lines.deadline(second), None);
        lines.take(b"half", now, |_| panic!("no line yet"));
        lines.take(b" a line", now + second, |_| panic!("no line yet"));
        assert_eq!(lines.deadline(second), Some(now + second), "counts from its first byte");
        lines.take(b"\n", now + second, |line| assert_eq!(line, Ok(&b"half a line"[..])));
        assert_eq!(lines.deadline(second), None);
        lines.take(b"x\nnext", now + 2 * second, |_| {});
        assert_eq!(lines.deadline(second), Some(now + 3 * second));
    }
}
