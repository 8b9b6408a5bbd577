//! Users' models on a real ONNX Runtime, with graphs small enough to know what they give.
#![allow(clippy::unwrap_used)]

mod tiny_onnx;

use std::path::{Path, PathBuf};

use greenroom_frame::{Colour, Frame, PixelFormat, SizePx};
use greenroom_matte::onnx::{
    ModelFormat, OnnxDescription, OnnxEngine, OnnxInput, OnnxOptions, OnnxOutput, Provider,
    Recurrence, find_runtime, model_format,
};
use greenroom_matte::{
    AlphaMap, ChannelOrder, Engine, InputTensor, Isa, Layout, MatteError, MatteMaker,
    Normalisation, OutputMeaning,
};
use tiny_onnx::{FLOAT, Graph, UINT8, brightness, runtime};

const SIZE: SizePx = SizePx::new(16, 9);

fn description() -> OnnxDescription {
    OnnxDescription {
        name: "tiny".into(),
        licence: None,
        input: OnnxInput {
            name: "in".into(),
            size: Some(SIZE),
            layout: Layout::Nchw,
            channel_order: ChannelOrder::Rgb,
            normalisation: Normalisation::UNIT,
        },
        output: OnnxOutput {
            name: "out".into(),
            layout: Layout::Nchw,
            meaning: OutputMeaning::Alpha,
            channel: None,
            threshold: None,
            min_max: false,
            align_corners: false,
        },
        recurrent: Vec::new(),
        constants: Vec::new(),
    }
}

/// A folder for files, and the options to run them; `None` without an ONNX Runtime.
struct Bench {
    folder: tempfile::TempDir,
    options: OnnxOptions,
}

impl Bench {
    fn new() -> Option<Self> {
        let options = OnnxOptions { library: Some(runtime()?), ..OnnxOptions::default() };
        Some(Self { folder: tempfile::tempdir().unwrap(), options })
    }

    fn file(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("tiny.onnx");
        std::fs::write(&path, bytes).unwrap();
        path
    }

    fn open(&self, bytes: &[u8], wanted: &OnnxDescription) -> Result<OnnxEngine, MatteError> {
        OnnxEngine::open(&self.file(bytes), wanted, &self.options)
    }
}

/// The alpha of a picture of one value.
fn alpha_of(engine: &mut OnnxEngine, value: f32) -> Vec<f32> {
    let mut input = InputTensor::new(engine.description());
    input.values_mut().fill(value);
    let mut alpha = AlphaMap::new(engine.description());
    alpha.values_mut().fill(9.0);
    engine.infer(&input, &mut alpha).unwrap();
    alpha.values().to_vec()
}

fn all_near(alpha: &[f32], value: f32) {
    assert!(alpha.iter().all(|alpha| (alpha - value).abs() < 1e-5), "{value}: {alpha:?}");
}

#[test]
fn a_picture_becomes_its_alpha() {
    let Some(bench) = Bench::new() else { return };
    let mut engine = bench.open(&brightness(9, 16).file(13), &description()).unwrap();
    assert_eq!((engine.description().input_size, engine.description().output_size), (SIZE, SIZE));
    all_near(&alpha_of(&mut engine, 0.25), 0.25);
    // Wrong tensors are refused, not read beyond.
    let other = MatteMaker::new(greenroom_matte::Model::General).unwrap();
    let mut alpha = AlphaMap::new(engine.description());
    let wrong = engine.infer(&InputTensor::new(other.description()), &mut alpha);
    assert!(matches!(wrong, Err(MatteError::WrongShape { .. })));
    // As the program does it: a white picture is the person, a black one the room.
    let mut maker = MatteMaker::with_engine(Box::new(engine), Isa::best()).unwrap();
    for (luma, expected) in [(255, 255), (0, 0)] {
        let size = SizePx::new(64, 36);
        let mut picture = Frame::new(PixelFormat::Grey, size, Colour::JPEG).unwrap();
        picture.bytes_mut().fill(luma);
        let alpha = maker.matte(&picture.view()).unwrap();
        assert!(alpha.bytes().iter().all(|byte| *byte == expected), "{luma}: {:?}", alpha.bytes());
    }
}

