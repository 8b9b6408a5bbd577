//! The wall between outputs.

use std::panic::{AssertUnwindSafe, catch_unwind};

use greenroom_device::DeviceError;

use super::Output;
use crate::pipeline::Stats;

/// What fails over one output is no matter of the others.
pub(super) fn guarded(
    output: &mut Output,
    stats: &Stats,
    act: impl FnOnce(&mut Output) -> Result<(), DeviceError>,
) -> Result<(), DeviceError> {
    let done = catch_unwind(AssertUnwindSafe(|| act(output)));
    done.unwrap_or_else(|_| output.recover(stats))
}
