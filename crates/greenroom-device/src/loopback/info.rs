use std::path::{Path, PathBuf};

use greenroom_frame::SizePx;

use super::dialect::{Dialect, ModuleVersion};
use super::state::{LoopbackState, find_out, held_format};
use crate::holder::{Opener, openers};
use crate::node::{Node, refusal};
use crate::node_name::display_name;
use crate::v4l2::FourCc;
use crate::{DeviceError, Holder};

/// A node of v4l2loopback, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoopbackInfo {
    /// Its node, `/dev/video10`.
    pub node: PathBuf,
    /// Its label: what other programs show as the camera's name.
    pub card: String,
    /// Its number among the loopbacks, `platform:v4l2loopback-000`.
    pub bus: String,
    /// Version of the module; it tells since 0.13.
    pub version: Option<ModuleVersion>,
    /// How it wants to be treated.
    pub dialect: Dialect,
    /// Who has it.
    pub state: LoopbackState,
    /// Format and size that it is fixed to, if it is.
    pub format: Option<(FourCc, SizePx)>,
    /// Who has it open, as far as that may be seen; never ourselves.
    pub users: Vec<Holder>,
}

impl LoopbackInfo {
    /// Label and node, for people: `greenroom (/dev/video10)`.
    pub fn name(&self) -> String {
        display_name(&self.card, &self.node)
    }

    /// Whether its label says that it is meant for us.
    pub(crate) fn is_labelled_ours(&self) -> bool {
        self.card.to_lowercase().contains("greenroom")
    }

    /// Whether its label says that it is meant for OBS, which takes it without asking.
    pub(crate) fn is_labelled_obs(&self) -> bool {
        self.card.split(|c: char| !c.is_alphanumeric()).any(|word| word == "OBS")
    }

    pub(crate) fn of(node: &Node) -> Self {
        Self::with_openers(node, &openers(&node.path))
    }

    pub(super) fn with_openers(node: &Node, openers: &[Opener]) -> Self {
        let version = ModuleVersion::loaded();
        let dialect = Dialect::of(version);
        Self {
            card: node.caps.card.clone(),
            bus: node.caps.bus.clone(),
            version,
            dialect,
            state: find_out(node, dialect, openers),
            format: held_format(&node.path),
            users: openers.iter().map(|opener| opener.holder.clone()).collect(),
            node: node.path.clone(),
        }
    }
}

/// What the driver of a loopback answers, without changing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LoopbackTraits {
    /// It shows itself as a camera or as an output, and never as both (`exclusive_caps=1`).
    pub exclusive_caps: bool,
    /// It has the event by which v4l2loopback 0.13 and later tells who watches.
    pub tells_of_readers: bool,
}

impl LoopbackTraits {
    /// Asks the loopback at `node`.
    ///
    /// # Errors
    /// If it cannot be opened or asked.
    pub fn of(node: &Path) -> Result<Self, DeviceError> {
        let node = Node::open(node)?;
        let tells_of_readers = node
            .device
            .subscribe_readers()
            .map_err(|error| refusal(&node.name(), &node.path, error))?;
        Ok(Self {
            exclusive_caps: !(node.caps.can_capture() && node.caps.can_output()),
            tells_of_readers,
        })
    }
}
