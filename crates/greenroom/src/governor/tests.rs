use greenroom_matte::{MatteMaker, Model, Quality, RefineSteps, SecondOpinion};

use super::*;

const MS: Duration = Duration::from_millis(1);
const PERIOD: Duration = Duration::from_millis(33);

fn ladder(quality: Quality) -> Ladder {
    let steps = RefineSteps { quality, ..RefineSteps::default() };
    let maker = MatteMaker::governable(Model::General, quality).unwrap().refined(steps).unwrap();
    let maker = maker.with_second_opinion(SecondOpinion::at_once().unwrap());
    Ladder::new(steps, &maker)
}

/// A machine on a clock of its own: what a frame takes depends on the level.
struct Machine {
    governor: Governor,
    now: Duration,
    process_time: Duration,
    on_battery: bool,
    period: Duration,
    /// What was chosen, each time that it was another choice.
    choices: Vec<Choice>,
}

impl Machine {
    fn new(budget: Option<&str>) -> Self {
        let budget = budget.map(|text| text.parse().unwrap());
        let (now, process_time) = (Duration::ZERO, Duration::ZERO);
        let mut machine = Self {
            governor: Governor::new(ladder(Quality::Balanced), budget),
            now,
            process_time,
            on_battery: false,
            period: PERIOD,
            choices: Vec::new(),
        };
        machine.governor.begin();
        machine
    }

    /// Frames for so long, with the way and the processor time of each by its number and the level.
    fn run(&mut self, time: Duration, frame: impl Fn(u32, &Level) -> [Duration; 2]) {
        let end = self.now + time;
        for number in 0.. {
            if self.now >= end {
                break;
            }
            let [way, work] = frame(number, &self.governor.level());
            self.now += self.period;
            self.process_time += work;
            self.choices.extend(self.governor.frame(&FrameTimes {
                written_at: self.now,
                period: self.period,
                way,
                work: [work / 2; 2],
                dropped: 0,
                process_time: self.process_time,
                on_battery: self.on_battery,
            }));
        }
    }

    /// Frames that come in time, and take no time.
    fn run_calm(&mut self, time: Duration) {
        self.run(time, |_, _| [10 * MS, 5 * MS]);
    }

    fn level(&self) -> usize {
        self.governor.choice().level
    }
}

/// The way of a frame on a machine that needs `inference` for the network, and `rest` for everything else.
fn way(number: u32, level: &Level, inference: Duration, rest: Duration) -> Duration {
    let is_inferred = number.is_multiple_of(level.effort.frames_per_inference);
    let inference = match level.effort.input {
        greenroom_matte::Input::Small => inference / 2,
        _ => inference,
    };
    if is_inferred { inference + rest } else { rest }
}

#[test]
fn each_level_is_less_than_the_one_before_and_the_frame_rate_falls_last() {
    for (quality, levels) in [(Quality::Fast, 6), (Quality::Balanced, 7), (Quality::Best, 8)] {
        let ladder = ladder(quality);
        assert_eq!(ladder.lowest() + 1, levels, "{quality:?}");
        let all: Vec<Level> = (0..levels).map(|index| ladder.level(index)).collect();
        assert_eq!(all[0].to_string(), "everything is done");
        assert!(all.windows(2).all(|pair| pair[0] != pair[1]));
        let sentences: Vec<String> = all.iter().map(Level::to_string).collect();
        assert!(sentences.windows(2).all(|pair| pair[0] != pair[1]), "{sentences:?}");
        let is_full_rate = all.iter().map(|level| level.frames_per_shown == 1);
        assert_eq!(is_full_rate.filter(|&it| it).count(), levels - 1, "only the last one");
    }
}

#[test]
fn in_time_everything_is_done() {
    let mut machine = Machine::new(None);
    machine.run(600_000 * MS, |number, _| {
        // One frame in fifty is late.
        let way = if number % 50 == 0 { 60 } else { 12 };
        [way * MS, 7 * MS]
    });
    assert_eq!(machine.choices, []);
}

#[test]
fn late_frames_make_the_rate_of_inference_fall_within_a_quarter_of_a_second_and_it_comes_back() {
    let mut machine = Machine::new(None);
    machine.run_calm(5000 * MS);
    // Other programs take the processor: what takes 5 ms takes 30.
    machine.run(250 * MS, |number, level| [way(number, level, 25 * MS, 10 * MS), 7 * MS]);
    let level = machine.governor.level();
    assert!(level.effort.frames_per_inference > 1 && level.frames_per_shown == 1, "{level:?}");
    assert_eq!(machine.governor.choice().reason, Some(LevelReason::Busy));
    machine.run(60_000 * MS, |number, level| [way(number, level, 25 * MS, 10 * MS), 7 * MS]);
    assert_eq!(machine.governor.level().frames_per_shown, 1);
    machine.run_calm(20_000 * MS);
    assert_eq!(machine.governor.choice(), Choice { level: 0, reason: None });
}

#[test]
fn it_does_not_swing() {
    let mut machine = Machine::new(None);
    // On level 0, three of four frames are late; where fewer frames are inferred, none is.
    let frame = |number: u32, level: &Level| {
        let is_late = level.effort.frames_per_inference == 1 && !number.is_multiple_of(4);
        [if is_late { 40 * MS } else { 15 * MS }, 7 * MS]
    };
    machine.run(60_000 * MS, frame);
    machine.choices.clear();
    machine.run(300_000 * MS, frame);
    // Each try is two choices: it goes up, and down again within some frames.
    assert!((2..=24).contains(&machine.choices.len()), "{}", machine.choices.len());
    let on_time = machine.choices.iter().filter(|choice| choice.level == 0).count();
    assert!(on_time <= 12, "{:?}", machine.choices);
}

