use greenroom_frame::SizePx;

use super::super::components::Components;
use super::grid::Grid;
use super::measure::Cell;

/// Who decides about a cell of the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rule {
    /// The network: outside of the screen, and where a person wears its colour.
    Network,
    /// It is all screen.
    Room,
    /// Nothing of it is screen, and it belongs to the person.
    Person,
    /// The key.
    Key,
    /// The key may take away from what the network shows, and adds nothing.
    Within,
}

/// Finds where the screen is and what stands before it.
///
/// Large connected regions of the screen's colour are the screen. Whatever is not screen and is surrounded by it is shown
/// if it is connected with the person that the network sees, and within some steps: hair, hands, a held book, the back of the chair.
/// A lamp that stands alone before the screen is not.
#[derive(Debug)]
pub(super) struct Regions {
    size: SizePx,
    rules: Vec<Rule>,
    /// 255 in cells of large regions of the screen.
    screen: Vec<u8>,
    components: Components,
    /// Whether samples nearby are solid, and whether some are clear.
    nearby: [Vec<bool>; 2],
    /// Whether there is screen at or beside a cell, and whether something that is neither screen nor inside.
    beside: [Vec<bool>; 2],
    flags: Vec<bool>,
    /// Flags of which each has those beside it.
    rows: Vec<bool>,
    /// The screen that columns have seen.
    seen: Vec<u8>,
    /// In which directions there is screen: [`LEFT`] and so on.
    sides: Vec<u8>,
    is_inside: Vec<bool>,
    /// Steps through what is not screen from the person that the network sees; [`UNREACHED`] for all else.
    steps: Vec<u8>,
    queue: Vec<u32>,
    /// Frames since the network saw a person in a cell that has not been clear since; [`FORGOTTEN`] for all else.
    ages: Vec<u8>,
    /// 255 where the network is sure of a person and the colour is the screen's; then 255 where that is left to the network.
    clothes: Vec<u8>,
    wears_key: bool,
}

const LEFT: u8 = 1;
const RIGHT: u8 = 2;
const ABOVE: u8 = 4;
const BELOW: u8 = 8;
const UNREACHED: u8 = u8::MAX;

/// Share of the picture that a region of the screen has at least: 1 in 100; and all of them together.
const REGION_PERCENT: usize = 1;
const SCREEN_PERCENT: usize = 3;
/// Level of the network's mask up to which a cell may be of the screen's region.
const MAY_BE_SCREEN: u8 = 160;
/// The level from which on the network sees a person; and is sure of one.
const PERSON: u8 = 128;
const SURE: u8 = 225;
/// Frames for which a cell counts as the network's person after the network has lost it: a second. Networks lose who goes
/// out of the picture before the last of them is gone.
const FORGOTTEN: u8 = 30;
/// Cells that what is shown may be away from the person that the network sees, by the number of sides on which it is surrounded.
/// On all four it stands before the screen: the shoulder of somebody who comes in, of whom the network sees the face at first.
const FARTHEST_STEPS: u8 = 24;
const _: () = assert!(FARTHEST_STEPS < UNREACHED - 1);
const FAR_STEPS: u8 = 12;
const NEAR_STEPS: u8 = 3;
/// A screen that has one in so many cells along a side of the picture goes on beyond it.
const CLOSED: usize = 3;
/// Thousandths of the picture from which on the person's screen-coloured region is clothes and no gap between arm and
/// body; and down to which it stays so.
const CLOTHES: usize = 10;
const CLOTHES_STAY: usize = 5;
/// Cells around clothes that are left to the network, too.
const CLOTHES_REACH: usize = 2;
/// Samples of a cell that may be solid in a clear one, and the other way round: 3 %, which is noise.
const SPECKS_PERCENT: u32 = 3;

impl Regions {
    pub(super) fn new(grid: Grid) -> Self {
        let cells = grid.cells();
        Self {
            size: grid.size,
            rules: vec![Rule::Network; cells],
            screen: vec![0; cells],
            components: Components::side_by_side(grid.size),
            nearby: [vec![false; cells], vec![false; cells]],
            beside: [vec![false; cells], vec![false; cells]],
            flags: vec![false; cells],
            rows: vec![false; cells],
            seen: vec![0; grid.columns()],
            sides: vec![0; cells],
            is_inside: vec![false; cells],
            steps: vec![UNREACHED; cells],
            queue: Vec::with_capacity(cells),
            ages: vec![FORGOTTEN; cells],
            clothes: vec![0; cells],
            wears_key: false,
        }
    }

    /// Who decides about each cell of the picture that was looked at last.
    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Whether a large part of the person has the screen's colour.
    pub(super) fn wears_key(&self) -> bool {
        self.wears_key
    }

