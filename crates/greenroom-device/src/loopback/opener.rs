use std::os::fd::{AsFd, BorrowedFd};

use greenroom_frame::SizePx;

use super::LoopbackSink;
use crate::{DeviceError, FrameRate, NodeWatch, Sink, SinkOpener, find_loopback};

/// Opens a loopback by the name that the user gave, whenever its node is there.
#[derive(Debug)]
pub struct LoopbackOpener {
    name: String,
    size: SizePx,
    rate: FrameRate,
    /// `None` if the system has no inotify left.
    nodes: Option<NodeWatch>,
}

impl LoopbackOpener {
    /// For frames of `size` at `rate`; `name` is `auto`, a node or a card name.
    pub fn new(name: String, size: SizePx, rate: FrameRate) -> Self {
        let nodes = NodeWatch::new().map_err(|error| {
            tracing::warn!("{error}; a virtual camera that comes is noticed seconds later");
        });
        Self { name, size, rate, nodes: nodes.ok() }
    }
}

impl SinkOpener for LoopbackOpener {
    fn open(&mut self) -> Result<Box<dyn Sink>, DeviceError> {
        let loopback = find_loopback(&self.name)?;
        Ok(Box::new(LoopbackSink::open(&loopback, self.size, self.rate)?))
    }

    fn news_fd(&self) -> Option<BorrowedFd<'_>> {
        self.nodes.as_ref().map(AsFd::as_fd)
    }

    fn has_news(&mut self) -> bool {
        self.nodes.as_ref().is_some_and(NodeWatch::clear)
    }
}
