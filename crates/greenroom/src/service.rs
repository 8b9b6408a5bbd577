//! What a service manager is told (systemd's `Type=notify`). Without one, that is without
//! NOTIFY_SOCKET in the environment, nothing here does anything.
//!
//! The variables stay in the environment: taking them out while threads run is not sound. The unit's
//! `NotifyAccess=main` makes children of ours unheard instead.

use std::time::Duration;

use sd_notify::NotifyState;

/// Starting is over: outputs are there, or waited for.
pub fn ready() {
    notify(&[NotifyState::Ready]);
}

/// What `systemctl --user status` shows: one short line.
pub fn status_line(text: &str) {
    // A line feed would begin another message.
    notify(&[NotifyState::Status(&text.replace(char::is_control, " "))]);
}

/// Stopping has begun.
pub fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// How often [`alive`] must be called: half the time after which the manager takes us for hung.
/// `None` when nobody waits for it.
pub fn watchdog_interval() -> Option<Duration> {
    // Zero would be a loop without a pause.
    sd_notify::watchdog_enabled().map(|usec| usec / 2).filter(|interval| !interval.is_zero())
}

/// We do not hang.
pub fn alive() {
    notify(&[NotifyState::Watchdog]);
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!("the service manager could not be told: {error}");
    }
}
