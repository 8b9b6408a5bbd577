//! A description held against what the file tells. Every difference has a sentence that names both
//! sides and what to write.

use std::collections::HashSet;

use greenroom_frame::SizePx;

use super::reading::Map;
use super::{OnnxDescription, OnnxOutput, Port, SIDE_MAX_PX, Signature};
use crate::{Layout, OutputMeaning};

/// What follows from both.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct OnnxFit {
    pub input_size: SizePx,
    pub input_shape: [i64; 4],
    /// Shape of each memory before the first run, in the description's order.
    pub memories: Vec<Vec<i64>>,
    /// Shape of each constant, in the description's order, and whether it is `int64`.
    pub constants: Vec<(Vec<i64>, bool)>,
}

const FLOAT: &str = "float32";
const INTEGER: &str = "int64";

/// Holds `description` against the file's `signature`.
pub(super) fn fit(description: &OnnxDescription, signature: &Signature) -> Result<OnnxFit, String> {
    let (input_size, input_shape) = picture(description, signature)?;
    let output = port(&signature.outputs, &description.output.name, "output", "[output] name")?;
    check_output(&description.output, output)?;
    let memories = memories(description, signature)?;
    let constants = constants(description, signature)?;
    let named: HashSet<&str> = std::iter::once(&description.input.name)
        .chain(description.recurrent.iter().map(|pair| &pair.input))
        .chain(description.constants.iter().map(|constant| &constant.name))
        .map(String::as_str)
        .collect();
    match signature.inputs.iter().find(|input| !named.contains(input.name.as_str())) {
        Some(unnamed) => Err(format!(
            "the file also wants the input {unnamed}, which the description does not name; write it \
             into [constants] or, if it is a memory, into [[recurrent]]"
        )),
        None => Ok(OnnxFit { input_size, input_shape, memories, constants }),
    }
}

fn port<'a>(ports: &'a [Port], name: &str, what: &str, key: &str) -> Result<&'a Port, String> {
    ports.iter().find(|port| port.name == name && !name.is_empty()).ok_or_else(|| {
        format!(
            "it names the {what} \"{name}\", but the file's {what}s are {}; correct {key}",
            Signature::names(ports)
        )
    })
}

fn check_float(port: &Port, what: &str) -> Result<(), String> {
    match port.element == FLOAT && port.axes.is_some() {
        true => Ok(()),
        false => Err(format!(
            "greenroom feeds and reads {FLOAT}, but the file's {what} {port} is another type; export \
             the model with {FLOAT} inputs and outputs"
        )),
    }
}

/// Size and shape of the picture.
fn picture(
    description: &OnnxDescription,
    signature: &Signature,
) -> Result<(SizePx, [i64; 4]), String> {
    let wanted = &description.input;
    let input = port(&signature.inputs, &wanted.name, "input", "[input] name")?;
    check_float(input, "input")?;
    let lengths = input.lengths();
    let &[batch, one, two, three] = lengths.as_slice() else {
        return Err(format!(
            "the picture goes in with 4 axes (batch, channels, rows, columns), but the file's input \
             {input} has {}; correct [input] name, or export the model with 4",
            lengths.len()
        ));
    };
    let (channels, height, width, word, other) = match wanted.layout {
        Layout::Nchw => (one, two, three, "nchw", ("nhwc", three)),
        Layout::Nhwc => (three, one, two, "nhwc", ("nchw", one)),
    };
    if channels.is_some_and(|channels| channels != 3) {
        let advice = match other.1 {
            Some(3) => format!("write layout = \"{}\"", other.0),
            _ => "only models for three channels can be used".to_owned(),
        };
        return Err(format!(
            "layout = \"{word}\" puts {} channels into the file's input {input}; {advice}",
            channels.unwrap_or_default()
        ));
    }
    if batch.is_some_and(|batch| batch != 1) {
        return Err(format!(
            "one picture goes in at a time, but the file's input {input} takes {}; export the model \
             for a batch of 1",
            batch.unwrap_or_default()
        ));
    }
    let size = picture_size(wanted.size, (width, height), input)?;
    let [width, height] = [size.width_px, size.height_px].map(i64::from);
    let shape = match wanted.layout {
        Layout::Nchw => [1, 3, height, width],
        Layout::Nhwc => [1, height, width, 3],
    };
    Ok((size, shape))
}

fn picture_size(
    wanted: Option<SizePx>,
    (width, height): (Option<u64>, Option<u64>),
    input: &Port,
) -> Result<SizePx, String> {
    let side = |fixed: Option<u64>, wanted: Option<u32>| {
        fixed.or(wanted.map(u64::from)).ok_or_else(|| {
            format!(
                "the file's input {input} leaves the picture's size open; write size = \
                 \"WIDTHxHEIGHT\" into [input]"
            )
        })
    };
    let found = [
        side(width, wanted.map(|size| size.width_px))?,
        side(height, wanted.map(|size| size.height_px))?,
    ];
    let [width, height] = found;
    let limits = 8..=u64::from(SIDE_MAX_PX);
    if !found.iter().all(|side| limits.contains(side)) {
        return Err(format!(
            "the picture would go in as {width}x{height} (the file's input is {input}), and only 8 \
             to {SIDE_MAX_PX} pixels a side can be used; choose another size or model"
        ));
    }
    let size = SizePx::new(width as u32, height as u32);
    match wanted {
        Some(wanted) if wanted != size => Err(format!(
            "size = \"{wanted}\", but the file's input {input} takes {size} only; write size = \
             \"{size}\" or leave it out"
        )),
        _ => Ok(size),
    }
}

