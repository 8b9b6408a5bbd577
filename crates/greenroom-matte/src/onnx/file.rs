//! What kind of model a file is, told by its content: names lie.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::Path;

use crate::MatteError;

/// What a model's file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelFormat {
    /// TensorFlow Lite: for greenroom's own engine.
    TfLite,
    /// ONNX: for ONNX Runtime.
    Onnx,
}

/// Fields of an ONNX file's outermost message (`ModelProto`) by their kind on the wire.
const NUMBERS: [u64; 2] = [1, 5];
const MESSAGES: [u64; 9] = [2, 3, 4, 6, 7, 8, 14, 20, 25];
const GRAPH: u64 = 7;
/// protobuf's own limit.
const MOST_BYTES: u64 = 1 << 31;

/// Tells what the file at `path` is, and whether it is whole as far as its outermost parts go.
/// What is neither and not called `.onnx` is taken for TFLite, whose reader tells what is wrong.
///
/// # Errors
/// [`MatteError::NotOnnx`] or [`MatteError::DamagedModel`]; a file that cannot be read is the
/// system's answer.
pub fn model_format(path: &Path) -> io::Result<Result<ModelFormat, MatteError>> {
    let file = File::open(path)?;
    let len_bytes = file.metadata()?.len();
    let mut reader = BufReader::new(file);
    let mut start = Vec::new();
    reader.by_ref().take(8).read_to_end(&mut start)?;
    if start.get(4..8) == Some(b"TFL3") {
        return Ok(Ok(ModelFormat::TfLite));
    }
    reader.seek(SeekFrom::Start(0))?;
    let named = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("onnx"));
    let model = || path.display().to_string();
    let not_onnx = |reason: &str| MatteError::NotOnnx { model: model(), reason: reason.to_owned() };
    Ok(match walk(&mut reader, len_bytes)? {
        _ if named && len_bytes == 0 => Err(not_onnx("it is empty")),
        _ if named && len_bytes > MOST_BYTES => Err(not_onnx("it is larger than 2 GiB")),
        Walk::Whole => Ok(ModelFormat::Onnx),
        Walk::CutShort(reason) if named => Err(MatteError::DamagedModel { model: model(), reason }),
        Walk::NoGraph if named => Err(not_onnx("it holds no graph")),
        Walk::Other if named => Err(not_onnx("its bytes are something else")),
        _ => Ok(ModelFormat::TfLite),
    })
}

enum Walk {
    Whole,
    CutShort(String),
    NoGraph,
    Other,
}

/// Goes over the outermost fields, without reading what is in them.
fn walk(reader: &mut BufReader<File>, len_bytes: u64) -> io::Result<Walk> {
    let mut at = 0;
    let (mut fields, mut graph) = (0, false);
    while at < len_bytes {
        let cut =
            |what: &str| Ok(Walk::CutShort(format!("{what}; the file has {len_bytes} bytes")));
        let Some(key) = varint(reader, &mut at)? else {
            return if fields > 1 { cut("it ends within a field") } else { Ok(Walk::Other) };
        };
        let (field, kind) = (key >> 3, key & 7);
        if kind == 0 && NUMBERS.contains(&field) {
            if varint(reader, &mut at)?.is_none() {
                return cut("it ends within a number");
            }
        } else if kind == 2 && MESSAGES.contains(&field) {
            let Some(len) = varint(reader, &mut at)? else { return cut("it ends within a field") };
            let end = at.saturating_add(len);
            if end > len_bytes {
                // Text may begin like a first field; a model's first one is its version.
                return match fields {
                    0 => Ok(Walk::Other),
                    _ => cut(&format!("{end} bytes or more are announced")),
                };
            }
            reader.seek_relative(i64::try_from(len).unwrap_or(i64::MAX))?;
            at = end;
            graph |= field == GRAPH;
        } else if graph {
            return Ok(Walk::CutShort(format!("byte {at} belongs to no field")));
        } else {
            return Ok(Walk::Other);
        }
        fields += 1;
    }
    Ok(if graph { Walk::Whole } else { Walk::NoGraph })
}

/// The next number, 7 bits a byte; `None` if the file ends within it or it is too long.
fn varint(reader: &mut BufReader<File>, at: &mut u64) -> io::Result<Option<u64>> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let mut byte = [0];
        if reader.read(&mut byte)? == 0 {
            return Ok(None);
        }
        *at += 1;
        value |= u64::from(byte[0] & 0x7F) << shift;
        if byte[0] < 0x80 {
            return Ok(Some(value));
        }
    }
    Ok(None)
}
