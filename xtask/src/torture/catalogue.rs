//! The catalogue lists all cases, of every kind of fault.

use super::case::Case;
use super::fault::Fault;
use super::operation::Operation;
use super::{disk, ffmpeg, limits, socket, stderr};

/// All of them; without any fault first.
pub fn all(short: bool) -> Vec<Case> {
    let without = if short { &Operation::ALL[..3] } else { &Operation::ALL };
    let mut cases = Case::of_each(&Fault::new("no fault"), without);
    cases.extend(stderr::cases(short));
    cases.extend(limits::cases(short));
    cases.extend(disk::cases(short));
    cases.extend(ffmpeg::cases(short));
    cases.extend(socket::cases(short));
    cases
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::all;

    #[test]
    fn every_case_has_a_name_of_its_own_and_the_short_form_is_a_part() {
        let names = |short| all(short).iter().map(|case| case.name()).collect::<Vec<_>>();
        let (every, some) = (names(false), names(true));
        let set: BTreeSet<_> = every.iter().collect();
        assert_eq!(set.len(), every.len());
        assert!(some.iter().all(|name| set.contains(name)) && 2 * some.len() < every.len());
    }
}
