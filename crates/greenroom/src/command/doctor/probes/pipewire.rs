use greenroom_doctor::evidence::PipeWireCamera;
use greenroom_doctor::{Folders, Known};
use serde_json::Value;
use tracing::debug;

use super::ask;
use crate::command::setup::System;

/// PipeWire's cameras, by `pw-dump`. It is not asked where its socket is missing: it does not run.
pub(super) fn probe(system: &System, folders: &Folders) -> Known<Vec<PipeWireCamera>> {
    let socket = folders.runtime.as_ref().map(|runtime| runtime.join("pipewire-0"));
    if !socket.is_some_and(|socket| system.path(&socket).exists()) {
        return Known::Unknown;
    }
    let Ok(dump) = ask(system, "pw-dump", [""; 0]) else { return Known::Unknown };
    match serde_json::from_slice::<Vec<Value>>(&dump) {
        Ok(objects) => Known::Is(objects.iter().filter_map(camera).collect()),
        Err(error) => {
            debug!(%error, "what pw-dump says is not understood");
            Known::Unknown
        }
    }
}

fn camera(object: &Value) -> Option<PipeWireCamera> {
    let info = &object["info"];
    let property = |name: &str| info["props"][name].as_str();
    if object["type"] != "PipeWire:Interface:Node" || property("media.class")? != "Video/Source" {
        return None;
    }
    let path = property("api.v4l2.path");
    let name = property("node.description").or_else(|| property("node.name"));
    Some(PipeWireCamera {
        description: name.unwrap_or_default().to_owned(),
        number: path.and_then(|path| path.strip_prefix("/dev/video")?.parse().ok()),
        sizes_px: sizes(&info["params"]["EnumFormat"]),
    })
}

/// The sizes of all formats; none if one of them has a range of sizes.
fn sizes(formats: &Value) -> Vec<(u32, u32)> {
    let mut sizes = Vec::new();
    for format in formats.as_array().into_iter().flatten() {
        let Some(size) = format["size"].as_object() else { continue };
        if size.contains_key("min") {
            return Vec::new();
        }
        match pair(&format["size"]) {
            Some(size) => sizes.push(size),
            // Sizes to choose from: `default`, `alt1`, `alt2`, …
            None => sizes.extend(size.values().filter_map(pair)),
        }
    }
    sizes
}

fn pair(size: &Value) -> Option<(u32, u32)> {
    let number = |name: &str| u32::try_from(size[name].as_u64()?).ok();
    Some((number("width")?, number("height")?))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn node(class: &str, size: Value) -> Value {
        json!({
            "id": 51,
            "type": "PipeWire:Interface:Node",
            "info": {
                "props": {
                    "media.class": class,
                    "node.description": "greenroom (V4L2)",
                    "api.v4l2.path": "/dev/video10",
                },
                "params": { "EnumFormat": [{ "mediaType": "video", "size": size }] },
            },
        })
    }

    #[test]
    fn cameras_and_their_sizes_are_read() {
        let hd = json!({ "width": 1280, "height": 720 });
        let found = camera(&node("Video/Source", hd.clone())).unwrap();
        assert_eq!((found.number, found.sizes_px), (Some(10), vec![(1280, 720)]));
        assert_eq!(found.description, "greenroom (V4L2)");
        let choice = json!({ "default": hd, "alt1": { "width": 640, "height": 360 } });
        let found = camera(&node("Video/Source", choice)).unwrap();
        assert_eq!(found.sizes_px.len(), 2);
        let range = json!({ "default": hd, "min": hd, "max": hd });
        assert!(camera(&node("Video/Source", range)).unwrap().sizes_px.is_empty());
        assert_eq!(camera(&node("Audio/Sink", hd)), None);
        for nonsense in [json!(null), json!({ "type": 7 }), json!([])] {
            assert_eq!(camera(&nonsense), None);
        }
    }
}
