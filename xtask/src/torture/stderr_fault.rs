//! A [`StderrFault`] says where standard error goes, and opens it.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::process::Stdio;

use anyhow::{Context, Result};
use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

/// Where standard error goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum StderrFault {
    /// Into a file, which is read in the end.
    #[default]
    None,
    /// A pipe whose reader has gone.
    ClosedPipe,
    /// A device that is always full.
    FullDevice,
    /// Closed before greenroom began.
    Closed,
    /// A pipe that is full, and that nobody reads.
    FullPipe,
    /// A terminal that was closed.
    ClosedTerminal,
    /// A pipe whose reader goes while greenroom runs.
    PipeClosedLater,
    /// A terminal that is closed while greenroom runs.
    TerminalClosedLater,
}

/// Standard error of a child, prepared.
pub struct Stderr {
    /// What the child is given; `None`: it is closed.
    pub for_child: Option<Stdio>,
    /// The other end, as long as it is there.
    reader: Option<OwnedFd>,
}

impl StderrFault {
    /// Whether what greenroom says can be read.
    pub fn is_readable(self) -> bool {
        self == Self::None
    }

    /// Opens it; `file` is where text goes that is to be read.
    pub fn open(self, file: &Path) -> Result<Stderr> {
        let (writer, reader) = match self {
            Self::None => (File::create(file)?.into(), None),
            Self::FullDevice => (OpenOptions::new().write(true).open("/dev/full")?.into(), None),
            Self::Closed => return Ok(Stderr { for_child: None, reader: None }),
            Self::ClosedPipe => (pipe_with(PipeFlags::CLOEXEC)?.1, None),
            Self::FullPipe => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
                fill(&writer)?;
                (writer, Some(reader))
            }
            Self::PipeClosedLater => {
                let (reader, writer) = pipe_with(PipeFlags::CLOEXEC)?;
                (writer, Some(reader))
            }
            Self::ClosedTerminal => (terminal()?.0, None),
            Self::TerminalClosedLater => {
                let (terminal, controller) = terminal()?;
                (terminal, Some(controller))
            }
        };
        Ok(Stderr { for_child: Some(Stdio::from(writer)), reader })
    }
}

impl Stderr {
    /// What was to come later, comes; a pipe that stays full stays.
    pub fn strike(&mut self, fault: StderrFault) {
        if fault != StderrFault::FullPipe {
            self.reader = None;
        }
    }
}

/// Fills a pipe, so that the next write into it waits for ever.
fn fill(writer: &OwnedFd) -> Result<()> {
    fcntl_setpipe_size(writer, 4096)?;
    let flags = fcntl_getfl(writer)?;
    fcntl_setfl(writer, flags | OFlags::NONBLOCK)?;
    let mut file = File::from(writer.try_clone()?);
    while file.write(b"\n").is_ok() {}
    Ok(fcntl_setfl(writer, flags)?)
}

/// A terminal that controls nobody, and its other end.
fn terminal() -> Result<(OwnedFd, OwnedFd)> {
    let controller = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    grantpt(&controller)?;
    unlockpt(&controller)?;
    let name = ptsname(&controller, Vec::new())?;
    let flags = OFlags::WRONLY | OFlags::NOCTTY | OFlags::CLOEXEC;
    let terminal = rustix::fs::open(&name, flags, rustix::fs::Mode::empty());
    Ok((terminal.context("opening a terminal")?, controller))
}
