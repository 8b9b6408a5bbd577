//! Who watches an output, or records it, and what that changes.

use greenroom_device::{Audience, DeviceError, SinkMode};

use super::preview::PreviewCommand;
use super::state::State;
use super::tap::TapCommand;
use super::{Now, Output};
use crate::pipeline::{PlaceholderReason, Stats};

impl Output {
    pub(super) fn ask_audience(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        let Some(sink) = self.state.sink_mut() else { return Ok(()) };
        match sink.audience() {
            Ok(audience) => {
                let mode = sink.mode();
                if mode != self.painter.mode() {
                    self.change_mode(mode)?;
                }
                self.follow(audience, now)
            }
            Err(error) => self.lose(error, now.time),
        }
    }

    /// A recording begins or ends.
    pub(super) fn set_tap(
        &mut self,
        command: TapCommand,
        stats: &Stats,
    ) -> Result<(), DeviceError> {
        match command {
            TapCommand::Begin(tap) => {
                self.tap = Some(tap);
                Ok(())
            }
            TapCommand::End => self.end_tap(stats),
        }
    }

    /// The recording ends, if there is one. What was on for it alone is off again.
    pub(super) fn end_tap(&mut self, stats: &Stats) -> Result<(), DeviceError> {
        let was_on = self.is_on();
        self.tap = None;
        if was_on && !self.is_on() {
            return self.blank(&PlaceholderReason::Off, stats);
        }
        Ok(())
    }

    /// A preview begins or ends. What was off begins with the placeholder, what was on for it alone is off again.
    pub(super) fn set_preview(
        &mut self,
        command: PreviewCommand,
        now: &Now<'_>,
    ) -> Result<(), DeviceError> {
        let was_on = self.is_on();
        self.previews.follow(command);
        if was_on && !self.is_on() {
            return self.blank(&PlaceholderReason::Off, now.stats);
        }
        if !was_on && self.is_on() {
            return self.show_placeholder(now.placeholder_reason, now.stats);
        }
        Ok(())
    }

    /// Puts the placeholder in place of what previews show.
    pub(super) fn hide_previews(&mut self, placeholder_reason: &PlaceholderReason) {
        if self.previews.is_empty() {
            return;
        }
        self.previews.hide(self.painter.placeholder(placeholder_reason).ok());
    }

    /// A consumer has negotiated anew.
    pub(super) fn change_mode(&mut self, mode: SinkMode) -> Result<(), DeviceError> {
        // What was packed for the old one is of no use.
        self.has_picture = false;
        self.painter.set_mode(mode)?;
        let SinkMode { format, size, .. } = mode;
        tracing::info!("output: {} takes {size} {format} now", self.report.sink_name());
        self.tell_state(None);
        Ok(())
    }

    pub(super) fn follow(&mut self, audience: Audience, now: &Now<'_>) -> Result<(), DeviceError> {
        let missing = State::Missing { retry_at: now.time };
        let mut is_new = false;
        self.state = match (std::mem::replace(&mut self.state, missing), audience.watched) {
            (State::Holding(sink), true) => {
                is_new = true;
                State::Watched(sink)
            }
            (State::Lingering { sink, .. }, true) => State::Watched(sink),
            (State::Watched(sink), false) => State::Lingering { sink, since: now.time },
            (state, _) => state,
        };
        self.tell_state(None);
        self.report.set_watchers(&audience.watchers);
        if is_new && !self.keeps_on() {
            return self.show_placeholder(now.placeholder_reason, now.stats);
        }
        if audience.renewal_due {
            return self.renew(now);
        }
        Ok(())
    }

    /// Somebody is about to watch: their first picture must not have the time of the last one who
    /// did.
    pub(super) fn renew(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        match self.state {
            State::Holding(_) if !self.keeps_on() => {
                self.show_placeholder(&PlaceholderReason::Off, now.stats)
            }
            State::Missing { .. } | State::Ended => Ok(()),
            _ => {
                self.renewal_due = true;
                Ok(())
            }
        }
    }

    pub(super) fn end_lingering(&mut self, now: &Now<'_>) -> Result<(), DeviceError> {
        let missing = State::Missing { retry_at: now.time };
        self.state = match std::mem::replace(&mut self.state, missing) {
            State::Lingering { sink, .. } => State::Holding(sink),
            state => state,
        };
        self.tell_state(None);
        match self.state {
            State::Holding(_) if !self.keeps_on() => self.blank(&PlaceholderReason::Off, now.stats),
            _ => Ok(()),
        }
    }
}
