use std::time::{Duration, Instant};

use greenroom_device::Sink;

use crate::status::OutputState;

/// What an output is doing. Drawn in ARCHITECTURE.md.
pub(super) enum State {
    /// The node is not there. A new node, or `retry_at`, is when to look again.
    Missing { retry_at: Instant },
    /// Held open, the placeholder in every buffer; nobody watches and nothing is written.
    Holding(Box<dyn Sink>),
    /// Somebody watches.
    Watched(Box<dyn Sink>),
    /// The last one who watched has left at `since`; the picture goes on for a while, since many programs
    /// close a camera only to open it again.
    Lingering { sink: Box<dyn Sink>, since: Instant },
    /// It was lost, and is not looked for.
    Ended,
}

impl State {
    /// The sink, if it is there.
    pub(super) fn sink(&self) -> Option<&dyn Sink> {
        match self {
            State::Missing { .. } | State::Ended => None,
            State::Holding(sink) | State::Watched(sink) | State::Lingering { sink, .. } => {
                Some(sink.as_ref())
            }
        }
    }

    /// The sink, if it is there.
    pub(super) fn sink_mut(&mut self) -> Option<&mut dyn Sink> {
        match self {
            State::Missing { .. } | State::Ended => None,
            State::Holding(sink) | State::Watched(sink) | State::Lingering { sink, .. } => {
                Some(sink.as_mut())
            }
        }
    }

    /// The sink, if it is there, for its end.
    pub(super) fn into_sink(self) -> Option<Box<dyn Sink>> {
        match self {
            State::Missing { .. } | State::Ended => None,
            State::Holding(sink) | State::Watched(sink) | State::Lingering { sink, .. } => {
                Some(sink)
            }
        }
    }

    /// When something is to be done at the latest, where the picture goes on for `idle_after`.
    pub(super) fn deadline(&self, idle_after: Duration) -> Option<Instant> {
        match self {
            State::Missing { retry_at } => Some(*retry_at),
            State::Lingering { since, .. } => Some(*since + idle_after),
            State::Holding(_) | State::Watched(_) | State::Ended => None,
        }
    }

    /// For the status.
    pub(super) fn name(&self) -> OutputState {
        match self {
            State::Missing { .. } => OutputState::Missing,
            State::Holding(_) => OutputState::Holding,
            State::Watched(_) => OutputState::Watched,
            State::Lingering { .. } => OutputState::Lingering,
            State::Ended => OutputState::Ended,
        }
    }
}
