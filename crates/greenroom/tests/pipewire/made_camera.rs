//! A camera on PipeWire that GStreamer makes: a blue room with nobody in it.

use std::process::Child;

use super::session::{Session, wait_until};

/// A camera until this is dropped.
pub struct MadeCamera(Child);

/// What a camera is to be.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    pub name: &'a str,
    /// GStreamer's, or `MJPG`.
    pub format: &'a str,
    pub size: (u32, u32),
    /// GStreamer's: `solid-color`, which is the blue room, or `snow`.
    pub pattern: &'a str,
    /// More properties of its node, `key=value`.
    pub properties: &'a [&'a str],
}

impl MadeCamera {
    /// Made, and there.
    pub fn start(session: &Session, wanted: Wanted<'_>) -> Self {
        let Wanted { name, format, size: (width, height), pattern, properties } = wanted;
        let mut gst = session.command("gst-launch-1.0");
        let (raw, encoder): (_, &[_]) = match format {
            "MJPG" => ("I420", &["jpegenc", "!"]),
            raw => (raw, &[]),
        };
        gst.args(["-q", "--no-fault", "videotestsrc", "is-live=true"]);
        gst.arg(format!("pattern={pattern}")).args(["foreground-color=0xff2040ff", "!"]);
        gst.arg(format!("video/x-raw,format={raw},width={width},height={height},framerate=15/1"));
        gst.arg("!").args(encoder);
        let more: String = properties.iter().map(|property| format!(",{property}")).collect();
        gst.args(["pipewiresink", "mode=provide"]);
        gst.arg(format!(
            "stream-properties=props,media.class=Video/Source,media.role=Camera,node.name={name},node.description={name}{more}"
        ));
        let camera = Self(gst.spawn().expect("install gstreamer1.0-pipewire"));
        wait_until("the made camera", || {
            let nodes = session.objects("PipeWire:Interface:Node");
            nodes.iter().any(|node| {
                let info = &node["info"];
                info["props"]["node.name"] == name
                    && info["params"]["EnumFormat"].as_array().is_some_and(|all| !all.is_empty())
            })
        });
        camera
    }
}

impl Drop for MadeCamera {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
