use std::io;
use std::os::unix::net::UnixStream;
use std::thread;

use greenroom_device::Wake;
use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

use crate::log;

/// A bell that rings at SIGINT, SIGTERM or SIGHUP. A second signal while stopping ends the process
/// as usual, so that nobody is ever stuck.
pub(super) fn stop_bell() -> io::Result<Wake> {
    let wake = Wake::new()?;
    let (mut receiver, sender) = UnixStream::pair()?;
    for signal in [SIGINT, SIGTERM, SIGHUP] {
        pipe::register(signal, sender.try_clone()?)?;
    }
    let bell = wake.clone();
    // Blocked in a read for as long as the process lives: no wake-ups, nothing to join.
    thread::Builder::new().name("signals".into()).spawn(move || {
        let mut byte = [0];
        if io::Read::read_exact(&mut receiver, &mut byte).is_ok() {
            bell.ring();
        }
        if io::Read::read_exact(&mut receiver, &mut byte).is_ok() {
            tracing::warn!("stopped at once: what was being written is not complete");
            log::flush();
            std::process::exit(1);
        }
    })?;
    Ok(wake)
}
