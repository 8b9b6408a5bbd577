//! The grammar that backgrounds and effects share: `NAME` or `NAME=VALUE[,VALUE…]`. A kind's table
//! of parameters is what its text is read by, and what its help is printed from.

use std::fmt;

use greenroom_frame::Rgb8;

/// One value behind the `=`.
pub(crate) struct Parameter {
    /// What it is called in texts.
    pub(crate) name: &'static str,
    /// What may be said.
    pub(crate) allowed: Allowed,
}

/// What may be said for a parameter, and what goes without saying.
#[derive(Clone, Copy)]
pub(crate) enum Allowed {
    /// A number from `least` to `most`.
    Number { least: f32, most: f32, default: f32, unit: &'static str },
    /// The same, but whole.
    Whole { least: u32, most: u32, default: u32, unit: &'static str },
    /// One of these; the first goes without saying.
    Word(&'static [&'static str]),
    /// `#rrggbb`.
    Colour(Rgb8),
}

/// A checked value of a parameter.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Value {
    Number(f32),
    Whole(u32),
    Word(usize),
    Colour(Rgb8),
}

/// The checked values of an effect, all of them.
#[derive(Clone, Copy)]
pub(crate) struct Values<'a>(&'a [Value]);

impl<'a> Values<'a> {
    /// `values`, in the order of the table.
    pub(crate) fn new(values: &'a [Value]) -> Self {
        Self(values)
    }

    /// Number `index`, whole or not.
    pub(crate) fn number(self, index: usize) -> f32 {
        match self.0[index] {
            Value::Number(number) => number,
            Value::Whole(number) => number as f32,
            other => unreachable!("the table says a number, this is {other:?}"),
        }
    }

    /// Which of the words value `index` is.
    pub(crate) fn word(self, index: usize) -> usize {
        match self.0[index] {
            Value::Word(word) => word,
            other => unreachable!("the table says a word, this is {other:?}"),
        }
    }

    pub(crate) fn colour(self, index: usize) -> Rgb8 {
        match self.0[index] {
            Value::Colour(colour) => colour,
            other => unreachable!("the table says a colour, this is {other:?}"),
        }
    }
}

impl Allowed {
    pub(crate) fn default(self) -> Value {
        match self {
            Allowed::Number { default, .. } => Value::Number(default),
            Allowed::Whole { default, .. } => Value::Whole(default),
            Allowed::Word(_) => Value::Word(0),
            Allowed::Colour(default) => Value::Colour(default),
        }
    }

    /// What `text` says, if that is allowed.
    pub(crate) fn read(self, text: &str) -> Option<Value> {
        match self {
            Allowed::Number { least, most, .. } => {
                let number = text.parse().ok()?;
                (least..=most).contains(&number).then_some(Value::Number(number))
            }
            Allowed::Whole { least, most, .. } => {
                let number = text.parse().ok()?;
                (least..=most).contains(&number).then_some(Value::Whole(number))
            }
            Allowed::Word(words) => words.iter().position(|word| *word == text).map(Value::Word),
            Allowed::Colour(_) => text.parse().ok().map(Value::Colour),
        }
    }

    /// `value` as `read` reads it.
    fn write(self, value: Value) -> String {
        match (self, value) {
            (_, Value::Number(number)) => number.to_string(),
            (_, Value::Whole(number)) => number.to_string(),
            (Allowed::Word(words), Value::Word(index)) => words[index].to_owned(),
            (_, Value::Word(index)) => unreachable!("word {index} of a parameter without words"),
            (_, Value::Colour(colour)) => hex(colour),
        }
    }
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Allowed::Number { least, most, unit, .. } => {
                write!(f, "{least} to {most}{unit}")
            }
            Allowed::Whole { least, most, unit, .. } => write!(f, "{least} to {most}{unit}"),
            Allowed::Word(words) => f.write_str(&listed(words, "or")),
            Allowed::Colour(_) => f.write_str("a colour as #rrggbb"),
        }
    }
}

/// The values of `name`, of which `texts` is what stands behind the `=`, if there is one.
///
/// # Errors
/// One sentence with what could be written instead.
pub(crate) fn read_values(
    name: &str,
    parameters: &[Parameter],
    texts: Option<&str>,
) -> Result<Vec<Value>, String> {
    let mut values: Vec<_> = parameters.iter().map(|p| p.allowed.default()).collect();
    let Some(texts) = texts else { return Ok(values) };
    for (index, text) in texts.split(',').map(str::trim).enumerate() {
        let Some(parameter) = parameters.get(index) else {
            let sentence = match parameters.len() {
                0 => format!("{name} takes no value; write it without the ="),
                1 => format!("{name} takes one value; leave out what is behind the comma"),
                some => format!("{name} takes at most {some} values; leave out \"{text}\""),
            };
            return Err(sentence);
        };
        values[index] = parameter.allowed.read(text).ok_or_else(|| {
            let near = match parameter.allowed {
                Allowed::Word(words) => nearest(text, words.iter().copied()),
                _ => None,
            };
            let advice = near.map_or_else(
                || format!("it is {}", parameter.allowed),
                |near| format!("did you mean \"{near}\"?"),
            );
            let sentence = format!("\"{text}\" cannot be the {} of {name}; ", parameter.name);
            sentence + &advice
        })?;
    }
    Ok(values)
}

/// Writes `=VALUE[,VALUE…]`, as short as it can be: what goes without saying is not said.
pub(crate) fn write_values(
    f: &mut fmt::Formatter<'_>,
    parameters: &[Parameter],
    values: &[Value],
) -> fmt::Result {
    let allowed = parameters.iter().map(|parameter| parameter.allowed);
    let said = |(allowed, value): (Allowed, &Value)| allowed.default() != *value;
    let count = allowed.clone().zip(values).rposition(said).map_or(0, |last| last + 1);
    for (index, (allowed, value)) in allowed.zip(values).take(count).enumerate() {
        let sign = if index == 0 { '=' } else { ',' };
        write!(f, "{sign}{}", allowed.write(*value))?;
    }
    Ok(())
}

/// What may stand behind a kind's name, as `[=STRENGTH[,COLOUR]]`.
pub(crate) fn usage(parameters: &[Parameter]) -> String {
    let mut text = String::new();
    for (index, parameter) in parameters.iter().enumerate() {
        let open = if index == 0 { "[=" } else { "[," };
        text += &format!("{open}{}", parameter.name.to_uppercase());
    }
    text + &"]".repeat(parameters.len())
}

/// A line for each parameter.
pub(crate) fn parameters_help(parameters: &[Parameter]) -> String {
    let mut text = String::new();
    for parameter in parameters {
        let default = parameter.allowed.write(parameter.allowed.default());
        let name = parameter.name.to_uppercase();
        text += &format!("      {name}: {}; default {default}\n", parameter.allowed);
    }
    text
}

/// `#rrggbb`.
pub(crate) fn hex(Rgb8 { r, g, b }: Rgb8) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// The name that `text` was probably meant to be.
pub(crate) fn nearest<'a>(text: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // 0.8: a wrong letter in five, two letters swapped, or a name half typed.
    let like = |name: &&str| strsim::jaro_winkler(text, name);
    let best = names.max_by(|a, b| like(a).total_cmp(&like(b)))?;
    (like(&best) >= 0.8).then_some(best)
}

/// `a, b and c`.
pub(crate) fn listed(words: &[&str], and: &str) -> String {
    match words {
        [] => String::new(),
        [word] => (*word).to_owned(),
        [words @ .., last] => format!("{} {and} {last}", words.join(", ")),
    }
}
