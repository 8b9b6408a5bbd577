//! The nine environment variables of the program that greenroom supersedes, with their meaning and
//! defaults, so that its compose file's `environment:` goes on working. What made that program fall
//! gets a sentence here, and greenroom goes on.

use std::path::Path;

use greenroom_frame::SizePx;
use greenroom_scene::EffectSpec;

use super::frame_rate;
use crate::config::{ConfigFile, OutputTable};
use crate::masks::MaskServerUrl;
use crate::scenes::SceneOptions;

/// Each variable, its default, and what it says; the manual page prints them.
pub const VARIABLES: [(&str, &str, &str); 9] = [
    ("ACTUAL_CAMERA", CAMERA, "The camera, as --camera takes it; it is waited for."),
    ("FAKE_CAMERA", OUTPUT, "Where the picture goes, as --output takes it; it is waited for."),
    ("CAMERA_WIDTH", "640", "Width to ask of the camera."),
    ("CAMERA_HEIGHT", "360", "Height to ask of the camera."),
    ("CAMERA_FPS", FPS, "Frames a second to ask of the camera."),
    ("BODYPIX_URL", "", "A mask server, as --mask-server takes it; none, if it is not set."),
    ("IS_VID_BACKGROUND", "", "Not needed: whether the background is a video is seen."),
    (
        "BACKGROUND_FILE",
        BACKGROUND,
        "A picture or video as the background; the file may come later.",
    ),
    ("EFFECT", "", "An effect on the person, for example hologram."),
];

/// Their defaults, where greenroom takes them over. `BODYPIX_URL` has none: pictures leave the
/// machine only for an address that somebody wrote.
const CAMERA: &str = "/dev/video0";
const OUTPUT: &str = "/dev/video20";
const WIDTH_PX: u32 = 640;
const HEIGHT_PX: u32 = 360;
const FPS: &str = "24";
const BACKGROUND: &str = "/data/background.jpg";

/// What the variables say, as far as it makes sense.
#[derive(Debug, Clone, PartialEq)]
pub struct OldEnvironment {
    camera: Option<String>,
    output: Option<String>,
    width_px: Option<u32>,
    height_px: Option<u32>,
    fps: Option<String>,
    mask_server: Option<MaskServerUrl>,
    background: Option<String>,
    effect: Option<EffectSpec>,
    /// A sentence for each that makes no sense.
    complaints: Vec<String>,
    /// Those that are set.
    set: Vec<&'static str>,
}

/// Reads one variable after the other.
struct Reader<V> {
    variable: V,
    complaints: Vec<String>,
}

impl<V: Fn(&str) -> Option<String>> Reader<V> {
    /// What the variable is set to; an empty one counts as not set.
    fn text(&self, name: &'static str) -> Option<String> {
        debug_assert!(VARIABLES.iter().any(|(known, ..)| *known == name));
        let text = (self.variable)(name)?.trim().to_owned();
        (!text.is_empty()).then_some(text)
    }

    /// What it means; a complaint if it means nothing.
    fn parsed<T>(
        &mut self,
        name: &'static str,
        parse: impl FnOnce(&str) -> Result<T, String>,
        instead: &str,
    ) -> Option<T> {
        let text = self.text(name)?;
        let parsed = parse(&text);
        parsed.map_err(|why| self.complaints.push(format!("{name}: {why}; {instead}"))).ok()
    }

    fn side(&mut self, name: &'static str, usual_px: u32) -> Option<u32> {
        let parse = |text: &str| {
            let side_px = text.parse().map_err(|_| format!("\"{text}\" is no number of pixels"))?;
            let checked = SizePx::new(side_px, 2).checked().map(|_| side_px);
            let most = SizePx::MAX_SIDE_PX;
            checked.map_err(|_| format!("\"{text}\" is no number of pixels from 1 to {most}"))
        };
        self.parsed(name, parse, &format!("{usual_px} is taken"))
    }
}

