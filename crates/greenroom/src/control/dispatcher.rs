//! Carries out requests, independent of the transport that received them.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::{EventFeed, Replier, StreamSources};
use crate::lock::lock;
use crate::pipeline::{PipelineCommands, Reporter};
use crate::preview::Previews;
use crate::protocol::{Answer, Hello, PROTOCOL, Reply, Request, SetRequest};
use crate::recorder::Recorder;
use crate::scenes::{Replied, SceneHandle, SceneRequest};
use crate::settings::idle_time;
use crate::status::Status;

/// What a client may do. The transport decides the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// The client runs as our own user or as root, and connected to a socket that only they can open. It may do
    /// everything.
    Owner,
    /// The client is any program on the user's session bus, including sandboxed programs. It may do everything except
    /// watch previews, inject faults and end the hiding of a locked session.
    Session,
}

/// Passes requests to the scenes, the recorder and the pipeline. It never blocks: the reply to a request is sent when
/// the request is done or refused.
#[derive(Clone)]
pub struct Dispatcher {
    commands: Arc<PipelineCommands>,
    scenes: SceneHandle,
    recorder: Arc<Recorder>,
    previews: Arc<Previews>,
    feed: Arc<EventFeed>,
    /// Held while a toggle decides whether to pause, so that two simultaneous toggles undo each other.
    toggling: Arc<Mutex<()>>,
}

impl Dispatcher {
    /// A dispatcher for a running pipeline, its scenes and its recordings.
    pub fn new(
        reporter: Reporter,
        commands: Arc<PipelineCommands>,
        scenes: SceneHandle,
        recorder: Arc<Recorder>,
    ) -> Self {
        let previews = Previews::new(Arc::clone(&commands));
        let sources = (Arc::clone(&commands), scenes.clone(), Arc::clone(&recorder));
        let feed_previews = Arc::clone(&previews);
        let feed = EventFeed::new(Arc::clone(commands.changes()), move || {
            let (commands, scenes, recorder) = &sources;
            status(&reporter, commands, scenes, recorder, &feed_previews)
        });
        Self { commands, scenes, recorder, previews, feed, toggling: Arc::default() }
    }

    /// The sources of events and previews for connected clients.
    pub fn streams(&self) -> StreamSources {
        StreamSources { events: Arc::clone(&self.feed), previews: Arc::clone(&self.previews) }
    }

    /// The source of the status and of its events.
    pub fn feed(&self) -> &Arc<EventFeed> {
        &self.feed
    }

    /// Carries out `request` if `trust` allows it. A pause overtakes all other requests.
    pub fn dispatch(&self, request: Request, trust: Trust, replier: Replier) {
        if trust != Trust::Owner && request.is_for_the_owner() {
            return replier.reply(Reply::Error(NEEDS_OWNER.to_owned()));
        }
        let (output, request) = match request {
            Request::Pause {} => return self.scenes.pause(reply_done(replier)),
            Request::Toggle {} => return self.toggle(replier),
            Request::Resume {} => {
                // Only the owner may end the hiding of a locked session.
                match trust {
                    Trust::Owner => self.scenes.resume(),
                    Trust::Session => self.scenes.end_pause(),
                }
                return replier.reply(Reply::Ok(Answer::Done {}));
            }
            Request::Hello { protocol } => return replier.reply(hello(protocol)),
            Request::Status {} => {
                let status = Box::new(self.feed.status());
                return replier.reply(Reply::Ok(Answer::Status(status)));
            }
            Request::Preview(_) | Request::EndPreview {} => {
                return replier.reply(Reply::Error(PREVIEWS_NEED_SOCKET.to_owned()));
            }
            Request::Subscribe { .. } => {
                return replier.reply(Reply::Error(EVENTS_NEED_SOCKET.to_owned()));
            }
            Request::IdleAfter { ms } => return replier.reply(self.set_idle_after(ms)),
            Request::Record { file, output, opens_camera } => {
                let replied = reply_done(replier);
                return self.recorder.start(output.as_deref(), file, opens_camera, replied);
            }
            Request::StopRecording { output } => {
                return self.recorder.stop(output.as_deref(), reply_done(replier));
            }
            Request::Snapshot { output, file } => {
                return self.scenes.snapshot(output.as_deref(), file, reply_done(replier));
            }
            #[cfg(feature = "faults")]
            Request::Fault { name } => return replier.reply(fault(&name)),
            Request::Set(SetRequest { output, options }) => (output, SceneRequest::Change(options)),
            Request::Scene { output, name } => (output, SceneRequest::GoTo(name)),
            Request::Next { output } => (output, SceneRequest::Next),
        };
        self.scenes.ask(output.as_deref(), request, reply_done(replier));
    }

