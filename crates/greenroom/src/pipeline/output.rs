//! One output and its state machine.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::{Duration, Instant};

use greenroom_device::{Audience, DeviceError, Sink, Wake};

use super::cues::OutputCues;
use super::output_report::OutputReport;
use super::output_state::State;
use super::{Painter, Standby, Stats};

/// Gets a sink that was lost, or was not there yet.
pub type OpenSink = Box<dyn FnMut() -> Result<Box<dyn Sink>, DeviceError> + Send>;

/// Time until a sink is tried again that gives no sign of its return (another program lets go of
/// it); doubled with each try up to [`LONGEST_RETRY`]. A node that comes ends the wait.
const RETRY: Duration = Duration::from_secs(1);
/// See [`RETRY`].
const LONGEST_RETRY: Duration = Duration::from_secs(16);

/// One output: a sink with a scene of its own. Only composed frames and the placeholder go through
/// it.
pub struct Output {
    name: String,
    pub(super) painter: Painter,
    pub(super) state: State,
    /// `None`: a file. It is always watched, ends with its last frame, and its loss is the end.
    reopen: Option<OpenSink>,
    always_on: bool,
    /// What was told last of why it is missing: one line an event.
    told: Option<String>,
    retry: Duration,
    pub(super) failing: bool,
    /// What was written last is a composed picture.
    pub(super) has_picture: bool,
    /// Somebody is about to watch, and the picture is on.
    renewal_due: bool,
    pub(super) report: Arc<OutputReport>,
    pub(super) cues: Arc<OutputCues>,
}

/// What an output needs to know of the whole.
pub(super) struct Now<'a> {
    pub(super) time: Instant,
    pub(super) stats: &'a Stats,
    pub(super) idle_after: Duration,
    /// What a new watcher is shown.
    pub(super) standby: &'a Standby,
}

impl Output {
    /// An output to a device, which is there now (`sink`) or is awaited (and why, which the user
    /// has been told). It shows a picture while somebody watches, comes back when its node does,
    /// and leaves the placeholder when it ends.
    pub fn on_device(
        name: String,
        painter: Painter,
        sink: Result<Box<dyn Sink>, DeviceError>,
        reopen: OpenSink,
    ) -> Self {
        let state = State::Missing { retry_at: Instant::now() };
        let mut output = Self::new(name, painter, state, Some(reopen));
        match sink {
            Ok(sink) => {
                output.name = sink.name().to_owned();
                output.state = State::Holding(sink);
            }
            Err(error) => output.told = Some(error.to_string()),
        }
        output.tell_state(output.told.clone());
        output
    }

    /// An output that writes into a file, which ends with its last frame.
    pub fn to_file(sink: Box<dyn Sink>, painter: Painter) -> Self {
        let output = Self::new(sink.name().to_owned(), painter, State::Watched(sink), None);
        output.tell_state(None);
        output
    }

    fn new(name: String, painter: Painter, state: State, reopen: Option<OpenSink>) -> Self {
        let (report, cues) = (Arc::default(), Arc::default());
        Self {
            name,
            painter,
            state,
            reopen,
            always_on: false,
            told: None,
            retry: RETRY,
            failing: false,
            has_picture: false,
            renewal_due: false,
            report,
            cues,
        }
    }

    /// Shows a picture also while nobody watches.
    #[must_use]
    pub fn always_on(mut self, always_on: bool) -> Self {
        self.always_on = always_on;
        self
    }

    /// What it is, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether it is watched whatever happens: a file.
    pub fn is_always_watched(&self) -> bool {
        self.reopen.is_none() || self.always_on
    }

    /// Whether it is a file or a pipe: it ends with its last frame, and what was written to it cannot be covered any
    /// more.
    pub(super) fn is_file(&self) -> bool {
        self.reopen.is_none()
    }

    pub(super) fn cues(&self) -> Arc<OutputCues> {
        Arc::clone(&self.cues)
    }

    /// From now on its scene can be changed; `backstage` rings when one is out of use.
    pub(super) fn follow_cues(&mut self, backstage: Wake) {
        self.painter.stage_mut().follow(Arc::clone(&self.cues), backstage);
    }

    pub(super) fn report(&self) -> Arc<OutputReport> {
        Arc::clone(&self.report)
    }

    /// Whether a picture is wanted of it.
    pub(super) fn is_on(&self) -> bool {
        match self.state {
            State::Missing { .. } => false,
            State::Holding(_) => self.always_on,
            State::Watched(_) | State::Lingering { .. } => true,
        }
    }

    /// Whether its node is not there.
    pub(super) fn is_missing(&self) -> bool {
        matches!(self.state, State::Missing { .. })
    }

