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
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Instant;

use greenroom_device::{DeviceError, QueuedSink, open_recording_sink};

use self::converted::ConvertedSink;
use crate::pipeline::{Cues, Tap, TapCounts, TapEnd};
use crate::scenes::{NOT_WHOLE, Replied};
use crate::status::RecordingStatus;

/// The recordings of a run, one for each output at the most. Clones are the same.
#[derive(Clone)]
pub struct Recorder {
    cues: Arc<Cues>,
    running: Arc<Mutex<BTreeMap<usize, Recording>>>,
    /// No output takes up a tap any more.
    is_over: Arc<AtomicBool>,
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
    /// No recording yet, of outputs that follow `cues`.
    pub fn new(cues: Arc<Cues>) -> Self {
        Self { cues, running: Arc::default(), is_over: Arc::default() }
    }

    /// Records what is shown on the output of this name, or on the first, into the new file `file`. `replied` is told when
    /// it is opened. With `opens_camera` the camera is wanted for it, whoever watches.
    pub fn start(&self, output: Option<&str>, file: PathBuf, opens_camera: bool, replied: Replied) {
        let output = match self.cues.numbers_of(output) {
            Ok(outputs) => outputs.start,
            Err(sentence) => return replied.tell(Err(sentence)),
        };
        if !file.is_absolute() {
            return replied.tell(Err(format!("{} is a {NOT_WHOLE}", file.display())));
        }
        let mut running = self.running();
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
        let ours = self.clone();
        let thread = thread::Builder::new().name("recorder".into()).spawn(move || {
            // However this ends, another one may begin.
            let _place = RunningPlace(&ours, output);
            match ours.open(output, &file, opens_camera, counts) {
                Ok(ended) => {
                    tracing::info!("record: {}", file.display());
                    replied.tell(Ok(()));
                    ours.complete(output, &file, &ended);
                }
                Err(error) => replied.tell(Err(format!("{:#}", anyhow::Error::from(error)))),
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
                tracing::warn!("record: {error}");
            }
        }
    }

    /// Ends the recording of the output of this name, or all there are. `replied` is told when the file is complete.
    pub fn stop(&self, output: Option<&str>, replied: Replied) {
        let outputs = match self.cues.numbers_of(output) {
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
            self.cues.end_tap(*output);
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
        outputs.into_iter().for_each(|output| self.cues.end_tap(output));
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
        let mode = self.cues.sink_mode(output);
        let sink = open_recording_sink(file, mode)?;
        let sink = QueuedSink::start(Box::new(ConvertedSink::new(sink, mode)?))?;
        let (ended, end) = mpsc::channel();
        self.cues.begin_tap(output, Tap::new(Box::new(sink), opens_camera, counts, ended));
        let is_unwanted = |recording: &Recording| !recording.waiting.is_empty();
        if self.is_over.load(SeqCst) || self.running().get(&output).is_some_and(is_unwanted) {
            // It was asked to end before it began.
            self.cues.end_tap(output);
        }
        Ok(end)
    }

    /// Waits for the end of a recording, and completes its file.
    fn complete(&self, output: usize, file: &Path, ended: &Receiver<TapEnd>) {
        // Without a word the output's thread has ended before it could take the tap: nothing was written.
        let Ok(TapEnd { sink, lost }) = ended.recv() else { return };
        let (finished, lost) = (sink.finish(), lost.map(anyhow::Error::from));
        let trouble = lost.or_else(|| finished.err().map(anyhow::Error::from));
        let mut running = self.running();
        let Some(recording) = running.get_mut(&output) else { return };
        let waiting = std::mem::take(&mut recording.waiting);
        let frames = recording.counts.written.load(Relaxed);
        drop(running);
        let (is_there, file) = (file.exists(), file.display());
        let done = match trouble {
            Some(error) => {
                let left = match is_there {
                    true => format!("what there is of {file} stays"),
                    false => "nothing was recorded".to_owned(),
                };
                let sentence = format!("{error:#}; {left}");
                tracing::warn!("record: {sentence}");
                Err(sentence)
            }
            None if frames == 0 => Err(NOTHING.to_owned()),
            None => {
                tracing::info!("record: {file} is complete");
                Ok(())
            }
        };
        waiting.into_iter().for_each(|replied| replied.tell(done.clone()));
    }

    fn running(&self) -> MutexGuard<'_, BTreeMap<usize, Recording>> {
        // Plain data: every state between two assignments is a state.
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

const NOTHING: &str = "nothing was recorded, as nobody watched; greenroom record --open-camera FILE records all the same";

/// Its recording is over when this is dropped.
struct RunningPlace<'a>(&'a Recorder, usize);

impl Drop for RunningPlace<'_> {
    fn drop(&mut self) {
        // Whoever still waits is told that it failed, by the drop of what they wait for.
        let over = self.0.running().remove(&self.1);
        drop(over);
    }
}
