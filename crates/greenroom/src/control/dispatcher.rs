//! Does what is asked for, whatever carried the request here.

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

/// What a caller is trusted to do. The transport says which it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trust {
    /// Our own user, or root, at a socket that only they can open: everything.
    Owner,
    /// Any program on the user's session bus, also one in a sandbox: everything but previews, faults, and the end of a
    /// lock.
    Session,
}

/// Takes requests and has them done: each is replied to when it is done or refused. It waits for nothing.
#[derive(Clone)]
pub struct Dispatcher {
    commands: Arc<PipelineCommands>,
    scenes: SceneHandle,
    recorder: Arc<Recorder>,
    previews: Arc<Previews>,
    feed: Arc<EventFeed>,
    /// Held while it is decided what a toggle means: of two at once, each undoes the other.
    toggling: Arc<Mutex<()>>,
}

impl Dispatcher {
    /// Of a running pipeline with its scenes and recordings.
    pub fn new(
        reporter: Reporter,
        commands: Arc<PipelineCommands>,
        scenes: SceneHandle,
        recorder: Arc<Recorder>,
    ) -> Self {
        let previews = Previews::new(Arc::clone(&commands));
        let told = (Arc::clone(&commands), scenes.clone(), Arc::clone(&recorder));
        let looking = Arc::clone(&previews);
        let feed = EventFeed::new(Arc::clone(commands.changes()), move || {
            let (pipeline, scenes, recorder) = &told;
            status(&reporter, pipeline, scenes, recorder, &looking)
        });
        Self { commands, scenes, recorder, previews, feed, toggling: Arc::default() }
    }

    /// What clients can have for as long as they are connected.
    pub fn streams(&self) -> StreamSources {
        StreamSources { events: Arc::clone(&self.feed), previews: Arc::clone(&self.previews) }
    }

    /// What is going on, and events of it.
    pub fn feed(&self) -> &Arc<EventFeed> {
        &self.feed
    }

    /// Has `request` done, if whoever asks is trusted with it. A pause is done first, whatever else is under way.
    pub fn dispatch(&self, request: Request, trust: Trust, replier: Replier) {
        if trust != Trust::Owner && request.is_for_the_owner() {
            return replier.reply(Reply::Error(NOT_TRUSTED.to_owned()));
        }
        let (output, request) = match request {
            Request::Pause {} => return self.scenes.pause(replied_by(replier)),
            Request::Toggle {} => return self.toggle(replier),
            Request::Resume {} => {
                // A lock is for the user to end.
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
                return replier.reply(Reply::Error(NO_PREVIEWS.to_owned()));
            }
            Request::Subscribe { .. } => {
                return replier.reply(Reply::Error(NO_EVENTS.to_owned()));
            }
            Request::IdleAfter { ms } => return replier.reply(self.set_idle_after(ms)),
            Request::Record { file, output, opens_camera } => {
                let replied = replied_by(replier);
                return self.recorder.start(output.as_deref(), file, opens_camera, replied);
            }
            Request::StopRecording { output } => {
                return self.recorder.stop(output.as_deref(), replied_by(replier));
            }
            Request::Snapshot { output, file } => {
                return self.scenes.snapshot(output.as_deref(), file, replied_by(replier));
            }
            #[cfg(feature = "faults")]
            Request::Fault { name } => return replier.reply(fault(&name)),
            Request::Set(SetRequest { output, options }) => (output, SceneRequest::Change(options)),
            Request::Scene { output, name } => (output, SceneRequest::GoTo(name)),
            Request::Next { output } => (output, SceneRequest::Next),
        };
        self.scenes.ask(output.as_deref(), request, replied_by(replier));
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
        self.scenes.reply_when(shown, replied_with(answer, replier));
    }

    /// Ends the pause, if there is one, and nothing else.
    pub fn end_pause(&self) {
        self.scenes.end_pause();
    }

    fn set_idle_after(&self, ms: u64) -> Reply {
        match idle_time(Duration::from_millis(ms).as_secs_f64()) {
            Ok(time) => {
                self.commands.set_idle_after(time);
                Reply::Ok(Answer::Done {})
            }
            Err(error) => Reply::Error(error.to_string()),
        }
    }
}

/// What is told where nothing can be sent that was not asked for.
const NO_EVENTS: &str = "events are sent over a connection to the control socket; on the session bus, listen to \
                         the signals Event and PropertiesChanged";

/// What is told where no descriptors can be sent.
const NO_PREVIEWS: &str = "previews are sent over a connection to the control socket; ask there";

/// What is told to those who may not ask for something.
const NOT_TRUSTED: &str = "this is for the control socket only; ask there";

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
        Some(theirs) if theirs > PROTOCOL => Reply::Error(format!(
            "this greenroom speaks protocol {PROTOCOL}, not {theirs}; update greenroom, or ask as a client of \
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

fn replied_by(replier: Replier) -> Replied {
    replied_with(Answer::Done {}, replier)
}

/// Whoever asked gets `answer` when it is done.
fn replied_with(answer: Answer, replier: Replier) -> Replied {
    let watch = replier.watch();
    let tell = move |done: Result<(), String>| {
        replier.reply(done.map_or_else(Reply::Error, |()| Reply::Ok(answer)));
    };
    Replied::new(tell, move || watch.is_abandoned())
}
