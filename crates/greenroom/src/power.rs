//! Whether this machine runs on its battery.

use std::fs;
use std::path::Path;

/// Whether it does, as the kernel has it (`Documentation/ABI/testing/sysfs-class-power`). What cannot be read is no battery.
pub(crate) fn is_on_battery() -> bool {
    has_discharging_battery(Path::new("/sys/class/power_supply"))
}

/// Whether a battery in `supplies` is discharging; those of mice and headsets do not count.
fn has_discharging_battery(supplies: &Path) -> bool {
    let Ok(supplies) = fs::read_dir(supplies) else { return false };
    supplies.filter_map(Result::ok).any(|supply| {
        let says = |name: &str, word: &str| {
            fs::read(supply.path().join(name))
                .is_ok_and(|text| text.trim_ascii() == word.as_bytes())
        };
        says("type", "Battery") && says("status", "Discharging") && !says("scope", "Device")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_machines_own_discharging_battery_counts() {
        for (files, is_on_battery) in [
            (&[("type", "Battery\n"), ("status", "Discharging\n")][..], true),
            (&[("type", "Battery\n"), ("status", "Discharging\n"), ("scope", "System\n")], true),
            (&[("type", "Battery\n"), ("status", "Discharging\n"), ("scope", "Device\n")], false),
            (&[("type", "Battery\n"), ("status", "Charging\n")], false),
            (&[("type", "Battery\n"), ("status", "Full\n")], false),
            (&[("type", "Battery\n")], false),
            (&[("type", "Mains\n"), ("online", "1\n")], false),
            (&[], false),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::create_dir(folder.path().join("AC")).unwrap();
            let supply = folder.path().join("BAT0");
            fs::create_dir(&supply).unwrap();
            for (name, text) in files {
                fs::write(supply.join(name), text).unwrap();
            }
            assert_eq!(has_discharging_battery(folder.path()), is_on_battery, "{files:?}");
        }
        assert!(!has_discharging_battery(Path::new("/none/such")));
    }
}
