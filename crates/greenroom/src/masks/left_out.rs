//! What stands for the crate `greenroom-masks` where it is not built in. No value of these types can be made: the first
//! of them would be a [`MaskServerUrl`], and whoever writes one is told.

use std::fmt;
use std::io;
use std::str::FromStr;
use std::sync::Arc;

use greenroom_device::FrameRate;
use greenroom_frame::{Frame, FrameView};
use greenroom_matte::RoomGuard;

use crate::pipeline::MaskServerReport;

/// Where a mask server is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MaskServerUrl {}

impl FromStr for MaskServerUrl {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Err(format!(
            "\"{text}\": this greenroom was built without mask servers; leave it out, or build it with the \
             feature mask-server"
        ))
    }
}

impl fmt::Display for MaskServerUrl {
    fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {}
    }
}

/// Asks a mask server.
pub enum MaskClient {}

impl MaskClient {
    /// # Errors
    /// Never: there is no address.
    pub fn start(
        url: MaskServerUrl,
        _: FrameRate,
        _: RoomGuard,
        _: Arc<MaskServerReport>,
    ) -> io::Result<Self> {
        match url {}
    }

    /// The next frame has nothing to do with those before.
    pub fn reset(&mut self) {
        match *self {}
    }

    /// Has the server find the person.
    pub fn find(&mut self, _: &FrameView<'_>) -> bool {
        match *self {}
    }

    /// The alpha of the frame that was found last.
    pub fn alpha(&self) -> Option<&Frame> {
        match *self {}
    }
}

/// Why the mask server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum ListenError {}