impl OldEnvironment {
    /// What `variable` has of them; `None` if it has none.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        let mut reader = Reader { variable, complaints: Vec::new() };
        let names = VARIABLES.map(|(name, ..)| name);
        let set: Vec<_> = names.into_iter().filter(|name| reader.text(name).is_some()).collect();
        if set.is_empty() {
            return None;
        }
        let fps = |text: &str| {
            frame_rate(text).map(|_| text.to_owned()).map_err(|error| error.to_string())
        };
        let effect = |text: &str| {
            let parsed: Result<EffectSpec, _> = person_effect(text).parse();
            parsed.map_err(|error| error.to_string())
        };
        Some(Self {
            camera: reader.text("ACTUAL_CAMERA").map(numbered_device),
            output: reader.text("FAKE_CAMERA").map(numbered_device),
            width_px: reader.side("CAMERA_WIDTH", WIDTH_PX),
            height_px: reader.side("CAMERA_HEIGHT", HEIGHT_PX),
            fps: reader.parsed("CAMERA_FPS", fps, &format!("{FPS} is taken")),
            mask_server: reader.parsed(
                "BODYPIX_URL",
                str::parse,
                "the network of this machine finds the person",
            ),
            background: reader.text("BACKGROUND_FILE"),
            effect: reader.parsed("EFFECT", effect, "no effect is shown"),
            complaints: reader.complaints,
            set,
        })
    }

    /// Those of this process.
    pub fn of_this_process() -> Option<Self> {
        // What is not Unicode is shown with marks in its place, and makes no sense then.
        let old = Self::read(|name| Some(std::env::var_os(name)?.to_string_lossy().into_owned()))?;
        tracing::info!("environment: {} as the program before had them", old.set.join(", "));
        old.complaints.iter().for_each(|complaint| tracing::warn!("environment: {complaint}"));
        Some(old)
    }

    /// What the configuration comes to under these variables: they say more than it, and where both
    /// are silent, the defaults are the old ones.
    pub(super) fn over(&self, config: ConfigFile) -> ConfigFile {
        let there = |path: &str| Path::new(path).exists().then(|| path.to_owned());
        let (width_px, height_px) =
            (self.width_px.unwrap_or(WIDTH_PX), self.height_px.unwrap_or(HEIGHT_PX));
        let says_size = self.width_px.or(self.height_px).is_some();
        let size = config.size.filter(|_| !says_size);
        ConfigFile {
            camera: self.camera.clone().or(config.camera).or_else(|| there(CAMERA)),
            outputs: match self
                .output
                .clone()
                .or_else(|| config.outputs.is_empty().then(|| there(OUTPUT)).flatten())
            {
                Some(to) => vec![OutputTable::to(to)],
                None => config.outputs,
            },
            size: size.or_else(|| Some(SizePx::new(width_px, height_px).to_string())),
            fps: self.fps.clone().or(config.fps).or_else(|| Some(FPS.to_owned())),
            mask_server: self
                .mask_server
                .as_ref()
                .map(|url| url.to_string())
                .or(config.mask_server),
            ..config
        }
    }

    /// What the variables say of the scene. Without `has_scene`, a scene of the configuration beneath
    /// them, the background is the old default.
    pub(super) fn scene_options(&self, has_scene: bool) -> SceneOptions {
        let usual = || (!has_scene).then(|| BACKGROUND.to_owned());
        // A file, whatever it is called: a picture or video, as is seen when it is opened. What
        // IS_VID_BACKGROUND says of it is not needed.
        let file = |text: String| match text.contains('/') {
            true => text,
            false => format!("./{text}"),
        };
        SceneOptions {
            background: self.background.clone().map(file).or_else(usual),
            effects: self.effect.as_ref().map(|effect| vec![effect.to_string()]),
            ..SceneOptions::default()
        }
    }
}

/// `0` is what one gives OpenCV for `/dev/video0`.
fn numbered_device(text: String) -> String {
    match text.parse::<u8>() {
        Ok(number) => format!("/dev/video{number}"),
        Err(_) => text,
    }
}

