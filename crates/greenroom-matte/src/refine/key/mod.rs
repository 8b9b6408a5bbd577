//! A screen of one colour behind the person: chroma key.
//!
//! Works on chroma, at its own size. How far a sample is from the screen's colour is measured along the screen's hue, as
//! a share of the saturation that the screen has in that place, so that shadows and uneven light are screen all the same.
//! Where the screen is found, it decides; elsewhere the network does ([`Regions`]).

mod codes;
mod colour;
mod draw;
mod find;
mod grid;
mod measure;
mod model;
mod regions;
mod spread;
#[cfg(test)]
mod tests;

pub use colour::KeyColour;

use std::ops::Range;

use greenroom_frame::{Chroma, Colour, Frame, FrameView, PixelFormat, PlaneScaler, SizePx};

use self::codes::{NEUTRAL, SCREEN};
use self::colour::Hue;
use self::draw::Drawing;
use self::find::Finder;
use self::grid::Grid;
use self::measure::{Cell, Measurer, ROW_STEP};
use self::model::ScreenModel;
use self::regions::{Regions, Rule};
use super::kernels::{ChromaRows, DistanceScale, KeyRowsMut, ScreenRows, screen_distance};
use crate::{Isa, MatteError};

/// Cuts out who is before a screen of one colour: gives the mask in place of the network's ([`pull`](Self::pull)), and
/// lays its edge at full size ([`draw`](Self::draw)).
#[derive(Debug)]
pub struct ScreenKey {
    key: KeyColour,
    isa: Isa,
    finder: Finder,
    tables: Option<Tables>,
    /// The screen's mean colour; `None` until it is found.
    hue: Option<Hue>,
    /// Frames since the screen was seen.
    frames_without: u32,
    /// What has been logged, so that it is logged once.
    reported: Reported,
}

#[derive(Debug, Default)]
struct Reported {
    missing: bool,
    clothes: bool,
}

/// What is made for pictures and masks of a size.
#[derive(Debug)]
struct Tables {
    picture: SizePx,
    chroma: Chroma,
    network: SizePx,
    grid: Grid,
    /// The network's mask in cells and at chroma's size.
    coarse: (PlaneScaler, Frame),
    fine: (PlaneScaler, Frame),
    model: ScreenModel,
    /// Codes of distance from the screen's colour, at chroma's size.
    distance: Vec<u8>,
    /// The key's alpha, then the mask that is made of it and the network's.
    mask: Frame,
    measurer: Measurer,
    cells: Vec<Cell>,
    regions: Regions,
    drawing: Drawing,
    /// Whether `mask` is that of the newest picture.
    is_keyed: bool,
}

/// How codes of distance are given to samples.
const SCALE: DistanceScale = DistanceScale {
    neutral: NEUTRAL,
    screen: SCREEN,
    // Colours beside the screen's hue leave it faster than those along it: what is at an angle of 45 degrees to the
    // screen has a distance of 0 or less.
    across: 1.0,
    // Up to this code a sample is all person where the network is sure of one: light of the screen on skin and hair
    // makes nobody transparent, and a gap between arm and body is nearer to the screen than that.
    certain: 144.0,
};
/// Frames without a screen after which it is looked for anew: a second.
const FORGET_AFTER: u32 = 30;
/// Frames without a screen after which the log says so: three seconds.
const REPORT_AFTER: u32 = 90;
/// Looks at the first picture: each knows the light better than the one before.
const FIRST_LOOKS: usize = 3;

impl ScreenKey {
    /// For a screen of that colour. Tables are made by the first picture.
    pub fn new(key: KeyColour) -> Self {
        Self {
            key,
            isa: Isa::best(),
            finder: Finder::new(),
            tables: None,
            hue: None,
            frames_without: 0,
            reported: Reported::default(),
        }
    }

    /// The next picture has nothing to do with those before: another camera or call.
    pub fn reset(&mut self) {
        self.hue = None;
        self.frames_without = 0;
        if let Some(tables) = &mut self.tables {
            tables.regions.reset();
        }
    }