fn check_output(wanted: &OnnxOutput, output: &Port) -> Result<(), String> {
    check_float(output, "output")?;
    let lengths = output.lengths();
    if !(2..=4).contains(&lengths.len()) {
        return Err(format!(
            "a map of the person has 2 to 4 axes, but the file's output {output} has {}; correct \
             [output] name",
            lengths.len()
        ));
    }
    // What the file leaves open is known after the first run.
    let known: Option<Vec<u64>> = lengths.into_iter().collect();
    known.map_or(Ok(()), |axes| map(wanted, output, &axes).map(|_| ()))
}

/// How the values of `output` lie, whose axes are `axes` long.
pub(super) fn map(wanted: &OnnxOutput, output: &Port, axes: &[u64]) -> Result<Map, String> {
    let (batch, channels, height, width) = match (axes, wanted.layout) {
        (&[height, width], _) => (1, 1, height, width),
        (&[batch, height, width], _) => (batch, 1, height, width),
        (&[batch, channels, height, width], Layout::Nchw) => (batch, channels, height, width),
        (&[batch, height, width, channels], Layout::Nhwc) => (batch, channels, height, width),
        _ => (0, 0, 0, 0),
    };
    let shape = axes.iter().map(u64::to_string).collect::<Vec<_>>().join("x");
    let name = &output.name;
    if batch != 1 {
        return Err(format!(
            "one map comes out at a time, but the file's output \"{name}\" is {shape}: {batch} of \
             them; correct [output] name"
        ));
    }
    let (what, channel) = match (wanted.meaning, wanted.channel) {
        (OutputMeaning::SoftmaxClass(class), _) | (_, Some(class)) => ("class", class as u64),
        _ => ("the only channel", 0),
    };
    if wanted.channel.is_none()
        && channels != 1
        && !matches!(wanted.meaning, OutputMeaning::SoftmaxClass(_))
    {
        return Err(format!(
            "it says nothing of classes, but the file's output \"{name}\" is {shape}, which makes \
             {channels} channels; write class = NUMBER (the person's) or the right layout into \
             [output]"
        ));
    }
    if channel >= channels {
        return Err(format!(
            "{what} = {channel}, but the file's output \"{name}\" is {shape}, which makes {channels} \
             channels, counted from 0; correct class or layout in [output]"
        ));
    }
    let limits = 2..=u64::from(SIDE_MAX_PX);
    if !limits.contains(&width) || !limits.contains(&height) || channels > 1024 {
        return Err(format!(
            "the file's output \"{name}\" is {shape}: a map of {width}x{height}, which is none of \
             the person; correct [output] name or layout"
        ));
    }
    let layout = if axes.len() == 4 { wanted.layout } else { Layout::Nchw };
    let size = SizePx::new(width as u32, height as u32);
    Ok(Map { size, channels: channels as usize, layout })
}

fn memories(description: &OnnxDescription, signature: &Signature) -> Result<Vec<Vec<i64>>, String> {
    let mut seen = HashSet::new();
    let shape = |pair: &super::Recurrence| {
        if !seen.insert(pair.input.clone()) || pair.input == description.input.name {
            return Err(format!("the input \"{}\" is fed twice; name each input once", pair.input));
        }
        let input = port(&signature.inputs, &pair.input, "input", "[[recurrent]]")?;
        let output = port(&signature.outputs, &pair.output, "output", "[[recurrent]]")?;
        check_float(input, "input")?;
        check_float(output, "output")?;
        let (into, from) = (input.lengths(), output.lengths());
        let differs = |(a, b): (&Option<u64>, &Option<u64>)| a.is_some() && b.is_some() && a != b;
        if into.len() != from.len() || into.iter().zip(&from).any(differs) {
            return Err(format!(
                "[[recurrent]] hands the output {output} to the input {input}, whose shape is \
                 another; correct the pair"
            ));
        }
        // One value where the file leaves it open: it is stretched over what it is added to.
        let shape: Vec<i64> = into.iter().map(|length| length.unwrap_or(1) as i64).collect();
        let values = shape.iter().try_fold(1i64, |all, length| all.checked_mul(*length));
        match values.is_some_and(|values| (1..=1 << 26).contains(&values)) {
            true => Ok(shape),
            false => Err(format!(
                "the memory {input} is empty or larger than 256 MiB; correct [[recurrent]]"
            )),
        }
    };
    description.recurrent.iter().map(shape).collect()
}

fn constants(
    description: &OnnxDescription,
    signature: &Signature,
) -> Result<Vec<(Vec<i64>, bool)>, String> {
    let shape = |constant: &super::Constant| {
        let input = port(&signature.inputs, &constant.name, "input", "[constants]")?;
        if ![FLOAT, INTEGER].contains(&input.element.as_str()) || input.axes.is_none() {
            return Err(format!(
                "a constant is {FLOAT} or {INTEGER}, but the file's input {input} is another type; \
                 export the model without it"
            ));
        }
        let mut left = constant.values.len() as u64;
        let lengths = input.lengths();
        // The first axis that is left open takes what the fixed ones leave.
        for length in lengths.iter().flatten() {
            left = left.checked_div(*length).unwrap_or(0);
        }
        let shape: Vec<i64> = lengths
            .iter()
            .map(|length| length.unwrap_or_else(|| std::mem::replace(&mut left, 1)) as i64)
            .collect();
        let count = shape.iter().try_fold(1i64, |all, length| all.checked_mul(*length));
        match count == Some(constant.values.len() as i64) {
            true => Ok((shape, input.element == INTEGER)),
            false => Err(format!(
                "[constants] {} has {} values, but the file's input is {input}; write as many as it \
                 takes",
                constant.name,
                constant.values.len()
            )),
        }
    };
    description.constants.iter().map(shape).collect()
}

#[cfg(test)]
#[path = "fit_tests.rs"]
mod tests;
