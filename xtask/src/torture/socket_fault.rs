//! A [`SocketFault`] says what is wrong at the place for the control socket, and makes it so.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result};
use rustix::fs::{FlockOperation, flock};

/// What is wrong where the socket is to be.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum SocketFault {
    #[default]
    None,
    FolderMissing,
    FolderNotWritable,
    /// Another process holds a lock on the folder.
    FolderLocked,
    IsFile,
    IsFolder,
    IsFifo,
    LinkToFile,
    LinkToNothing,
    TooLong,
    /// A socket whose owner died.
    Stale,
    /// Something listens there, and never answers.
    Silent,
    /// Something listens there, and answers without end.
    Floods,
    /// Something listens there, and hangs up.
    HangsUp,
    /// Another greenroom runs there.
    Taken,
}

/// A prepared place.
pub struct Place {
    pub path: PathBuf,
    /// A lock is held as long as its file is open, a listener listens as long as its thread lives.
    _lock: Option<File>,
}

impl SocketFault {
    /// Prepares the place, in `folder`. (Who takes a place is started by the case.)
    pub fn prepare(self, folder: &Path) -> Result<Place> {
        fs::create_dir_all(folder)?;
        fs::set_permissions(folder, fs::Permissions::from_mode(0o777))?;
        let (mut path, mut lock) = (folder.join("socket"), None);
        match self {
            Self::None | Self::Taken => {}
            Self::FolderMissing => path = folder.join("missing/socket"),
            Self::FolderNotWritable => {
                fs::set_permissions(folder, fs::Permissions::from_mode(0o555))?;
            }
            Self::FolderLocked => {
                let file = File::open(folder)?;
                flock(&file, FlockOperation::LockExclusive)?;
                lock = Some(file);
            }
            Self::IsFile => fs::write(&path, "an old file")?,
            Self::IsFolder => fs::create_dir(&path)?,
            Self::IsFifo => {
                Command::new("mkfifo").arg(&path).status().context("mkfifo")?;
            }
            Self::LinkToFile => {
                fs::write(folder.join("target"), "an old file")?;
                symlink("target", &path)?;
            }
            Self::LinkToNothing => symlink("nothing", &path)?,
            Self::TooLong => path = folder.join("x".repeat(200)),
            Self::Stale => drop(UnixListener::bind(&path)?),
            Self::Silent | Self::Floods | Self::HangsUp => self.listen(UnixListener::bind(&path)?),
        }
        Ok(Place { path, _lock: lock })
    }

    /// Serves the socket for as long as we live.
    fn listen(self, listener: UnixListener) {
        thread::spawn(move || {
            let mut kept = Vec::new();
            for client in listener.incoming().flatten() {
                match self {
                    Self::Silent => kept.push(client),
                    Self::Floods => drop(thread::spawn(move || flood(client))),
                    _ => {
                        let _ = (&client).read(&mut [0]);
                    }
                }
            }
        });
    }
}

fn flood(mut client: impl Write) {
    while client.write_all(&[b'x'; 4096]).is_ok() {}
}