    /// The mask of `frame` by its screen and its `network`'s mask (a grey picture of any size): of the size of its
    /// chroma, 0 = room, 255 = person. `None` while there is no screen, or the frame has no chroma. Asks for memory
    /// only when a size or the format is another than last time.
    ///
    /// # Errors
    /// [`MatteError::UnsupportedAlpha`] if `network` is not [`PixelFormat::Grey`].
    pub fn pull(
        &mut self,
        network: &FrameView<'_>,
        frame: &FrameView<'_>,
    ) -> Result<Option<FrameView<'_>>, MatteError> {
        if network.format() != PixelFormat::Grey {
            return Err(MatteError::UnsupportedAlpha { format: network.format() });
        }
        let chroma = frame.format().chroma();
        if chroma == Chroma::None || !frame.format().is_planar() {
            return Ok(None);
        }
        let fits = self.tables.as_ref().is_some_and(|tables| {
            (tables.picture, tables.chroma, tables.network)
                == (frame.size(), chroma, network.size())
        });
        let tables = match &mut self.tables {
            Some(tables) if fits => tables,
            other => {
                self.hue = None;
                other.insert(Tables::new(frame.size(), chroma, network.size())?)
            }
        };
        tables.take_network(network);
        tables.is_keyed = false;
        if self.hue.is_none() {
            self.hue = self.finder.find(self.key, frame, tables.fine.1.bytes());
            if let Some(hue) = self.hue {
                tables.model.begin(hue);
                for _ in 0..FIRST_LOOKS {
                    tables.look(self.isa, frame);
                    tables.learn(true);
                }
            }
        }
        if self.hue.is_some() {
            tables.look(self.isa, frame);
            tables.is_keyed = tables.regions.find(&tables.cells, tables.coarse.1.bytes());
        }
        if tables.is_keyed {
            tables.find_rest(self.isa, frame);
            tables.decide();
            tables.learn(false);
            self.frames_without = 0;
        } else {
            self.frames_without = self.frames_without.saturating_add(1);
            if self.frames_without > FORGET_AFTER {
                self.hue = None;
            }
        }
        self.report();
        let tables = self.tables.as_ref().filter(|tables| tables.is_keyed);
        Ok(tables.map(|tables| tables.mask.view()))
    }

    /// Lays the key's edge into `luma` and `chroma`, the alphas of `frame`'s planes, where the key decides; after
    /// [`pull`](Self::pull) of the same frame.
    pub fn draw(&mut self, frame: &FrameView<'_>, luma: &mut Frame, chroma: &mut Frame) {
        if let Some(Tables { drawing, mask, regions, is_keyed: true, .. }) = &mut self.tables {
            drawing.draw(self.isa, frame, mask, regions.rules(), [luma, chroma]);
        }
    }

    fn report(&mut self) {
        if self.frames_without >= REPORT_AFTER
            && !std::mem::replace(&mut self.reported.missing, true)
        {
            match self.key {
                KeyColour::Auto => tracing::warn!(
                    "key: no screen of one colour is in the picture; the network finds the person (give the colour, as in \
                     key = \"#00b140\", or take key out of [cut])"
                ),
                KeyColour::Colour(_) => tracing::warn!(
                    "key: the picture has no screen of the colour {}; the network finds the person (try key = \"auto\", or \
                     take key out of [cut])",
                    self.key
                ),
            }
        }
        let wears_key =
            self.tables.as_ref().is_some_and(|it| it.is_keyed && it.regions.wears_key());
        if wears_key && !std::mem::replace(&mut self.reported.clothes, true) {
            tracing::warn!(
                "key: a part of the person has the screen's colour and is kept, with the network's edge; wear \
                 another colour for the screen's"
            );
        }
    }
}

impl Tables {
    fn new(picture: SizePx, chroma: Chroma, network: SizePx) -> Result<Self, MatteError> {
        let plane = chroma.plane_size(picture);
        let grid = Grid::new(picture, plane);
        let grey = |size| Frame::new(PixelFormat::Grey, size, Colour::JPEG);
        Ok(Self {
            picture,
            chroma,
            network,
            grid,
            coarse: (PlaneScaler::new(network, grid.size)?, grey(grid.size)?),
            fine: (PlaneScaler::new(network, plane)?, grey(plane)?),
            model: ScreenModel::new(grid, plane)?,
            distance: vec![0; plane.area_px() as usize],
            mask: grey(plane)?,
            measurer: Measurer::new(grid, plane),
            cells: vec![Cell::default(); grid.cells()],
            regions: Regions::new(grid),
            drawing: Drawing::new(picture, plane, grid),
            is_keyed: false,
        })
    }

