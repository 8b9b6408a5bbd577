//! What a service manager is told (systemd's `Type=notify`). Without one, that is without
//! NOTIFY_SOCKET in the environment, nothing here does anything.
//!
//! The variables stay in the environment: taking them out while threads run is not sound. The unit's
//! `NotifyAccess=main` makes children of ours unheard instead.

use std::fmt::Write as _;
use std::io;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixDatagram};
use std::path::Path;
use std::time::Duration;

use sd_notify::NotifyState;

/// How long a start or stop waits for a manager that takes nothing now. Threads that show pictures never wait.
const PATIENCE: Duration = Duration::from_secs(1);

/// Starting is over: outputs are there, or waited for.
pub fn ready() {
    notify(NotifyState::Ready, Some(PATIENCE));
}

/// What `systemctl --user status` shows: one short line.
pub fn status_line(text: &str) {
    // A line feed would begin another message.
    notify(NotifyState::Status(&text.replace(char::is_control, " ")), None);
}

/// Stopping has begun.
pub fn stopping() {
    notify(NotifyState::Stopping, Some(PATIENCE));
}

/// How often [`alive`] must be called: half the time after which the manager takes us for hung.
/// `None` when nobody waits for it.
pub fn watchdog_interval() -> Option<Duration> {
    // Zero would be a loop without a pause.
    sd_notify::watchdog_enabled().map(|usec| usec / 2).filter(|interval| !interval.is_zero())
}

/// We do not hang.
pub fn alive() {
    notify(NotifyState::Watchdog, None);
}

fn notify(state: NotifyState<'_>, patience: Option<Duration>) {
    let Some(socket) = std::env::var_os("NOTIFY_SOCKET") else { return };
    if let Err(error) = send(Path::new(&socket), &state, patience) {
        tracing::debug!("the service manager could not be told: {error}");
    }
}

/// sd-notify's own way to send waits for as long as the manager reads nothing, and with it whoever shows pictures.
fn send(socket: &Path, state: &NotifyState<'_>, patience: Option<Duration>) -> io::Result<()> {
    let mut message = String::new();
    // A string takes whatever is written to it.
    let _ = writeln!(message, "{state}");
    let address = match socket.as_os_str().as_encoded_bytes() {
        [b'@', name @ ..] => SocketAddr::from_abstract_name(name)?,
        _ => SocketAddr::from_pathname(socket)?,
    };
    let sender = UnixDatagram::unbound()?;
    match patience {
        Some(_) => sender.set_write_timeout(patience)?,
        None => sender.set_nonblocking(true)?,
    }
    sender.send_to_addr(message.as_bytes(), &address)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_manager_that_reads_nothing_holds_nobody_up() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("notify");
        let manager = UnixDatagram::bind(&path).unwrap();
        // Until its queue is full.
        let refused = (0..100_000).find_map(|_| send(&path, &NotifyState::Watchdog, None).err());
        assert_eq!(refused.unwrap().kind(), io::ErrorKind::WouldBlock);
        let patience = Some(Duration::from_millis(10));
        let refused = send(&path, &NotifyState::Ready, patience).unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::WouldBlock);
        let mut came = [0; 64];
        let length = manager.recv(&mut came).unwrap();
        assert_eq!(&came[..length], b"WATCHDOG=1\n");
        send(&path, &NotifyState::Ready, patience).unwrap();
    }
}
