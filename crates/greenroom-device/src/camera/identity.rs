//! Which camera it is, whatever the number of its node.

use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};

use crate::loopback;
use crate::node::{Node, video_nodes};
use crate::node_name::sysfs_of;

/// What a camera is recognised by when it was unplugged and has come back, perhaps on another node
/// and in another port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CameraIdentity {
    /// What it calls itself, for people.
    card: String,
    kind: IdentityKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum IdentityKind {
    /// The reading side of a loopback: it is the node that matters.
    Loopback(PathBuf),
    /// On USB: the product, and the port for as long as it stays there.
    Usb {
        product: UsbProduct,
        port: String,
        /// Ports that held an equal camera when this one was looked at: not the same one.
        twin_ports: Vec<String>,
    },
    /// Built in, or made by a driver.
    Other { driver: String, bus: String },
}

/// One camera function of a USB product.
#[derive(Debug, Clone, PartialEq, Eq)]
struct UsbProduct {
    /// `046d`.
    vendor: String,
    /// `0825`.
    product: String,
    /// Many have none, and some give all pieces the same.
    serial: Option<String>,
    /// Number of the USB interface: a laptop's camera may have one for colour and one for infrared.
    interface: Option<String>,
    /// Number of the node among those of the interface: a second one is for metadata.
    index: Option<String>,
}

/// How well a node fits an identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fit {
    /// An equal camera in another port: the same one, if there is no better.
    Equal,
    /// The one.
    Same,
    /// It has to be opened for an answer.
    Ask,
}

impl CameraIdentity {
    pub(crate) fn of(node: &Node) -> Self {
        let others = video_nodes().into_iter().filter(|path| *path != node.path);
        let others: Vec<_> = others.filter_map(|path| sysfs_of(&path)).collect();
        let sysfs = sysfs_of(&node.path);
        let usb = sysfs.as_deref().and_then(usb_of);
        let kind = if loopback::is_loopback(&node.caps) {
            IdentityKind::Loopback(node.path.clone())
        } else if let Some((product, port)) = usb {
            let twin_ports = twin_ports(&product, &port, &others);
            IdentityKind::Usb { product, port, twin_ports }
        } else {
            IdentityKind::Other { driver: node.caps.driver.clone(), bus: node.caps.bus.clone() }
        };
        Self { card: node.caps.card.clone(), kind }
    }

    /// What it calls itself.
    pub(crate) fn card(&self) -> &str {
        &self.card
    }

    /// The node of a loopback.
    pub(crate) fn loopback(&self) -> Option<&Path> {
        match &self.kind {
            IdentityKind::Loopback(node) => Some(node),
            _ => None,
        }
    }

    /// Whether the node with that folder in sysfs may be this camera, without opening it.
    pub(crate) fn fit_by_sysfs(&self, sysfs: &Path) -> Option<Fit> {
        match (&self.kind, usb_of(sysfs)) {
            (IdentityKind::Usb { product, port, twin_ports }, Some((found, found_port))) => {
                if found != *product || twin_ports.contains(&found_port) {
                    return None;
                }
                Some(if found_port == *port { Fit::Same } else { Fit::Equal })
            }
            (IdentityKind::Other { .. }, None) => Some(Fit::Ask),
            _ => None,
        }
    }

    /// Whether an open node, which [may](Self::fit_by_sysfs) be this camera, is it.
    pub(crate) fn fits(&self, node: &Node) -> bool {
        match &self.kind {
            IdentityKind::Other { driver, bus } => {
                let caps = &node.caps;
                (&caps.driver, &caps.card, &caps.bus) == (driver, &self.card, bus)
            }
            IdentityKind::Usb { .. } => true,
            IdentityKind::Loopback(path) => node.path == *path,
        }
    }
}

/// Product and port of a node's USB device, from its folder in sysfs. `None` for what is not on USB.
///
/// `device` there leads to the interface (`.../usb1/1-2/1-2:1.0`), whose parent is the device.
fn usb_of(sysfs: &Path) -> Option<(UsbProduct, String)> {
    let interface = fs::canonicalize(sysfs.join("device")).ok()?;
    // A device within a device within ...: USB has 7 levels at most, and the device is near.
    let device = interface.ancestors().take(4).find(|folder| folder.join("idVendor").exists())?;
    let product = UsbProduct {
        vendor: attribute(device, "idVendor")?,
        product: attribute(device, "idProduct")?,
        serial: attribute(device, "serial"),
        interface: attribute(&interface, "bInterfaceNumber"),
        index: attribute(sysfs, "index"),
    };
    let port = device.file_name().map(OsStr::to_string_lossy)?.into_owned();
    Some((product, port))
}

/// Ports in which another camera of the same kind is, given the other nodes' folders in sysfs.
fn twin_ports(product: &UsbProduct, port: &str, others: &[PathBuf]) -> Vec<String> {
    let mut ports: Vec<_> = others
        .iter()
        .filter_map(|sysfs| usb_of(sysfs))
        .filter(|(found, found_port)| found == product && found_port != port)
        .map(|(_, port)| port)
        .collect();
    ports.sort();
    ports
}

