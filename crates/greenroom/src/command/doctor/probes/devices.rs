use std::path::Path;

use greenroom_device::{
    CameraInfo, DeviceError, Dialect, LoopbackInfo, LoopbackTraits, NO_BANDWIDTH, devices,
};
use greenroom_doctor::Known;
use greenroom_doctor::evidence::{CameraMode, CameraProbe, CameraState, LoopbackProbe, UsageEvent};

use crate::status::Status;

/// Looks at all devices, as `greenroom list` does. No camera is switched on: whether one is free, only
/// a running greenroom tells.
pub(super) fn probe(
    status: Option<&Status>,
) -> (Known<Vec<CameraProbe>>, Known<Vec<LoopbackProbe>>) {
    let found = devices();
    let mut cameras: Vec<_> =
        found.cameras.iter().filter_map(|camera| of_camera(camera, status)).collect();
    for refused in found.refused.iter().filter(|refused| !refused.is_loopback) {
        let state = match refused.error {
            DeviceError::Busy { .. } => Known::Is(CameraState::Busy),
            _ => Known::Unknown,
        };
        let number = number(&refused.node);
        cameras.extend(number.map(|number| CameraProbe { number, state, modes: Known::Unknown }));
    }
    let loopbacks = found.loopbacks.iter().filter_map(of_loopback).collect();
    (Known::Is(cameras), Known::Is(loopbacks))
}

fn number(node: &Path) -> Option<u32> {
    node.to_str()?.strip_prefix("/dev/video")?.parse().ok()
}

fn of_camera(camera: &CameraInfo, status: Option<&Status>) -> Option<CameraProbe> {
    let mode = |mode: &greenroom_device::CameraMode| CameraMode {
        width_px: mode.size.width_px,
        height_px: mode.size.height_px,
        fps: mode.rates.iter().map(|rate| rate.as_fps()).reduce(f64::max).into(),
    };
    Some(CameraProbe {
        number: number(&camera.node)?,
        state: status.map_or(Known::Unknown, |status| state(&camera.name(), status)),
        modes: Known::Is(camera.modes.iter().map(mode).collect()),
    })
}

/// Why the running greenroom does not get its camera, or that it has it.
fn state(name: &str, status: &Status) -> Known<CameraState> {
    if status.camera.name.as_deref() != Some(name) {
        return Known::Unknown;
    }
    match &status.camera.reason {
        Some(reason) if reason.contains(NO_BANDWIDTH) => Known::Is(CameraState::NoBandwidth),
        Some(reason) if reason.contains(" is in use by ") => Known::Is(CameraState::Busy),
        _ if status.camera.state == crate::status::CameraState::Streaming => {
            Known::Is(CameraState::Free)
        }
        _ => Known::Unknown,
    }
}

fn of_loopback(loopback: &LoopbackInfo) -> Option<LoopbackProbe> {
    let number = number(&loopback.node)?;
    let traits = LoopbackTraits::of(&loopback.node).ok();
    let usage_event = match traits {
        _ if loopback.dialect == Dialect::Early => Known::Is(UsageEvent::None),
        Some(traits) if traits.tells_of_readers => Known::Is(UsageEvent::Usual),
        Some(_) => Known::Is(UsageEvent::None),
        None => Known::Unknown,
    };
    Some(LoopbackProbe {
        number,
        exclusive_caps: traits.map(|traits| traits.exclusive_caps).into(),
        size_px: loopback.format.map(|(_, size)| (size.width_px, size.height_px)),
        usage_event,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::status::{CameraState as State, CameraStatus};

    fn of(reason: Option<String>, state: State) -> Known<CameraState> {
        let name = Some("C920 (/dev/video0)".to_owned());
        let camera = CameraStatus { name, reason, state, ..CameraStatus::default() };
        super::state("C920 (/dev/video0)", &Status { camera, ..Status::default() })
    }

    #[test]
    fn the_running_greenroom_tells_why_it_has_no_camera() {
        let busy = DeviceError::Busy {
            what: "C920 (/dev/video0)".to_owned(),
            holder: "zoom (pid 7)".to_owned(),
            remedy: "close it".to_owned(),
        };
        assert_eq!(of(Some(busy.to_string()), State::Lost), Known::Is(CameraState::Busy));
        let full = format!("C920 cannot be used: {NO_BANDWIDTH} for this mode");
        assert_eq!(of(Some(full), State::Lost), Known::Is(CameraState::NoBandwidth));
        assert_eq!(of(None, State::Streaming), Known::Is(CameraState::Free));
        assert_eq!(of(None, State::Closed), Known::Unknown);
        assert_eq!(super::state("another", &Status::default()), Known::Unknown);
    }
}
