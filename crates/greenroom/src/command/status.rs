use std::path::Path;
use std::thread;
use std::time::Duration;

use anyhow::{Context, bail};
use serde::Serialize;

use super::waybar;
use crate::cli::StatusArgs;
use crate::control::{self, ControlError, Events};
use crate::protocol::{Answer, Event, EventLine, NUMBERS_MS, Reply, Request};
use crate::status::Status;
use crate::terminal::{print, printable_json, say};

/// Time between the two status requests from which rates and the processor share are computed: long enough for seven
/// frames, short enough to wait for.
const SAMPLE_INTERVAL: Duration = Duration::from_millis(250);
/// How often `--waybar --follow` tries to reach a greenroom that does not run.
const RECONNECT_INTERVAL: Duration = Duration::from_secs(2);

/// `greenroom status`.
pub(super) fn status(args: &StatusArgs) -> anyhow::Result<()> {
    let socket = args.socket.path()?;
    match (args.waybar, args.follow) {
        (true, false) => print_json(&waybar::module(ask(&socket).ok().as_ref())),
        (true, true) => follow_for_waybar(&socket),
        (false, true) => follow(&socket, args),
        (false, false) => {
            let earlier = ask(&socket)?;
            thread::sleep(SAMPLE_INTERVAL);
            let status = ask(&socket)?.since(&earlier);
            if args.json {
                let json = serde_json::to_string_pretty(&status).context("formatting")?;
                return print(&printable_json(&format!("{json}\n")));
            }
            print(&status.to_string())
        }
    }
}

/// Prints the status, then every event, until greenroom ends.
fn follow(socket: &Path, args: &StatusArgs) -> anyhow::Result<()> {
    let (status, events) = subscribe(socket, args.numbers.map(numbers_ms).transpose()?)?;
    if args.json {
        print_json(&serde_json::json!({ "status": status }))?;
    } else {
        Event::all_of(&status).iter().try_for_each(say)?;
    }
    for event in events {
        let event = event?;
        match args.json {
            true => print_json(&EventLine { event })?,
            false => say(event)?,
        }
    }
    bail!("greenroom has ended; start it again with: greenroom run")
}

/// Prints the Waybar module whenever it changes, also when greenroom ends and when it starts again.
fn follow_for_waybar(socket: &Path) -> anyhow::Result<()> {
    let mut shown = None;
    let mut show = |status: Option<&Status>| {
        let module = waybar::module(status);
        if shown.as_ref() != Some(&module) {
            print_json(&module)?;
            shown = Some(module);
        }
        anyhow::Ok(())
    };
    loop {
        match control::subscribe(socket, None) {
            Ok(Ok((mut status, events))) => {
                show(Some(&status))?;
                for event in events.map_while(Result::ok) {
                    event.event.apply(&mut status);
                    show(Some(&status))?;
                }
            }
            // greenroom runs, but refuses the subscription.
            Ok(Err(sentence)) => bail!(sentence),
            Err(ControlError::NobodyThere | ControlError::NoAnswer { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        show(None)?;
        thread::sleep(RECONNECT_INTERVAL);
    }
}

fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let json = serde_json::to_string(value).context("formatting")?;
    print(&printable_json(&format!("{json}\n")))
}

/// `seconds` in milliseconds.
///
/// # Errors
/// When the interval is out of [`NUMBERS_MS`].
fn numbers_ms(seconds: f64) -> anyhow::Result<u64> {
    let ms = (seconds * 1e3).round();
    match ms >= *NUMBERS_MS.start() as f64 && ms <= *NUMBERS_MS.end() as f64 {
        true => Ok(ms as u64),
        false => bail!("numbers cannot come every {seconds} seconds; write 0.1 to 3600"),
    }
}

fn subscribe(socket: &Path, numbers_ms: Option<u64>) -> anyhow::Result<(Status, Events)> {
    match control::subscribe(socket, numbers_ms)? {
        Ok((status, events)) => Ok((*status, events)),
        Err(sentence) => bail!(sentence),
    }
}

fn ask(socket: &Path) -> anyhow::Result<Status> {
    match control::ask(socket, &Request::Status {})? {
        Reply::Ok(Answer::Status(status)) => Ok(*status),
        Reply::Ok(_) => bail!(ControlError::OtherVersion { path: socket.into() }),
        Reply::Error(sentence) => bail!(sentence),
    }
}
