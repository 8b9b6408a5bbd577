use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, SyncSender, TryRecvError, TrySendError, sync_channel};
use std::thread;
use std::time::Instant;

use greenroom_frame::{Frame, SizePx};

use super::cells::grey;
use super::kept_thumbnail::KeptThumbnail;
use crate::letterbox::{Letterbox, LetterboxView};
use crate::look::Look;
use crate::{Engine, Face, FaceFinder, InputTensor, Layout, MatteError};

/// A frame that the networks are asked about, and their answer.
#[derive(Debug)]
pub(super) struct Question {
    /// The whole frame for the large network, and what it answered: how sure it is of a person.
    pub view: LetterboxView,
    pub person: Frame,
    /// The same frame for the network that finds faces, and what it found.
    pub face_view: LetterboxView,
    pub faces: Vec<Face>,
    pub thumbnail: KeptThumbnail,
    /// The mask of the same frame, in cells of the thumbnail.
    pub mask: Vec<u8>,
    pub life: u32,
    /// When the frame was taken.
    pub asked_at: Instant,
    /// Whether there is an answer.
    pub is_answered: bool,
    /// Whether the machine saved power when it was given.
    pub saves_power: bool,
}

impl Question {
    pub(super) fn new() -> Result<Self, MatteError> {
        Ok(Self {
            view: LetterboxView::default(),
            person: grey(SizePx::new(1, 1))?,
            face_view: LetterboxView::default(),
            faces: Vec::with_capacity(FaceFinder::MAX_FACES),
            thumbnail: KeptThumbnail::new(),
            mask: Vec::new(),
            life: 0,
            asked_at: Instant::now(),
            is_answered: false,
            saves_power: false,
        })
    }
}

/// The networks that answer.
pub(super) struct Networks {
    /// Tells who is a person and what is room; an answer has the size of its input.
    large: Box<dyn Engine>,
    look: Look,
    /// The large one calls dark faces in dim light room; this one sees them.
    faces: FaceFinder,
}

impl Networks {
    pub(super) fn new(large: Box<dyn Engine>, faces: FaceFinder) -> Result<Self, MatteError> {
        let size = large.description().input_size;
        let look = Look::new(size, size, Layout::Nchw)?;
        Ok(Self { large, look, faces })
    }

    fn answer(&mut self, question: &mut Question) {
        if let Err(error) = self.try_to_answer(question) {
            tracing::error!("second opinion: {error}");
        }
    }

    fn try_to_answer(&mut self, question: &mut Question) -> Result<(), MatteError> {
        let Some((letterbox, picture)) = question.view.get() else { return Ok(()) };
        if self.look.input.size() != letterbox.input {
            self.look = Look::new(letterbox.input, letterbox.input, Layout::Nchw)?;
        }
        self.draw(letterbox, picture);
        self.large.infer(&self.look.input, &mut self.look.output)?;
        self.look.round();
        let Letterbox { size, left_px, top_px, .. } = letterbox;
        if question.person.size() != size {
            question.person = grey(size)?;
        }
        let (answer, mut person) = (self.look.alpha.view(), question.person.view_mut());
        let mut person = person.plane_mut(0);
        let rows = answer.plane(0).iter_rows().skip(top_px as usize);
        for (to, from) in person.iter_rows_mut().zip(rows) {
            to.copy_from_slice(&from[left_px as usize..][..size.width_px as usize]);
        }
        question.faces.clear();
        question.faces.extend_from_slice(self.faces.find_in(&question.face_view));
        question.is_answered = true;
        Ok(())
    }

    /// Has the large network see `picture` where it lies in its input, on grey.
    fn draw(&mut self, letterbox: Letterbox, picture: &InputTensor) {
        let Letterbox { input, size, left_px, top_px } = letterbox;
        let [width, input_width, left] =
            [size.width_px, input.width_px, left_px].map(|side_px| side_px as usize);
        let values = self.look.input.values_mut();
        values.fill(GREY);
        let channels = values.chunks_exact_mut(input.area_px() as usize);
        let pictures = picture.values().chunks_exact(size.area_px() as usize);
        for (channel, picture) in channels.zip(pictures) {
            let rows = channel.chunks_exact_mut(input_width).skip(top_px as usize);
            for (row, from) in rows.zip(picture.chunks_exact(width)) {
                row[left..][..width].copy_from_slice(from);
            }
        }
    }
}