/// The old effects were drawn on the whole picture before the background was put in: what was seen
/// of them was on the person.
fn person_effect(text: &str) -> String {
    if text.contains(':') { text.to_owned() } else { format!("person:{text}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn old(variables: &[(&str, &str)]) -> Option<OldEnvironment> {
        OldEnvironment::read(|name| {
            let found = variables.iter().find(|(variable, _)| *variable == name);
            found.map(|(_, text)| (*text).to_owned())
        })
    }

    #[test]
    fn nothing_set_is_nothing_said() {
        assert_eq!(old(&[]), None);
        assert_eq!(old(&[("EFFECT", ""), ("CAMERA_FPS", " ")]), None);
    }

    #[test]
    fn the_compose_file_of_old_is_understood() {
        let old = old(&[
            ("ACTUAL_CAMERA", "/dev/video0"),
            ("FAKE_CAMERA", "/dev/video20"),
            ("CAMERA_WIDTH", "1280"),
            ("CAMERA_HEIGHT", "720"),
            ("CAMERA_FPS", "30"),
            ("BODYPIX_URL", "http://bodypix:9000"),
            ("IS_VID_BACKGROUND", "true"),
            ("BACKGROUND_FILE", "/data/background.mp4"),
            ("EFFECT", "hologram"),
        ])
        .unwrap();
        assert_eq!(old.complaints, [""; 0]);
        // They say more than the configuration.
        let config = ConfigFile {
            camera: Some("auto".into()),
            size: Some("1920x1080".into()),
            idle_after: Some(7.0),
            ..ConfigFile::default()
        };
        let over = old.over(config);
        assert_eq!(over.camera.as_deref(), Some("/dev/video0"));
        assert_eq!(over.outputs, [OutputTable::to("/dev/video20".to_owned())]);
        assert_eq!(over.size.as_deref(), Some("1280x720"));
        assert_eq!(over.fps.as_deref(), Some("30"));
        assert_eq!(over.mask_server.as_deref(), Some("http://bodypix:9000"));
        assert_eq!(over.idle_after, Some(7.0));
        let options = old.scene_options(false);
        assert_eq!(options.background.as_deref(), Some("/data/background.mp4"));
        let hologram: EffectSpec = "person:hologram".parse().unwrap();
        assert_eq!(options.effects, Some(vec![hologram.to_string()]));
    }

    #[test]
    fn what_is_not_set_is_as_it_was() {
        let old = old(&[("CAMERA_WIDTH", "800"), ("BACKGROUND_FILE", "room")]).unwrap();
        let over = old.over(ConfigFile::default());
        assert_eq!(over.size.as_deref(), Some("800x360"));
        assert_eq!((over.fps.as_deref(), over.mask_server), (Some("24"), None));
        assert_eq!(old.scene_options(true).background.as_deref(), Some("./room"));
        let old = super::tests::old(&[("ACTUAL_CAMERA", "2")]).unwrap();
        let over = old.over(ConfigFile { size: Some("1x1".into()), ..ConfigFile::default() });
        assert_eq!(over.camera.as_deref(), Some("/dev/video2"));
        assert_eq!(over.size.as_deref(), Some("1x1"), "the configuration's");
        assert_eq!(old.scene_options(false).background.as_deref(), Some(BACKGROUND));
        assert_eq!(old.scene_options(true), SceneOptions::default());
    }

    #[test]
    fn what_made_it_fall_gets_a_sentence() {
        let old = old(&[
            ("CAMERA_WIDTH", "wide"),
            ("CAMERA_HEIGHT", "0"),
            ("CAMERA_FPS", "fast"),
            ("BODYPIX_URL", "bodypix"),
            ("EFFECT", "holgram"),
        ])
        .unwrap();
        for (complaint, needles) in old.complaints.iter().zip([
            ["CAMERA_WIDTH: \"wide\"", "640 is taken"],
            ["CAMERA_HEIGHT: \"0\" is no number of pixels from 1 to 8192", "360 is taken"],
            ["CAMERA_FPS: \"fast\"", "24 is taken"],
            ["BODYPIX_URL: \"bodypix\"", "network of this machine"],
            ["hologram", "no effect is shown"],
        ]) {
            assert!(needles.iter().all(|needle| complaint.contains(needle)), "{complaint}");
            assert!(!complaint.contains('\n'), "{complaint}");
        }
        assert_eq!(old.complaints.len(), 5);
        let over = old.over(ConfigFile::default());
        assert_eq!(over.size.as_deref(), Some("640x360"));
        assert_eq!((over.fps.as_deref(), over.mask_server), (Some("24"), None));
        assert_eq!(old.scene_options(false).effects, None);
    }
}
