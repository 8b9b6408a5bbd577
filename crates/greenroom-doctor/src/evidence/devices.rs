//! Video nodes that are no loopbacks: which are cameras, on which USB port, with which rights.

use std::path::Path;

use greenroom_setup::Known;
use serde::Serialize;

use super::access::{Identity, NodeAccess, node_access};
use crate::root::Root;

/// A video node.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Device {
    /// N of `/dev/videoN`.
    pub number: u32,
    /// What it calls itself.
    pub name: String,
    /// Whether it is a node of v4l2loopback.
    pub is_loopback: bool,
    /// Whether it is the first node of its device; others carry metadata.
    pub is_first: bool,
    /// Its USB device, if it is on USB.
    pub usb: Option<Usb>,
    /// Whose the node is, and whether this user may open it.
    pub node: NodeAccess,
}

/// A USB device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Usb {
    /// Its speed in millions of bits a second: 12, 480, 5000.
    pub speed_mbps: Known<f64>,
    /// The number of its bus: devices of one bus share its speed.
    pub bus: Known<u32>,
}

impl Device {
    /// Whether this is a webcam: the first node of a USB device.
    pub fn is_usb_camera(&self) -> bool {
        !self.is_loopback && self.is_first && self.usb.is_some()
    }
}

const CLASS: &str = "/sys/class/video4linux";

pub(super) fn read(root: &Root, identity: &Identity) -> Known<Vec<Device>> {
    let Known::Is(names) = root.names(CLASS) else { return Known::Unknown };
    let numbers = names.iter().filter_map(|name| name.strip_prefix("video")?.parse::<u32>().ok());
    let mut numbers: Vec<_> = numbers.collect();
    numbers.sort_unstable();
    let device = |number: u32| {
        let folder = format!("{CLASS}/video{number}");
        let attribute = |name: &str| root.word(format!("{folder}/{name}"));
        let loopback = ["format", "buffers", "max_openers"];
        Device {
            number,
            name: attribute("name").unwrap_or_default(),
            is_loopback: loopback
                .iter()
                .all(|name| root.exists(format!("{folder}/{name}")).is_true()),
            is_first: attribute("index").is_none_or(|index| index == "0"),
            usb: usb(root, &folder),
            node: node_access(root, identity, Path::new(&format!("/dev/video{number}"))),
        }
    };
    Known::Is(numbers.into_iter().map(device).collect())
}

/// `device` is the USB interface; the folder around it is the USB device.
fn usb(root: &Root, folder: &str) -> Option<Usb> {
    let usb = format!("{folder}/device/..");
    let attribute = |name: &str| root.word(format!("{usb}/{name}"));
    attribute("idVendor")?;
    Some(Usb {
        speed_mbps: attribute("speed").and_then(|speed| speed.parse().ok()).into(),
        bus: attribute("busnum").and_then(|bus| bus.parse().ok()).into(),
    })
}
