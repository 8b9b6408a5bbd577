//! The socket's file: private from its first moment, replaced when it is a dead one's, removed when
//! it was ours.

use std::fs::{self, File};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use greenroom_device::Leftover;
use rustix::fs::{FlockOperation, Mode, OFlags, fchmod, flock, open};
use rustix::io::Errno;
use rustix::net::sockopt::socket_peercred;
use rustix::net::{
    AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, connect, listen, socket_with,
};

use super::ControlError;

/// How often a lock that somebody else holds is tried: for two seconds.
const LOCK_TRIES: u32 = 100;
/// See [`LOCK_TRIES`].
const LOCK_AGAIN: Duration = Duration::from_millis(20);
/// How many connections may wait to be accepted.
const BACKLOG: i32 = 128;

/// The listening socket. Dropped, it takes its file with it.
#[derive(Debug)]
pub(super) struct Socket {
    pub(super) listener: UnixListener,
    path: PathBuf,
    /// Device and inode of the file, to know it by.
    file: (u64, u64),
    /// A signal that ends us at once leaves no dead socket.
    _leftover: Leftover,
}

impl Socket {
    /// Listens at `path`, with mode 0600.
    pub(super) fn listen(path: &Path) -> Result<Self, ControlError> {
        let unusable = |why: io::Error| ControlError::Unusable { path: path.into(), why };
        let address = SocketAddrUnix::new(path).map_err(|error| unusable(error.into()))?;
        // Of two that start in the same moment and find a dead socket, the later must not remove
        // that of the earlier. The folder's lock leaves no file behind and ends with the process.
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let _lock = match open_folder(folder.unwrap_or(Path::new("."))) {
            Ok(folder) => Some(lock(folder, path)?),
            // One that may be entered and not listed: then without.
            Err(_) => None,
        };
        remove_dead(path, &address)?;
        let socket = new_socket().map_err(unusable)?;
        let made = Leftover::socket(|| {
            // Linux gives the file the socket's own mode, so that it never has another. Where it
            // does not, the mode is set before `listen`, and until then nobody can connect.
            let _ = fchmod(&socket, Mode::RUSR | Mode::WUSR);
            bind(&socket, &address)?;
            let file = fs::symlink_metadata(path)?;
            if file.permissions().mode() & 0o777 != 0o600 {
                fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
            }
            listen(&socket, BACKLOG)?;
            Ok(((file.dev(), file.ino()), path.to_owned()))
        });
        let (file, _leftover) = made.map_err(unusable)?;
        Ok(Self { listener: socket.into(), path: path.to_owned(), file, _leftover })
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let there = fs::symlink_metadata(&self.path);
        if there.is_ok_and(|there| (there.dev(), there.ino()) == self.file) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

fn open_folder(folder: &Path) -> Result<File, Errno> {
    // What is no folder is refused, and a pipe not waited for.
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    Ok(open(folder, flags, Mode::empty())?.into())
}

/// Locks `folder`. Whoever may list it can hold that lock for ever: it is waited for as long as another start
/// of ours may take.
fn lock(folder: File, path: &Path) -> Result<File, ControlError> {
    for _ in 0..LOCK_TRIES {
        match flock(&folder, FlockOperation::NonBlockingLockExclusive) {
            // A file system without locks: then without.
            Ok(()) | Err(Errno::NOSYS | Errno::OPNOTSUPP | Errno::INVAL | Errno::NOLCK) => {
                return Ok(folder);
            }
            Err(Errno::WOULDBLOCK | Errno::INTR) => thread::sleep(LOCK_AGAIN),
            Err(error) => {
                return Err(ControlError::Unusable { path: path.into(), why: error.into() });
            }
        }
    }
    Err(ControlError::Locked { path: path.into() })
}

fn new_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

/// Removes a socket that nobody answers at.
fn remove_dead(path: &Path, address: &SocketAddrUnix) -> Result<(), ControlError> {
    let unusable = |why: io::Error| ControlError::Unusable { path: path.into(), why };
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(unusable(error)),
        Ok(there) if !there.file_type().is_socket() => {
            return Err(ControlError::NotASocket { path: path.into() });
        }
        Ok(_) => {}
    }
    let probe = new_socket().map_err(unusable)?;
    match connect(&probe, address) {
        Ok(()) => {
            let peer = socket_peercred(&probe).ok();
            let pid = peer.and_then(|peer| peer.pid.as_raw_nonzero().get().try_into().ok());
            Err(ControlError::AlreadyRunning { pid })
        }
        // So busy that it lets nobody in, but there.
        Err(Errno::AGAIN) => Err(ControlError::AlreadyRunning { pid: None }),
        Err(Errno::CONNREFUSED) => fs::remove_file(path).map_err(unusable),
        Err(error) => Err(unusable(error.into())),
    }
}
