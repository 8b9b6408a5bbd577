//! The text of a description, and what it means.

use std::path::Path;

use greenroom_frame::SizePx;
use greenroom_matte::onnx::{Constant, OnnxDescription, OnnxInput, OnnxOutput, Recurrence};
use greenroom_matte::{ChannelOrder, Layout, Normalisation, OutputMeaning};
use serde::Deserialize;
use toml::{Table, Value};

use crate::toml_file;

const KEYS: [&str; 8] =
    ["name", "licence", "source", "files", "input", "output", "recurrent", "constants"];
const INPUT_KEYS: [&str; 7] = ["name", "size", "layout", "channels", "range", "mean", "std"];
const OUTPUT_KEYS: [&str; 7] =
    ["name", "layout", "meaning", "class", "threshold", "min_max", "align_corners"];
const PAIR_KEYS: [&str; 2] = ["input", "output"];

/// A description as it is written.
#[derive(Debug, Deserialize)]
pub(super) struct Words {
    name: Option<String>,
    licence: Option<String>,
    pub(super) source: Option<String>,
    #[serde(default)]
    pub(super) files: Vec<String>,
    #[serde(default)]
    input: InputWords,
    #[serde(default)]
    output: OutputWords,
    #[serde(default)]
    recurrent: Vec<PairWords>,
    #[serde(default)]
    constants: toml::map::Map<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
struct InputWords {
    name: Option<String>,
    size: Option<String>,
    layout: Option<String>,
    channels: Option<String>,
    range: Option<Vec<f32>>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
}

#[derive(Debug, Default, Deserialize)]
struct OutputWords {
    name: Option<String>,
    layout: Option<String>,
    meaning: Option<String>,
    class: Option<usize>,
    threshold: Option<f32>,
    #[serde(default)]
    min_max: bool,
    #[serde(default)]
    align_corners: bool,
}

#[derive(Debug, Deserialize)]
struct PairWords {
    input: Option<String>,
    output: Option<String>,
}

/// Takes `text` apart: right keys with values of the right types.
pub(super) fn words(text: &str) -> Result<Words, String> {
    let table = toml_file::table(text).map_err(|why| format!("it is not TOML: {why}"))?;
    check_keys(&table, &KEYS, "")?;
    let inner = |key: &str| table.get(key).and_then(Value::as_table);
    inner("input").map_or(Ok(()), |table| check_keys(table, &INPUT_KEYS, " in [input]"))?;
    inner("output").map_or(Ok(()), |table| check_keys(table, &OUTPUT_KEYS, " in [output]"))?;
    for pair in table.get("recurrent").and_then(Value::as_array).into_iter().flatten() {
        let Some(pair) = pair.as_table() else { continue };
        check_keys(pair, &PAIR_KEYS, " in [[recurrent]]")?;
    }
    let text = |error: toml::de::Error| toml_file::one_line(&error.to_string());
    Words::deserialize(Value::Table(table)).map_err(text)
}

fn check_keys(table: &Table, known: &[&str], place: &str) -> Result<(), String> {
    match toml_file::unknown_key(table, known) {
        Some((key, hint)) => Err(format!("there is no key \"{key}\"{place}; {hint}")),
        None => Ok(()),
    }
}

impl Words {
    pub(super) fn checked(self, path: &Path) -> Result<OnnxDescription, String> {
        self.check_missing()?;
        let Self { name, licence, input, output, recurrent, constants, .. } = self;
        let layout = layout(input.layout.as_deref(), "[input]")?.unwrap_or(Layout::Nchw);
        let stem = || path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        Ok(OnnxDescription {
            name: name.unwrap_or_else(stem),
            licence,
            output: output.checked(layout)?,
            input: input.checked(layout)?,
            recurrent: recurrent.into_iter().map(PairWords::checked).collect::<Result<_, _>>()?,
            constants: constants.into_iter().map(constant).collect::<Result<_, _>>()?,
        })
    }