#[test]
fn layouts_and_open_axes_give_the_same() {
    let Some(bench) = Bench::new() else { return };
    let nhwc = Graph::default()
        .input("in", FLOAT, &[1, 9, 16, 3])
        .output("out", FLOAT, &[1, 9, 16, 1])
        .mean("in", "out", 3);
    let mut wanted = description();
    (wanted.input.layout, wanted.output.layout) = (Layout::Nhwc, Layout::Nhwc);
    let mut engine = bench.open(&nhwc.file(13), &wanted).unwrap();
    let mut input = InputTensor::new(engine.description());
    for (at, value) in input.values_mut().iter_mut().enumerate() {
        *value = if at % 3 == 0 { 0.9 } else { 0.0 };
    }
    let mut alpha = AlphaMap::new(engine.description());
    engine.infer(&input, &mut alpha).unwrap();
    all_near(alpha.values(), 0.3);
    let open = Graph::default()
        .input("in", FLOAT, &[0, 3, 0, 0])
        .output("out", FLOAT, &[0, 1, 0, 0])
        .mean("in", "out", 1);
    let mut engine = bench.open(&open.file(13), &description()).unwrap();
    assert_eq!(engine.description().output_size, SIZE);
    all_near(&alpha_of(&mut engine, 0.5), 0.5);
}

/// `out` = brightness + what came out before.
fn adding_up() -> (Vec<u8>, OnnxDescription) {
    let graph = Graph::default()
        .input("in", FLOAT, &[1, 3, 9, 16])
        .input("ri", FLOAT, &[0, 0, 0, 0])
        .output("out", FLOAT, &[1, 1, 9, 16])
        .output("ro", FLOAT, &[0, 0, 0, 0])
        .mean("in", "mean", 1)
        .node("Add", &["mean", "ri"], "out")
        .node("Identity", &["out"], "ro");
    let pair = Recurrence { input: "ri".into(), output: "ro".into() };
    (graph.file(13), OnnxDescription { recurrent: vec![pair], ..description() })
}

#[test]
fn a_memory_goes_on_and_is_forgotten() {
    let Some(bench) = Bench::new() else { return };
    let (file, wanted) = adding_up();
    let mut engine = bench.open(&file, &wanted).unwrap();
    for expected in [0.125, 0.25, 0.375] {
        all_near(&alpha_of(&mut engine, 0.125), expected);
    }
    engine.reset();
    all_near(&alpha_of(&mut engine, 0.125), 0.125);
    // What is no number shows nobody, once: it does not stay in the memory.
    all_near(&alpha_of(&mut engine, f32::NAN), 0.0);
    all_near(&alpha_of(&mut engine, 0.125), 0.125);
    // The output that is read may be the memory itself.
    let own = Recurrence { input: "ri".into(), output: "out".into() };
    let wanted = OnnxDescription { recurrent: vec![own], ..wanted };
    let mut engine = bench.open(&file, &wanted).unwrap();
    all_near(&alpha_of(&mut engine, 0.125), 0.125);
    all_near(&alpha_of(&mut engine, 0.125), 0.25);
}

#[test]
fn a_memory_that_does_not_fit_shows_at_the_start() {
    let Some(bench) = Bench::new() else { return };
    // The file leaves the axes open, and what comes out is no number of channels that may go in.
    let graph = Graph::default()
        .input("in", FLOAT, &[1, 3, 9, 16])
        .input("ri", FLOAT, &[0, 0, 0, 0])
        .output("out", FLOAT, &[0, 0, 0, 0])
        .output("ro", FLOAT, &[0, 0, 0, 0])
        .node("Add", &["in", "ri"], "sum")
        .mean("sum", "out", 1)
        .node("Transpose", &["sum"], "ro");
    let pair = Recurrence { input: "ri".into(), output: "ro".into() };
    let wanted = OnnxDescription { recurrent: vec![pair], ..description() };
    let error = bench.open(&graph.file(13), &wanted).unwrap_err();
    assert!(matches!(error, MatteError::Unrunnable { .. }), "{error}");
    assert!(!error.to_string().contains('\n'), "{error}");
}