    fn take_network(&mut self, network: &FrameView<'_>) {
        for (scaler, scaled) in [&mut self.coarse, &mut self.fine] {
            scaler.scale(network.plane(0), &mut scaled.view_mut().plane_mut(0));
        }
    }

    /// Measures how far `frame` is from the screen's colour, in every [`ROW_STEP`]th row of chroma.
    fn look(&mut self, isa: Isa, frame: &FrameView<'_>) {
        let width = frame.plane(1).row_bytes();
        for y in (0..frame.plane(1).rows()).step_by(ROW_STEP) {
            self.find_distance(isa, frame, y, 0..width);
        }
        let alpha = self.mask.bytes();
        self.measurer.measure(isa, &mut self.cells, frame, &self.distance, alpha);
    }

    /// Finds distance and alpha of samples of row `y`.
    fn find_distance(&mut self, isa: Isa, frame: &FrameView<'_>, y: usize, columns: Range<usize>) {
        let (u, v) = (frame.plane(1).row(y), frame.plane(2).row(y));
        let chroma = ChromaRows { u, v }.columns(columns.clone());
        let first = y * frame.plane(1).row_bytes();
        let part = first + columns.start..first + columns.end;
        let key = KeyRowsMut {
            distance: &mut self.distance[part.clone()],
            alpha: &mut self.mask.bytes_mut()[part.clone()],
        };
        let [u, v, room, person] = self.model.fine().map(|map| &map[part.clone()]);
        let screen = ScreenRows { u, v, room, person };
        screen_distance(isa, key, chroma, screen, &self.fine.1.bytes()[part], SCALE);
    }

    /// Finds the alpha of the rows between those that were [looked](Self::look) at, where the key decides.
    fn find_rest(&mut self, isa: Isa, frame: &FrameView<'_>) {
        let (columns, width) = (self.grid.columns(), frame.plane(1).row_bytes());
        let across = self.grid.samples[0] as usize;
        for y in (0..frame.plane(1).rows()).filter(|y| !y.is_multiple_of(ROW_STEP)) {
            let (row, mut next) = (self.grid.row_of(y) * columns, 0);
            while next < columns {
                let is_keyed = |at: usize| {
                    at < columns
                        && matches!(self.regions.rules()[row + at], Rule::Key | Rule::Within)
                };
                let start = next;
                while is_keyed(next) {
                    next += 1;
                }
                if start < next {
                    let samples = start * across..(next * across).min(width);
                    self.find_distance(isa, frame, y, samples);
                } else {
                    next += 1;
                }
            }
        }
    }

    fn learn(&mut self, at_once: bool) {
        let regions = &self.regions;
        let is_person =
            |at| !at_once && regions.is_solid(at) && regions.rules()[at] == Rule::Person;
        self.model.learn(&self.cells, self.coarse.1.bytes(), is_person, at_once);
    }

    /// Makes the key's alpha in `mask` the mask, by the rule of each cell.
    fn decide(&mut self) {
        let SizePx { width_px, .. } = self.mask.size();
        let (width, across) = (width_px as usize, self.grid.samples[0] as usize);
        let network = self.fine.1.bytes();
        for (y, row) in self.mask.bytes_mut().chunks_exact_mut(width).enumerate() {
            let rules = &self.regions.rules()[self.grid.row_of(y) * self.grid.columns()..];
            let levels = network[y * width..][..width].chunks(across);
            for ((alpha, levels), rule) in row.chunks_mut(across).zip(levels).zip(rules) {
                match rule {
                    Rule::Network => alpha.copy_from_slice(levels),
                    Rule::Room => alpha.fill(0),
                    Rule::Person => alpha.fill(255),
                    Rule::Key => {}
                    Rule::Within => {
                        alpha
                            .iter_mut()
                            .zip(levels)
                            .for_each(|(alpha, level)| *alpha = (*alpha).min(*level));
                    }
                }
            }
        }
    }
}