    /// All that is missing at once, so that nobody has to find it out key by key.
    fn check_missing(&self) -> Result<(), String> {
        let (input, output) = (&self.input, &self.output);
        let values = input.range.is_some() || (input.mean.is_some() && input.std.is_some());
        let missing: Vec<&str> = [
            (input.name.is_some(), "name in [input]"),
            (input.layout.is_some(), "layout in [input]"),
            (values, "range (or mean and std) in [input]"),
            (output.name.is_some(), "name in [output]"),
            (output.meaning.is_some(), "meaning in [output]"),
        ]
        .into_iter()
        .filter_map(|(there, key)| (!there).then_some(key))
        .collect();
        match missing.is_empty() {
            true => Ok(()),
            false => Err(format!(
                "missing: {}; `greenroom model check FILE` prints an example that fits the file",
                missing.join(", ")
            )),
        }
    }
}

impl InputWords {
    fn checked(self, layout: Layout) -> Result<OnnxInput, String> {
        let size = self.size.map(|size| {
            let not_a_size = format!("size in [input] is \"{size}\"; write it as \"257x257\"");
            size.parse::<SizePx>().map_err(|_| not_a_size)
        });
        let channel_order = match self.channels.as_deref() {
            None | Some("rgb") => ChannelOrder::Rgb,
            Some("bgr") => ChannelOrder::Bgr,
            Some(other) => {
                return Err(format!(
                    "channels in [input] is \"{other}\"; write \"rgb\" or \"bgr\""
                ));
            }
        };
        let normalisation = normalisation(self.range, self.mean, self.std)?;
        let (name, size) = (self.name.unwrap_or_default(), size.transpose()?);
        Ok(OnnxInput { name, size, layout, channel_order, normalisation })
    }
}

fn normalisation(
    range: Option<Vec<f32>>,
    mean: Option<Vec<f32>>,
    std: Option<Vec<f32>>,
) -> Result<Normalisation, String> {
    let finite = |values: &[f32]| values.iter().all(|value| value.is_finite());
    match (range, mean, std) {
        (Some(range), None, None) => match range[..] {
            [lowest, highest] if finite(&range) && lowest < highest => {
                Ok(Normalisation::range(lowest, highest))
            }
            _ => {
                Err("range in [input] must be two numbers, the lowest and the highest value, for \
                      example [-1, 1]"
                    .to_owned())
            }
        },
        (None, Some(mean), Some(std)) => {
            let three = |values: &[f32]| <[f32; 3]>::try_from(values).ok().filter(|v| finite(v));
            let above_0 = three(&std).filter(|std| std.iter().all(|value| *value > 0.0));
            match (three(&mean), above_0) {
                (Some(mean), Some(std)) => Ok(Normalisation::standard(mean, std)),
                _ => Err("mean and std in [input] must be three numbers each, in units of 0 to 1 \
                          and std above 0, for example [0.485, 0.456, 0.406]"
                    .to_owned()),
            }
        }
        _ => Err("[input] must have either range, or mean and std".to_owned()),
    }
}

impl OutputWords {
    fn checked(self, input_layout: Layout) -> Result<OnnxOutput, String> {
        let (meaning, channel) = match (self.meaning.as_deref(), self.class) {
            (Some("probability"), class) => (OutputMeaning::Probability, class),
            (Some("alpha"), class) => (OutputMeaning::Alpha, class),
            (Some("logit"), class) => (OutputMeaning::Logit, class),
            (Some("softmax"), Some(class)) => (OutputMeaning::SoftmaxClass(class), None),
            (Some("softmax"), None) => {
                return Err(
                    "meaning = \"softmax\" needs the person's class: write class = NUMBER, \
                            counted from 0, into [output]"
                        .to_owned(),
                );
            }
            (other, _) => {
                return Err(format!(
                    "meaning in [output] is \"{}\"; write probability, logit, softmax or alpha",
                    other.unwrap_or_default()
                ));
            }
        };
        let threshold = self.threshold.filter(|threshold| !(0.0..=1.0).contains(threshold));
        if let Some(threshold) = threshold {
            return Err(format!(
                "threshold in [output] is {threshold}; write a number from 0 to 1"
            ));
        }
        Ok(OnnxOutput {
            name: self.name.unwrap_or_default(),
            layout: layout(self.layout.as_deref(), "[output]")?.unwrap_or(input_layout),
            meaning,
            channel,
            threshold: self.threshold,
            min_max: self.min_max,
            align_corners: self.align_corners,
        })
    }
}

impl PairWords {
    fn checked(self) -> Result<Recurrence, String> {
        match (self.input, self.output) {
            (Some(input), Some(output)) => Ok(Recurrence { input, output }),
            _ => Err("each [[recurrent]] needs input and output".to_owned()),
        }
    }
}

fn layout(word: Option<&str>, place: &str) -> Result<Option<Layout>, String> {
    match word {
        None => Ok(None),
        Some("nchw") => Ok(Some(Layout::Nchw)),
        Some("nhwc") => Ok(Some(Layout::Nhwc)),
        Some(other) => Err(format!("layout in {place} is \"{other}\"; write \"nchw\" or \"nhwc\"")),
    }
}

fn constant((name, value): (String, Value)) -> Result<Constant, String> {
    let number = |value: &Value| match value {
        Value::Integer(number) => Some(*number as f32),
        Value::Float(number) => Some(*number as f32),
        _ => None,
    };
    let values = match &value {
        Value::Array(values) => values.iter().map(number).collect(),
        one => number(one).map(|number| vec![number]),
    };
    match values.filter(|values| !values.is_empty()) {
        Some(values) => Ok(Constant { name, values }),
        None => Err(format!("{name} in [constants] must be a number or a list of numbers")),
    }
}
