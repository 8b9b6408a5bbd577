//! Whether this machine runs on its battery.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::lock::lock;

/// Whether it does, as the kernel has it (`Documentation/ABI/testing/sysfs-class-power`). What cannot be read is no battery.
pub(crate) fn is_on_battery() -> bool {
    has_discharging_battery(Path::new("/sys/class/power_supply"))
}

/// Knows whether this machine runs on its battery, without waiting: some firmware takes long to answer.
pub(crate) struct BatteryWatch {
    on_battery: Arc<AtomicBool>,
    /// Rung to have a look; the thread ends when it is dropped.
    look: SyncSender<()>,
    looked_at: Mutex<Option<Duration>>,
}

/// Time between two looks.
const LOOK_INTERVAL: Duration = Duration::from_secs(10);

impl BatteryWatch {
    /// Starts the thread that looks.
    ///
    /// # Errors
    /// When the system has no threads left.
    pub(crate) fn start() -> io::Result<Self> {
        let (look, looks) = sync_channel::<()>(1);
        let on_battery = Arc::new(AtomicBool::new(false));
        let tell = Arc::clone(&on_battery);
        thread::Builder::new().name("battery".into()).spawn(move || {
            while looks.recv().is_ok() {
                tell.store(is_on_battery(), Relaxed);
            }
        })?;
        Ok(Self { on_battery, look, looked_at: Mutex::new(None) })
    }

    /// Whether it does, as of the last look. Has the next one made when it is due by `now`, a time that only goes forward.
    pub(crate) fn is_on_battery(&self, now: Duration) -> bool {
        let mut looked_at = lock(&self.looked_at);
        if looked_at.is_none_or(|at| now.saturating_sub(at) >= LOOK_INTERVAL) {
            *looked_at = Some(now);
            // If it is still at the last one, that will do.
            let _ = self.look.try_send(());
        }
        self.on_battery.load(Relaxed)
    }
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