/// What a file of sysfs says; `None` if it is not there or empty.
fn attribute(folder: &Path, name: &str) -> Option<String> {
    let text = fs::read_to_string(folder.join(name)).ok()?;
    let text = text.trim();
    (!text.is_empty()).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use tempfile::TempDir;

    use super::*;

    /// A made-up sysfs.
    struct Sysfs(TempDir);

    impl Sysfs {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }

        /// Plugs a camera in; gives the folder of its node.
        fn plug(&self, node: &str, port: &str, serial: &str, interface: &str) -> PathBuf {
            let device = self.0.path().join("devices/pci0/usb1").join(port);
            let function = device.join(format!("{port}:1.{interface}"));
            let class = function.join("video4linux").join(node);
            fs::create_dir_all(&class).unwrap();
            fs::write(device.join("idVendor"), "046d\n").unwrap();
            fs::write(device.join("idProduct"), "0825\n").unwrap();
            if !serial.is_empty() {
                fs::write(device.join("serial"), format!("{serial}\n")).unwrap();
            }
            fs::write(function.join("bInterfaceNumber"), format!("0{interface}\n")).unwrap();
            fs::write(class.join("index"), "0\n").unwrap();
            symlink(&function, class.join("device")).unwrap();
            class
        }

        fn identity(&self, sysfs: &Path, others: &[PathBuf]) -> CameraIdentity {
            let (product, port) = usb_of(sysfs).unwrap();
            let twin_ports = twin_ports(&product, &port, others);
            let card = "HD Webcam".to_owned();
            CameraIdentity { card, kind: IdentityKind::Usb { product, port, twin_ports } }
        }
    }

    #[test]
    fn a_usb_camera_is_read_from_sysfs() {
        let sysfs = Sysfs::new();
        let (product, port) = usb_of(&sysfs.plug("video0", "1-2", "A1", "0")).unwrap();
        assert_eq!(port, "1-2");
        assert_eq!((product.vendor.as_str(), product.product.as_str()), ("046d", "0825"));
        assert_eq!(product.serial.as_deref(), Some("A1"));
        assert_eq!(product.interface.as_deref(), Some("00"));
        assert_eq!(product.index.as_deref(), Some("0"));
        let built_in = sysfs.0.path().join("devices/platform/vivid.0/video4linux/video3");
        fs::create_dir_all(&built_in).unwrap();
        symlink(built_in.join("../.."), built_in.join("device")).unwrap();
        assert_eq!(usb_of(&built_in), None);
        assert_eq!(usb_of(Path::new("/no/such/folder")), None);
    }

    #[test]
    fn the_same_camera_is_found_on_another_node_and_in_another_port() {
        let sysfs = Sysfs::new();
        let camera = sysfs.identity(&sysfs.plug("video0", "1-2", "A1", "0"), &[]);
        let fit = |node, port, serial, interface| {
            camera.fit_by_sysfs(&sysfs.plug(node, port, serial, interface))
        };
        assert_eq!(fit("video4", "1-2", "A1", "0"), Some(Fit::Same));
        assert_eq!(fit("video5", "1-3.1", "A1", "0"), Some(Fit::Equal));
        assert_eq!(fit("video6", "1-4", "B2", "0"), None);
        assert_eq!(fit("video7", "1-5", "", "0"), None);
        assert_eq!(fit("video8", "1-6", "A1", "2"), None);
        assert_eq!(camera.fit_by_sysfs(Path::new("/no/such/folder")), None);
    }

    #[test]
    fn of_two_equal_cameras_each_keeps_its_port() {
        let sysfs = Sysfs::new();
        let left = sysfs.plug("video0", "1-2", "", "0");
        let right = sysfs.plug("video2", "1-3", "", "0");
        let camera = sysfs.identity(&left, std::slice::from_ref(&right));
        assert_eq!(camera.fit_by_sysfs(&left), Some(Fit::Same));
        assert_eq!(camera.fit_by_sysfs(&right), None);
        let elsewhere = sysfs.plug("video4", "1-4", "", "0");
        assert_eq!(camera.fit_by_sysfs(&elsewhere), Some(Fit::Equal));
    }

    #[test]
    fn others_are_asked_what_they_are() {
        let sysfs = Sysfs::new();
        let (driver, bus) = ("vivid".to_owned(), "platform:vivid-000".to_owned());
        let camera =
            CameraIdentity { card: "vivid".to_owned(), kind: IdentityKind::Other { driver, bus } };
        assert_eq!(camera.fit_by_sysfs(sysfs.0.path()), Some(Fit::Ask));
        assert_eq!(camera.fit_by_sysfs(&sysfs.plug("video0", "1-2", "", "0")), None);
    }
}
