//! Which subjects raise a hand: a set that is selected from the others.

use super::sets::{Set, Truth};

/// Subjects with a hand at the chest's height or above, held off the body, or an arm that is stretched out before the
/// room; chosen by eye. Hands that rest on a chin or a cheek do not count (`vcd_08`, `vcd_24`, `vcd_30`, `vcd_32`), nor do
/// hands that only pass the picture's lower edge (`terrace_chair`).
///
/// Left out are:
/// - `office3_tablet`: a man waves, but the truth calls the bag between two men person, and that outweighs any hand.
/// - `office4_risesup`: the man of `office4_headset` waves, but another man's torso is lost, and that outweighs any hand.
/// - `pairs`: their hands are those of `mdn_a_talk`.
/// - `leave_return_b`: a woman who is small holds something before her chest, for less than a second.
///
/// Nothing is held up high: in `office2_wall` a laptop is held before the chest.
const NAMES: [&str; 17] = [
    // Rooms.
    "vcd_10", // An arm stretched out to the side before a door.
    "vcd_16", // A hand before a dark room, another at the picture's edge, apart from the body.
    "vcd_26", // Both hands behind the head, elbows far out, the room between arm and head.
    // Wide.
    "bedroom_kids",    // A child jumps with her arms up: small, fast, thin.
    "curtain_gesture", // Open hands at the chest and beside the body, before a curtain.
    "family_witchhat", // A woman waves before her body, a child before a plant.
    "loft_dance",      // Both arms above the head; the person is small.
    "office2_standup", // Two men wave, one close to the camera.
    "office2_wall",    // A man draws on a wall, the other waves.
    "office3_stand",   // Two men wave.
    "office4_headset", // A man waves above his head before a cluttered office.
    "selfie_beanie",   // A hand points at the room; the camera moves.
    "selfie_curls",    // A hand waves close to the camera, beside and before the face.
    "signer_home",     // A fast hand at the face's height, before lights.
    "wave_brown",      // A fast hand before a wall of the skin's colour.
    // Mdn: both hands at the neck, so that half of their outline is before the room.
    "mdn_a_talk",
    // Asl: five people sign.
    "asl_5people_480p",
];

/// What of these sets raises a hand; `None` if nobody does.
pub(super) fn select(sets: &[Set]) -> Option<Set> {
    let subjects: Vec<_> = (sets.iter())
        .flat_map(|set| &set.subjects)
        .filter(|subject| NAMES.contains(&subject.name.as_str()))
        .cloned()
        .collect();
    (!subjects.is_empty()).then_some(Set {
        name: "hands",
        truth: Truth::EachItsOwn,
        subjects,
        is_selection: true,
    })
}

#[cfg(test)]
mod tests {
    use super::super::sets::Subject;
    use super::*;

    fn set(names: &[&str]) -> Set {
        let subject = |name: &&str| Subject {
            name: (*name).to_owned(),
            clip: "clip".into(),
            truth: "truth".into(),
            is_still: false,
            fps: 30.0,
        };
        Set {
            name: "wide",
            truth: Truth::OtherNetwork,
            subjects: names.iter().map(subject).collect(),
            is_selection: false,
        }
    }

    #[test]
    fn raised_hands_are_selected_from_all_sets() {
        let hands = select(&[set(&["vcd_00", "vcd_26"]), set(&["wave_brown", "cat_only"])]);
        let hands = hands.unwrap();
        let names: Vec<_> = hands.subjects.iter().map(|subject| subject.name.as_str()).collect();
        assert_eq!(names, ["vcd_26", "wave_brown"]);
        assert!(hands.is_selection);
        assert!(select(&[set(&["cat_only"])]).is_none());
    }
}
