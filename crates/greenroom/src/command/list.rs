use greenroom_device::{
    CameraInfo, CameraMode, DeviceError, Devices, LoopbackInfo, RefusedNode, devices,
    loopback_command,
};
use greenroom_scene::{FramingSpec, backgrounds_help, effects_help};
use serde_json::{Value, json};

use crate::cli::{ListArgs, Listed};
use crate::pipewire::{self, ListedCamera};
use crate::terminal::{Lines, print, printable_json};

/// `greenroom list`.
pub(super) fn list(args: &ListArgs) -> anyhow::Result<()> {
    match args.what {
        Listed::Cameras => {
            let devices = devices();
            let on_pipewire = pipewire::list(&devices);
            match args.json {
                true => {
                    let json = as_json(&devices, &on_pipewire);
                    print(&printable_json(&format!("{json:#}\n")))
                }
                false => as_text(&devices, &on_pipewire).print(),
            }
        }
        Listed::Backgrounds => print(&backgrounds_help()),
        Listed::Effects => print(&effects_help()),
        Listed::Framings => print(FramingSpec::HELP),
    }
}

/// The cameras on PipeWire, or why they are not known.
type OnPipewire = Result<Vec<ListedCamera>, DeviceError>;

fn push_modes(text: &mut Lines, modes: &[CameraMode]) {
    for mode in modes {
        let rates: Vec<_> = mode.rates.iter().map(ToString::to_string).collect();
        let rates = if rates.is_empty() { "not told".into() } else { rates.join(", ") };
        let size = mode.size.to_string();
        text.push(format_args!("    {:<4} {size:>9}  {rates} fps", mode.codec));
    }
}

/// Says nothing where there is nothing to say: most cameras are listed above.
fn push_pipewire(text: &mut Lines, on_pipewire: &OnPipewire) {
    let cameras = match on_pipewire {
        Ok(cameras) if cameras.is_empty() => return,
        cameras => cameras,
    };
    text.push("Cameras on PipeWire (besides these)");
    match cameras {
        Ok(cameras) => {
            for ListedCamera { node_name, description, from, modes } in cameras {
                let from = from.as_deref().unwrap_or("a program");
                text.push(format_args!("  {description} (pipewire:{node_name}) [{from}]"));
                push_modes(text, modes);
            }
        }
        Err(error) => text.push(format_args!("  {error}")),
    }
}

fn as_text(devices: &Devices, on_pipewire: &OnPipewire) -> Lines {
    let mut text = Lines::default();
    text.push("Cameras");
    for camera in &devices.cameras {
        text.push(format_args!("  {} [{}, {}]", camera.name(), camera.driver, camera.bus));
        if let Some(by_id) = &camera.by_id {
            text.push(format_args!("    {}", by_id.display()));
        }
        push_modes(&mut text, &camera.modes);
    }
    let refused = |is_loopback: bool| {
        devices.refused.iter().filter(move |refused| refused.is_loopback == is_loopback)
    };
    for RefusedNode { error, .. } in refused(false) {
        text.push(format_args!("  {error}"));
    }
    if devices.cameras.is_empty() && refused(false).count() == 0 {
        text.push("  none; plug one in, or use --camera FILE, demo or test-picture");
    }
    push_pipewire(&mut text, on_pipewire);
    text.push("Virtual cameras (v4l2loopback)");
    for loopback in &devices.loopbacks {
        let LoopbackInfo { node, card, dialect, state, .. } = loopback;
        let version = loopback.version.as_ref().map(ToString::to_string);
        let version = version.unwrap_or_else(|| dialect.to_string());
        let mut line = format!("  {card} ({}) [v4l2loopback {version}]: {state}", node.display());
        if let Some((fourcc, size)) = &loopback.format {
            line += &format!(", {fourcc} {size}");
        }
        let users: Vec<_> = loopback.users.iter().map(ToString::to_string).collect();
        if !users.is_empty() {
            line += &format!(", opened by {}", users.join(", "));
        }
        text.push(line);
    }
    for RefusedNode { error, .. } in refused(true) {
        text.push(format_args!("  {error}"));
    }
    if devices.loopbacks.is_empty() && refused(true).count() == 0 {
        text.push(format_args!("  none; make one with: {}", loopback_command()));
    }
    text
}

