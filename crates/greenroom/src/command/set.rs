//! What changes a greenroom that runs.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::bail;

use crate::cli::{RecordArgs, SetArgs, SetCommand, SnapshotArgs, SocketArgs};
use crate::control::{self, Answer, ControlError, Reply, Request, SetWords};
use crate::scenes::SceneOptions;
use crate::settings::idle_time;

impl SocketArgs {
    /// The socket that is meant.
    pub(super) fn path(&self) -> Result<PathBuf, ControlError> {
        self.socket.clone().map_or_else(control::default_socket, Ok)
    }
}

/// `greenroom set`.
pub(super) fn set(args: SetArgs) -> anyhow::Result<()> {
    let words = match args.change {
        SetCommand::Scene { name } => {
            return change(&args.socket, &Request::Scene { name, output: args.output.output });
        }
        SetCommand::IdleAfter { seconds } => {
            let ms = idle_time(seconds)?.as_millis();
            // A day at the most.
            return ask(&args.socket, &Request::IdleAfter { ms: u64::try_from(ms)? });
        }
        SetCommand::Background { background, fit } => SceneOptions {
            background: Some(background),
            fit: fit.map(|fit| fit.word().to_owned()),
            ..SceneOptions::default()
        },
        SetCommand::Blur { strength } => {
            SceneOptions { background: Some(format!("blur={strength}")), ..SceneOptions::default() }
        }
        SetCommand::Foreground { foreground } => {
            SceneOptions { foreground: Some(foreground), ..SceneOptions::default() }
        }
        SetCommand::Effect { effects } => {
            let effects = effects.into_iter().filter(|text| !text.is_empty()).collect();
            SceneOptions { effects: Some(effects), ..SceneOptions::default() }
        }
        SetCommand::Framing { framing } => {
            SceneOptions { framing: Some(framing), ..SceneOptions::default() }
        }
        SetCommand::Look { look } => SceneOptions { look: Some(look), ..SceneOptions::default() },
    };
    // greenroom runs elsewhere: paths are meant from here.
    let words = words.located_in(&std::env::current_dir().unwrap_or_default());
    // Told here, without greenroom, what makes no sense.
    words.check()?;
    let output = args.output.output;
    change(&args.socket, &Request::Set(SetWords { output, words }))
}

/// Asks for another scene, and says what is to be known of it.
fn change(socket: &SocketArgs, request: &Request) -> anyhow::Result<()> {
    ask(socket, request)?;
    if let Ok(Reply::Ok(Answer::Status(status))) =
        control::ask(&socket.path()?, &Request::Status {})
    {
        let mut warnings: Vec<_> =
            status.outputs.into_iter().filter_map(|output| output.scene.warning).collect();
        warnings.dedup();
        for warning in warnings {
            // It was done, whether this can be told or not.
            let _ = writeln!(io::stderr(), "greenroom: warning: {warning}");
        }
    }
    Ok(())
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

/// Asks for what has no answer but that it was done.
pub(super) fn ask(socket: &SocketArgs, request: &Request) -> anyhow::Result<()> {
    match control::ask(&socket.path()?, request)? {
        Reply::Ok(_) => Ok(()),
        Reply::Error(sentence) => bail!(sentence),
    }
}
