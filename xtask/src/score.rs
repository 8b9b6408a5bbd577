//! `cargo xtask score [CLIP ALPHA]…`: how well the matte covers the person, against a true alpha: the bare network, ours
//! with all that is done about its mask, what other programs do about it, and the bare network in the reference runtime.
//!
//! All but the last go through `greenroom render --matte`, other programs' ways as settings of ours.

mod edges;
pub(crate) mod figures;
pub(crate) mod media;
mod reference;
mod screens;
mod sheets;
mod spill;
mod stills;
mod table;
mod variants;
pub(crate) mod ways;
mod world;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context, Result, ensure};
use figures::{Figure, Tally};
use media::{Mattes, name, read_grey};
use sheets::Sheets;
use stills::Still;
use table::{Row, Table};
use variants::{Pair, Plate, Variant};
use ways::{Renderer, Role, Way};
pub(crate) use world::Measured;

use crate::daemon;
use crate::golden::{MODELS, Model};
use crate::places::Places;

/// The command line of `cargo xtask score`.
#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// The network: general or landscape
    #[arg(long, default_value = "general")]
    model: String,
    /// Do without the reference runtime (no Python needed)
    #[arg(long)]
    no_reference: bool,
    /// Also a row without each of the steps of refinement
    #[arg(long)]
    ablation: bool,
    /// Also rows for the bare landscape network and what other programs do with its mask
    #[arg(long)]
    rivals: bool,
    /// Also variants of each clip, and of each subject of --world, made by FFmpeg
    #[arg(long, value_enum, value_delimiter = ',', num_args = 1, value_name = "VARIANT,…")]
    variants: Vec<Variant>,
    /// Also stills: a folder of NAME.jpg with NAME.alpha.png
    #[arg(long, value_name = "FOLDER")]
    stills: Option<PathBuf>,
    /// Also a clip without a true alpha: only how steady it is
    #[arg(long, value_name = "CLIP")]
    steady: Vec<PathBuf>,
    /// Also sets of many people and rooms, in a folder laid out as ../shared/footage is: a table of its own
    #[arg(long, value_name = "FOLDER")]
    world: Option<PathBuf>,
    /// Only ways whose name has this in it
    #[arg(long, value_name = "TEXT", requires = "world")]
    only: Option<String>,
    /// Of those sets, only these
    #[arg(long, value_delimiter = ',', num_args = 1, value_name = "SET,…", requires = "world")]
    sets: Vec<String>,
    /// Fail if the mean IoU of one of those sets is below this
    #[arg(long, value_name = "IOU", requires = "world")]
    least_mean: Option<f64>,
    /// Fail if more of the room is shown in one of those sets than this, in percent of the picture
    #[arg(long, value_name = "PERCENT", requires = "world")]
    most_shown: Option<f64>,
    /// Of those sets, every second subject: parameters are chosen on one half and checked on the other
    #[arg(long, value_enum, default_value_t, requires = "world")]
    half: world::Half,
    /// Only a table of the clips' persons before screens of one colour that are made here, with `key` of `[cut]`
    #[arg(long)]
    screens: bool,
    /// Write the tables into this page, with --rivals and --ablation
    #[arg(long, value_name = "PAGE")]
    table: Option<PathBuf>,
    /// Make contact sheets in this folder: the worst frames of each clip (of those sets the worst one), and, with
    /// --rivals, all ways side by side
    #[arg(long, value_name = "FOLDER")]
    sheets: Option<PathBuf>,
    /// Fail if the median IoU of a clip is below this
    #[arg(long, value_name = "IOU")]
    least_median: Option<f64>,
    /// Fail if the median IoU of a clip is further than this from the reference's
    #[arg(long, value_name = "IOU")]
    most_apart: Option<f64>,
    /// Clips, each followed by the video of its true alpha
    #[arg(num_args = 2.., value_names = ["CLIP", "ALPHA"])]
    clips: Vec<PathBuf>,
}

/// A median that is lower by this is no worse.
const WORSE: f64 = 0.002;

