//! Backgrounds that come from files, and how they are written.

use std::path::Path;
use std::time::Duration;

use greenroom_device::ClipSource;

use super::kind::FileKind;
use super::slideshow::USUAL_TURN;
use super::spec::BackgroundSpec;
use crate::SceneError;

/// The word before a folder that says how long each picture is shown.
pub(super) const SLIDESHOW: &str = "slideshow";
/// Longest that a picture can be asked to be shown: a day.
const MAX_TURN_SECONDS: u64 = 86_400;

/// What a text means that is no word: a file by its content, a folder, numbered pictures, an
/// address, a slideshow; `None` if there is no such thing.
pub(super) fn spec(text: &str) -> Result<Option<BackgroundSpec>, SceneError> {
    if let Some(values) = text.strip_prefix(SLIDESHOW).and_then(|rest| rest.strip_prefix('=')) {
        return slideshow(values).map(Some);
    }
    let source: ClipSource = text.parse()?;
    let is_there = match &source {
        ClipSource::File(path) => path.exists(),
        // Which number they begin with, FFmpeg finds out.
        ClipSource::Pattern(path) => {
            path.parent().is_some_and(|folder| folder.as_os_str().is_empty() || folder.is_dir())
        }
        ClipSource::Url(_) => true,
    };
    Ok(is_there.then(|| match source {
        ClipSource::File(path) => match FileKind::of(&path) {
            FileKind::Picture => BackgroundSpec::Picture(path),
            FileKind::Folder => BackgroundSpec::Slideshow { folder: path, every: USUAL_TURN },
            FileKind::AnimatedWebP | FileKind::Video => {
                BackgroundSpec::Video(ClipSource::File(path))
            }
        },
        other => BackgroundSpec::Video(other),
    }))
}

/// What stands behind `slideshow=`: `SECONDS,FOLDER`.
fn slideshow(values: &str) -> Result<BackgroundSpec, SceneError> {
    let Some((seconds, folder)) = values.split_once(',') else {
        return Err(SceneError::BadBackground(format!(
            "slideshow needs seconds and a folder; write slideshow=10,{}",
            if values.is_empty() { "FOLDER" } else { values }
        )));
    };
    let every = seconds.trim().parse().ok().filter(|every| (1..=MAX_TURN_SECONDS).contains(every));
    let Some(every) = every.map(Duration::from_secs) else {
        return Err(SceneError::BadBackground(format!(
            "\"{seconds}\" cannot be the seconds of slideshow; they are 1 to {MAX_TURN_SECONDS}"
        )));
    };
    let folder = Path::new(folder);
    if !folder.is_dir() {
        return Err(SceneError::BadBackground(format!(
            "there is no folder \"{}\" for slideshow; name one that exists",
            folder.display()
        )));
    }
    Ok(BackgroundSpec::Slideshow { folder: folder.to_owned(), every })
}

/// A path as it is written, so that it is not taken for a word.
pub(super) fn path_text(path: &Path) -> String {
    let path = path.to_string_lossy();
    let folder = if BackgroundSpec::is_word(&path) { "./" } else { "" };
    format!("{folder}{path}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_told_by_their_content_and_come_back_as_text() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
        std::fs::write(at("a.mp4"), b"\x89PNG\r\n\x1a\n").unwrap();
        std::fs::write(at("b.png"), b"GIF89a").unwrap();
        let whole = folder.path().to_str().unwrap().to_owned();
        let slow = format!("slideshow=30,{whole}");
        for (text, spec) in [
            (at("a.mp4"), BackgroundSpec::Picture(at("a.mp4").into())),
            (at("b.png"), BackgroundSpec::Video(ClipSource::File(at("b.png").into()))),
            (at("%03d.png"), BackgroundSpec::Video(ClipSource::Pattern(at("%03d.png").into()))),
            ("rtsp://cam/1".into(), BackgroundSpec::Video(ClipSource::Url("rtsp://cam/1".into()))),
            (
                whole.clone(),
                BackgroundSpec::Slideshow { folder: whole.clone().into(), every: USUAL_TURN },
            ),
            (
                slow,
                BackgroundSpec::Slideshow { folder: whole.into(), every: Duration::from_secs(30) },
            ),
        ] {
            assert_eq!(text.parse::<BackgroundSpec>().unwrap(), spec);
            assert_eq!(spec.to_string(), text);
        }
    }

    #[test]
    fn wrong_texts_get_one_sentence() {
        let told = |text: &str| text.parse::<BackgroundSpec>().unwrap_err().to_string();
        assert!(told("slideshow=/tmp").contains("write slideshow=10,/tmp"));
        assert!(told("slideshow=0,/tmp").contains("1 to 86400"));
        assert!(told("slideshow=5,/no/such").contains("no folder \"/no/such\""));
        assert!(told("ftp://x/y").contains("none of http, https"));
        assert!(told("/no/such/%d.png").contains("is no background"));
    }
}
