//! Messages that no well-behaved client sends. None of them may write a file.

use serde_json::{Value, json};

use crate::random::Random;

/// Longest request that is read, in bytes.
const MAX_BYTES: usize = 64 << 10;

const USUAL: [&str; 12] = [
    "{\"hello\":{\"protocol\":1}}",
    "{\"status\":{}}",
    "{\"subscribe\":{\"numbers_ms\":100}}",
    "{\"set\":{\"background\":\"#1e3cc8\",\"output\":\"-\"}}",
    "{\"set\":{\"effects\":[\"greyscale\"]}}",
    "{\"scene\":{\"name\":\"first\"}}",
    "{\"next\":{\"output\":\"-\"}}",
    "{\"resume\":{}}",
    "{\"toggle\":{}}",
    "{\"idle_after\":{\"ms\":3000}}",
    "{\"stop_recording\":{}}",
    "{\"pause\":{}}",
];

const WRONG_TYPES: [&str; 16] = [
    "{\"pause\":[]}",
    "{\"pause\":null}",
    "\"pause\"",
    "[{\"pause\":{}}]",
    "{\"set\":7}",
    "{\"set\":{}}",
    "{\"set\":{\"effects\":\"greyscale\"}}",
    "{\"set\":{\"background\":[\"blur\"]}}",
    "{\"set\":{\"output\":{},\"background\":\"blur\"}}",
    "{\"idle_after\":{\"ms\":-1}}",
    "{\"idle_after\":{\"ms\":1e300}}",
    "{\"idle_after\":{\"ms\":99999999999999999999999}}",
    "{\"subscribe\":{\"numbers_ms\":\"often\"}}",
    "{\"record\":{\"file\":{\"a\":1},\"opens_camera\":\"yes\"}}",
    "{\"hello\":{\"protocol\":1.5}}",
    "{\"status\":{},\"pause\":{}}",
];

const UNKNOWN: [&str; 6] = [
    "{\"dance\":{}}",
    "{\"\":{}}",
    "{\"Pause\":{}}",
    "{\"fault\":{\"name\":\"leak\"}}",
    "{\"quit\":{}}",
    "{\"\\u0000\\u202e\":{}}",
];

/// A line for the socket, or the argument of `Request` on the bus: without a line feed.
pub fn line(random: &mut Random) -> Vec<u8> {
    match random.below(16) {
        0..=2 => mutated(random),
        3 => {
            let count = random.below(300);
            let mut bytes = random.bytes(count);
            bytes.retain(|&byte| byte != b'\n');
            bytes
        }
        4 => nested(random),
        5 => too_long(random),
        6..=8 => random.of(&WRONG_TYPES).into(),
        9 | 10 => random.of(&UNKNOWN).into(),
        11..=14 => with_hostile_values(random).to_string().into_bytes(),
        // Right by itself, and of no use here: stop_recording without a recording, hello at the end, one more subscription.
        _ => random.of(&USUAL).into(),
    }
}

/// A request with some bytes changed, left out or doubled.
fn mutated(random: &mut Random) -> Vec<u8> {
    let mut bytes = random.of(&USUAL).as_bytes().to_vec();
    for _ in 0..1 + random.below(4) {
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes[at] = random.number() as u8,
            1 => drop(bytes.remove(at)),
            2 => bytes.insert(at, random.of(b"{}[]\",:\\0\0\xff")),
            _ => bytes.truncate(at),
        }
        if bytes.is_empty() {
            return bytes;
        }
    }
    bytes.retain(|&byte| byte != b'\n');
    bytes
}

fn nested(random: &mut Random) -> Vec<u8> {
    let open = random.of(&["[", "{\"a\":", "{\"set\":", "[{\"pause\":"]);
    let depth = random.of(&[10, 127, 129, 1000, 8000]);
    let mut text = if random.below(2) == 0 { "{\"set\":{\"background\":" } else { "" }.to_owned();
    text.push_str(&open.repeat(depth));
    text.into_bytes()
}

fn too_long(random: &mut Random) -> Vec<u8> {
    let bytes = random.of(&[MAX_BYTES, MAX_BYTES + 1, 100_000, 200_000]);
    let mut text = random.of(&["", "{\"status\":{}}", "{\"set\":{\"background\":\""]).to_owned();
    text.push_str(&random.of(&["x", " ", "[", "\u{e4}"]).repeat(bytes / 2 + 1));
    text.into_bytes()
}

/// A text that is no good name of a file, scene, output or anything else.
pub fn value(random: &mut Random) -> String {
    let text = random.of(&[
        "/dev/zero",
        "/dev/urandom",
        "/dev/stdin",
        "/dev/tty",
        "/proc/self/mem",
        "/proc/kcore",
        "/proc/self/fd/0",
        "/proc/self/environ",
        "/",
        "/no folder/\nroot# \r.png",
        "/no folder/\u{1b}[2J\u{202e}.mkv",
        "/no folder/a\0b.webp",
        "/../../../../../../etc/shadow",
        "relative.png",
        "~/.png",
        "-i",
        "",
        " ",
        "#12345",
        "#gggggg",
        "blur=99999999999999999999",
        "blur=NaN",
        "zoom=inf,-inf,1e999",
        "slideshow=0,/dev",
        "slideshow=1e-300,/",
        "wrap=1e999%,match=-1",
        "vignette=\u{663}",
        "person:background:all:",
        "file:///dev/zero",
        "concat:/dev/zero|/dev/zero",
        "%n%n%s%s",
        "$(touch /tmp/greenroom-was-here)",
        "\u{feff}\u{fffd}\u{10ffff}",
    ]);
    match random.below(12) {
        0 => format!("/no folder/{}.png", "n".repeat(60 << 10)),
        1 => format!("/{}", "../".repeat(10_000)),
        2 => "\0".repeat(5000),
        _ => text.to_owned(),
    }
}

/// A request with everything in its place, and a value that makes no sense.
fn with_hostile_values(random: &mut Random) -> Value {
    let text = value(random);
    match random.below(13) {
        0 | 1 => json!({ "set": { "background": text } }),
        2 => json!({ "set": { "foreground": text } }),
        3 => json!({ "set": { "effects": vec![text; 1 + random.below(4)] } }),
        4 => json!({ "set": { "framing": text, "look": text, "fit": text } }),
        5 => json!({ "set": { "background": "blur", "output": text } }),
        6 => json!({ "scene": { "name": text, "output": "-" } }),
        7 => json!({ "next": { "output": text } }),
        8 => json!({ "snapshot": { "file": text } }),
        9 => json!({ "record": { "file": text, "opens_camera": true } }),
        10 => json!({ "idle_after": { "ms": random.number() } }),
        11 => json!({ "subscribe": { "numbers_ms": random.of(&[0, 1, 99, u64::MAX]) } }),
        _ => json!({ "hello": { "protocol": random.of(&[0, 2, u32::MAX]) } }),
    }
}
