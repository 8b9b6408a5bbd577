//! A status for people: one thing a line, what it is in front.

use std::fmt;

use greenroom_device::printable;

use super::*;

/// Width of the first column.
const WHAT: usize = 9;
/// Width of the column of states.
const STATE: usize = 10;

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { version, pid, .. } = self;
        let version = printable(version);
        writeln!(f, "greenroom {version}, pid {pid}, up {}", span(self.uptime_s))?;
        line(f, "camera", &self.camera)?;
        if self.outputs.is_empty() {
            line(f, "output", &"none")?;
        }
        for output in &self.outputs {
            line(f, "output", &output)?;
            for watcher in &output.watchers {
                line(f, "", &format_args!("{:STATE$} {watcher}", ""))?;
            }
            let OutputStatus { written, placeholders, dropped, scene, recording, .. } = output;
            let slow = match dropped {
                0 => String::new(),
                dropped => format!(", {dropped} that it was too slow for"),
            };
            let counts = format_args!("{written} pictures, {placeholders} placeholders{slow}");
            line(f, "", &format_args!("{:STATE$} {counts}", ""))?;
            if let Some(RecordingStatus { file, time_s, dropped, .. }) = recording {
                let slow = match dropped {
                    0 => String::new(),
                    dropped => format!(", {dropped} frames that it was too slow for"),
                };
                line(f, "record", &format_args!("{file}, {}{slow}", span(*time_s)))?;
            }
            line(f, "scene", scene)?;
            if let Some(trouble) = &scene.trouble {
                line(f, "", trouble)?;
            }
            if let Some(warning) = &scene.warning {
                line(f, "", &format_args!("warning: {warning}"))?;
            }
        }
        for reason in &self.hidden_by {
            line(f, "hidden", &told(*reason))?;
        }
        if let Some(server) = &self.mask_server {
            line(f, "masks", server)?;
        }
        if let Some(governor) = &self.governor {
            line(f, "governor", governor)?;
        }
        let FrameCounts { taken, composed, dropped, corrupt, failed, .. } = self.frames;
        line(f, "frames", &format_args!("{taken} in, {composed} out"))?;
        line(f, "dropped", &dropped)?;
        line(f, "bad", &format_args!("{corrupt} corrupt, {failed} failed"))?;
        if let Some(latency) = &self.latency_ms {
            line(f, "latency", latency)?;
        }
        for (index, StageTime { name, time }) in self.stages_ms.iter().enumerate() {
            let what = if index == 0 { "stages" } else { "" };
            line(f, what, &format_args!("{name:STATE$} {time}"))?;
        }
        line(f, "cpu", &self.cpu)
    }
}

fn line(f: &mut fmt::Formatter<'_>, what: &str, text: &dyn fmt::Display) -> fmt::Result {
    // Names come from drivers, processes and files.
    writeln!(f, "{what:WHAT$}{}", printable(&text.to_string()))
}

/// `"office": background blur, framing auto, effects vignette=0.3`; a scene without a name begins with its background.
impl fmt::Display for SceneStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(name) = &self.name {
            write!(f, "\"{name}\": ")?;
        }
        write!(f, "background {}", self.background)?;
        if let Some(foreground) = &self.foreground {
            write!(f, ", foreground {foreground}")?;
        }
        if self.framing != "whole" {
            write!(f, ", framing {}", self.framing)?;
        }
        if !self.effects.is_empty() {
            write!(f, ", effects {}", self.effects.join(" "))?;
        }
        Ok(())
    }
}

/// `level 2 of 6: the network runs on every 2nd frame, because other programs keep the processor busy; budget 50 % of a core`
impl fmt::Display for GovernorStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { level, lowest_level, chosen, .. } = self;
        write!(f, "level {level} of {lowest_level}: {chosen}")?;
        if let Some(reason) = self.reason {
            write!(f, ", because {reason}")?;
        }
        match self.budget {
            Some(share) => write!(f, "; budget {:.0} % of a core", share * 100.0),
            None => Ok(()),
        }
    }
}

