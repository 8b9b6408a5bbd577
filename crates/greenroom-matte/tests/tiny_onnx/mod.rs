//! ONNX files of a few nodes, written by hand: enough of protobuf for a graph without weights.
#![allow(dead_code)]

use std::io::Write;
use std::path::{Path, PathBuf};

pub const FLOAT: u64 = 1;
pub const UINT8: u64 = 2;

/// The ONNX Runtime of `cargo xtask assets --tests`, or what `GREENROOM_ONNX_LIBRARY` names. Without
/// one the test is left out, and says so past the test runner's ears.
pub fn runtime() -> Option<PathBuf> {
    let assets = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../assets/tests");
    let named = std::env::var_os("GREENROOM_ONNX_LIBRARY").map(PathBuf::from);
    let library = named.unwrap_or_else(|| assets.join("libonnxruntime.so.1.28.0"));
    let usable = library.is_file() && cfg!(target_arch = "x86_64");
    if !usable {
        left_out(&format!("no ONNX Runtime at {}", library.display()));
    }
    usable.then(|| library.canonicalize().unwrap())
}

pub fn left_out(why: &str) {
    let _ = writeln!(std::io::stderr(), "\ntest left out: {why} (cargo xtask assets --tests)");
}

/// A graph in the making.
#[derive(Default)]
pub struct Graph {
    bytes: Vec<u8>,
}

impl Graph {
    /// Axes: 0 is left open.
    pub fn input(self, name: &str, element: u64, axes: &[u64]) -> Self {
        self.field(11, &value_info(name, element, axes))
    }

    pub fn output(self, name: &str, element: u64, axes: &[u64]) -> Self {
        self.field(12, &value_info(name, element, axes))
    }

    pub fn node(self, kind: &str, inputs: &[&str], output: &str) -> Self {
        self.node_with(kind, inputs, output, &[])
    }

    /// The mean over one axis, which stays.
    pub fn mean(self, input: &str, output: &str, axis: u64) -> Self {
        // AttributeProto: name, list of integers, type INTS.
        let attribute = [text(1, "axes"), varint_field(8, axis), varint_field(20, 7)].concat();
        self.node_with("ReduceMean", &[input], output, &bytes_field(5, &attribute))
    }

    pub fn cast(self, input: &str, output: &str, element: u64) -> Self {
        let attribute = [text(1, "to"), varint_field(3, element), varint_field(20, 2)].concat();
        self.node_with("Cast", &[input], output, &bytes_field(5, &attribute))
    }

    fn node_with(self, kind: &str, inputs: &[&str], output: &str, attributes: &[u8]) -> Self {
        let mut node: Vec<u8> = inputs.iter().flat_map(|input| text(1, input)).collect();
        node.extend([text(2, output), text(4, kind), attributes.to_vec()].concat());
        self.field(1, &node)
    }

    fn field(mut self, number: u64, message: &[u8]) -> Self {
        self.bytes.extend(bytes_field(number, message));
        self
    }

    /// The whole file.
    pub fn file(&self, opset: u64) -> Vec<u8> {
        let graph = [text(2, "tiny"), self.bytes.clone()].concat();
        let opset = varint_field(2, opset);
        [varint_field(1, 8), bytes_field(8, &opset), bytes_field(7, &graph)].concat()
    }
}

/// The mean of the channels of a 3-channel picture `in`, as `out`: white is the person.
pub fn brightness(height: u64, width: u64) -> Graph {
    Graph::default()
        .input("in", FLOAT, &[1, 3, height, width])
        .output("out", FLOAT, &[1, 1, height, width])
        .mean("in", "out", 1)
}

fn value_info(name: &str, element: u64, axes: &[u64]) -> Vec<u8> {
    let dimension = |axis: &u64| match axis {
        0 => bytes_field(1, &text(2, "open")),
        fixed => bytes_field(1, &varint_field(1, *fixed)),
    };
    let shape: Vec<u8> = axes.iter().flat_map(dimension).collect();
    let tensor = [varint_field(1, element), bytes_field(2, &shape)].concat();
    [text(1, name), bytes_field(2, &bytes_field(1, &tensor))].concat()
}

fn text(field: u64, text: &str) -> Vec<u8> {
    bytes_field(field, text.as_bytes())
}

fn bytes_field(field: u64, bytes: &[u8]) -> Vec<u8> {
    [varint(field << 3 | 2), varint(bytes.len() as u64), bytes.to_vec()].concat()
}

fn varint_field(field: u64, value: u64) -> Vec<u8> {
    [varint(field << 3), varint(value)].concat()
}

fn varint(mut value: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}