#[test]
fn a_processor_that_is_too_slow_is_named_as_the_reason() {
    let mut machine = Machine::new(None);
    let frame = |number: u32, level: &Level| {
        let way = way(number, level, 30 * MS, 10 * MS);
        [way, way]
    };
    machine.run(300 * MS, frame);
    machine.run(700 * MS, frame);
    assert_eq!(machine.choices.first().and_then(|choice| choice.reason), Some(LevelReason::Slow));
    assert_eq!(machine.governor.level().frames_per_shown, 1);
    // Far too slow.
    machine.run(3000 * MS, |_, _| [90 * MS, 90 * MS]);
    assert_eq!(machine.governor.level().frames_per_shown, 2);
}

#[test]
fn frames_that_were_passed_over_count_as_late() {
    let mut governor = Governor::new(ladder(Quality::Balanced), None);
    let mut times = FrameTimes {
        written_at: Duration::ZERO,
        period: PERIOD,
        way: 10 * MS,
        work: [4 * MS, 3 * MS],
        dropped: 0,
        process_time: Duration::ZERO,
        on_battery: false,
    };
    let mut choices = Vec::new();
    for number in 0..60u32 {
        times.written_at += PERIOD;
        times.dropped = u32::from(number >= 40 && number.is_multiple_of(2));
        choices.extend(governor.frame(&times));
    }
    assert_eq!(choices.first().and_then(|choice| choice.reason), Some(LevelReason::Busy));
    // Frames that come late for others' sake are all shown.
    assert_eq!(governor.level().frames_per_shown, 1);
}

/// Frames of 9 ms with everything, of which the network takes 4 and the rest of the levels a little.
fn budgeted(number: u32, level: &Level) -> [Duration; 2] {
    let inference = if level.effort.input == greenroom_matte::Input::Small { 2 } else { 4 };
    let is_inferred = number.is_multiple_of(level.effort.frames_per_inference);
    let work = 5 * MS + if is_inferred { inference * MS } else { Duration::ZERO };
    [12 * MS, if level.frames_per_shown > 1 { work / 2 } else { work }]
}

#[test]
fn the_budget_is_kept_and_the_frame_rate_falls_last() {
    // 9 ms in 33 are 27 % of a core; with every 3rd inferred 6.3 in 33: 19 %; half of the frames: 9 %.
    for (budget, least, most) in [("30%", 0, 0), ("24%", 2, 4), ("20%", 3, 4), ("10%", 6, 6)] {
        let mut machine = Machine::new(Some(budget));
        machine.run(30_000 * MS, budgeted);
        let level = machine.level();
        assert!((least..=most).contains(&level), "{budget}: {level}");
        machine.choices.clear();
        machine.run(300_000 * MS, budgeted);
        // Between two levels, it tries the upper one now and then.
        assert!(machine.choices.len() <= 24, "{budget}: {:?}", machine.choices);
        assert_eq!(machine.governor.choice().reason.is_some(), machine.level() > 0);
    }
}

#[test]
fn on_battery_the_budget_is_half() {
    let mut machine = Machine::new(Some("40%"));
    machine.run(30_000 * MS, budgeted);
    assert_eq!((machine.level(), machine.governor.budget_now()), (0, Some(0.4)));
    machine.on_battery = true;
    machine.run(30_000 * MS, budgeted);
    assert_eq!(machine.governor.budget_now(), Some(0.2));
    assert!(machine.level() >= 3, "{}", machine.level());
    assert_eq!(machine.governor.choice().reason, Some(LevelReason::Budget));
    machine.on_battery = false;
    machine.run(60_000 * MS, budgeted);
    assert_eq!(machine.level(), 0);
}

#[test]
fn a_budget_is_a_percentage() {
    let share = |text: &str| text.parse::<CpuBudget>().ok().map(|budget| budget.share(false));
    assert_eq!(share("50%"), Some(0.5));
    assert_eq!(share(" 12.5 %"), Some(0.125));
    assert_eq!(share("200%"), Some(2.0));
    for wrong in ["", "50", "%", "0%", "0.5%", "-5%", "nan%", "inf%", "half", "6401%", "50%%"] {
        assert_eq!(share(wrong), None, "{wrong}");
    }
}

#[test]
fn a_busy_second_costs_no_quality_and_several_cost_it_for_a_while_alone() {
    let mut machine = Machine::new(Some("50%"));
    let usual = |_: u32, _: &Level| [12 * MS, 15 * MS];
    machine.run(10_000 * MS, usual);
    // A scene is loaded: 70 % of a core.
    machine.run(1000 * MS, |_, _| [12 * MS, 23 * MS]);
    machine.run(10_000 * MS, usual);
    assert_eq!(machine.choices, []);
    machine.run(6000 * MS, |_, _| [12 * MS, 23 * MS]);
    assert!(machine.level() > 0);
    machine.run(120_000 * MS, usual);
    assert_eq!(machine.level(), 0);
}

#[test]
fn a_slow_camera_climbs_too() {
    let mut machine = Machine { period: 200 * MS, ..Machine::new(None) };
    machine.run(20_000 * MS, |_, _| [10 * MS, 5 * MS]);
    machine.run(5000 * MS, |_, _| [90 * MS, 5 * MS]);
    assert!(machine.level() > 0);
    machine.run(60_000 * MS, |_, _| [10 * MS, 5 * MS]);
    assert_eq!(machine.level(), 0);
}
