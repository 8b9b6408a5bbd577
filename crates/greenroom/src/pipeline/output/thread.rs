//! The outputs' thread: one loop that waits for frames, watchers, nodes and the stop at once.

use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::Ordering::SeqCst;
use std::time::{Duration, Instant};

use greenroom_device::{DeviceError, wait_readable};

use super::guarded::guarded;
use super::view::{Due, View};
use super::{Now, Output};
use crate::faults::{self, Fault};
use crate::pipeline::commands::{Hiding, PipelineCommands};
use crate::pipeline::demand::Epoch;
use crate::pipeline::shared::{EndBell, Flow, Shared};
use crate::pipeline::{MattePlanes, PlaceholderReason, Reason, Stats};
use crate::service;

/// A matte thread that has been at one frame for so long hangs: the service manager is no longer
/// told that all is well, and starts greenroom anew.
const HANGS: Duration = Duration::from_secs(20);
/// Time between two looks whether a slow output has written the placeholder of a pause.
const SETTLE_LOOK: Duration = Duration::from_millis(5);
/// So many turns in a row may panic; then the thread ends, and greenroom with it.
const PANICS_BORNE: u32 = 10;
/// Most outputs of one pipeline; what `wait_readable` takes is 64 descriptors.
pub const MOST_OUTPUTS: usize = 16;
/// The stop, the slot, the commands.
const FIXED_FDS: usize = 3;

/// Composes each frame for each output and writes it.
pub(in crate::pipeline) struct OutputThread {
    pub(super) shared: Arc<Shared>,
    pub(super) planes: MattePlanes,
    /// What the last frame was taken for.
    pub(super) epoch: Option<Epoch>,
    pub(super) outputs: Vec<Output>,
    commands: Arc<PipelineCommands>,
    pub(super) view: View,
    placeholder_reason: PlaceholderReason,
    /// The reasons to hide that were seen to, see [`Hiding::count`].
    reasons_seen: u64,
    /// The newest of them, until whoever asked for it is told that nothing of before comes any more.
    to_be_told: Option<u64>,
    /// When to tell the service manager that all is well, and how often.
    heartbeat: Option<(Instant, Duration)>,
    pub(super) failing: bool,
}

impl OutputThread {
    pub(in crate::pipeline) fn new(
        shared: Arc<Shared>,
        planes: MattePlanes,
        outputs: Vec<Output>,
        commands: Arc<PipelineCommands>,
    ) -> Self {
        let now = Instant::now();
        let wanted = outputs.iter().any(Output::is_on);
        Self {
            shared,
            planes,
            epoch: None,
            outputs,
            commands,
            view: View::placeholder(now),
            placeholder_reason: if wanted {
                PlaceholderReason::Starting
            } else {
                PlaceholderReason::Off
            },
            reasons_seen: 0,
            to_be_told: None,
            heartbeat: service::watchdog_interval().map(|interval| (now + interval, interval)),
            failing: false,
        }
    }

    pub(in crate::pipeline) fn run(mut self) -> Result<(), DeviceError> {
        let _bell = EndBell(Arc::clone(&self.shared));
        // Also when a part of ours panics again and again, devices are left with the placeholder.
        let shown = catch_unwind(AssertUnwindSafe(|| self.show_until_stopped()));
        self.shared.finishing.ring();
        let is_well = matches!(shown, Ok(Ok(()))) && !self.shared.is_given_up.load(SeqCst);
        let mut finished = Ok(());
        for output in self.outputs {
            let name = output.name().to_owned();
            finished = finished.and(output.finish(is_well, &self.shared.stats));
            tracing::debug!("output: {name} ended");
        }
        self.shared.finished.ring();
        // The first trouble is the one to tell.
        shown.unwrap_or_else(|panic| resume_unwind(panic)).and(finished)
    }

    fn show_until_stopped(&mut self) -> Result<(), DeviceError> {
        let shared = Arc::clone(&self.shared);
        // Something shows at once, and on v4l2loopback it is what makes the node a camera.
        self.for_each(Output::begin)?;
        let mut panics = 0;
        // Why those have ended that have is told at their ends.
        while !shared.stop.is_ringing() && !self.outputs.iter().all(Output::has_ended) {
            match catch_unwind(AssertUnwindSafe(|| self.turn(&shared))) {
                Ok(shown) => {
                    shown?;
                    panics = 0;
                }
                Err(panic) => {
                    // First of all the picture goes.
                    self.lose_picture(PlaceholderReason::Failed)?;
                    panics += 1;
                    if panics > PANICS_BORNE {
                        resume_unwind(panic);
                    }
                    tracing::error!("output: a part of greenroom failed; going on");
                }
            }
        }
        Ok(())
    }