#[test]
fn what_the_file_tells_is_held_against_the_description() {
    let Some(bench) = Bench::new() else { return };
    let refused = |bytes: &[u8], change: &dyn Fn(&mut OnnxDescription), words: &[&str]| {
        let mut wanted = description();
        change(&mut wanted);
        let error = bench.open(bytes, &wanted).unwrap_err();
        assert!(matches!(error, MatteError::Mismatch { .. }), "{error:?}");
        let said = error.to_string();
        let all = words.iter().all(|word| said.contains(word));
        assert!(all && said.contains("tiny.onnx") && !said.contains('\n'), "{words:?}: {said}");
    };
    let file = brightness(9, 16).file(13);
    refused(&file, &|d| d.input.size = Some(SizePx::new(32, 18)), &["32x18", "16x9", "1x3x9x16"]);
    refused(&file, &|d| d.input.layout = Layout::Nhwc, &["nhwc", "nchw"]);
    refused(&file, &|d| d.output.name = "pha".into(), &["\"pha\"", "\"out\""]);
    let typed = Graph::default()
        .input("in", UINT8, &[1, 3, 9, 16])
        .output("out", FLOAT, &[1, 1, 9, 16])
        .cast("in", "float", FLOAT)
        .mean("float", "out", 1);
    refused(&typed.file(13), &|_| (), &["uint8", "float32"]);
    // The file does not tell how many channels come out; the first run does.
    let open = Graph::default()
        .input("in", FLOAT, &[0, 3, 0, 0])
        .output("out", FLOAT, &[0, 0, 0, 0])
        .node("Identity", &["in"], "out");
    refused(&open.file(13), &|_| (), &["1x3x9x16", "class"]);
}

#[test]
fn files_that_are_none_are_told_from_each_other() {
    let Some(bench) = Bench::new() else { return };
    let whole = brightness(9, 16).file(13);
    let format = |bytes: &[u8]| model_format(&bench.file(bytes)).unwrap();
    assert_eq!(format(&whole).unwrap(), ModelFormat::Onnx);
    let said = |bytes: &[u8]| format(bytes).unwrap_err().to_string();
    assert!(said(&[]).contains("it is empty"));
    assert!(said(b"<html>not found</html>").contains("its bytes are something else"));
    assert!(
        said(&whole[..4]).contains("holds no graph") || said(&whole[..4]).contains("cut short")
    );
    assert!(said(&whole[..whole.len() - 9]).contains("cut short"));
    assert!(said(&[&whole[..], b"\xFF\xFF rubbish"].concat()).contains("cut short or damaged"));
    // No cut and no byte makes it crash, and what is refused has one line.
    for cut in 0..whole.len() {
        let _ = format(&whole[..cut]);
    }
    let mut refusals = 0;
    for at in 0..whole.len() {
        let mut damaged = whole.clone();
        damaged[at] ^= 0x55;
        if let Err(error) = bench.open(&damaged, &description()) {
            assert!(!error.to_string().contains('\n'), "{error}");
            refusals += 1;
        }
    }
    assert!(refusals > whole.len() / 2, "{refusals} of {}", whole.len());
    // The name does not count: TFLite is TFLite.
    let tflite = greenroom_matte::Model::General.file();
    assert_eq!(format(tflite).unwrap(), ModelFormat::TfLite);
    let unnamed = bench.folder.path().join("model");
    std::fs::write(&unnamed, &whole).unwrap();
    assert_eq!(model_format(&unnamed).unwrap().unwrap(), ModelFormat::Onnx);
}

#[test]
fn what_the_runtime_cannot_run_is_told() {
    let Some(bench) = Bench::new() else { return };
    let unknown = Graph::default()
        .input("in", FLOAT, &[1, 3, 9, 16])
        .output("out", FLOAT, &[1, 1, 9, 16])
        .node("Frobnicate", &["in"], "out");
    for (bytes, word) in [(unknown.file(13), "Frobnicate"), (brightness(9, 16).file(99), "99")] {
        let error = bench.open(&bytes, &description()).unwrap_err();
        assert!(matches!(error, MatteError::Unrunnable { .. }), "{error:?}");
        let said = error.to_string();
        assert!(said.contains(word) && said.contains("newer ONNX Runtime"), "{said}");
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn a_provider_that_is_not_there_is_gone_without() {
    let Some(mut bench) = Bench::new() else { return };
    let has = find_runtime(&bench.options).unwrap().providers;
    assert!(has.contains(&Provider::Cpu), "{has:?}");
    bench.options.providers = Provider::ALL.to_vec();
    let mut engine = bench.open(&brightness(9, 16).file(13), &description()).unwrap();
    all_near(&alpha_of(&mut engine, 0.25), 0.25);
    let error = "gpu".parse::<Provider>().unwrap_err();
    assert!(error.contains("\"gpu\"") && error.contains("openvino"), "{error}");
    let names: Vec<_> = Provider::ALL.iter().map(|name| name.to_string().parse()).collect();
    assert_eq!(names, Provider::ALL.map(Ok));
}

#[test]
fn a_folder_and_nothing_are_no_models() {
    assert!(model_format(Path::new("/nowhere/x.onnx")).is_err());
}
