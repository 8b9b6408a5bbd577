//! Hostile texts of sysfs and `/proc`.

use std::path::Path;

use super::Dialect;
use super::dialect::ModuleVersion;
use super::state::{parameter_index, parse_format};
use crate::holder::opened_for_writing;

/// One text: the first byte tells whose.
pub(crate) fn text(data: &[u8]) {
    let Some((&which, text)) = data.split_first() else { return };
    let Ok(text) = std::str::from_utf8(text) else { return };
    match which % 4 {
        0 => {
            let version = ModuleVersion::parse(text);
            let again = version.and_then(|version| ModuleVersion::parse(&version.to_string()));
            assert_eq!(again, version);
            assert!(version.is_some() || Dialect::of(version) == Dialect::Early);
        }
        1 => {
            let Some((fourcc, size)) = parse_format(text) else { return };
            assert!(size.checked().is_ok());
            let code = std::str::from_utf8(&text.as_bytes()[..4]).expect("it is ASCII");
            assert_eq!(crate::FourCc::parse(code), Some(fourcc));
        }
        2 => {
            let mut lines = text.splitn(3, '\n');
            let mut line = || lines.next().unwrap_or_default();
            let (node, bus, numbers) = (line(), line(), line());
            if let Some(index) = parameter_index(numbers, Path::new(node), bus) {
                let by_place =
                    bus.rsplit('-').next().is_some_and(|place| place.parse() == Ok(index));
                assert!(by_place || index < numbers.split(',').count());
            }
        }
        _ => assert!(!opened_for_writing(text) || text.contains("flags:")),
    }
}
