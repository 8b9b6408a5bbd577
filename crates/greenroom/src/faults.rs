//! Faults on demand, for the tests of what happens then. Only with the feature `faults`; without
//! it `strike` is a constant.

/// A fault that a test can ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(not(feature = "faults"), allow(dead_code))]
pub(crate) enum Fault {
    CameraPanic,
    CameraStall,
    MattePanic,
    MatteError,
    MatteStall,
    OutputPanic,
    OutputTurnPanic,
    ControlPanic,
    ScenesPanic,
    SnapshotPanic,
    Leak,
}

#[cfg(feature = "faults")]
mod active {
    use std::sync::atomic::{AtomicU32, Ordering::SeqCst};

    use super::Fault;

    static ASKED_FOR: AtomicU32 = AtomicU32::new(0);

    const NAMES: [(&str, Fault); 11] = [
        ("camera-panic", Fault::CameraPanic),
        ("camera-stall", Fault::CameraStall),
        ("matte-panic", Fault::MattePanic),
        ("matte-error", Fault::MatteError),
        ("matte-stall", Fault::MatteStall),
        ("output-panic", Fault::OutputPanic),
        ("output-turn-panic", Fault::OutputTurnPanic),
        ("control-panic", Fault::ControlPanic),
        ("scenes-panic", Fault::ScenesPanic),
        ("snapshot-panic", Fault::SnapshotPanic),
        ("leak", Fault::Leak),
    ];

    /// Whether a fault was asked for; it then strikes once.
    pub(crate) fn strike(fault: Fault) -> bool {
        let bit = 1 << fault as u32;
        ASKED_FOR.load(SeqCst) & bit != 0 && ASKED_FOR.fetch_and(!bit, SeqCst) & bit != 0
    }

    /// Asks for a fault by name; `false` if there is none of that name.
    pub(crate) fn ask_for(name: &str) -> bool {
        let found = NAMES.iter().find(|(known, _)| *known == name);
        if let Some((_, fault)) = found {
            ASKED_FOR.fetch_or(1 << *fault as u32, SeqCst);
        }
        found.is_some()
    }
}

#[cfg(feature = "faults")]
pub(crate) use active::{ask_for, strike};

#[cfg(not(feature = "faults"))]
pub(crate) const fn strike(_: Fault) -> bool {
    false
}
