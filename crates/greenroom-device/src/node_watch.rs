use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::fs::inotify::{self, CreateFlags, Reader, WatchFlags};

use crate::DeviceError;

/// Where the kernel puts its nodes.
const FOLDER: &str = "/dev";

/// Readable when something in `/dev` came, went or changed its rights: a camera that is plugged in
/// gets its node from the kernel first and its group from udev a moment later.
#[derive(Debug)]
pub struct NodeWatch {
    inotify: OwnedFd,
}

impl NodeWatch {
    /// Starts to watch.
    ///
    /// # Errors
    /// [`DeviceError::Io`] when the user has no inotify instance or watch left.
    pub fn new() -> Result<Self, DeviceError> {
        Self::of(Path::new(FOLDER))
    }

    fn of(folder: &Path) -> Result<Self, DeviceError> {
        let failed = |errno: rustix::io::Errno| DeviceError::Io {
            what: folder.display().to_string(),
            doing: "watching for devices",
            source: io::Error::from(errno),
        };
        let inotify =
            inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK).map_err(failed)?;
        let changes = WatchFlags::CREATE
            | WatchFlags::DELETE
            | WatchFlags::MOVED_FROM
            | WatchFlags::MOVED_TO
            | WatchFlags::ATTRIB
            | WatchFlags::ONLYDIR;
        inotify::add_watch(&inotify, folder, changes).map_err(failed)?;
        Ok(Self { inotify })
    }

    /// Reads all that has been told, so that the next change is heard again; tells whether a
    /// `/dev/videoN` was among it.
    pub fn clear(&self) -> bool {
        let mut about_video = false;
        // Room for a dozen events with names of the usual length; the kernel gives whole ones.
        let mut buffer = [MaybeUninit::uninit(); 512];
        let mut events = Reader::new(&self.inotify, &mut buffer);
        // Ends with EAGAIN. (An event with the longest possible name, 272 bytes, fits too.)
        while let Ok(event) = events.next() {
            about_video |= match event.file_name() {
                Some(name) => name.to_bytes().starts_with(b"video"),
                // About the folder itself, or more than the kernel kept (IN_Q_OVERFLOW).
                None => true,
            };
        }
        about_video
    }
}

impl AsFd for NodeWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;
    use std::time::Duration;

    use super::*;
    use crate::wait_readable;

    fn is_readable(watch: &NodeWatch) -> bool {
        wait_readable(&[watch.as_fd()], Some(Duration::ZERO)) == 1
    }

    #[test]
    fn nodes_that_come_change_and_go_are_told_and_cleared() {
        let folder = tempfile::tempdir().unwrap();
        let watch = NodeWatch::of(folder.path()).unwrap();
        assert!(!is_readable(&watch));
        assert!(!watch.clear());

        let node = folder.path().join("video7");
        let change_rights = || fs::set_permissions(&node, fs::Permissions::from_mode(0o640));
        for change in [
            &(|| fs::write(&node, "")) as &dyn Fn() -> io::Result<()>,
            &change_rights,
            &(|| fs::remove_file(&node)),
        ] {
            change().unwrap();
            assert!(is_readable(&watch));
            assert!(watch.clear());
            assert!(!is_readable(&watch));
        }
        for number in 0..100 {
            fs::write(folder.path().join(format!("null{number}")), "").unwrap();
        }
        assert!(is_readable(&watch));
        assert!(!watch.clear());
        assert!(!is_readable(&watch));
    }

    #[test]
    fn dev_can_be_watched() {
        assert!(NodeWatch::new().is_ok());
    }
}