    /// Whether a cell and all around it are without screen.
    pub(super) fn is_solid(&self, at: usize) -> bool {
        self.nearby[0][at] && !self.nearby[1][at]
    }

    /// The next picture has nothing to do with those before.
    pub(super) fn reset(&mut self) {
        self.ages.fill(FORGOTTEN);
        self.wears_key = false;
    }

    /// Finds the regions of a picture: its cells, and the levels of the network's mask in them. False if there is no
    /// screen in it.
    pub(super) fn find(&mut self, cells: &[Cell], network: &[u8]) -> bool {
        self.find_clothes(cells, network);
        if !self.find_screen(cells, network) {
            return false;
        }
        self.look_around(cells);
        self.find_sides();
        self.walk_from(network);
        self.decide();
        true
    }

    fn find_clothes(&mut self, cells: &[Cell], network: &[u8]) {
        let (width, area) = (self.size.width_px as usize, cells.len());
        for (at, (cell, out)) in cells.iter().zip(&mut self.clothes).enumerate() {
            let is_clothes = cell.is_mostly_screen()
                && network[at] >= SURE
                && neighbours(at, width, area).all(|near| network[near] >= SURE);
            *out = if is_clothes { 255 } else { 0 };
        }
        self.components.find(&self.clothes, 128, 255);
        let least = if self.wears_key { CLOTHES_STAY } else { CLOTHES };
        self.clothes.fill(0);
        self.wears_key = false;
        for run in &self.components.runs {
            let region = self.components.all[run.component as usize].area as usize;
            if 1000 * region < least * area {
                continue;
            }
            self.wears_key = true;
            let [start, end] = [run.start, run.end].map(|column| column as usize);
            let columns = start.saturating_sub(CLOTHES_REACH)..(end + CLOTHES_REACH).min(width);
            let y = run.y as usize;
            for y in y.saturating_sub(CLOTHES_REACH)..(y + CLOTHES_REACH + 1).min(area / width) {
                self.clothes[y * width..][columns.clone()].fill(255);
            }
        }
    }

    fn find_screen(&mut self, cells: &[Cell], network: &[u8]) -> bool {
        let clothes = &self.clothes;
        for (at, (cell, out)) in cells.iter().zip(&mut self.screen).enumerate() {
            let is_screen =
                cell.is_mostly_screen() && network[at] < MAY_BE_SCREEN && clothes[at] == 0;
            *out = if is_screen { 255 } else { 0 };
        }
        self.components.find(&self.screen, 128, 255);
        self.screen.fill(0);
        let (width, area) = (self.size.width_px as usize, cells.len());
        let mut found = 0;
        for &run in &self.components.runs {
            let region = self.components.all[run.component as usize].area as usize;
            if 100 * region >= REGION_PERCENT * area {
                self.screen[run.samples(width)].fill(255);
                found += run.samples(width).len();
            }
        }
        100 * found >= SCREEN_PERCENT * area
    }

    /// What is solid or clear in the cells around each.
    fn look_around(&mut self, cells: &[Cell]) {
        let width = self.size.width_px as usize;
        let parts = [|cell: &Cell| cell.solid, |cell: &Cell| cell.clear];
        for (nearby, part) in self.nearby.iter_mut().zip(parts) {
            let flags = self.flags.iter_mut().zip(cells);
            flags.for_each(|(flag, cell)| *flag = 100 * part(cell) > SPECKS_PERCENT * cell.count);
            spread(&self.flags, width, &mut self.rows, nearby);
        }
    }

    /// On which sides of each cell there is screen, and which cells it surrounds.
    fn find_sides(&mut self) {
        let (width, area) = (self.size.width_px as usize, self.screen.len());
        let Self { sides, screen, .. } = self;
        sides.fill(0);
        let is_screen = |at: usize| screen[at] != 0;
        // Where the screen goes on beyond a side of the picture, who is cut by that side is surrounded there, too.
        let goes_on = |cells: &mut dyn ExactSizeIterator<Item = usize>| {
            let count = cells.len();
            CLOSED * cells.filter(|&at| is_screen(at)).count() >= count
        };
        let rows = || (0..area).step_by(width);
        let left = if goes_on(&mut rows()) { LEFT } else { 0 };
        let right = if goes_on(&mut (width - 1..area).step_by(width)) { RIGHT } else { 0 };
        let above = if goes_on(&mut (0..width)) { ABOVE } else { 0 };
        let below = if goes_on(&mut (area - width..area)) { BELOW } else { 0 };
        let scan = |at: usize, side: u8, sides: &mut u8, seen: &mut u8| {
            *sides |= *seen;
            *seen = if is_screen(at) { side } else { *seen };
        };
        for start in rows() {
            let (mut seen_left, mut seen_right) = (left, right);
            for x in 0..width {
                let (at, back) = (start + x, start + width - 1 - x);
                scan(at, LEFT, &mut sides[at], &mut seen_left);
                scan(back, RIGHT, &mut sides[back], &mut seen_right);
            }
        }
        let seen = &mut self.seen[..width];
        seen.fill(above);
        for start in rows() {
            let columns = sides[start..start + width].iter_mut().zip(&mut *seen);
            let both = columns.enumerate();
            both.for_each(|(x, (sides, seen))| scan(start + x, ABOVE, sides, seen));
        }
        seen.fill(below);
        for start in rows().rev() {
            let columns = sides[start..start + width].iter_mut().zip(&mut *seen);
            let both = columns.enumerate();
            both.for_each(|(x, (sides, seen))| scan(start + x, BELOW, sides, seen));
        }
        for (is_inside, &sides) in self.is_inside.iter_mut().zip(&self.sides) {
            *is_inside = sides.count_ones() >= 3
                || sides & (LEFT | RIGHT) == LEFT | RIGHT
                || sides & (ABOVE | BELOW) == ABOVE | BELOW;
        }
    }

