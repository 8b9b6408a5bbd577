//! What a camera on PipeWire is, by its properties, and which one a name means.

use std::collections::BTreeMap;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use greenroom_device::{CameraMode, Codec, DeviceError, pick_card, printable};
use greenroom_frame::PixelFormat;

/// A camera that PipeWire offers, as it was when it was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PipewireCameraInfo {
    /// The name of its node, which stays.
    pub node_name: String,
    /// What it is called for people.
    pub description: String,
    /// What PipeWire takes it from, `v4l2` or `libcamera`; `None` if a program makes it.
    pub api: Option<String>,
    /// The program that makes it, if one does and that is known.
    pub program: Option<String>,
    /// What it offers and greenroom can decode, in its own order.
    pub modes: Vec<CameraMode>,
    /// A number that no other object has had since PipeWire was started.
    pub(super) serial: Option<String>,
    /// The registry's number.
    pub(super) id: u32,
    /// WirePlumber's opinion of how good it is; the highest is the first.
    pub(super) priority: i64,
    /// It is the reading side of a v4l2loopback node.
    pub(super) is_loopback: bool,
    /// The process at the other end of its program's connection.
    pub(super) program_pid: Option<u32>,
    /// Its node in `/dev`, if it has one.
    pub(super) device_node: Option<PathBuf>,
    /// The device numbers of its nodes in `/dev`.
    pub(super) device_numbers: Vec<u64>,
}

/// Which camera is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted<'a> {
    /// The best one that is a device.
    First,
    /// By the name of its node, its serial number, its description or a part of that.
    Named(&'a str),
    /// By the name of its node.
    Again(&'a str),
}

impl PipewireCameraInfo {
    /// Takes what a node's properties say, and those of its program.
    pub(super) fn new(
        id: u32,
        properties: &BTreeMap<String, String>,
        program: (Option<String>, Option<u32>),
        modes: Vec<CameraMode>,
    ) -> Self {
        let get = |key: &str| properties.get(key).map(String::as_str).filter(|it| !it.is_empty());
        let node_name = get("node.name").unwrap_or_default();
        let description = get("node.description").or_else(|| get("node.nick")).unwrap_or(node_name);
        // "v4l2:/dev/video0"
        let path = get("object.path").and_then(|path| path.split_once(':'));
        let is_known = |api: &&str| ["v4l2", "libcamera"].contains(api);
        let api = get("device.api").or_else(|| path.map(|(api, _)| api).filter(is_known));
        let device_node = get("api.v4l2.path")
            .or_else(|| path.filter(|(api, _)| *api == "v4l2").map(|(_, path)| path));
        let numbers = get("device.devids").unwrap_or_default();
        let numbers = numbers.split(|c: char| !c.is_ascii_digit());
        Self {
            node_name: node_name.to_owned(),
            description: printable(description),
            api: api.map(printable),
            program: program.0.map(|name| printable(&name)),
            modes,
            serial: get("object.serial").map(str::to_owned),
            id,
            priority: get("priority.session").and_then(|it| it.parse().ok()).unwrap_or(0),
            is_loopback: get("api.v4l2.cap.driver") == Some("v4l2 loopback"),
            program_pid: program.1,
            device_node: device_node.map(PathBuf::from),
            device_numbers: numbers.filter_map(|number| number.parse().ok()).collect(),
        }
    }

    /// What it is called in messages.
    pub fn name(&self) -> String {
        format!("{} (PipeWire)", self.description)
    }

    /// Whether it is the camera behind `node`, a node in `/dev`.
    pub fn is_node(&self, node: &Path) -> bool {
        let number = || std::fs::metadata(node).ok().map(|metadata| metadata.rdev());
        self.device_node.as_deref() == Some(node)
            || (!self.device_numbers.is_empty()
                && number().is_some_and(|number| self.device_numbers.contains(&number)))
    }

    /// Whether greenroom makes it: this one, or another.
    pub fn is_ours(&self) -> bool {
        self.api.is_none() && self.program.as_deref() == Some("greenroom")
    }

    /// Whether it is a device, and not another program's picture.
    fn is_device(&self) -> bool {
        self.api.is_some() && !self.is_loopback
    }

    fn has_colour(&self) -> bool {
        self.modes.iter().any(|mode| mode.codec != Codec::Raw(PixelFormat::Grey))
    }
}

/// The one of `cameras` that is `wanted`.
///
/// # Errors
/// [`DeviceError::NoneHere`] or [`DeviceError::NotFound`], with what there is instead; [`DeviceError::Unsupported`] if a name
/// fits several; [`DeviceError::WrongKind`] for a camera that this process makes.
pub(super) fn pick<'a>(
    cameras: &'a [PipewireCameraInfo],
    wanted: Wanted<'_>,
) -> Result<&'a PipewireCameraInfo, DeviceError> {
    match wanted {
        Wanted::First => first(cameras),
        Wanted::Again(name) => {
            let found = cameras.iter().find(|camera| camera.node_name == name);
            found.ok_or_else(|| DeviceError::NotFound {
                what: format!("the camera {name} on PipeWire"),
                remedy: "plug it in again, or start its program".to_owned(),
            })
        }
        Wanted::Named(name) => {
            let camera = named(cameras, name)?;
            if camera.program_pid == Some(std::process::id()) {
                return Err(DeviceError::WrongKind {
                    what: camera.name(),
                    found: "what this greenroom shows".to_owned(),
                    wanted: "a camera".to_owned(),
                    remedy: "`greenroom list` shows the cameras".to_owned(),
                });
            }
            // It may be an output of ours: in /dev that is known.
            if camera.is_loopback {
                return Err(DeviceError::WrongKind {
                    what: camera.name(),
                    found: "a v4l2loopback device".to_owned(),
                    wanted: "a camera".to_owned(),
                    remedy: "name its node instead: --camera /dev/videoN".to_owned(),
                });
            }
            Ok(camera)
        }
    }
}

