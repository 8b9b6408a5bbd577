//! `[cut]`: what is done about the network's mask.

use std::fmt::Display;
use std::path::Path;
use std::str::FromStr;

use greenroom_matte::{KeyColour, People, PlainSteps, Quality, RefineSteps};
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::Value;

use super::error::{ConfigError, check_keys, wrong};
use crate::toml_file::one_line;

/// Keys of the table.
pub(super) const KEYS: [&str; 15] = [
    "quality",
    "crop",
    "exposure",
    "islands",
    "people",
    "second_opinion",
    "raise",
    "smooth",
    "key",
    "guide",
    "spill",
    "threshold",
    "grow",
    "feather",
    "average",
];

/// The table `cut`: steps of the refinement, as [`RefineSteps`] and [`PlainSteps`] have them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[allow(missing_docs)]
pub struct CutWords {
    #[serde(default, deserialize_with = "parsed")]
    pub quality: Option<Quality>,
    pub crop: Option<bool>,
    pub exposure: Option<bool>,
    pub islands: Option<bool>,
    pub people: Option<PeopleWord>,
    pub second_opinion: Option<bool>,
    pub raise: Option<bool>,
    pub smooth: Option<bool>,
    #[serde(default, deserialize_with = "parsed")]
    pub key: Option<KeyColour>,
    pub guide: Option<bool>,
    pub spill: Option<bool>,
    pub threshold: Option<f32>,
    pub grow: Option<f32>,
    pub feather: Option<f32>,
    pub average: Option<f32>,
}

/// `people` of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
#[allow(missing_docs)]
pub enum PeopleWord {
    All,
    Main,
}

/// A word of the table that stands for something; one that does not was refused before.
fn parsed<'de, D, T>(words: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: FromStr<Err: Display>,
{
    String::deserialize(words)?.parse().map(Some).map_err(D::Error::custom)
}

impl From<PeopleWord> for People {
    fn from(word: PeopleWord) -> Self {
        match word {
            PeopleWord::All => People::All,
            PeopleWord::Main => People::Main,
        }
    }
}

impl CutWords {
    /// The steps; of what is not said, the usual.
    pub fn steps(self) -> RefineSteps {
        let usual = RefineSteps::default();
        RefineSteps {
            quality: self.quality.unwrap_or(usual.quality),
            crop: self.crop.unwrap_or(usual.crop),
            exposure: self.exposure.unwrap_or(usual.exposure),
            islands: self.islands.unwrap_or(usual.islands),
            people: self.people.map_or(usual.people, People::from),
            second_opinion: self.second_opinion.unwrap_or(usual.second_opinion),
            raise: self.raise.unwrap_or(usual.raise),
            smooth: self.smooth.unwrap_or(usual.smooth),
            key: self.key.or(usual.key),
            guide: self.guide.unwrap_or(usual.guide),
            spill: self.spill.unwrap_or(usual.spill),
            plain: PlainSteps {
                threshold: self.threshold.or(usual.plain.threshold),
                grow: self.grow.unwrap_or(usual.plain.grow),
                feather: self.feather.unwrap_or(usual.plain.feather),
                average: self.average.unwrap_or(usual.plain.average),
            },
        }
    }

    /// What is wrong with a number: its key, and what it should be.
    fn fault(self) -> Option<(&'static str, String)> {
        let (reach, average) = (PlainSteps::MAX_REACH, PlainSteps::MAX_AVERAGE);
        let is_share = |share: f32| share > 0.0 && share <= 1.0;
        let out = |said: Option<f32>, low: f32, high: f32| {
            said.is_some_and(|said| !(low..=high).contains(&said))
        };
        if self.threshold.is_some_and(|share| !is_share(share)) {
            return Some(("threshold", "must be above 0 and at most 1, for example 0.5".into()));
        }
        if out(self.grow, -reach, reach) {
            let words = "samples of the mask; below 0, the person is cut closer";
            return Some(("grow", format!("must be -{reach} to {reach} {words}")));
        }
        if out(self.feather, 0.0, reach) {
            return Some(("feather", format!("must be 0 to {reach} samples of the mask")));
        }
        let words = "the share of the mask before";
        out(self.average, 0.0, average)
            .then(|| ("average", format!("must be 0 to {average}, {words}")))
    }
}

pub(super) fn read(words: Value, path: &Path) -> Result<CutWords, ConfigError> {
    let Value::Table(table) = &words else {
        return Err(wrong("cut", "must be a table: [cut]", path));
    };
    check_keys(table, &KEYS, " in [cut]", path)?;
    for (key, value) in table {
        let (fits, want) = match key.as_str() {
            "quality" => {
                let is_one = value.as_str().is_some_and(|word| word.parse::<Quality>().is_ok());
                (is_one, "must be \"fast\", \"balanced\" or \"best\"")
            }
            "people" => {
                (matches!(value.as_str(), Some("all" | "main")), "must be \"all\" or \"main\"")
            }
            "key" => {
                (value.is_str(), "must be a colour in quotes, such as \"#00b140\", or \"auto\"")
            }
            "threshold" | "grow" | "feather" | "average" => {
                (value.is_float() || value.is_integer(), "must be a number, without quotes")
            }
            _ => (value.is_bool(), "must be true or false, without quotes"),
        };
        if !fits {
            return Err(wrong(&format!("{key} of [cut]"), want, path));
        }
    }
    if let Some(Err(why)) = table.get("key").and_then(Value::as_str).map(str::parse::<KeyColour>) {
        return Err(wrong("key of [cut]", &format!("is wrong: {why}"), path));
    }
    let words = CutWords::deserialize(words)
        .map_err(|error| wrong("[cut]", &format!("has {}", one_line(error.message())), path))?;
    match words.fault() {
        Some((key, why)) => Err(wrong(&format!("{key} of [cut]"), &why, path)),
        None => Ok(words),
    }
}
