//! `[cut]`: which steps refine the network's mask, and how much.

use std::ops::RangeInclusive;
use std::path::Path;

use greenroom_matte::{KeyColour, People, PlainSteps, Quality, RefineSteps};
use toml::Value;

use super::error::{ConfigError, check_keys, wrong};

const MAX_REACH: f32 = PlainSteps::MAX_REACH;
const MAX_AVERAGE: f32 = PlainSteps::MAX_AVERAGE;

/// One key of the table.
pub(super) struct CutKey {
    pub(super) name: &'static str,
    /// Puts the value of the key into the steps, or says what the value must be.
    set: fn(&Value, &mut RefineSteps) -> Result<(), String>,
}

/// Every key of the table. The answer to an unknown key lists them in this order.
pub(super) const TABLE: &[CutKey] = &[
    CutKey {
        name: "quality",
        set: |value, steps| {
            let choices =
                [("fast", Quality::Fast), ("balanced", Quality::Balanced), ("best", Quality::Best)];
            set_choice(value, &choices, &mut steps.quality)
        },
    },
    CutKey { name: "crop", set: |value, steps| set_switch(value, &mut steps.crop) },
    CutKey { name: "exposure", set: |value, steps| set_switch(value, &mut steps.exposure) },
    CutKey { name: "denoise", set: |value, steps| set_switch(value, &mut steps.denoise) },
    CutKey { name: "islands", set: |value, steps| set_switch(value, &mut steps.islands) },
    CutKey {
        name: "people",
        set: |value, steps| {
            let choices = [("all", People::All), ("main", People::Main)];
            set_choice(value, &choices, &mut steps.people)
        },
    },
    CutKey {
        name: "second_opinion",
        set: |value, steps| set_switch(value, &mut steps.second_opinion),
    },
    CutKey { name: "raise", set: |value, steps| set_switch(value, &mut steps.raise) },
    CutKey { name: "smooth", set: |value, steps| set_switch(value, &mut steps.smooth) },
    CutKey { name: "key", set: |value, steps| set_key_colour(value, &mut steps.key) },
    CutKey { name: "guide", set: |value, steps| set_switch(value, &mut steps.guide) },
    CutKey { name: "spill", set: |value, steps| set_switch(value, &mut steps.spill) },
    CutKey {
        name: "threshold",
        set: |value, steps| set_threshold(value, &mut steps.plain.threshold),
    },
    CutKey {
        name: "grow",
        set: |value, steps| {
            let unit = " samples of the mask; below 0, the person is cut closer";
            set_number(value, -MAX_REACH..=MAX_REACH, unit, &mut steps.plain.grow)
        },
    },
    CutKey {
        name: "feather",
        set: |value, steps| {
            set_number(value, 0.0..=MAX_REACH, " samples of the mask", &mut steps.plain.feather)
        },
    },
    CutKey {
        name: "average",
        set: |value, steps| {
            let unit = ", the share of the mask before";
            set_number(value, 0.0..=MAX_AVERAGE, unit, &mut steps.plain.average)
        },
    },
];

/// Reads the table. A key that it lacks leaves the default of its step.
pub(super) fn read(value: &Value, path: &Path) -> Result<RefineSteps, ConfigError> {
    let Value::Table(table) = value else {
        return Err(wrong("cut", "must be a table: [cut]", path));
    };
    let names: Vec<&str> = TABLE.iter().map(|key| key.name).collect();
    check_keys(table, &names, " in [cut]", path)?;
    let mut steps = RefineSteps::default();
    for key in TABLE {
        if let Some(value) = table.get(key.name) {
            let set = (key.set)(value, &mut steps);
            set.map_err(|why| wrong(&format!("{} of [cut]", key.name), &why, path))?;
        }
    }
    Ok(steps)
}

fn set_switch(value: &Value, step: &mut bool) -> Result<(), String> {
    *step = value.as_bool().ok_or("must be true or false, without quotes")?;
    Ok(())
}

fn set_choice<T: Copy>(value: &Value, choices: &[(&str, T)], step: &mut T) -> Result<(), String> {
    let chosen = choices.iter().find(|(word, _)| value.as_str() == Some(word));
    let (_, choice) = chosen.ok_or_else(|| {
        let mut words: Vec<_> = choices.iter().map(|(word, _)| format!("\"{word}\"")).collect();
        let last = words.pop().unwrap_or_default();
        format!("must be {} or {last}", words.join(", "))
    })?;
    *step = *choice;
    Ok(())
}

fn set_key_colour(value: &Value, step: &mut Option<KeyColour>) -> Result<(), String> {
    let want = "must be a colour in quotes, such as \"#00b140\", or \"auto\"";
    let colour = value.as_str().ok_or(want)?.parse();
    *step = Some(colour.map_err(|why| format!("is wrong: {why}"))?);
    Ok(())
}

fn set_threshold(value: &Value, step: &mut Option<f32>) -> Result<(), String> {
    let share = number(value)?;
    if !(share > 0.0 && share <= 1.0) {
        return Err("must be above 0 and at most 1, for example 0.5".to_owned());
    }
    *step = Some(share);
    Ok(())
}

/// Sets a number within `range`; `unit` follows the range in the sentence that refuses others.
fn set_number(
    value: &Value,
    range: RangeInclusive<f32>,
    unit: &str,
    step: &mut f32,
) -> Result<(), String> {
    let number = number(value)?;
    if !range.contains(&number) {
        return Err(format!("must be {} to {}{unit}", range.start(), range.end()));
    }
    *step = number;
    Ok(())
}

fn number(value: &Value) -> Result<f32, String> {
    match value {
        Value::Integer(number) => Ok(*number as f32),
        Value::Float(number) => Ok(*number as f32),
        _ => Err("must be a number, without quotes".to_owned()),
    }
}
