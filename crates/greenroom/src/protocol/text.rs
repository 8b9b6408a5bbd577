//! Events as text for people: one line each, which starts with the subject of the event.

use std::fmt;

use super::{Event, Numbers, OutputNumbers, SentEvent};
use crate::status::{CameraStatus, OutputStatus};

impl fmt::Display for SentEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.event.fmt(f)
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Camera { state, name, mode, reason } => {
                let known = [name, mode, reason].into_iter().flatten();
                let known: Vec<&str> = known.map(String::as_str).collect();
                write!(f, "camera: {}", CameraStatus::word(*state))?;
                list(f, ", ", known)
            }
            Self::HiddenBy { reasons } if reasons.is_empty() => f.write_str("not hidden"),
            Self::HiddenBy { reasons } => {
                let words: Vec<&str> = reasons.iter().map(|reason| reason.word()).collect();
                write!(f, "hidden by {}", words.join(", "))
            }
            Self::Output { output, state, mode, reason, .. } => {
                let known = [mode, reason].into_iter().flatten();
                let known: Vec<&str> = known.map(String::as_str).collect();
                write!(f, "output {output}: {}", OutputStatus::word(*state))?;
                list(f, ", ", known)
            }
            Self::Watchers { output, watchers } if watchers.is_empty() => {
                write!(f, "output {output}: no watchers are known")
            }
            Self::Watchers { output, watchers } => {
                let names: Vec<String> = watchers.iter().map(ToString::to_string).collect();
                write!(f, "output {output}: watched by {}", names.join(", "))
            }
            Self::Scene { output, scene } => {
                write!(f, "scene of {output}: {scene}")?;
                match &scene.trouble {
                    Some(trouble) => write!(f, "; trouble: {trouble}"),
                    None => Ok(()),
                }
            }
            Self::Recording { output, file: Some(file) } => {
                write!(f, "output {output}: recorded into {file}")
            }
            Self::Recording { output, file: None } => write!(f, "output {output}: not recorded"),
            Self::IdleAfter { ms } => {
                write!(f, "idle after {} s", *ms as f64 / 1e3)
            }
            Self::MaskServer { url, reason, .. } => match reason {
                Some(reason) => write!(f, "mask server {url}: it {reason}"),
                None => write!(f, "mask server {url}: well"),
            },
            Self::Governor { chosen, reason, .. } => {
                write!(f, "governor: {chosen}")?;
                match reason {
                    Some(reason) => write!(f, ", because {reason}"),
                    None => Ok(()),
                }
            }
            Self::Trouble { sentences } if sentences.is_empty() => f.write_str("no trouble"),
            Self::Trouble { sentences } => write!(f, "trouble: {}", sentences.join("; ")),
            Self::Numbers(numbers) => numbers.fmt(f),
        }
    }
}

/// `numbers: camera 30 fps, 2 dropped, 12.5 % of a core, p50 9.1 ms, p99 14.0 ms; auto 29.9 fps`
impl fmt::Display for Numbers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { camera_fps, dropped, cpu_share, latency_ms, outputs, .. } = self;
        write!(f, "numbers: camera {camera_fps:.1} fps, {dropped} dropped, ")?;
        write!(f, "{:.1} % of a core", cpu_share * 100.0)?;
        if let Some(latency) = latency_ms {
            write!(f, ", {latency}")?;
        }
        for OutputNumbers { output, fps, .. } in outputs {
            write!(f, "; {output} {fps:.1} fps")?;
        }
        Ok(())
    }
}

/// Writes `prefix` and a text for each of `texts`.
fn list(f: &mut fmt::Formatter<'_>, prefix: &str, texts: Vec<&str>) -> fmt::Result {
    texts.into_iter().try_for_each(|text| write!(f, "{prefix}{text}"))
}
