//! One output and its state machine. Beside it the thread that serves all outputs, and what it shows on them.

mod audience;
mod commands;
mod frame;
mod guarded;
mod matte_output;
mod mixer;
mod painter;
mod policy;
mod preview;
mod report;
mod state;
mod tap;
mod thread;
mod view;
mod write;

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::{DeviceError, Sink, Wake};

use super::{Changes, PlaceholderReason, Stats};
pub(super) use commands::OutputCommands;
pub use matte_output::MatteOutput;
pub use painter::{Composed, Painter};
pub use policy::{Idle, OnLoss, OutputPolicy};
use preview::OutputPreviews;
pub use preview::Preview;
pub(super) use preview::PreviewCommand;
pub(super) use report::OutputReport;
use state::State;
pub use tap::{Tap, TapCounts, TapEnd};
pub use thread::MOST_OUTPUTS;
pub(super) use thread::OutputThread;
pub use write::ShowError;

/// Time until a sink is tried again that gives no sign of its return (another program lets go of
/// it); doubled with each try up to [`LONGEST_RETRY`]. A node that comes ends the wait.
const RETRY: Duration = Duration::from_secs(1);
/// See [`RETRY`].
const LONGEST_RETRY: Duration = Duration::from_secs(16);

/// One output: a sink with a scene of its own. Only composed frames and the placeholder go through
/// it.
pub struct Output {
    name: String,
    painter: Painter,
    state: State,
    policy: OutputPolicy,
    /// What was told last of why it is missing: one line an event.
    told: Option<String>,
    retry: Duration,
    failing: bool,
    /// What was written last is a composed picture.
    has_picture: bool,
    /// Somebody is about to watch, and the picture is on.
    renewal_due: bool,
    /// Why it has ended before the others.
    loss: Option<DeviceError>,
    report: Arc<OutputReport>,
    commands: Arc<OutputCommands>,
    /// Who records what is written to it.
    tap: Option<Tap>,
    /// Programs that look at small pictures of it.
    previews: OutputPreviews,
}

/// What an output needs to know of the whole.
struct Now<'a> {
    time: Instant,
    stats: &'a Stats,
    idle_after: Duration,
    /// What a new watcher is shown.
    placeholder_reason: &'a PlaceholderReason,
}

impl Output {
    /// An output to `sink`, which is there now or is awaited (and why, which the user has been told). `name` tells it
    /// from other outputs.
    pub fn new(
        name: String,
        painter: Painter,
        sink: Result<Box<dyn Sink>, DeviceError>,
        policy: OutputPolicy,
    ) -> Self {
        let (told, state) = match sink {
            // Nobody comes and goes there.
            Ok(sink) if sink.is_recording() => (None, State::Watched(sink)),
            Ok(sink) => (None, State::Holding(sink)),
            Err(error) => (Some(error.to_string()), State::Missing { retry_at: Instant::now() }),
        };
        let output = Self {
            painter,
            state,
            policy,
            told,
            retry: RETRY,
            failing: false,
            has_picture: false,
            renewal_due: false,
            loss: None,
            report: Arc::new(OutputReport::new(name.clone())),
            commands: Arc::new(OutputCommands::new(name.clone(), None)),
            tap: None,
            previews: OutputPreviews::default(),
            name,
        };
        output.tell_state(output.told.clone());
        output
    }

    /// What tells it from other outputs.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether pictures go on while nobody watches.
    fn keeps_on(&self) -> bool {
        self.policy.idle == Idle::Keep || self.is_wanted_besides()
    }

    /// Whether a recording or a preview wants the camera, whoever watches.
    fn is_wanted_besides(&self) -> bool {
        !self.previews.is_empty() || self.tap.as_ref().is_some_and(Tap::opens_camera)
    }

    pub(super) fn commands(&self) -> Arc<OutputCommands> {
        Arc::clone(&self.commands)
    }

    /// From now on its scene can be changed; `scenes_bell` rings when one is out of use, `changes` when its status
    /// changes.
    pub(super) fn follow_commands(&mut self, scenes_bell: Wake, changes: &Arc<Changes>) {
        self.report.tell(changes);
        self.painter.mixer_mut().follow(Arc::clone(&self.commands), scenes_bell);
    }

    pub(super) fn report(&self) -> Arc<OutputReport> {
        Arc::clone(&self.report)
    }

    /// Whether something is to be shown on it.
    fn is_on(&self) -> bool {
        match self.state {
            State::Missing { .. } | State::Ended => false,
            State::Holding(_) => self.keeps_on(),
            State::Watched(_) | State::Lingering { .. } => true,
        }
    }

    /// Whether the camera is to be opened for it.
    pub(super) fn wants_camera(&self) -> bool {
        self.is_on() && (self.policy.counts_as_demand || self.is_wanted_besides())
    }

    /// Whether nothing will ever come of it any more.
    fn has_ended(&self) -> bool {
        matches!(self.state, State::Ended)
    }

    /// Whether what was written last is out.
    fn is_settled(&self) -> bool {
        self.state.sink().is_none_or(Sink::is_settled)
    }