fn as_json(devices: &Devices, on_pipewire: &OnPipewire) -> Value {
    let cameras = on_pipewire.as_deref().unwrap_or_default();
    let refused = devices.refused.iter().map(|node| node.error.to_string());
    let refused = refused.chain(on_pipewire.as_ref().err().map(ToString::to_string));
    json!({
        "cameras": devices.cameras.iter().map(camera_json).collect::<Vec<_>>(),
        "pipewire_cameras": cameras.iter().map(pipewire_json).collect::<Vec<_>>(),
        "loopbacks": devices.loopbacks.iter().map(loopback_json).collect::<Vec<_>>(),
        "refused": refused.collect::<Vec<_>>(),
    })
}

fn pipewire_json(camera: &ListedCamera) -> Value {
    json!({
        "node_name": camera.node_name,
        "description": camera.description,
        "from": camera.from,
        "modes": camera.modes.iter().map(mode_json).collect::<Vec<_>>(),
    })
}

fn camera_json(camera: &CameraInfo) -> Value {
    json!({
        "node": camera.node,
        "card": camera.card,
        "driver": camera.driver,
        "bus": camera.bus,
        "by_id": camera.by_id,
        "modes": camera.modes.iter().map(mode_json).collect::<Vec<_>>(),
    })
}

fn mode_json(mode: &CameraMode) -> Value {
    json!({
        "format": mode.codec.to_string(),
        "width_px": mode.size.width_px,
        "height_px": mode.size.height_px,
        "rates_fps": mode.rates.iter().map(|rate| rate.as_fps()).collect::<Vec<_>>(),
    })
}

fn loopback_json(loopback: &LoopbackInfo) -> Value {
    let format = loopback.format.as_ref().map(|(fourcc, size)| {
        json!({
            "fourcc": fourcc.to_string(),
            "width_px": size.width_px,
            "height_px": size.height_px,
        })
    });
    let users = loopback.users.iter().map(|user| json!({ "pid": user.pid, "name": user.name }));
    json!({
        "node": loopback.node,
        "card": loopback.card,
        "version": loopback.version.as_ref().map(ToString::to_string),
        "dialect": loopback.dialect.to_string(),
        "state": loopback.state.to_string(),
        "format": format,
        "users": users.collect::<Vec<_>>(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_and_refused_is_not_none() {
        let refused = |node: &str, is_loopback| RefusedNode {
            node: node.into(),
            is_loopback,
            error: DeviceError::Denied {
                what: format!("x ({node})"),
                remedy: "run `sudo usermod -aG video anna`".to_owned(),
            },
        };
        let devices = Devices {
            refused: vec![refused("/dev/video0", false), refused("/dev/video10", true)],
            ..Devices::default()
        };
        let text = as_text(&devices, &Ok(Vec::new()));
        let text = text.text();
        assert!(!text.contains("none") && !text.contains("greenroom setup"), "{text}");
        let (cameras, loopbacks) = text.split_once("Virtual cameras").unwrap();
        assert!(cameras.contains("  no permission to open x (/dev/video0); run `sudo"), "{text}");
        assert!(loopbacks.contains("  no permission to open x (/dev/video10); run"), "{text}");
        // One kind says nothing of the other.
        let devices =
            Devices { refused: vec![refused("/dev/video0", false)], ..Devices::default() };
        assert!(as_text(&devices, &Ok(Vec::new())).text().contains("  none; make one with: "));
        assert_eq!(
            as_text(&Devices::default(), &Ok(Vec::new())).text().matches("none; ").count(),
            2
        );
    }
}