fn first(cameras: &[PipewireCameraInfo]) -> Result<&PipewireCameraInfo, DeviceError> {
    let devices = cameras.iter().filter(|it| it.is_device() && !it.modes.is_empty());
    // The first of equals.
    let best = devices.min_by_key(|it| (!it.has_colour(), -it.priority, it.id));
    best.ok_or_else(|| {
        let others: Vec<_> = cameras.iter().filter(|it| !it.is_ours()).map(shown).collect();
        let remedy = match &others[..] {
            [] => "plug one in, or choose another with --camera".to_owned(),
            _ => format!("or name one that a program makes: {}", others.join(", ")),
        };
        DeviceError::NoneHere { kind: "camera on PipeWire that is a device", remedy }
    })
}

fn named<'a>(
    cameras: &'a [PipewireCameraInfo],
    name: &str,
) -> Result<&'a PipewireCameraInfo, DeviceError> {
    let is_it = |camera: &&PipewireCameraInfo| {
        camera.node_name == name || camera.serial.as_deref() == Some(name)
    };
    if let Some(camera) = cameras.iter().find(is_it) {
        return Ok(camera);
    }
    if cameras.is_empty() {
        return Err(DeviceError::NoneHere {
            kind: "camera on PipeWire",
            remedy: "plug one in, or start the program that makes it".to_owned(),
        });
    }
    let descriptions: Vec<_> = cameras.iter().map(|it| it.description.as_str()).collect();
    let instead = "write the name of its node, which `greenroom list` shows";
    let known: Vec<_> = cameras.iter().map(shown).collect();
    match pick_card(name, &descriptions, "camera on PipeWire", instead) {
        Ok(at) => Ok(&cameras[at]),
        Err(DeviceError::NotFound { what, .. }) => Err(DeviceError::NotFound {
            what,
            remedy: format!("choose one of: {}", known.join(", ")),
        }),
        Err(error) => Err(error),
    }
}

/// As it may be written after `--camera`.
fn shown(camera: &PipewireCameraInfo) -> String {
    format!("pipewire:{} ({})", printable(&camera.node_name), camera.description)
}

#[cfg(test)]
mod tests {
    use greenroom_device::FourCc;
    use greenroom_frame::SizePx;

    use super::*;

