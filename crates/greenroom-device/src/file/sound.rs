//! The sound of a video, for the file that is made of it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;

use crate::DeviceError;
use crate::ffmpeg::{Arguments, Input, ffprobe};

/// The sound of a video file: FFmpeg takes it from there while it encodes the pictures.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sound {
    path: PathBuf,
    /// FFmpeg's names of the codecs, a track each; `None`: one that it does not know.
    codecs: Vec<Option<String>>,
}

/// How one track gets into a file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum TrackPlan {
    Copy,
    Encode(&'static str),
    LeaveOut,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SoundAnswer {
    streams: Vec<SoundStream>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct SoundStream {
    codec_name: Option<String>,
}

impl Sound {
    /// The sound of the video at `path`; `None` if it has none.
    ///
    /// # Errors
    /// When the file cannot be read as a video.
    pub fn of(path: &Path) -> Result<Option<Self>, DeviceError> {
        let question =
            ["-select_streams", "a", "-show_entries", "stream=codec_name", "-of", "json"];
        let what = path.display().to_string();
        let unsupported = |why: String| DeviceError::Unsupported {
            what: what.clone(),
            why: format!("its sound cannot be read ({why}); leave it out with --no-sound"),
        };
        let json = ffprobe(&question, Input::File(path), None)?.map_err(unsupported)?;
        let answer: SoundAnswer =
            serde_json::from_slice(&json).map_err(|error| unsupported(error.to_string()))?;
        let codecs: Vec<_> = answer.streams.into_iter().map(|stream| stream.codec_name).collect();
        Ok((!codecs.is_empty()).then(|| Self { path: path.to_owned(), codecs }))
    }
}

/// Codecs that a kind of file takes as they are.
fn kept(muxer: &str) -> &'static [&'static str] {
    match muxer {
        "webm" => &["opus", "vorbis"],
        "matroska" => &[
            "aac",
            "mp3",
            "mp2",
            "ac3",
            "eac3",
            "dts",
            "flac",
            "alac",
            "opus",
            "vorbis",
            "truehd",
            "pcm_s16le",
            "pcm_s24le",
            "pcm_s32le",
            "pcm_f32le",
            "pcm_u8",
            "pcm_s16be",
        ],
        "mov" => &["aac", "mp3", "ac3", "eac3", "alac", "pcm_s16le", "pcm_s24le", "pcm_s16be"],
        _ => &["aac", "mp3", "ac3", "eac3", "alac", "opus", "flac"],
    }
}

/// Encoders for the others, best first.
fn encoders_for(muxer: &str) -> &'static [&'static str] {
    match muxer {
        "webm" => &["libopus", "libvorbis"],
        _ => &["aac"],
    }
}

/// How the sound of a video gets into a file.
#[derive(Debug)]
pub(super) struct SoundPlan<'a> {
    sound: &'a Sound,
    tracks: Vec<TrackPlan>,
}

impl<'a> SoundPlan<'a> {
    /// `known`: the encoders that there are, as `ffmpeg -encoders` lists them.
    pub fn new(sound: &'a Sound, muxer: &str, known: &str) -> Self {
        let encoder = encoders_for(muxer)
            .iter()
            .find(|encoder| known.split_whitespace().any(|word| word == **encoder));
        let plan = |codec: &Option<String>| match codec.as_deref() {
            Some(codec) if kept(muxer).contains(&codec) => TrackPlan::Copy,
            Some(_) => encoder.map_or(TrackPlan::LeaveOut, |encoder| TrackPlan::Encode(encoder)),
            None => TrackPlan::LeaveOut,
        };
        Self { sound, tracks: sound.codecs.iter().map(plan).collect() }
    }

    /// Whether there is any left.
    pub fn is_silent(&self) -> bool {
        self.tracks.iter().all(|track| *track == TrackPlan::LeaveOut)
    }

    /// The input that it comes from.
    pub fn add_input(&self, args: &mut Arguments) -> Result<(), DeviceError> {
        // Not its pictures, which would be decoded for nothing.
        args.add(["-vn", "-sn", "-dn"]);
        args.add_input(Input::File(&self.sound.path))
    }

    /// The output options, the sound being that of input 1.
    pub fn add_output(&self, args: &mut Arguments) {
        let tracks = self.tracks.iter().enumerate();
        let taken = tracks.filter(|(_, track)| **track != TrackPlan::LeaveOut);
        for (out, (index, track)) in taken.enumerate() {
            args.add(["-map".to_owned(), format!("1:a:{index}"), format!("-c:a:{out}")]);
            match track {
                TrackPlan::Encode(encoder) => {
                    args.add([(*encoder).to_owned(), format!("-b:a:{out}"), "160k".to_owned()]);
                }
                TrackPlan::Copy | TrackPlan::LeaveOut => args.add(["copy"]),
            }
        }
    }
}

impl std::fmt::Display for SoundPlan<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let tracks = self.tracks.iter().zip(&self.sound.codecs).map(|(track, codec)| {
            let codec = codec.as_deref().unwrap_or("of an unknown kind");
            match track {
                TrackPlan::Copy => format!("{codec}, copied"),
                TrackPlan::Encode(encoder) => {
                    format!("{codec}, becomes {}", encoder.trim_start_matches("lib"))
                }
                TrackPlan::LeaveOut => format!("{codec}, left out"),
            }
        });
        f.write_str(&tracks.collect::<Vec<_>>().join("; "))
    }
}

/// A length of time as FFmpeg's options take it.
pub(super) fn seconds(time: Duration) -> String {
    format!("{}.{:06}", time.as_secs(), time.subsec_micros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_container_takes_is_copied_and_the_rest_encoded() {
        let codecs = ["aac", "pcm_s16le", "opus"].map(|codec| Some(codec.to_owned())).to_vec();
        let mut sound = Sound { path: "a".into(), codecs };
        let told = |sound: &Sound, muxer, known| SoundPlan::new(sound, muxer, known).to_string();
        let known = " A..... aac  A..... libopus";
        assert_eq!(told(&sound, "mp4", known), "aac, copied; pcm_s16le, becomes aac; opus, copied");
        assert_eq!(
            told(&sound, "webm", known),
            "aac, becomes opus; pcm_s16le, becomes opus; opus, copied"
        );
        assert_eq!(told(&sound, "webm", "aac"), "aac, left out; pcm_s16le, left out; opus, copied");
        sound.codecs = vec![None];
        assert!(SoundPlan::new(&sound, "mp4", known).is_silent());
    }
}
