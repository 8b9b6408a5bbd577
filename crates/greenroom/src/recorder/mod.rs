//! Recordings on air: what an output shows, in a file, for as long as somebody wants.
//!
//! Each has a thread that opens the file, waits for its end and completes it. The output's thread hands over copies of
//! its frames ([`Tap`]) and never waits; another thread encodes them ([`QueuedSink`]). What there is of a file stays and
//! plays, whatever happens to the disk, to FFmpeg or to greenroom.

mod converted;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{Relaxed, SeqCst};
use std::sync::mpsc::{self, Receiver};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use greenroom_device::{DeviceError, QueuedSink, open_recording_sink};

use self::converted::ConvertedSink;
use crate::lock::lock;
use crate::pipeline::{PipelineCommands, Tap, TapCounts, TapEnd};
use crate::same_file::would_replace;
use crate::scenes::{NOT_WHOLE, Replied};
use crate::status::RecordingStatus;

/// The recordings of a run, one for each output at the most.
pub struct Recorder {
    commands: Arc<PipelineCommands>,
    running: Mutex<BTreeMap<usize, Recording>>,
    /// What the run itself writes at its end: it would take a recording's place.
    outputs: Vec<PathBuf>,
    /// No output takes up a tap any more.
    is_over: AtomicBool,
}

/// One that is begun.
struct Recording {
    file: PathBuf,
    since: Instant,
    counts: Arc<TapCounts>,
    /// Those who wait for its end.
    waiting: Vec<Replied>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// No recording yet, of outputs that follow `commands`; none is made at a place where the run itself writes.
    pub fn new(commands: Arc<PipelineCommands>, outputs: Vec<PathBuf>) -> Arc<Self> {
        let (running, is_over) = (Mutex::default(), AtomicBool::default());
        Arc::new(Self { commands, running, outputs, is_over })
    }

    /// Records what is shown on the output of this name, or on the first, into the new file `file`. `replied` is told when
    /// it is opened. With `opens_camera` the camera is wanted for it, whoever watches.
    pub fn start(
        self: &Arc<Self>,
        output: Option<&str>,
        file: PathBuf,
        opens_camera: bool,
        replied: Replied,
    ) {
        let output = match self.commands.numbers_of(output) {
            Ok(outputs) => outputs.start,
            Err(sentence) => return replied.tell(Err(sentence)),
        };
        if !file.is_absolute() {
            return replied.tell(Err(format!("{} is a {NOT_WHOLE}", file.display())));
        }
        if would_replace(&file, &self.outputs) {
            let file = file.display();
            let sentence =
                format!("{file} is written by this greenroom; give the recording another name");
            return replied.tell(Err(sentence));
        }
        let mut running = self.running();
        if self.is_over.load(SeqCst) {
            return replied.tell(Err("greenroom is about to end; start it again".to_owned()));
        }
        if let Some(recording) = running.get(&output) {
            let sentence = format!(
                "{} is being recorded into already; to end it: greenroom record stop",
                recording.file.display()
            );
            drop(running);
            return replied.tell(Err(sentence));
        }
        let (counts, since) = (Arc::<TapCounts>::default(), Instant::now());
        let recording = Recording {
            file: file.clone(),
            since,
            counts: Arc::clone(&counts),
            waiting: Vec::new(),
            thread: None,
        };
        running.insert(output, recording);
        self.commands.changes().ring();
        let ours = Arc::clone(self);
        let thread = thread::Builder::new().name("recorder".into()).spawn(move || {
            // However this ends, another one may begin.
            let place = Place { recorder: &ours, output, is_left: false };
            match ours.open(output, &file, opens_camera, counts) {
                Ok(ended) => {
                    tracing::info!("record: {}", file.display());
                    replied.tell(Ok(()));
                    ours.complete(&file, &ended, place);
                }
                Err(error) => {
                    let sentence = format!("{:#}", anyhow::Error::from(error));
                    place.leave(&Err(sentence.clone()));
                    replied.tell(Err(sentence));
                }
            }
        });
        match thread {
            Ok(thread) => {
                if let Some(recording) = running.get_mut(&output) {
                    recording.thread = Some(thread);
                }
            }
            // The request is dropped, and whoever asked is told that it failed.
            Err(error) => {
                running.remove(&output);
                self.commands.changes().ring();
                tracing::warn!("record: {error}");
            }
        }
    }

