//! Previews: small pictures of an output for a program of the user's, through memory that both share.
//!
//! A preview counts as a watcher for as long as its connection lasts: the camera is opened for it. While something hides
//! the picture, it shows what watchers see, whichever picture it is of. The output's thread writes it
//! (`pipeline/output/preview.rs`) and never waits for its reader.

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

/// Previews at once, of all outputs.
const MAX_PREVIEWS: usize = 8;
/// Widths of a preview, in pixels.
const WIDTHS_PX: std::ops::RangeInclusive<u32> = 64..=960;
/// Pictures a second of a preview.
const RATES_FPS: std::ops::RangeInclusive<u32> = 1..=30;

/// The previews of a run.
pub struct Previews {
    commands: Arc<PipelineCommands>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// How many were begun.
    begun: u64,
    running: BTreeMap<u64, Running>,
}

struct Running {
    output: usize,
    program: Watcher,
}

/// What the reader of a preview gets.
pub struct StartedPreview {
    /// How the pictures lie in the memory.
    pub layout: PreviewLayout,
    /// The memory, and a pipe with a byte for each picture.
    pub reader: ReaderEnd,
    /// Dropped, the preview ends.
    pub guard: PreviewGuard,
}

/// A preview that goes on; dropped, it ends, and the camera is closed if nobody else wants it.
pub struct PreviewGuard {
    previews: Arc<Previews>,
    output: usize,
    number: u64,
}

impl Previews {
    /// None yet, of outputs that follow `commands`.
    pub fn new(commands: Arc<PipelineCommands>) -> Arc<Self> {
        Arc::new(Self { commands, state: Mutex::default() })
    }

    /// Begins one for the program with process number `pid`, in place of one that `goes_on`, if that is so.
    ///
    /// # Errors
    /// One sentence; what goes on is then as it was.
    pub fn start(
        self: &Arc<Self>,
        request: &PreviewRequest,
        pid: u32,
        goes_on: bool,
    ) -> Result<StartedPreview, String> {
        let PreviewRequest { picture, output, width_px, fps } = request;
        let (width_px, fps) = (width_px.unwrap_or(480), fps.unwrap_or(15));
        if !WIDTHS_PX.contains(&width_px) || !RATES_FPS.contains(&fps) {
            return Err(format!(
                "a preview is {} to {} pixels wide and has {} to {} pictures a second; ask for such a one",
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
            format!("there is no memory for a preview ({error}); close something and ask again")
        };
        let size = small(mode.size, width_px);
        let (memory, reader) = PreviewMemory::new(format, size).map_err(no_memory)?;
        let layout = memory.layout();
        let program = Watcher { pid, name: name_of(pid), preview: Some(*picture) };
        let told = program.to_string();
        let number = {
            let mut state = lock(&self.state);
            if state.running.len() >= MAX_PREVIEWS + usize::from(goes_on) {
                return Err(format!(
                    "{MAX_PREVIEWS} previews go on already; end one and ask again"
                ));
            }
            state.begun += 1;
            let number = state.begun;
            state.running.insert(number, Running { output, program });
            number
        };
        tracing::info!("preview: {told} begins");
        let interval = Duration::from_secs(1) / fps;
        self.commands.begin_preview(output, Preview::new(number, *picture, interval, memory));
        self.commands.changes().ring();
        let guard = PreviewGuard { previews: Arc::clone(self), output, number };
        Ok(StartedPreview { layout, reader, guard })
    }

    /// The programs that look at previews of output number `output`.
    pub fn watchers(&self, output: usize) -> Vec<Watcher> {
        let state = lock(&self.state);
        let of_it = state.running.values().filter(|running| running.output == output);
        of_it.map(|running| running.program.clone()).collect()
    }
}

impl Drop for PreviewGuard {
    fn drop(&mut self) {
        let Self { previews, output, number } = self;
        previews.commands.end_preview(*output, *number);
        if let Some(ended) = lock(&previews.state).running.remove(number) {
            tracing::info!("preview: {} ends", ended.program);
        }
        previews.commands.changes().ring();
    }
}

/// `size`, scaled to that width (never up), with even sides.
fn small(size: SizePx, width_px: u32) -> SizePx {
    let width_px = width_px.min(size.width_px);
    let height_px = u64::from(size.height_px) * u64::from(width_px) / u64::from(size.width_px);
    let even = |px: u64| (px.max(2) as u32).next_multiple_of(2);
    SizePx::new(even(u64::from(width_px)), even(height_px))
}

/// The name of a process, as the kernel keeps it; empty if it is not to be seen.
fn name_of(pid: u32) -> String {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    name.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_pictures_keep_their_shape() {
        for (size, width_px, wanted) in [
            ((1280, 720), 480, (480, 270)),
            ((640, 480), 480, (480, 360)),
            ((160, 90), 480, (160, 90)),
            ((720, 1280), 101, (102, 180)),
        ] {
            let small = small(SizePx::new(size.0, size.1), width_px);
            assert_eq!((small.width_px, small.height_px), wanted);
        }
    }
}