/// `http://bodypix:9000 well, 120 masks, 3 by the network here, answers p50 5.1 ms, p99 9.0 ms`
impl fmt::Display for MaskServerStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { url, masks, local, .. } = self;
        let state = match self.state {
            MaskServerState::Well => "well",
            MaskServerState::Unwell => "unwell",
        };
        write!(f, "{state:STATE$} {url}, {masks} masks, {local} by the network here")?;
        if let Some(answer) = &self.answer_ms {
            write!(f, ", answers {answer}")?;
        }
        match &self.reason {
            Some(reason) => write!(f, "; it {reason}"),
            None => Ok(()),
        }
    }
}

impl CameraStatus {
    /// The word for `state`, as in the JSON.
    pub fn word(state: CameraState) -> &'static str {
        match state {
            CameraState::Closed => "closed",
            CameraState::Opening => "opening",
            CameraState::Streaming => "streaming",
            CameraState::Lost => "lost",
        }
    }
}

impl OutputStatus {
    /// The word for `state`, as in the JSON.
    pub fn word(state: OutputState) -> &'static str {
        match state {
            OutputState::Missing => "missing",
            OutputState::Holding => "holding",
            OutputState::Watched => "watched",
            OutputState::Lingering => "lingering",
            OutputState::Ended => "ended",
        }
    }
}

impl fmt::Display for CameraStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = Self::word(self.state);
        let opened = match self.opened {
            0 => "never opened yet".to_owned(),
            1 => "opened once".to_owned(),
            times => format!("opened {times} times"),
        };
        details(f, state, [&self.name, &self.mode, &self.reason, &Some(opened)])
    }
}

impl fmt::Display for OutputStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = Self::word(self.state);
        let name = match self.name == self.sink {
            true => self.name.clone(),
            false => format!("{}: {}", self.name, self.sink),
        };
        details(f, state, [&Some(name), &self.mode, &self.reason, &None])
    }
}

fn details(f: &mut fmt::Formatter<'_>, state: &str, details: [&Option<String>; 4]) -> fmt::Result {
    let known: Vec<&str> = details.into_iter().flatten().map(String::as_str).collect();
    write!(f, "{state:STATE$} {}", known.join(", "))
}

impl fmt::Display for Watcher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pid, name, preview } = self;
        match preview {
            None => write!(f, "{name} (pid {pid})"),
            Some(picture) => write!(f, "{name} (pid {pid}, preview: {})", picture.word()),
        }
    }
}

impl fmt::Display for DroppedFrames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { in_camera, before_matte, before_output, by_governor, unwatched } = self;
        write!(
            f,
            "{in_camera} in the camera, {before_matte} before the matte, {before_output} before \
             the output, {by_governor} by the governor, {unwatched} unwatched"
        )
    }
}

impl fmt::Display for Quantiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "p50 {:.1} ms, p99 {:.1} ms", self.p50, self.p99)
    }
}

impl fmt::Display for Cpu {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(share) = self.share_now {
            write!(f, "{:.1} % of a core now, ", share * 100.0)?;
        }
        if let Some(share) = self.share {
            write!(f, "{:.1} % since the start, ", share * 100.0)?;
        }
        write!(f, "{:.1} s in all", self.time_s)
    }
}

/// Why there is no picture, and the next step.
fn told(reason: Reason) -> &'static str {
    match reason {
        Reason::Pause => "paused; to go on air: greenroom resume",
        Reason::Lock => "the session is locked; unlock it, or: greenroom resume",
        Reason::Sleep => "the machine goes to sleep, or wakes up just now",
        Reason::Unwatched => "nobody watches",
    }
}

/// Seconds as people say them.
fn span(seconds: f64) -> String {
    let seconds = seconds as u64;
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {:02} s", seconds / 60, seconds % 60),
        3600..86_400 => format!("{} h {:02} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {:02} h", seconds / 86_400, seconds % 86_400 / 3600),
    }
}