    /// Walks from the person that the network sees through what is not screen, and is surrounded by it.
    fn walk_from(&mut self, network: &[u8]) {
        let (width, area) = (self.size.width_px as usize, self.screen.len());
        self.steps.fill(UNREACHED);
        self.queue.clear();
        for (at, &level) in network.iter().enumerate() {
            self.ages[at] = match (self.nearby[0][at], level >= PERSON) {
                (false, _) => FORGOTTEN,
                (true, true) => 0,
                (true, false) => (self.ages[at] + 1).min(FORGOTTEN),
            };
            if self.ages[at] == 0 || self.ages[at] < FORGOTTEN && self.is_inside[at] {
                self.steps[at] = 0;
                self.queue.push(at as u32);
            }
        }
        let mut next = 0;
        while let Some(&at) = self.queue.get(next) {
            next += 1;
            let steps = self.steps[at as usize] + 1;
            for near in neighbours(at as usize, width, area) {
                let reach = match self.sides[near].count_ones() {
                    4 => FARTHEST_STEPS,
                    3 => FAR_STEPS,
                    _ => NEAR_STEPS,
                };
                let is_open = self.nearby[0][near] && self.is_inside[near];
                if is_open && steps <= reach && self.steps[near] == UNREACHED {
                    self.steps[near] = steps;
                    self.queue.push(near as u32);
                }
            }
        }
    }

    fn decide(&mut self) {
        let width = self.size.width_px as usize;
        let Self { flags, rows, beside, screen, is_inside, .. } = self;
        let [near_screen, near_open] = beside;
        flags.iter_mut().zip(&*screen).for_each(|(flag, &screen)| *flag = screen != 0);
        spread(flags, width, rows, near_screen);
        let all = flags.iter_mut().zip(&*is_inside);
        all.for_each(|(flag, &is_inside)| *flag = !(*flag | is_inside));
        spread(flags, width, rows, near_open);
        for at in 0..self.rules.len() {
            let is_ruled = self.is_inside[at] || self.beside[0][at];
            // At the rim of the screen, what is beside it is the room.
            let is_deep = !self.beside[1][at];
            let is_shown = is_deep && self.steps[at] != UNREACHED;
            self.rules[at] = match self.nearby.each_ref().map(|near| near[at]) {
                _ if !is_ruled || self.clothes[at] != 0 => Rule::Network,
                [false, _] => Rule::Room,
                [true, false] if is_shown => Rule::Person,
                [true, false] => Rule::Network,
                [true, true] if is_shown => Rule::Key,
                [true, true] => Rule::Within,
            };
        }
    }
}

/// `out` becomes whether a cell or one around it is flagged; `rows` is as long.
fn spread(flags: &[bool], width: usize, rows: &mut [bool], out: &mut [bool]) {
    for (row, flags) in rows.chunks_exact_mut(width).zip(flags.chunks_exact(width)) {
        row.copy_from_slice(flags);
        row[1..].iter_mut().zip(flags).for_each(|(flag, left)| *flag |= left);
        row.iter_mut().zip(&flags[1..]).for_each(|(flag, right)| *flag |= right);
    }
    out.copy_from_slice(rows);
    out[width..].iter_mut().zip(&*rows).for_each(|(flag, above)| *flag |= above);
    out.iter_mut().zip(&rows[width..]).for_each(|(flag, below)| *flag |= below);
}

/// A cell and those around it.
fn neighbours(at: usize, width: usize, area: usize) -> impl Iterator<Item = usize> {
    let (x, y) = (at % width, at / width);
    let columns = x.saturating_sub(1)..(x + 2).min(width);
    (y.saturating_sub(1)..(y + 2).min(area / width))
        .flat_map(move |y| columns.clone().map(move |x| y * width + x))
}
