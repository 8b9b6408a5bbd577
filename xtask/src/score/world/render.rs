//! Renders and measures subjects side by side: nothing here is judged by time.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use anyhow::Result;

use super::measure::Measured;
use super::sets::Subject;
use crate::score::media::{read_grey, read_grey_at};
use crate::score::sheets::{Cell, Sheets};
use crate::score::variants::{Pair, Variant};
use crate::score::ways::{Renderer, Way};

/// What is rendered, and how.
pub struct Rendering<'a> {
    pub renderer: &'a Renderer,
    pub way: &'a Way,
    /// What is made of each subject first.
    pub variant: Option<Variant>,
    /// Also a page of the worst frame of each subject.
    pub sheets: Option<&'a Sheets<'a>>,
}

/// What was measured of a subject, by name.
pub struct Scored {
    pub name: String,
    pub measured: Measured,
    /// Its row of the page, if there are pages.
    cells: Vec<Cell>,
}

impl Rendering<'_> {
    /// These subjects, in their order. Those of which there is no such variant are left out.
    ///
    /// # Errors
    /// If a clip cannot be read or rendered.
    pub fn measure(&self, subjects: &[&Subject]) -> Result<Vec<Scored>> {
        let all = side_by_side(subjects, |subject| self.subject(subject))?;
        Ok(all.into_iter().flatten().collect())
    }

    /// Makes the page of a set, if there are pages.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn page(&self, set: &str, scored: &[&Scored]) -> Result<()> {
        let Some(sheets) = self.sheets else { return Ok(()) };
        let rows: Vec<_> = scored.iter().map(|one| one.cells.clone()).collect();
        sheets.worst_of_each(&format!("{}, {}", self.name_of(set), self.way.short), &rows)
    }

    /// With the variant's word behind it.
    pub fn name_of(&self, name: &str) -> String {
        match self.variant {
            Some(variant) => format!("{name}, {}", variant.word()),
            None => name.to_owned(),
        }
    }

    fn subject(&self, subject: &Subject) -> Result<Option<Scored>> {
        let name = self.name_of(&subject.name);
        // Gone with its clips when this one is done: of all of them there are gigabytes.
        let folder = tempfile::tempdir_in(self.renderer.work.path())?;
        let mut pair = Pair {
            name: subject.name.clone(),
            clip: subject.clip.clone(),
            alpha: subject.truth.clone(),
        };
        let mut truth = read_grey(&pair.alpha)?;
        if let Some(variant) = self.variant {
            match variant.make(folder.path(), &pair, &truth, None)? {
                Ok(made) => {
                    if made.alpha != pair.alpha {
                        truth = read_grey(&made.alpha)?;
                    }
                    pair = made;
                }
                Err(why) => {
                    eprintln!("{name}: left out, {why}");
                    return Ok(None);
                }
            }
        }
        let size = [truth.width, truth.height];
        let mattes = self.renderer.mattes_at(self.way, &pair.clip, size)?;
        let (frame, mattes, measured) = if subject.is_still {
            let last = mattes.frames().count().saturating_sub(1);
            let mattes = mattes.last();
            let measured = Measured::of_still(&mattes, &truth)?;
            (last, mattes, measured)
        } else {
            let picture = read_grey_at(&pair.clip, size)?;
            let measured = Measured::of_clip(&mattes, &truth, &picture, subject.fps)?;
            (measured.worst_frame, mattes, measured)
        };
        println!("{} {name}: {measured}", self.way.short);
        let cells = |sheets: &Sheets<'_>| {
            let at = measured.worst_frame;
            sheets.row(&name, &pair.clip, self.way, frame, [(&mattes, at), (&truth, at)])
        };
        let cells = self.sheets.map(cells).transpose()?.unwrap_or_default();
        Ok(Some(Scored { name: subject.name.clone(), measured, cells }))
    }
}

/// What `work` makes of each, in their order, on all processors.
fn side_by_side<T: Sync, R: Send>(
    all: &[T],
    work: impl Fn(&T) -> Result<R> + Sync,
) -> Result<Vec<R>> {
    let next = AtomicUsize::new(0);
    let made: Vec<Mutex<Option<Result<R>>>> = all.iter().map(|_| Mutex::new(None)).collect();
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let at = next.fetch_add(1, Relaxed)
                    && let Some(one) = all.get(at)
                {
                    *made[at].lock().expect("nobody panics with it") = Some(work(one));
                }
            });
        }
    });
    let ended = |slot: Mutex<Option<Result<R>>>| {
        slot.into_inner().expect("nobody panics with it").expect("each was worked on")
    };
    made.into_iter().map(ended).collect()
}
