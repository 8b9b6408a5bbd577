use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};

use crate::cli::StatusArgs;
use crate::control::{self, Answer, Reply, Request};
use crate::status::Status;
use crate::terminal::{print, printable_json};

/// Time between the two questions that tell the share of the processor: long enough for seven
/// frames, short enough to be waited for.
const BETWEEN: Duration = Duration::from_millis(250);

/// `greenroom status`.
pub(super) fn status(args: &StatusArgs) -> anyhow::Result<()> {
    let socket = args.socket.path()?;
    let earlier = ask(&socket)?;
    thread::sleep(BETWEEN);
    let status = ask(&socket)?.since(&earlier);
    if args.json {
        let json = serde_json::to_string_pretty(&status).context("formatting")?;
        return print(&printable_json(&format!("{json}\n")));
    }
    print(&status.to_string())
}

fn ask(socket: &Path) -> anyhow::Result<Status> {
    match control::ask(socket, &Request::Status {})? {
        Reply::Ok(Answer::Status(status)) => Ok(*status),
        Reply::Ok(_) => bail!(control::ControlError::OtherVersion { path: socket.into() }),
        Reply::Error(sentence) => bail!(sentence),
    }
}

/// `greenroom fault`, for tests.
#[cfg(feature = "faults")]
pub(super) fn fault(args: &crate::cli::FaultArgs) -> anyhow::Result<()> {
    let request = Request::Fault { name: args.name.clone() };
    match control::ask(&args.socket.path()?, &request)? {
        Reply::Ok(_) => Ok(()),
        Reply::Error(sentence) => bail!(sentence),
    }
}
