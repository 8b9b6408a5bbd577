//! Previews: small pictures of an output in memory that is shared with a program of the user.
//!
//! A preview counts as a watcher for as long as its connection lasts: the camera is opened for it. While the picture
//! is hidden, every preview shows the placeholder. The output thread writes the pictures
//! (`pipeline/output/preview.rs`) and never waits for a reader.

mod memory;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use greenroom_frame::{PixelFormat, SizePx};

pub use memory::{PreviewKind, PreviewMemory, ReaderEnd};

use crate::lock::lock;
use crate::pipeline::{PipelineCommands, Preview};
use crate::protocol::{PreviewLayout, PreviewPicture, PreviewRequest};
use crate::status::Watcher;

/// Maximum number of running previews of all outputs together.
const MAX_PREVIEWS: usize = 8;
/// Allowed widths of a preview, in pixels.
const WIDTHS_PX: std::ops::RangeInclusive<u32> = 64..=960;
/// Allowed rates of a preview, in pictures per second.
const RATES_FPS: std::ops::RangeInclusive<u32> = 1..=30;

/// All running previews.
pub struct Previews {
    commands: Arc<PipelineCommands>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Number of previews that were ever started.
    started: u64,
    running: BTreeMap<u64, Running>,
}

struct Running {
    output: usize,
    program: Watcher,
}

/// A preview that has just started.
pub struct StartedPreview {
    /// The layout of the shared memory.
    pub layout: PreviewLayout,
    /// The descriptors for the reader.
    pub reader: ReaderEnd,
    /// Ends the preview when it is dropped.
    pub guard: PreviewGuard,
}

/// Keeps a preview running. When it is dropped, the preview ends, and the camera is closed if nothing else needs it.
pub struct PreviewGuard {
    previews: Arc<Previews>,
    output: usize,
    number: u64,
    ended: Option<Box<dyn FnOnce() + Send>>,
}

impl Previews {
    /// No previews yet, for the outputs that `commands` controls.
    pub fn new(commands: Arc<PipelineCommands>) -> Arc<Self> {
        Arc::new(Self { commands, state: Mutex::default() })
    }

    /// Starts a preview for the program with the process ID `pid`. If it `replaces` a preview of the same connection,
    /// that one does not count towards the limit; the caller ends it by dropping its guard.
    ///
    /// # Errors
    /// One sentence; running previews are not affected.
    pub fn start(
        self: &Arc<Self>,
        request: &PreviewRequest,
        pid: u32,
        replaces: bool,
    ) -> Result<StartedPreview, String> {
        let PreviewRequest { picture, output, width_px, fps } = request;
        let (width_px, fps) = (width_px.unwrap_or(480), fps.unwrap_or(15));
        if !WIDTHS_PX.contains(&width_px) || !RATES_FPS.contains(&fps) {
            return Err(format!(
                "a preview is {} to {} pixels wide and has {} to {} pictures a second; choose values in these ranges",
                WIDTHS_PX.start(),
                WIDTHS_PX.end(),
                RATES_FPS.start(),
                RATES_FPS.end()
            ));
        }
        let output = self.commands.numbers_of(output.as_deref())?.start;
        let mode = self.commands.sink_mode(output).map_err(|error| error.to_string())?;
        let format = match picture {
            PreviewPicture::Matte => PixelFormat::Grey,
            PreviewPicture::Composed | PreviewPicture::Camera => PixelFormat::I420,
        };
        let no_memory = |error: std::io::Error| {
            format!(
                "there is no memory for a preview ({error}); close another program and try again"
            )
        };
        let size = preview_size(mode.size, width_px);
        let (memory, reader) = PreviewMemory::new(format, size).map_err(no_memory)?;
        let layout = memory.layout();
        let program = Watcher { pid, name: process_name(pid), preview: Some(*picture) };
        let program_text = program.to_string();
        let number = {
            let mut state = lock(&self.state);
            if state.running.len() >= MAX_PREVIEWS + usize::from(replaces) {
                return Err(format!(
                    "{MAX_PREVIEWS} previews are running already; end one and try again"
                ));
            }
            state.started += 1;
            let number = state.started;
            state.running.insert(number, Running { output, program });
            number
        };
        tracing::info!("preview: started for {program_text}");
        let interval = Duration::from_secs(1) / fps;
        self.commands.begin_preview(output, Preview::new(number, *picture, interval, memory));
        self.commands.changes().ring();
        let guard = PreviewGuard { previews: Arc::clone(self), output, number, ended: None };
        Ok(StartedPreview { layout, reader, guard })
    }

    /// The programs that have a preview of output number `output`.
    pub fn watchers(&self, output: usize) -> Vec<Watcher> {
        let state = lock(&self.state);
        let of_output = state.running.values().filter(|running| running.output == output);
        of_output.map(|running| running.program.clone()).collect()
    }
}

impl PreviewGuard {
    /// Ends the preview, and calls `ended` when no picture is left in its memory.
    pub fn end(mut self, ended: impl FnOnce() + Send + 'static) {
        self.ended = Some(Box::new(ended));
    }
}

impl Drop for PreviewGuard {
    fn drop(&mut self) {
        let Self { previews, output, number, ended } = self;
        let ended = ended.take().unwrap_or_else(|| Box::new(|| ()));
        previews.commands.end_preview(*output, *number, ended);
        if let Some(ended) = lock(&previews.state).running.remove(number) {
            tracing::info!("preview: ended for {}", ended.program);
        }
        previews.commands.changes().ring();
    }
}

/// `size` scaled to `width_px`, but never enlarged, with an even width and height.
fn preview_size(size: SizePx, width_px: u32) -> SizePx {
    let width_px = width_px.min(size.width_px);
    let height_px = u64::from(size.height_px) * u64::from(width_px) / u64::from(size.width_px);
    let even = |px: u64| (px.max(2) as u32).next_multiple_of(2);
    SizePx::new(even(u64::from(width_px)), even(height_px))
}

/// The name of a process from `/proc`; empty if it cannot be read.
fn process_name(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn previews_keep_the_aspect_ratio() {
        for (size, width_px, wanted) in [
            ((1280, 720), 480, (480, 270)),
            ((640, 480), 480, (480, 360)),
            ((160, 90), 480, (160, 90)),
            ((720, 1280), 101, (102, 180)),
        ] {
            let size = preview_size(SizePx::new(size.0, size.1), width_px);
            assert_eq!((size.width_px, size.height_px), wanted);
        }
    }
}