/// Scores every clip and prints a table.
///
/// # Errors
/// If a clip cannot be read, a program is missing, or a limit that was asked for is not kept.
pub fn run(places: &Places, arguments: &Arguments) -> Result<ExitCode> {
    let (pairs, rest) = arguments.clips.as_chunks::<2>();
    ensure!(rest.is_empty(), "each clip needs its alpha behind it");
    ensure!(
        !pairs.is_empty()
            || arguments.stills.is_some()
            || !arguments.steady.is_empty()
            || arguments.world.is_some(),
        "there is nothing to score: name clips with their alphas, --stills, --steady or --world"
    );
    let model = MODELS.into_iter().find(|model| model.0 == arguments.model);
    let model = model.context("--model is general or landscape")?;
    let wants_all = arguments.table.is_some();
    let mut ways =
        ways::ways(model.0, arguments.rivals || wants_all, arguments.ablation || wants_all);
    if let Some(only) = &arguments.only {
        ways.retain(|way| way.name.contains(only.as_str()));
        ensure!(!ways.is_empty(), "no way has \"{only}\" in its name");
    }
    let mut board = Board {
        places,
        arguments,
        model,
        renderer: Renderer { program: daemon::build(places)?, work: tempfile::tempdir()? },
        ways,
        table: Table::default(),
        missed: Vec::new(),
    };
    if arguments.screens {
        let pairs: Vec<_> = pairs.iter().map(|[clip, alpha]| pair(clip, alpha)).collect();
        let folder = places.target.join("score/screens");
        println!("{}", screens::table(&board.renderer, model.0, &folder, &pairs)?);
        return Ok(ExitCode::SUCCESS);
    }
    Table::print_head();
    board.clips(pairs)?;
    let mut spill = None;
    if let Some(folder) = &arguments.stills {
        let stills = stills::read(folder, &board.renderer.work.path().join("stills"))?;
        board.stills(&stills)?;
        spill = Some(spill::table(&board.renderer, model.0, &stills)?);
    }
    for clip in &arguments.steady {
        board.steady(clip)?;
    }
    if let Some(folder) = &arguments.world {
        let asked = world::Asked {
            half: arguments.half,
            sets: &arguments.sets,
            variants: &arguments.variants,
            sheets: board.sheets(),
            least_mean: arguments.least_mean,
            most_shown: arguments.most_shown,
        };
        let (table, missed) = world::score(&board.renderer, &board.ways, folder, &asked)?;
        print!("\n{table}");
        board.missed.extend(missed);
    }
    // Behind the other rows, which are one table.
    if let Some(spill) = &spill {
        print!("\n{spill}");
    }
    if let Some(page) = &arguments.table {
        board.table.write(page, spill.as_deref())?;
    }
    for miss in &board.missed {
        println!("missed: {miss}");
    }
    Ok(if board.missed.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What was scored so far.
struct Board<'a> {
    places: &'a Places,
    arguments: &'a Arguments,
    model: Model,
    renderer: Renderer,
    ways: Vec<Way>,
    table: Table,
    /// Limits that were not kept.
    missed: Vec<String>,
}

impl Board<'_> {
    fn clips(&mut self, pairs: &[[PathBuf; 2]]) -> Result<()> {
        let mut plate = None;
        if self.arguments.variants.contains(&Variant::Small) {
            for [clip, alpha] in pairs {
                plate = plate.or(Plate::find(clip, &read_grey(alpha)?));
            }
        }
        for [clip, alpha] in pairs {
            let named = pair(clip, alpha);
            let truth = read_grey(alpha)?;
            self.pair(&named, &truth)?;
            for variant in &self.arguments.variants {
                let folder = self.places.target.join("score/variants");
                match variant.make(&folder, &named, &truth, plate.as_ref())? {
                    Ok(made) => self.pair(&made, &read_grey(&made.alpha)?)?,
                    Err(why) => eprintln!("{}, {variant:?}: left out, {why}", named.name),
                }
            }
        }
        Ok(())
    }

    /// The rows of a clip with a true alpha.
    fn pair(&mut self, pair: &Pair, truth: &Mattes) -> Result<()> {
        let picture = read_grey(&pair.clip)?;
        let measure = |mattes: &Mattes| -> Result<Tally> {
            let mut tally = Tally::against(mattes, truth)?;
            tally.add_steadiness(mattes, &picture)?;
            Ok(tally)
        };
        let (mut bare, mut ours) = (None, None);
        for way in &self.ways {
            let mattes = self.renderer.mattes(way, &pair.clip)?;
            let tally = measure(&mattes)?;
            let figures = tally.figures();
            match way.role {
                Role::Bare => bare = figures.get(Figure::IouMedian),
                Role::Ours => {
                    ours = figures.get(Figure::IouMedian);
                    if let Some(sheets) = self.sheets() {
                        let both = [&mattes, truth];
                        sheets.worst(&pair.name, &pair.clip, way, both, &tally.mads)?;
                    }
                }
                _ => {}
            }
            let (role, way) = (way.role, way.name.clone());
            self.table.add(Row { subject: pair.name.clone(), role, way, figures });
        }
        if let Some(sheets) = self.sheets().filter(|_| self.arguments.rivals) {
            sheets.side_by_side(&pair.name, &pair.clip, &self.ways, truth.frames().count())?;
        }
        let bare = bare.context("the truth has nobody in any frame")?;
        let ours = ours.context("the truth has nobody in any frame")?;
        let name = &pair.name;
        if let Some(least) = self.arguments.least_median.filter(|&least| ours < least) {
            self.missed.push(format!("{name}: median IoU {ours:.4} is below {least}"));
        }
        if ours + WORSE < bare {
            self.missed.push(format!("{name}: the refined matte is worse than the bare one"));
        }
        if self.arguments.no_reference {
            return Ok(());
        }
        let mattes = reference::mattes(self.places, self.model, &pair.clip, truth)?;
        let figures = measure(&mattes)?.figures();
        let way = format!("bare {} network, reference runtime", self.model.0);
        let reference = figures.get(Figure::IouMedian).context("the truth has nobody")?;
        self.table.add(Row { subject: name.clone(), role: Role::Reference, way, figures });
        let apart = (bare - reference).abs();
        if let Some(most) = self.arguments.most_apart.filter(|&most| apart > most) {
            self.missed.push(format!("{name}: the medians are {apart:.4} apart, more than {most}"));
        }
        Ok(())
    }

    /// The rows of each group of stills, and of all of them.
    fn stills(&mut self, stills: &[Still]) -> Result<()> {
        let mut subjects: Vec<String> = vec!["stills".into()];
        for still in stills {
            let group = format!("stills {}", still.group);
            if !subjects.contains(&group) {
                subjects.push(group);
            }
        }
        let mut rows = Vec::new();
        for way in &self.ways {
            let mut tallies = vec![Tally::default(); subjects.len()];
            for still in stills {
                let matte = self.renderer.mattes(way, &still.clip)?.last();
                let tally = Tally::against(&matte, &still.truth)?;
                let group = format!("stills {}", still.group);
                for (subject, sum) in subjects.iter().zip(&mut tallies) {
                    if *subject == group || subject == "stills" {
                        sum.merge(&tally);
                    }
                }
            }
            for (at, tally) in tallies.iter().enumerate() {
                let (subject, way_name) = (subjects[at].clone(), way.name.clone());
                rows.push((
                    at,
                    Row { subject, role: way.role, way: way_name, figures: tally.figures() },
                ));
            }
        }
        rows.sort_by_key(|(at, _)| *at);
        rows.into_iter().for_each(|(_, row)| self.table.add(row));
        Ok(())
    }

    /// The rows of a clip without a true alpha.
    fn steady(&mut self, clip: &Path) -> Result<()> {
        let picture = read_grey(clip)?;
        for way in &self.ways {
            let mut tally = Tally::default();
            tally.add_steadiness(&self.renderer.mattes(way, clip)?, &picture)?;
            let (role, way, figures) = (way.role, way.name.clone(), tally.figures());
            self.table.add(Row { subject: name(clip), role, way, figures });
        }
        match self.sheets().filter(|_| self.arguments.rivals) {
            Some(sheets) => {
                sheets.side_by_side(&name(clip), clip, &self.ways, picture.frames().count())
            }
            None => Ok(()),
        }
    }

    fn sheets(&self) -> Option<Sheets<'_>> {
        let folder = self.arguments.sheets.as_deref()?;
        Some(Sheets { renderer: &self.renderer, folder })
    }
}

fn pair(clip: &Path, alpha: &Path) -> Pair {
    Pair { name: name(clip), clip: clip.to_owned(), alpha: alpha.to_owned() }
}
