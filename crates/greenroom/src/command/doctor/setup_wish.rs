//! What the user wants of set-up: the cameras that it was asked for before, or else one.

use greenroom_doctor::{Facts, Known};
use greenroom_setup::facts::OwnFile;
use greenroom_setup::{Label, Wish};

/// The wish of the boot unit that set-up has written; without one, `greenroom setup`'s usual wish.
pub(super) fn of(facts: &Facts) -> Wish {
    let unit = match &facts.own.unit {
        Known::Is(OwnFile::Ours(text)) => text.as_str(),
        _ => "",
    };
    let earlier = unit.lines().find_map(|line| of_start(line.strip_prefix("ExecStart=")?));
    earlier.unwrap_or_default()
}

/// `… setup --at-boot --label "My Camera" --number 10 --number 11`. Labels are letters, digits,
/// spaces, dots and dashes.
fn of_start(start: &str) -> Option<Wish> {
    let (_, options) = start.split_once(" --label ")?;
    let mut parts = options.split(" --number ");
    let label = Label::new(parts.next()?.trim_matches('"')).ok()?;
    Wish::new(parts.count(), label).ok()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use greenroom_setup::files::boot_unit;

    use super::*;

    #[test]
    fn a_second_camera_and_another_name_stay() {
        for (label, numbers) in [("greenroom", &[10][..]), ("My Camera", &[10, 12])] {
            let label = Label::new(label).unwrap();
            let unit = boot_unit(Path::new("/usr/bin/greenroom"), &label, numbers);
            let found = unit.lines().find_map(|line| of_start(line.strip_prefix("ExecStart=")?));
            assert_eq!(found, Some(Wish::new(numbers.len(), label).unwrap()));
        }
        for start in ["", "/usr/bin/greenroom run", "x --label a", "x --label \u{1b} --number 1"] {
            assert_eq!(of_start(start), None, "{start}");
        }
    }
}
