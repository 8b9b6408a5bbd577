use greenroom_frame::{Colour, Frame, FrameError, PixelFormat, PlaneScaler, SizePx};
use noto_sans_mono_bitmap::{FontWeight, RasterHeight, get_raster, get_raster_width};

const WEIGHT: FontWeight = FontWeight::Regular;
const RASTER: RasterHeight = RasterHeight::Size32;
const CELL_WIDTH_PX: u32 = get_raster_width(WEIGHT, RASTER) as u32;
const CELL_HEIGHT_PX: u32 = RASTER.val() as u32;
/// The frame's height over a line's. A line has room above and below its letters: those are about
/// 1/14 of the frame from the top of a `b` to the foot of a `p`.
const LINES_A_FRAME: u32 = 11;
/// No line is wider than so many hundredths of the frame.
const WIDEST_PERCENT: u32 = 90;
/// Three lines are 3/11 of the frame: within the middle third.
const MOST_LINES: usize = 3;
/// A line may become so much smaller (in hundredths) before it is wrapped instead.
const SHRINK_PERCENT: u32 = 75;
/// Lines lower than this cannot be read and are left out.
const LOWEST_LINE_PX: u32 = 7;
/// Longer texts are cut: three lines of 40 at the most, which 320x180 still shows.
const MOST_CHARS: usize = 120;
/// Longer words are broken.
const LONGEST_WORD: usize = 30;

/// Lines of text, laid out in a frame: how much of each pixel is covered by letters.
pub(super) struct Lettering {
    lines: Vec<Line>,
}

/// One line: its coverage (grey, 255 = all letter) and the place of its first pixel.
struct Line {
    coverage: Frame,
    x: usize,
    y: usize,
}

impl Lettering {
    /// Lays `text` out in the middle of a frame of `size`.
    pub(super) fn new(text: &str, size: SizePx) -> Result<Self, FrameError> {
        let text: String = text.chars().flat_map(drawable).take(MOST_CHARS).collect();
        let words: Vec<&str> = text.split_whitespace().flat_map(pieces).collect();
        let (lines, height_px) = fit(&words, size);
        if height_px < LOWEST_LINE_PX {
            return Ok(Self { lines: Vec::new() });
        }
        let block_px = height_px * lines.len() as u32;
        let top_px = (size.height_px - block_px) / 2;
        let line = |(index, line): (usize, &String)| {
            let coverage = render(line, height_px)?;
            let x = (size.width_px - coverage.size().width_px) as usize / 2;
            Ok(Line { coverage, x, y: (top_px + height_px * index as u32) as usize })
        };
        Ok(Self { lines: lines.iter().enumerate().map(line).collect::<Result<_, FrameError>>()? })
    }

    /// Calls `draw(x, coverage)` for each pixel of row `y` that letters touch.
    pub(super) fn for_row(&self, y: usize, mut draw: impl FnMut(usize, u8)) {
        for line in &self.lines {
            let rows = line.y..line.y + line.coverage.size().height_px as usize;
            if rows.contains(&y) {
                let row = line.coverage.view().plane(0).row(y - line.y);
                let touched = row.iter().enumerate().filter(|&(_, &alpha)| alpha > 0);
                touched.for_each(|(x, &alpha)| draw(line.x + x, alpha));
            }
        }
    }

    /// The same for row `y` of 4:2:0 chroma: the mean over the four pixels of a sample.
    pub(super) fn for_chroma_row(&self, y: usize, mut draw: impl FnMut(usize, u8)) {
        let mut sums = std::collections::BTreeMap::<usize, u16>::new();
        for y in [2 * y, 2 * y + 1] {
            self.for_row(y, |x, alpha| *sums.entry(x / 2).or_default() += u16::from(alpha));
        }
        sums.into_iter().for_each(|(x, sum)| draw(x, (sum / 4) as u8));
    }
}