    fn toggle(&self, replier: Replier) {
        let deciding = lock(&self.toggling);
        if self.scenes.is_paused() {
            self.scenes.end_pause();
            return replier.reply(Reply::Ok(Answer::Toggled { paused: false }));
        }
        let shown = self.scenes.begin_pause();
        drop(deciding);
        let answer = Answer::Toggled { paused: true };
        self.scenes.reply_when(shown, reply_with(answer, replier));
    }

    /// Ends the pause, if there is one. A locked session stays hidden.
    pub fn end_pause(&self) {
        self.scenes.end_pause();
    }

    fn set_idle_after(&self, ms: u64) -> Reply {
        match idle_time(Duration::from_millis(ms).as_secs_f64()) {
            Ok(time) => {
                self.commands.set_idle_after(time);
                Reply::Ok(Answer::Done {})
            }
            Err(_) => Reply::Error(format!("{ms} ms are more than a day; write 0 to 86400000")),
        }
    }
}

/// Refuses `subscribe` on transports that cannot send events.
const EVENTS_NEED_SOCKET: &str = "events are sent over a connection to the control socket; on the session bus, listen to \
                         the signals Event and PropertiesChanged";

/// Refuses `preview` on transports that cannot send descriptors.
const PREVIEWS_NEED_SOCKET: &str =
    "previews are sent over a connection to the control socket; send the request there";

/// Refuses requests that need [`Trust::Owner`].
const NEEDS_OWNER: &str = "this request is taken on the control socket only; send it there";

fn status(
    reporter: &Reporter,
    commands: &PipelineCommands,
    scenes: &SceneHandle,
    recorder: &Recorder,
    previews: &Previews,
) -> Status {
    let hidden_by = commands.reasons().iter().collect();
    let idle_after_s = commands.idle_after().as_secs_f64();
    let mut status = Status { hidden_by, idle_after_s, ..reporter.status() };
    for (number, (output, scene)) in status.outputs.iter_mut().zip(scenes.status()).enumerate() {
        output.scene = scene;
        output.recording = recorder.status(number);
        output.watchers.extend(previews.watchers(number));
    }
    status
}

fn hello(protocol: Option<u32>) -> Reply {
    match protocol {
        Some(requested) if requested > PROTOCOL => Reply::Error(format!(
            "this greenroom speaks protocol {PROTOCOL}, not {requested}; update greenroom, or ask as a client of \
             protocol {PROTOCOL}"
        )),
        _ => Reply::Ok(Answer::Hello(Hello::ours())),
    }
}

#[cfg(feature = "faults")]
fn fault(name: &str) -> Reply {
    match crate::faults::ask_for(name) {
        true => Reply::Ok(Answer::Done {}),
        false => Reply::Error(format!("there is no fault called {name}")),
    }
}

fn reply_done(replier: Replier) -> Replied {
    reply_with(Answer::Done {}, replier)
}

/// Replies with `answer` when the request is done, or with the error.
fn reply_with(answer: Answer, replier: Replier) -> Replied {
    let watch = replier.watch();
    let send_reply = move |done: Result<(), String>| {
        replier.reply(done.map_or_else(Reply::Error, |()| Reply::Ok(answer)));
    };
    Replied::new(send_reply, move || watch.is_abandoned())
}
