use std::fmt;

use ort::session::Session;
use ort::value::{Outlet, TensorElementType, ValueType};

/// What an ONNX file tells of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signature {
    /// What it wants.
    pub inputs: Vec<Port>,
    /// What it gives.
    pub outputs: Vec<Port>,
}

/// One input or output of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Port {
    /// Its name.
    pub name: String,
    /// Type of its values as ONNX calls it, `float32` for most.
    pub element: String,
    /// Its axes; `None` if it is no tensor. An axis that is left open is `None`, with its name.
    pub axes: Option<Vec<(Option<u64>, String)>>,
}

impl Signature {
    pub(super) fn of(session: &Session) -> Self {
        let ports = |outlets: &[Outlet]| outlets.iter().map(Port::of).collect();
        Self { inputs: ports(session.inputs()), outputs: ports(session.outputs()) }
    }

    /// Names of `ports`, for a sentence.
    pub(super) fn names(ports: &[Port]) -> String {
        let names: Vec<_> = ports.iter().map(|port| format!("\"{}\"", port.name)).collect();
        if names.is_empty() { "none".to_owned() } else { names.join(", ") }
    }
}

impl Port {
    fn of(outlet: &Outlet) -> Self {
        let (element, axes) = match outlet.dtype() {
            ValueType::Tensor { ty, shape, dimension_symbols } => {
                let axes = shape.iter().enumerate().map(|(index, axis)| {
                    let symbol = dimension_symbols.get(index).cloned().unwrap_or_default();
                    (u64::try_from(*axis).ok(), symbol)
                });
                (element_name(*ty), Some(axes.collect()))
            }
            other => (other.to_string(), None),
        };
        Self { name: outlet.name().to_owned(), element, axes }
    }

    /// The axes' lengths; `None` where one is left open. Empty if it is no tensor.
    pub(super) fn lengths(&self) -> Vec<Option<u64>> {
        self.axes.iter().flatten().map(|(length, _)| *length).collect()
    }

    /// The axes as `1x3x257x257`, or as `[1, 3, height, width]` where some are left open.
    pub fn shape(&self) -> String {
        let Some(axes) = &self.axes else { return "no tensor".to_owned() };
        let words: Vec<_> = axes
            .iter()
            .map(|(length, symbol)| match length {
                Some(length) => length.to_string(),
                None if symbol.is_empty() => "?".to_owned(),
                None => symbol.clone(),
            })
            .collect();
        match axes.iter().all(|(length, _)| length.is_some()) {
            true if axes.is_empty() => "one value".to_owned(),
            true => words.join("x"),
            false => format!("[{}]", words.join(", ")),
        }
    }
}

impl fmt::Display for Port {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\", {} {}", self.name, self.element, self.shape())
    }
}

fn element_name(ty: TensorElementType) -> String {
    format!("{ty:?}").to_lowercase()
}
