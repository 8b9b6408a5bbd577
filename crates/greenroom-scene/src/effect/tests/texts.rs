use super::super::KINDS;
use super::{every, spec};
use crate::{EffectSpec, effects_help};

#[test]
fn texts_are_read_as_they_are_written() {
    for text in [
        "glow=#ff0000,12.5",
        "glow=#7fd4ff,12.5",
        "shadow=60,5,-4",
        "person:greyscale",
        "background:colourmap=ice",
        "rotate=270",
        "anonymise=silhouette",
        "anonymise=blocks,12",
        "brightness=-33.25",
        "hologram",
    ] {
        assert_eq!(spec(text).to_string(), text);
    }
    for text in every() {
        assert_eq!(spec(&spec(&text).to_string()), spec(&text));
    }
    for (long, short) in [
        ("all:grayscale", "greyscale"),
        ("colormap=viridis", "colourmap"),
        (" glow = #7FD4FF , 4 ", "glow"),
        ("person:hologram", "hologram"),
    ] {
        assert_eq!(spec(long).to_string(), short);
    }
    assert_ne!(spec("glow"), spec("glow=#7fd4ff,5"));
    assert_ne!(spec("all:hologram"), spec("hologram"));
}

#[test]
fn wrong_texts_are_told_what_is_right() {
    for (text, hint) in [
        ("sepai", "\"sepia\""),
        ("", "hologram"),
        ("xyzzy", "hologram"),
        ("sepia=1", "no value"),
        ("gamma=1,2", "one value"),
        ("glow=#fff", "#rrggbb"),
        ("glow=", "#rrggbb"),
        ("glow=#ffffff,1,2", "at most 2"),
        ("brightness=101", "-100 to 100"),
        ("brightness=nan", "-100 to 100"),
        ("posterise=2.5", "2 to 16"),
        ("anonymise=blocks,13", "2 to 12"),
        ("colourmap=vridis", "\"viridis\""),
        ("rotate=45", "90, 180 or 270"),
        ("background:glow", "person"),
        ("room:sepia", "all, person or background"),
        (":sepia", "all, person or background"),
    ] {
        let sentence = text.parse::<EffectSpec>().unwrap_err().to_string();
        assert!(sentence.contains(hint) && !sentence.contains('\n'), "{text}: {sentence}");
    }
    let chain = vec![spec("sepia"); EffectSpec::LONGEST_CHAIN + 1];
    assert!(EffectSpec::check_chain(&chain[1..]).is_ok());
    assert!(EffectSpec::check_chain(&chain).unwrap_err().to_string().contains("17"));
}

#[test]
fn the_help_names_everything_once() {
    let help = effects_help();
    for kind in &KINDS {
        let usage = |line: &&str| {
            line.strip_prefix("  ")
                .is_some_and(|line| line.split(['[', ' ']).next() == Some(kind.names[0]))
        };
        assert_eq!(help.lines().filter(usage).count(), 1, "{}", kind.names[0]);
        assert!(help.contains(kind.help));
        for name in kind.names {
            let count = KINDS.iter().filter(|other| other.names.contains(name)).count();
            assert_eq!(count, 1, "{name}");
        }
    }
    assert!(help.lines().all(|line| line.len() <= 100), "{help}");
}