    fn camera(id: u32, properties: &[(&str, &str)], program: Option<&str>) -> PipewireCameraInfo {
        let properties =
            properties.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        let format = PixelFormat::Yuyv;
        let (codec, size) = (Codec::Raw(format), SizePx::new(640, 480));
        let mode = CameraMode { fourcc: FourCc::from(format), codec, size, rates: Vec::new() };
        let program = (program.map(str::to_owned), program.map(|_| 7));
        PipewireCameraInfo::new(id, &properties.collect(), program, vec![mode])
    }

    fn all() -> Vec<PipewireCameraInfo> {
        vec![
            camera(30, &[("node.name", "greenroom")], Some("greenroom")),
            camera(31, &[("node.name", "obs"), ("node.description", "OBS")], Some("obs")),
            camera(
                32,
                &[
                    ("node.name", "v4l2_input.loop"),
                    ("node.description", "Dummy (V4L2)"),
                    ("object.path", "v4l2:/dev/video10"),
                    ("api.v4l2.cap.driver", "v4l2 loopback"),
                    ("priority.session", "2000"),
                ],
                None,
            ),
            camera(
                33,
                &[
                    ("node.name", "v4l2_input.usb"),
                    ("node.description", "HD Webcam"),
                    ("object.path", "v4l2:/dev/video0"),
                    ("object.serial", "77"),
                    ("priority.session", "700"),
                    ("device.devids", "[ 20736, 20737 ]"),
                ],
                None,
            ),
            camera(34, &[("node.name", "lc"), ("device.api", "libcamera")], None),
        ]
    }

    #[test]
    fn the_first_is_a_device_and_never_a_program_or_a_loopback() {
        let mut cameras = all();
        assert_eq!(pick(&cameras, Wanted::First).unwrap().id, 33);
        cameras.remove(3);
        assert_eq!(pick(&cameras, Wanted::First).unwrap().id, 34);
        cameras.pop();
        assert_eq!(
            pick(&cameras, Wanted::First).unwrap_err().to_string(),
            "there is no camera on PipeWire that is a device; or name one that a program makes: pipewire:obs (OBS), \
             pipewire:v4l2_input.loop (Dummy (V4L2))"
        );
        assert!(matches!(pick(&[], Wanted::First), Err(DeviceError::NoneHere { .. })));
    }

    #[test]
    fn a_name_is_that_of_the_node_a_number_or_a_part_of_the_description() {
        let cameras = all();
        let named = |name| pick(&cameras, Wanted::Named(name)).map(|camera| camera.id);
        assert_eq!(named("obs").unwrap(), 31);
        assert_eq!(named("77").unwrap(), 33);
        assert_eq!(named("webcam").unwrap(), 33);
        assert_eq!(named("greenroom").unwrap(), 30);
        let error = named("Kinect").unwrap_err().to_string();
        assert!(error.starts_with("a camera on PipeWire called \"Kinect\" does not exist; choose"));
        assert!(
            error.ends_with("pipewire:v4l2_input.usb (HD Webcam), pipewire:lc (lc)"),
            "{error}"
        );
        assert!(named("b").unwrap_err().to_string().contains("OBS and HD Webcam"));
        assert_eq!(pick(&cameras, Wanted::Again("lc")).unwrap().id, 34);
        assert!(matches!(pick(&cameras, Wanted::Again("x")), Err(DeviceError::NotFound { .. })));
    }

    #[test]
    fn what_this_process_shows_is_no_camera() {
        let mut cameras = all();
        cameras[0].program_pid = Some(std::process::id());
        let error = pick(&cameras, Wanted::Named("greenroom")).unwrap_err().to_string();
        assert!(error.contains("what this greenroom shows"), "{error}");
    }

    #[test]
    fn the_same_camera_in_dev_is_known() {
        let cameras = all();
        assert!(cameras[3].is_node(Path::new("/dev/video0")));
        assert!(!cameras[3].is_node(Path::new("/dev/null")));
        let numbers = std::fs::metadata("/dev/null").unwrap().rdev().to_string();
        let by_number =
            camera(1, &[("node.name", "x"), ("device.devids", &format!("[ {numbers} ]"))], None);
        assert!(by_number.is_node(Path::new("/dev/null")));
        assert!(cameras[0].is_ours() && !cameras[1].is_ours());
    }
}