    /// Readable when somebody may have come or gone, or when it may be there again.
    fn fd(&self) -> Option<BorrowedFd<'_>> {
        match (&self.state, &self.policy.on_loss) {
            (State::Missing { .. }, OnLoss::Retry(opener)) => opener.news_fd(),
            (state, _) => state.sink()?.audience_fd(),
        }
    }

    /// When it wants to be [updated](Self::update) at the latest.
    fn deadline(&self, idle_after: Duration) -> Option<Instant> {
        self.state.deadline(idle_after)
    }

    /// First thing: overwrites the last frame of the previous writer, so that a new reader never sees it.
    fn begin(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        match self.state {
            State::Missing { .. } => self.look_for_it(now),
            State::Watched(_) => self.show_placeholder(now.placeholder_reason, now.stats),
            State::Holding(_) | State::Lingering { .. } => self.take_up(now),
            State::Ended => Ok(()),
        }
    }

    /// A device was opened.
    fn take_up(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        if let (Ok(frame), Some(sink)) =
            (self.painter.placeholder(&PlaceholderReason::Failed), self.state.sink_mut())
        {
            sink.store_timeout_picture(frame);
        }
        self.blank(&PlaceholderReason::Off, now.stats)?;
        self.ask_audience(now)
    }

    /// Whether what was written last is to be written again, because somebody is about to watch;
    /// told once.
    fn takes_renewal(&mut self) -> bool {
        std::mem::take(&mut self.renewal_due)
    }

    /// Follows what happened; `is_ready` if its [descriptor](Self::fd) was readable.
    ///
    /// # Errors
    /// When its loss is the end.
    fn update(&mut self, is_ready: bool, now: &Now<'_>) -> Result<(), DeviceError> {
        if let Some(command) = self.commands.take_tap_command() {
            self.set_tap(command, now.stats)?;
        }
        while let Some(command) = self.commands.take_preview_command() {
            self.set_preview(command, now)?;
        }
        match self.state {
            State::Missing { retry_at } => {
                let has_news = match &mut self.policy.on_loss {
                    OnLoss::Retry(opener) => is_ready && opener.has_news(),
                    OnLoss::End | OnLoss::Drop => false,
                };
                if has_news {
                    self.retry = RETRY;
                }
                if has_news || now.time >= retry_at { self.look_for_it(now) } else { Ok(()) }
            }
            State::Lingering { since, .. } if now.time >= since + now.idle_after => {
                // Once more: who came in this moment is not sent away.
                self.ask_audience(now)?;
                self.end_lingering(now)
            }
            _ if is_ready => self.ask_audience(now),
            _ => Ok(()),
        }
    }

    fn look_for_it(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        let OnLoss::Retry(opener) = &mut self.policy.on_loss else { return Ok(()) };
        match opener.open() {
            Ok(sink) => {
                self.painter.set_mode(sink.mode()).map_err(DeviceError::from)?;
                self.told = None;
                self.retry = RETRY;
                self.state = State::Holding(sink);
                self.tell_state(None);
                self.take_up(now)
            }
            Err(error) => {
                self.miss(&error, now.time);
                Ok(())
            }
        }
    }

    /// What becomes of it is for the policy to say.
    ///
    /// # Errors
    /// When its loss is the end.
    fn lose(&mut self, error: DeviceError, time: Instant) -> Result<(), DeviceError> {
        match self.policy.on_loss {
            OnLoss::Retry(_) => self.miss(&error, time),
            OnLoss::End => return Err(error),
            OnLoss::Drop => {
                self.state = State::Ended;
                self.hide_previews(&PlaceholderReason::Failed);
                self.has_picture = false;
                self.tell_state(Some(error.to_string()));
                tracing::warn!("output: {error}; the others go on");
                self.loss = Some(error);
            }
        }
        Ok(())
    }

    fn miss(&mut self, error: &DeviceError, time: Instant) {
        let reason = error.to_string();
        self.state = State::Missing { retry_at: time + self.retry };
        self.hide_previews(&PlaceholderReason::Failed);
        self.has_picture = false;
        self.retry = (2 * self.retry).min(LONGEST_RETRY);
        self.tell_state(Some(reason.clone()));
        if self.told.as_ref() != Some(&reason) {
            tracing::warn!("output: {reason}; waiting for it");
            self.told = Some(reason);
        }
    }

    fn tell_state(&self, reason: Option<String>) {
        let sink = self.state.sink().map(|sink| (sink.name(), sink.mode()));
        self.commands.tell_sink_mode(sink.map(|(_, mode)| mode));
        self.report.set_state(sink, self.state.name(), reason);
    }

    /// Whether its end is waited for however long it takes: a file that is being encoded. (The
    /// reader of a pipe may stand still for ever.)
    pub(super) fn is_waited_for(&self) -> bool {
        self.state.sink().is_some_and(|sink| sink.is_recording() && !sink.may_stand_still())
    }

    /// Ends the output: a device is left with the placeholder in every buffer, a file is completed if
    /// all `is_well`, and otherwise leaves nothing.
    ///
    /// # Errors
    /// When the file could not be completed, or was lost before.
    fn finish(mut self, is_well: bool, stats: &Stats) -> Result<(), DeviceError> {
        if self.state.sink().is_some_and(|sink| !sink.is_recording()) {
            self.blank(&PlaceholderReason::Off, stats)?;
        } else {
            self.hide_previews(&PlaceholderReason::Off);
            if !is_well {
                return Ok(());
            }
        }
        let finished = self.state.into_sink().map_or(Ok(()), Sink::finish);
        self.loss.map_or(finished, Err)
    }
}