    /// Ends the recording of the output of this name, or all there are. `replied` is told when the file is complete.
    pub fn stop(&self, output: Option<&str>, replied: Replied) {
        let outputs = match self.commands.numbers_of(output) {
            Ok(outputs) => outputs,
            Err(sentence) => return replied.tell(Err(sentence)),
        };
        let mut running = self.running();
        let wanted: Vec<usize> = running.range(outputs).map(|(output, _)| *output).collect();
        if wanted.is_empty() {
            drop(running);
            return replied.tell(Err("nothing is being recorded".to_owned()));
        }
        for (output, replied) in wanted.iter().zip(replied.for_all(wanted.len())) {
            if let Some(recording) = running.get_mut(output) {
                recording.waiting.push(replied);
            }
            self.commands.end_tap(*output);
        }
    }

    /// What is being recorded on output number `output`.
    pub fn status(&self, output: usize) -> Option<RecordingStatus> {
        let running = self.running();
        let recording = running.get(&output)?;
        Some(RecordingStatus {
            file: recording.file.display().to_string(),
            time_s: recording.since.elapsed().as_secs_f64(),
            frames: recording.counts.written.load(Relaxed),
            dropped: recording.counts.dropped.load(Relaxed),
        })
    }

    /// Waits until every file is complete. The outputs have come to their ends before.
    pub fn finish(&self) {
        self.is_over.store(true, SeqCst);
        let outputs: Vec<usize> = self.running().keys().copied().collect();
        outputs.into_iter().for_each(|output| self.commands.end_tap(output));
        let threads = || self.running().values_mut().find_map(|it| it.thread.take());
        while let Some(thread) = threads() {
            // What a panic there was is told.
            let _ = thread.join();
        }
    }

    /// Opens the file and has frames come into it; what comes back is told its end.
    fn open(
        &self,
        output: usize,
        file: &Path,
        opens_camera: bool,
        counts: Arc<TapCounts>,
    ) -> Result<Receiver<TapEnd>, DeviceError> {
        let mode = self.commands.sink_mode(output)?;
        let sink = open_recording_sink(file, mode)?;
        let sink = QueuedSink::start(Box::new(ConvertedSink::new(sink, mode)?))?;
        let (ended, end) = mpsc::channel();
        self.commands.begin_tap(output, Tap::new(Box::new(sink), opens_camera, counts, ended));
        let is_unwanted = |recording: &Recording| !recording.waiting.is_empty();
        if self.is_over.load(SeqCst) || self.running().get(&output).is_some_and(is_unwanted) {
            // It was asked to end before it began.
            self.commands.end_tap(output);
        }
        Ok(end)
    }

    /// Waits for the end of a recording, and completes its file.
    fn complete(&self, file: &Path, ended: &Receiver<TapEnd>, place: Place<'_>) {
        // Without a word the output's thread has ended before it could take the tap: nothing was written.
        let Ok(TapEnd { sink, lost }) = ended.recv() else { return };
        if self.is_over.load(SeqCst) {
            tracing::info!("completing {}; a second signal ends at once", file.display());
        }
        let (finished, lost) = (sink.finish(), lost.map(anyhow::Error::from));
        let trouble = lost.or_else(|| finished.err().map(anyhow::Error::from));
        let (is_there, file) = (file.exists(), file.display());
        place.leave(&match trouble {
            Some(error) => {
                let left = match is_there {
                    true => format!("what there is of {file} stays"),
                    false => "nothing was recorded".to_owned(),
                };
                let sentence = format!("{error:#}; {left}");
                tracing::warn!("record: {sentence}");
                Err(sentence)
            }
            None if !is_there => Err(NOTHING.to_owned()),
            None => {
                tracing::info!("record: {file} is complete");
                Ok(())
            }
        });
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<usize, Recording>> {
        lock(&self.running)
    }
}

const NOTHING: &str = "nothing was recorded, as there was no picture: nobody watched, or you were hidden; greenroom record \
                       --open-camera FILE records also while nobody watches";

/// The place of a recording among those that run.
struct Place<'a> {
    recorder: &'a Recorder,
    output: usize,
    /// Another one may have it by now.
    is_left: bool,
}

impl Place<'_> {
    /// The recording is over; whoever waits for that is told what came of it.
    fn leave(mut self, done: &Result<(), String>) {
        for replied in self.take().into_iter().flat_map(|recording| recording.waiting) {
            replied.tell(done.clone());
        }
    }

    fn take(&mut self) -> Option<Recording> {
        let is_ours = !std::mem::replace(&mut self.is_left, true);
        let recording = is_ours.then(|| self.recorder.running().remove(&self.output)).flatten();
        if recording.is_some() {
            self.recorder.commands.changes().ring();
        }
        recording
    }
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        // After a panic whoever waits is told that it failed, by the drop of what they wait for.
        drop(self.take());
    }
}
