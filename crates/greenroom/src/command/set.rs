//! The commands that change what a running greenroom does.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;

use crate::cli::{RecordArgs, SetArgs, SetCommand, SnapshotArgs, SocketArgs};
use crate::control::{self, ControlError};
use crate::protocol::{Answer, Reply, Request, SetRequest};
use crate::scenes::SceneOptions;
use crate::settings::idle_time;
use crate::terminal::say;

impl SocketArgs {
    /// The socket to ask.
    pub(super) fn path(&self) -> Result<PathBuf, ControlError> {
        self.socket.clone().map_or_else(control::default_socket, Ok)
    }
}

/// `greenroom set`.
pub(super) fn set(args: SetArgs) -> anyhow::Result<()> {
    let output = args.output.output;
    let options: SceneOptions = match args.change {
        SetCommand::Scene { name } => {
            return change(&args.socket, &Request::Scene { name, output });
        }
        SetCommand::IdleAfter { seconds } => {
            let ms = idle_time(seconds)?.as_millis();
            // A day at the most.
            return ask(&args.socket, &Request::IdleAfter { ms: u64::try_from(ms)? });
        }
        SetCommand::Property(property) => property.into(),
    };
    // The running greenroom has another working folder: paths start from ours.
    let options = options.located_in(&std::env::current_dir().unwrap_or_default());
    // Reports what has no meaning here, without asking greenroom.
    options.check()?;
    change(&args.socket, &Request::Set(SetRequest { output, options }))
}

/// Asks for another scene, and prints the warnings about what is shown then.
fn change(socket: &SocketArgs, request: &Request) -> anyhow::Result<()> {
    ask(socket, request)?;
    if let Ok(Reply::Ok(Answer::Status(status))) =
        control::ask(&socket.path()?, &Request::Status {})
    {
        let mut warnings: Vec<_> =
            status.outputs.into_iter().filter_map(|output| output.scene.warning).collect();
        warnings.dedup();
        for warning in warnings {
            // The change is made, whether this can be printed or not.
            let _ = writeln!(io::stderr(), "greenroom: warning: {warning}");
        }
    }
    Ok(())
}

/// `greenroom toggle`.
pub(super) fn toggle(socket: &SocketArgs) -> anyhow::Result<()> {
    let path = socket.path()?;
    match control::ask(&path, &Request::Toggle {})? {
        Reply::Ok(Answer::Toggled { paused }) => {
            say(if paused { "paused" } else { "the pause is over" })
        }
        Reply::Ok(_) => bail!(ControlError::OtherVersion { path }),
        Reply::Error(sentence) => bail!(sentence),
    }
}

/// `greenroom snapshot`.
pub(super) fn snapshot(args: &SnapshotArgs) -> anyhow::Result<()> {
    let file = std::path::absolute(&args.file).unwrap_or_else(|_| args.file.clone());
    ask(&args.socket, &Request::Snapshot { file, output: args.output.clone() })
}

/// `greenroom record`.
pub(super) fn record(args: &RecordArgs) -> anyhow::Result<()> {
    let output = args.output.clone();
    if args.file.as_os_str() == "stop" {
        return ask(&args.socket, &Request::StopRecording { output });
    }
    let file = std::path::absolute(&args.file).unwrap_or_else(|_| args.file.clone());
    ask(&args.socket, &Request::Record { file, output, opens_camera: args.open_camera })
}

/// Makes a request whose only answer is that it was done.
pub(super) fn ask(socket: &SocketArgs, request: &Request) -> anyhow::Result<()> {
    match control::ask(&socket.path()?, request)? {
        Reply::Ok(_) => Ok(()),
        Reply::Error(sentence) => bail!(sentence),
    }
}
