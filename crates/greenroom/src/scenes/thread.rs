//! The thread "scenes": waits for requests and for files that change, and has each output's scene follow them.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::Instant;

use greenroom_device::{Wake, wait_readable};

use super::replied::Replied;
use super::request::SceneRequest;
use super::worker::SceneWorker;
use crate::faults::{self, Fault};
use crate::pipeline::{MOST_OUTPUTS, PipelineCommands};
use crate::pipewire::Screens;

/// The thread.
pub(super) struct SceneThread {
    /// One for each output, in their order.
    pub(super) outputs: Vec<SceneWorker>,
    pub(super) commands: Arc<PipelineCommands>,
    /// Requests, and the numbers of the outputs that they are for.
    pub(super) asked: Receiver<(usize, SceneRequest, Replied)>,
    pub(super) bell: Wake,
    pub(super) screens: Screens,
    pub(super) stop: Wake,
}

impl SceneThread {
    pub(super) fn run(&mut self) {
        while !self.wait() {
            self.commands.scenes_bell().clear();
            self.commands.drop_retired();
            self.outputs.iter_mut().for_each(SceneWorker::follow_shape);
            if faults::strike(Fault::ScenesPanic) {
                panic!("the scenes thread panics, as a test wants");
            }
            let now = Instant::now();
            for output in &mut self.outputs {
                output.listen(now);
                let due = output.reload.due(now);
                output.follow_files(&due);
            }
            self.outputs.iter_mut().for_each(SceneWorker::give_up_abandoned);
            self.bell.clear();
            self.screens.news().clear();
            for output in &mut self.outputs {
                if let Some(loaded) = output.loader.take() {
                    output.take_loaded(loaded);
                }
            }
            while let Ok((output, request, replied)) = self.asked.try_recv() {
                self.outputs[output].serve(request, replied);
                self.commands.drop_retired();
            }
            // What waited for a load to be given up.
            for output in self.outputs.iter_mut().filter(|output| output.loader.is_idle()) {
                output.load();
            }
            if !self.outputs.iter().any(SceneWorker::wants_screen) {
                self.screens.let_go();
            }
            self.outputs.iter_mut().for_each(SceneWorker::tell_trouble_with_screen);
        }
        self.commands.drop_retired();
    }

    /// Waits for whatever comes first; true at the end.
    fn wait(&self) -> bool {
        let stop = self.stop.as_fd();
        let mut fds = [stop; FIXED_FDS + MOST_OUTPUTS];
        [fds[1], fds[2]] = [self.bell.as_fd(), self.commands.scenes_bell().as_fd()];
        fds[3] = self.screens.news().as_fd();
        for (fd, output) in fds[FIXED_FDS..].iter_mut().zip(&self.outputs) {
            *fd = output.watch_fd().unwrap_or(stop);
        }
        let due = self.outputs.iter().filter_map(SceneWorker::deadline).min();
        let patience = due.map(|due| due.saturating_duration_since(Instant::now()));
        wait_readable(&fds[..FIXED_FDS + self.outputs.len()], patience) & 1 != 0
    }
}

/// The stop, the bell, the bell of the commands, news of the screen.
const FIXED_FDS: usize = 4;