    /// Waits for what comes first, and sees to it.
    fn turn(&mut self, shared: &Shared) -> Result<(), DeviceError> {
        if faults::strike(Fault::OutputTurnPanic) {
            panic!("the output thread panics between two frames, as a test wants");
        }
        self.follow_demand()?;
        let mut ready = self.wait();
        self.for_each(|output, now| {
            let is_ready = ready & 1 != 0;
            ready >>= 1;
            output.update(is_ready, now)
        })?;
        self.renew()?;
        match shared.to_output.take_now() {
            // A reason to hide comes before a frame that came before it.
            Some(Flow::Frame(_)) if self.commands.hiding().count != self.reasons_seen => {
                Stats::count(&shared.stats.dropped_unwatched);
            }
            Some(Flow::Frame(cut)) => self.show(&cut)?,
            Some(Flow::Lost(placeholder_reason)) => self.lose_picture(placeholder_reason)?,
            None => self.keep_time()?,
        }
        self.beat();
        Ok(())
    }

    fn for_each(
        &mut self,
        mut act: impl FnMut(&mut Output, &Now<'_>) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        let hidden = PlaceholderReason::of(self.commands.reasons());
        let now = Now {
            time: Instant::now(),
            stats: &self.shared.stats,
            idle_after: self.commands.idle_after(),
            placeholder_reason: match (&hidden, &self.view, &self.placeholder_reason) {
                (Some(hidden), ..) => hidden,
                // Who comes while a picture is there gets the next one at once.
                (None, View::Picture { .. }, _) | (None, _, PlaceholderReason::Off) => {
                    &PlaceholderReason::Starting
                }
                (None, View::Placeholder { .. }, placeholder_reason) => placeholder_reason,
            },
        };
        let stats = now.stats;
        self.outputs.iter_mut().try_for_each(|output| guarded(output, stats, |it| act(it, &now)))
    }

    /// Acts on those that are on.
    fn for_each_on(
        &mut self,
        mut act: impl FnMut(&mut Output, &Stats) -> Result<(), DeviceError>,
    ) -> Result<(), DeviceError> {
        let stats = &self.shared.stats;
        let mut on = self.outputs.iter_mut().filter(|output| output.is_on());
        on.try_for_each(|output| guarded(output, stats, |it| act(it, stats)))
    }

    /// Whether anybody sees what is shown.
    fn is_watched(&self) -> bool {
        self.outputs.iter().any(Output::is_on)
    }

    /// Has the camera opened when somebody watches and nothing speaks against it, and closed when not.
    fn follow_demand(&mut self) -> Result<(), DeviceError> {
        self.commands.bell.clear();
        let hiding = self.commands.hiding();
        if hiding.count != self.reasons_seen {
            self.hide(hiding)?;
        }
        self.tell_hidden();
        let mut reasons = hiding.reasons;
        reasons.set(Reason::Unwatched, !self.outputs.iter().any(Output::wants_camera));
        let is_news = self.shared.set_demand(reasons.is_empty());
        if let (Some(reason), Some(placeholder_reason)) =
            (reasons.first(), PlaceholderReason::of(reasons))
        {
            if is_news || self.placeholder_reason != placeholder_reason {
                self.placeholder_reason = placeholder_reason;
                // Whoever watches what does not open the camera is left without one.
                self.show_placeholders()?;
                service::status_line(reason.sentence());
            }
        } else if is_news {
            self.lose_picture(PlaceholderReason::Starting)?;
            service::status_line("on air");
        }
        Ok(())
    }

    /// Hides first: from here on no frame of before is shown, in no buffer. Then those who asked are told.
    fn hide(&mut self, hiding: Hiding) -> Result<(), DeviceError> {
        self.shared.set_demand(false);
        // A reason that has ended already hides all the same, for a moment.
        let placeholder_reason =
            PlaceholderReason::of(hiding.reasons).unwrap_or(PlaceholderReason::Starting);
        self.for_each_on(|output, stats| output.blank(&placeholder_reason, stats))?;
        self.view = View::placeholder(Instant::now());
        self.placeholder_reason = placeholder_reason;
        (self.reasons_seen, self.to_be_told) = (hiding.count, Some(hiding.count));
        self.tell_hidden();
        Ok(())
    }

    /// Tells those who asked to hide once the placeholder is out everywhere: a reader of a pipe may stand still.
    fn tell_hidden(&mut self) {
        if let Some(count) = self.to_be_told
            && self.outputs.iter().all(Output::is_settled)
        {
            self.to_be_told = None;
            self.commands.tell_hidden(count);
        }
    }

    /// Waits for whatever comes first. Bit i of what is told: output i.
    fn wait(&self) -> u64 {
        let stop = self.shared.stop.as_fd();
        let mut fds: [BorrowedFd<'_>; FIXED_FDS + MOST_OUTPUTS] = [stop; FIXED_FDS + MOST_OUTPUTS];
        fds[1] = self.shared.to_output.bell().as_fd();
        fds[2] = self.commands.bell.as_fd();
        for (fd, output) in fds[FIXED_FDS..].iter_mut().zip(&self.outputs) {
            *fd = output.fd().unwrap_or(stop);
        }
        let patience = self.deadline().map(|time| time.saturating_duration_since(Instant::now()));
        let ready = wait_readable(&fds[..FIXED_FDS + self.outputs.len()], patience);
        // With the stop everything is over; its bit stands for descriptors that are not there, too.
        if ready & 1 != 0 { 0 } else { ready >> FIXED_FDS }
    }

    fn deadline(&self) -> Option<Instant> {
        let due = self.is_watched().then(|| self.view.deadline());
        let idle_after = self.commands.idle_after();
        let outputs = self.outputs.iter().filter_map(|output| output.deadline(idle_after));
        let look = self.to_be_told.map(|_| Instant::now() + SETTLE_LOOK);
        outputs.chain(due).chain(look).chain(self.heartbeat.map(|(next, _)| next)).min()
    }

    /// The demand that a picture must have been made for to be shown; `None` while something hides it.
    fn wanted_epoch(&self) -> Option<Epoch> {
        let epoch = self.shared.demand.epoch();
        (epoch.wants_picture() && self.commands.reasons().is_empty()).then_some(epoch)
    }

    /// Nothing came: what was written last is written again before anybody misses it.
    fn keep_time(&mut self) -> Result<(), DeviceError> {
        if !self.is_watched() {
            return Ok(());
        }
        self.write_again(self.view.due(self.wanted_epoch(), Instant::now()))
    }

    /// Somebody is about to watch an output that has its picture still on: the first one that they
    /// get must not be old.
    fn renew(&mut self) -> Result<(), DeviceError> {
        let mut is_due = false;
        for output in &mut self.outputs {
            is_due |= output.takes_renewal();
        }
        if !is_due {
            return Ok(());
        }
        self.write_again(self.view.again(self.wanted_epoch(), Instant::now()))
    }

    fn write_again(&mut self, due: Due) -> Result<(), DeviceError> {
        match due {
            Due::Nothing => Ok(()),
            Due::Placeholder => self.show_placeholders(),
            Due::StallPlaceholder => self.lose_picture(PlaceholderReason::Failed),
            Due::Repetition => {
                self.for_each_on(|output, stats| {
                    output.show_again(&PlaceholderReason::Starting, stats)
                })?;
                self.view = self.view.written_again(Instant::now());
                Ok(())
            }
        }
    }

    pub(super) fn lose_picture(
        &mut self,
        placeholder_reason: PlaceholderReason,
    ) -> Result<(), DeviceError> {
        // The camera's last word after it was closed is old news.
        if self.shared.demand.epoch().wants_picture()
            && placeholder_reason != PlaceholderReason::Off
        {
            self.placeholder_reason = placeholder_reason;
            self.show_placeholders()?;
        }
        Ok(())
    }

    fn show_placeholders(&mut self) -> Result<(), DeviceError> {
        let hidden = PlaceholderReason::of(self.commands.reasons());
        let placeholder_reason = hidden.unwrap_or_else(|| self.placeholder_reason.clone());
        self.for_each_on(|output, stats| output.show_placeholder(&placeholder_reason, stats))?;
        self.view = View::placeholder(Instant::now());
        Ok(())
    }

    /// Tells the service manager that all is well, if it is. That this thread comes here shows
    /// that it does not hang; the matte thread is looked at.
    fn beat(&mut self) {
        let now = Instant::now();
        if let Some((next, interval)) = &mut self.heartbeat
            && now >= *next
        {
            *next = now + *interval;
            if self.shared.matte_work.duration() < HANGS {
                service::alive();
            } else {
                tracing::error!("matte: hangs");
            }
        }
    }
}