    /// Readable when somebody may have come or gone.
    pub(super) fn audience_fd(&self) -> Option<BorrowedFd<'_>> {
        self.state.sink()?.audience_fd()
    }

    /// When it wants to be [minded](Self::mind) at the latest.
    pub(super) fn deadline(&self) -> Option<Instant> {
        self.state.deadline()
    }

    /// First thing: whoever had the device before us, its last picture is not for the next watcher.
    pub(super) fn begin(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        match self.state {
            State::Missing { .. } => self.look_for_it(now),
            State::Watched(_) => self.show_placeholder(now.standby, now.stats),
            State::Holding(_) | State::Lingering { .. } => self.take_up(now),
        }
    }

    /// A device was opened.
    fn take_up(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        if let (Ok(frame), Some(sink)) =
            (self.painter.placeholder(&Standby::Failed), self.state.sink_mut())
        {
            sink.store_timeout_picture(frame);
        }
        self.fill_with_placeholder(&Standby::Off, now.stats)?;
        self.ask_audience(now)
    }

    /// Whether what was written last is to be written again, because somebody is about to watch;
    /// told once.
    pub(super) fn takes_renewal(&mut self) -> bool {
        std::mem::take(&mut self.renewal_due)
    }

    /// Follows what happened: `asked` if its audience may have changed, `nodes_changed` if some
    /// node came or went.
    ///
    /// # Errors
    /// When a file is lost.
    pub(super) fn mind(
        &mut self,
        asked: bool,
        nodes_changed: bool,
        now: &Now<'_>,
    ) -> Result<(), DeviceError> {
        match self.state {
            State::Missing { retry_at } if nodes_changed || now.time >= retry_at => {
                if nodes_changed {
                    self.retry = RETRY;
                }
                self.look_for_it(now)
            }
            State::Lingering { until, .. } if now.time >= until => {
                // Once more: who came in this moment is not sent away.
                self.ask_audience(now)?;
                self.end_lingering(now)
            }
            _ if asked => self.ask_audience(now),
            _ => Ok(()),
        }
    }

    fn look_for_it(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        let Some(reopen) = &mut self.reopen else { return Ok(()) };
        match reopen() {
            Ok(sink) => {
                self.name = sink.name().to_owned();
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

    fn ask_audience(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        let Some(sink) = self.state.sink_mut() else { return Ok(()) };
        match sink.audience() {
            Ok(audience) => self.follow(audience, now),
            Err(error) => self.lose(error, now.time),
        }
    }

    fn follow(&mut self, audience: Audience, now: &Now<'_>) -> Result<(), DeviceError> {
        let missing = State::Missing { retry_at: now.time };
        let mut is_new = false;
        self.state = match (std::mem::replace(&mut self.state, missing), audience.watched) {
            (State::Holding(sink), true) => {
                is_new = true;
                State::Watched(sink)
            }
            (State::Lingering { sink, .. }, true) => State::Watched(sink),
            // A file has no audience that could leave.
            (State::Watched(sink), false) if self.reopen.is_some() => {
                State::Lingering { sink, until: now.time + now.idle_after }
            }
            (state, _) => state,
        };
        self.tell_state(None);
        self.report.set_watchers(&audience.watchers);
        if is_new && !self.always_on {
            return self.show_placeholder(now.standby, now.stats);
        }
        if audience.renewal_due {
            return self.renew(now);
        }
        Ok(())
    }

    /// Somebody is about to watch: their first picture must not have the time of the last one who
    /// did.
    fn renew(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        match self.state {
            State::Holding(_) if !self.always_on => self.show_placeholder(&Standby::Off, now.stats),
            State::Missing { .. } => Ok(()),
            _ => {
                self.renewal_due = true;
                Ok(())
            }
        }
    }

    fn end_lingering(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        let missing = State::Missing { retry_at: now.time };
        self.state = match std::mem::replace(&mut self.state, missing) {
            State::Lingering { sink, .. } => State::Holding(sink),
            state => state,
        };
        self.tell_state(None);
        match self.state {
            State::Holding(_) if !self.always_on => {
                self.fill_with_placeholder(&Standby::Off, now.stats)
            }
            _ => Ok(()),
        }
    }

    /// A device that is lost is waited for; a file is not.
    pub(super) fn lose(&mut self, error: DeviceError, time: Instant) -> Result<(), DeviceError> {
        if self.reopen.is_none() {
            return Err(error);
        }
        self.miss(&error, time);
        Ok(())
    }

    fn miss(&mut self, error: &DeviceError, time: Instant) {
        let reason = error.to_string();
        self.state = State::Missing { retry_at: time + self.retry };
        self.has_picture = false;
        self.retry = (2 * self.retry).min(LONGEST_RETRY);
        self.tell_state(Some(reason.clone()));
        if self.told.as_ref() != Some(&reason) {
            tracing::warn!("output: {reason}; waiting for it");
            self.told = Some(reason);
        }
    }

    fn tell_state(&self, reason: Option<String>) {
        let mode = self.state.sink().map(Sink::mode);
        self.report.set_state(&self.name, self.state.name(), mode, reason);
    }

    /// Whether its end is waited for however long it takes: a file that is being encoded. (The
    /// reader of a pipe may stand still for ever.)
    pub(super) fn is_waited_for(&self) -> bool {
        self.reopen.is_none() && self.state.sink().is_some_and(|sink| !sink.may_stand_still())
    }

    /// Ends the output: a device is left with the placeholder in every buffer, a file is completed if
    /// all `is_well`, and otherwise leaves nothing.
    ///
    /// # Errors
    /// When the file could not be completed.
    pub(super) fn finish(mut self, is_well: bool, stats: &Stats) -> Result<(), DeviceError> {
        if self.reopen.is_some() {
            self.fill_with_placeholder(&Standby::Off, stats)?;
        } else if !is_well {
            return Ok(());
        }
        self.state.into_sink().map_or(Ok(()), Sink::finish)
    }
}
