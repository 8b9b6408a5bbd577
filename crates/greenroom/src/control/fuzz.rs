//! Hostile clients of the control socket, as targets for a fuzzer.

use std::time::Instant;

use super::lines::{Lines, TooLong};
use crate::protocol::{EXAMPLE, EventLine, MAX_REQUEST_BYTES, Reply, Request};

/// One line, as it came.
///
/// It is a request that is written as it was read, or refused in one short sentence.
pub(crate) fn request(line: &[u8]) {
    match Request::parse(line) {
        Ok(request) => {
            let again = serde_json::to_vec(&request).expect("a request has string keys only");
            assert_eq!(Request::parse(&again), Ok(request));
        }
        Err(bad) => {
            let sentence = bad.to_string();
            assert!(sentence.contains(EXAMPLE), "{sentence}");
            assert!(sentence.chars().count() < 400 && !sentence.chars().any(char::is_control));
        }
    }
    // The other way, what answers at the socket need not be greenroom.
    if let Ok(reply) = serde_json::from_slice::<Reply>(line) {
        serde_json::to_vec(&reply).expect("a reply has string keys only");
    }
    if let Ok(event) = serde_json::from_slice::<EventLine>(line) {
        serde_json::to_vec(&event).expect("an event has string keys only");
    }
}

/// What a client sends, in pieces. Three bytes each: how many bytes (its square), which, and
/// whether they come in one piece with those before.
///
/// However it is cut, the lines are those between the line feeds; a longer one than may be is told
/// once, and nothing longer is ever kept.
pub(crate) fn stream(data: &[u8]) {
    let mut sent = Vec::new();
    let mut pieces = vec![0];
    for &[count, byte, cut] in data.as_chunks::<3>().0.iter().take(12) {
        sent.resize(sent.len() + usize::from(count).pow(2), byte);
        if cut & 1 != 0 {
            pieces.push(sent.len());
        }
    }
    pieces.push(sent.len());
    let mut found = Vec::new();
    let mut each = |line: Result<&[u8], TooLong>| found.push(line.ok().map(<[u8]>::to_vec));
    let mut lines = Lines::default();
    for piece in pieces.windows(2) {
        lines.take(&sent[piece[0]..piece[1]], Instant::now(), &mut each);
        assert!(lines.kept_bytes() <= MAX_REQUEST_BYTES, "{} bytes", lines.kept_bytes());
    }
    lines.end(&mut each);
    assert_eq!(lines.kept_bytes(), 0, "a client that has gone leaves nothing");
    let mut expected: Vec<_> = sent.split(|&byte| byte == b'\n').collect();
    if expected.last().is_some_and(|rest| rest.is_empty()) {
        expected.pop();
    }
    let expected = expected.into_iter().map(|line| {
        let fits = line.len() <= MAX_REQUEST_BYTES;
        fits.then(|| line.to_vec())
    });
    assert!(found.into_iter().eq(expected), "other lines than were sent");
}