/// Halfway from black to white, for a network whose input is from -1 to 1.
const GREY: f32 = 0.0;

/// Makes the networks that answer.
pub(super) type LoadNetworks = Box<dyn FnOnce() -> Result<Networks, MatteError> + Send>;

/// Who answers.
pub(super) enum Asking {
    /// The caller's thread.
    AtOnce(Box<Networks>),
    /// Another thread, over two channels that hold one question each.
    Thread { questions: SyncSender<Box<Question>>, answers: Receiver<Box<Question>> },
    /// The thread has panicked, or there was none to be had: the mask is as without a second opinion.
    Nobody,
}

impl fmt::Debug for Asking {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::AtOnce(_) => "AtOnce",
            Self::Thread { .. } => "Thread",
            Self::Nobody => "Nobody",
        })
    }
}

impl Asking {
    /// Has a thread of its own answer, with the networks that it `load`s when it is asked for the first time.
    pub(super) fn on_a_thread(load: LoadNetworks, saves_power: fn() -> bool) -> Self {
        let (questions, asked) = sync_channel(1);
        let (answered, answers) = sync_channel(1);
        let thread = thread::Builder::new().name("second opinion".into());
        match thread.spawn(move || answer_all((load, saves_power), &asked, &answered)) {
            Ok(_) => Self::Thread { questions, answers },
            Err(error) => {
                tracing::warn!("no thread for the second opinion ({error}); going on without it");
                Self::Nobody
            }
        }
    }

    /// Asks. The question comes back if it was answered at once, or if nobody ever will.
    pub(super) fn ask(&mut self, mut question: Box<Question>) -> Option<Box<Question>> {
        match self {
            Self::AtOnce(networks) => {
                networks.answer(&mut question);
                Some(question)
            }
            Self::Thread { questions, .. } => match questions.try_send(question) {
                Ok(()) => None,
                Err(TrySendError::Full(question) | TrySendError::Disconnected(question)) => {
                    *self = Self::Nobody;
                    Some(question)
                }
            },
            Self::Nobody => Some(question),
        }
    }

    /// The question that was asked before, if it has been answered by now. Never waits.
    pub(super) fn answer(&mut self) -> Option<Box<Question>> {
        let Self::Thread { answers, .. } = self else { return None };
        match answers.try_recv() {
            Ok(answered) => Some(answered),
            Err(TryRecvError::Empty) => None,
            Err(TryRecvError::Disconnected) => {
                *self = Self::Nobody;
                None
            }
        }
    }
}

/// The thread: answers until nobody asks any more.
fn answer_all(
    (load, saves_power): (LoadNetworks, fn() -> bool),
    asked: &Receiver<Box<Question>>,
    answered: &SyncSender<Box<Question>>,
) {
    // Of this thread alone, as Linux has it. If it is refused, the thread is as good as others.
    let _ = rustix::process::nice(LOWEST_PRIORITY);
    let mut loading = Some(load);
    let mut networks = None;
    while let Ok(mut question) = asked.recv() {
        // The panic itself is told where all are; whoever asks goes on without a second opinion.
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            if let Some(load) = loading.take() {
                networks = Some(load()?);
            }
            if let Some(networks) = &mut networks {
                networks.answer(&mut question);
            }
            question.saves_power = saves_power();
            Ok::<_, MatteError>(())
        }));
        match outcome {
            Ok(Ok(())) if answered.send(question).is_ok() => {}
            Ok(Err(error)) => {
                tracing::error!("second opinion: {error}; going on without it");
                return;
            }
            _ => return,
        }
    }
}

/// The least of the machine's time: 19 of nice(2).
const LOWEST_PRIORITY: i32 = 19;
