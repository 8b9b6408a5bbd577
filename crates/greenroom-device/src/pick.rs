//! Which of several devices is meant, and what to say when none is.

use crate::{DeviceError, LoopbackInfo, LoopbackState};

/// The place of the one card that `wanted` means: equal but for case, else containing it. `kind` is what they are, and
/// `instead` what to write if the name fits several.
///
/// # Errors
/// [`DeviceError::NotFound`] if it fits none, [`DeviceError::Unsupported`] if it fits several.
pub fn pick_card(
    wanted: &str,
    cards: &[&str],
    kind: &str,
    instead: &str,
) -> Result<usize, DeviceError> {
    let wanted_lower = wanted.to_lowercase();
    let find = |fits: &dyn Fn(&str) -> bool| -> Vec<usize> {
        (0..cards.len()).filter(|index| fits(&cards[*index].to_lowercase())).collect()
    };
    let mut found = find(&|card| card == wanted_lower);
    if found.is_empty() && !wanted.is_empty() {
        found = find(&|card| card.contains(&wanted_lower));
    }
    match found[..] {
        [index] => Ok(index),
        [] => Err(DeviceError::NotFound {
            what: format!("a {kind} called \"{wanted}\""),
            remedy: match cards {
                [] => "there is none at all".to_owned(),
                _ => format!("choose one of: {}", cards.join(", ")),
            },
        }),
        _ => {
            let names: Vec<_> = found.iter().map(|index| cards[*index]).collect();
            Err(DeviceError::Unsupported {
                what: format!("the name \"{wanted}\""),
                why: format!("it fits {}; {instead}", names.join(" and ")),
            })
        }
    }
}

/// The loopbacks that no other program writes into.
fn usable(loopbacks: &[LoopbackInfo]) -> impl Iterator<Item = &LoopbackInfo> {
    loopbacks.iter().filter(|loopback| loopback.state != LoopbackState::Fed)
}

/// Those of them that are labelled as ours.
pub(crate) fn usable_of_ours(loopbacks: &[LoopbackInfo]) -> impl Iterator<Item = &LoopbackInfo> {
    usable(loopbacks).filter(|loopback| loopback.is_labelled_ours())
}

/// The loopback for `auto`.
pub(crate) fn pick_loopback(loopbacks: &[LoopbackInfo]) -> Option<&LoopbackInfo> {
    let not_obs = || usable(loopbacks).find(|loopback| !loopback.is_labelled_obs());
    usable_of_ours(loopbacks).next().or_else(not_obs)
}

/// There are loopbacks, and `auto` may take none of them; `first` stands for all.
pub(crate) fn all_taken(first: &LoopbackInfo) -> DeviceError {
    let holders: Vec<_> = first.users.iter().map(ToString::to_string).collect();
    let holder = match (first.state, &holders[..]) {
        (LoopbackState::Fed, []) => "a program that cannot be seen from here".to_owned(),
        (LoopbackState::Fed, _) => holders.join(", "),
        // Free, but its label keeps `auto` off it.
        _ => "OBS, by its label".to_owned(),
    };
    DeviceError::Busy {
        what: first.name(),
        holder,
        remedy: "close that program, or name a loopback with --output".to_owned(),
    }
}

/// There is no camera at all.
pub(crate) fn no_camera() -> DeviceError {
    DeviceError::NoneHere {
        kind: "camera",
        remedy: "plug one in, or play a file with --camera FILE".to_owned(),
    }
}

/// There is no loopback at all.
pub(crate) fn no_loopback() -> DeviceError {
    DeviceError::NoneHere {
        kind: "v4l2loopback device",
        remedy: format!("make one with: {}", loopback_command()),
    }
}

/// What to name instead of something that is no loopback.
pub(crate) fn loopbacks_to_name(loopbacks: &[LoopbackInfo]) -> String {
    let names: Vec<_> = loopbacks.iter().map(LoopbackInfo::name).collect();
    match names[..] {
        [] => format!("make one with: {}", loopback_command()),
        _ => format!("name one of: {}", names.join(", ")),
    }
}

/// The command after which there is a loopback.
pub fn loopback_command() -> &'static str {
    "greenroom setup"
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::Dialect;

    fn loopback(card: &str, state: LoopbackState) -> LoopbackInfo {
        LoopbackInfo {
            node: PathBuf::from("/dev/video10"),
            card: card.to_owned(),
            bus: String::new(),
            version: None,
            dialect: Dialect::Late,
            state,
            format: None,
            users: Vec::new(),
        }
    }

    fn auto(cards: &[(&str, LoopbackState)]) -> Option<String> {
        let loopbacks: Vec<_> = cards.iter().map(|(card, state)| loopback(card, *state)).collect();
        pick_loopback(&loopbacks).map(|loopback| loopback.card.clone())
    }

    #[test]
    fn auto_takes_ours_then_any_free_one_but_never_that_of_obs() {
        use LoopbackState::{Fed, Free, Held};
        assert_eq!(
            auto(&[("Dummy", Free), ("Greenroom camera", Held)]).unwrap(),
            "Greenroom camera"
        );
        assert_eq!(auto(&[("greenroom", Fed), ("Dummy", Free)]).unwrap(), "Dummy");
        assert_eq!(auto(&[("OBS Virtual Camera", Free), ("Dummy", Held)]).unwrap(), "Dummy");
        assert_eq!(auto(&[("Jobs", Free)]).unwrap(), "Jobs");
        assert_eq!(auto(&[("OBS Virtual Camera", Free), ("Dummy", Fed)]), None);
        assert_eq!(auto(&[]), None);
    }

    #[test]
    fn cards_are_found_by_all_or_part_of_their_name() {
        let cards = ["HD Webcam: HD Webcam", "HD Webcam", "Capture Card"];
        let pick = |name| pick_card(name, &cards, "camera", "name the node");
        assert_eq!(pick("hd webcam").unwrap(), 1);
        assert_eq!(pick("capture").unwrap(), 2);
        assert!(pick("webcam").unwrap_err().to_string().contains("it fits"));
        assert_eq!(
            pick("Kinect").unwrap_err().to_string(),
            "a camera called \"Kinect\" does not exist; choose one of: HD Webcam: HD Webcam, \
             HD Webcam, Capture Card"
        );
        assert!(pick("").is_err());
        assert!(pick_card("x", &[], "camera", "").unwrap_err().to_string().contains("none at all"));
    }
}