/// What the font has for a character: itself, or something that says the same.
fn drawable(character: char) -> impl Iterator<Item = char> {
    let known = |character| get_raster(character, WEIGHT, RASTER).is_some();
    let text = match character {
        '…' => "...",
        '‘' | '’' | '‚' | '′' => "'",
        '“' | '”' | '„' => "\"",
        '‐'..='―' | '−' => "-",
        '\u{200b}'..='\u{200f}' | '\u{feff}' => "",
        _ if character.is_whitespace() || character.is_control() => " ",
        _ if known(character) => return itself_or(Some(character), ""),
        _ => "?",
    };
    itself_or(None, text)
}

fn itself_or(itself: Option<char>, text: &'static str) -> impl Iterator<Item = char> {
    itself.into_iter().chain(text.chars())
}

/// A word, broken where it is too long for a line.
fn pieces(word: &str) -> impl Iterator<Item = &str> {
    let mut starts = word.char_indices().map(|(at, _)| at).step_by(LONGEST_WORD);
    let mut start = starts.next();
    std::iter::from_fn(move || {
        let from = start?;
        start = starts.next();
        Some(&word[from..start.unwrap_or(word.len())])
    })
}

/// The lines that `words` are best shown in, and their height; 0 if there is nothing to show.
fn fit(words: &[&str], size: SizePx) -> (Vec<String>, u32) {
    let wanted_px = size.height_px / LINES_A_FRAME;
    let mut best = (Vec::new(), 0);
    for count in 1..=MOST_LINES {
        let lines = wrap(words, count);
        let longest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0) as u32;
        if longest == 0 {
            break;
        }
        let width_px = u64::from(size.width_px * WIDEST_PERCENT / 100);
        let fitting_px = width_px * u64::from(CELL_HEIGHT_PX) / u64::from(CELL_WIDTH_PX * longest);
        let height_px = wanted_px.min(fitting_px as u32);
        if height_px > best.1 {
            best = (lines, height_px);
        }
        if height_px >= wanted_px * SHRINK_PERCENT / 100 {
            break;
        }
    }
    best
}

/// `words` in at most `count` lines, the longest of which is as short as can be.
fn wrap(words: &[&str], count: usize) -> Vec<String> {
    let all: usize = words.iter().map(|word| word.chars().count() + 1).sum();
    (1..=all).map(|limit| fill(words, limit)).find(|lines| lines.len() <= count).unwrap_or_default()
}

/// `words` in lines of at most `limit` characters (a longer word is a line of its own).
fn fill(words: &[&str], limit: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in words {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= limit => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push((*word).to_owned()),
        }
    }
    lines
}

/// The coverage of one line, `height_px` high.
fn render(line: &str, height_px: u32) -> Result<Frame, FrameError> {
    let cells = line.chars().count() as u32;
    let drawn = SizePx::new(CELL_WIDTH_PX * cells, CELL_HEIGHT_PX);
    let mut strip = Frame::new(PixelFormat::Grey, drawn, Colour::JPEG)?;
    for (y, row) in strip.view_mut().plane_mut(0).iter_rows_mut().enumerate() {
        for (cell, character) in row.chunks_exact_mut(CELL_WIDTH_PX as usize).zip(line.chars()) {
            if let Some(raster) = get_raster(character, WEIGHT, RASTER) {
                cell.copy_from_slice(&raster.pixels()[y * cell.len()..][..cell.len()]);
            }
        }
    }
    let width_px = (drawn.width_px * height_px / CELL_HEIGHT_PX).max(1);
    let size = SizePx::new(width_px, height_px);
    let mut coverage = Frame::new(PixelFormat::Grey, size, Colour::JPEG)?;
    let mut scaler = PlaneScaler::new(drawn, size)?;
    scaler.scale(strip.view().plane(0), &mut coverage.view_mut().plane_mut(0));
    if height_px > CELL_HEIGHT_PX {
        sharpen(coverage.bytes_mut(), height_px);
    }
    Ok(coverage)
}

/// Enlarging spreads an edge over as many pixels as the factor; steeper by the factor about one
/// half, it is about one pixel wide again.
fn sharpen(coverage: &mut [u8], height_px: u32) {
    let steeper = |alpha: u8| {
        let off = (i32::from(alpha) - 128) * height_px as i32 / CELL_HEIGHT_PX as i32;
        (128 + off).clamp(0, 255) as u8
    };
    coverage.iter_mut().for_each(|alpha| *alpha = steeper(*alpha));
}
