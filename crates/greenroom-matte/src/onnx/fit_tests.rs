use super::super::{Constant, OnnxInput, Recurrence};
use super::*;
use crate::{ChannelOrder, Normalisation};

/// 0 is an axis that is left open.
fn port(name: &str, element: &str, axes: &[u64]) -> Port {
    let axes = axes.iter().map(|axis| ((*axis > 0).then_some(*axis), String::new()));
    Port { name: name.into(), element: element.into(), axes: Some(axes.collect()) }
}

fn float(name: &str, axes: &[u64]) -> Port {
    port(name, FLOAT, axes)
}

fn signature(input: Port, output: Port) -> Signature {
    Signature { inputs: vec![input], outputs: vec![output] }
}

fn plain() -> Signature {
    signature(float("in", &[1, 3, 144, 256]), float("out", &[1, 1, 144, 256]))
}

fn description() -> OnnxDescription {
    OnnxDescription {
        name: "test".into(),
        licence: None,
        input: OnnxInput {
            name: "in".into(),
            size: Some(SizePx::new(256, 144)),
            layout: Layout::Nchw,
            channel_order: ChannelOrder::Rgb,
            normalisation: Normalisation::UNIT,
        },
        output: OnnxOutput {
            name: "out".into(),
            layout: Layout::Nchw,
            meaning: OutputMeaning::Probability,
            channel: None,
            threshold: None,
            min_max: false,
            align_corners: false,
        },
        recurrent: Vec::new(),
        constants: Vec::new(),
    }
}

/// Asserts that the sentence holds all of `words`, so that it names both sides.
fn refused(signature: &Signature, change: impl FnOnce(&mut OnnxDescription), words: &[&str]) {
    let mut description = description();
    change(&mut description);
    let said = fit(&description, signature).expect_err("it does not fit");
    for word in words {
        assert!(said.contains(word), "{word:?} is not in: {said}");
    }
    assert!(!said.contains('\n') && said.contains(';'), "a sentence with the next step: {said}");
}

#[test]
fn what_fits_fits() {
    let fitted = fit(&description(), &plain()).unwrap();
    assert_eq!(fitted.input_shape, [1, 3, 144, 256]);
    // An open axis takes the description's size, and a size that the file fixes may be left out.
    let open = signature(float("in", &[0, 3, 0, 0]), float("out", &[0; 4]));
    assert_eq!(fit(&description(), &open).unwrap().input_size, SizePx::new(256, 144));
    let mut unsaid = description();
    unsaid.input.size = None;
    assert_eq!(fit(&unsaid, &plain()).unwrap().input_size, SizePx::new(256, 144));
    let mut nhwc = description();
    (nhwc.input.layout, nhwc.output.layout) = (Layout::Nhwc, Layout::Nhwc);
    let file = signature(float("in", &[1, 144, 256, 3]), float("out", &[1, 144, 256, 1]));
    assert_eq!(fit(&nhwc, &file).unwrap().input_shape, [1, 144, 256, 3]);
    for axes in [&[144, 256][..], &[1, 144, 256]] {
        fit(&description(), &signature(float("in", &[1, 3, 144, 256]), float("out", axes)))
            .unwrap();
    }
}

#[test]
fn an_input_that_differs_is_told() {
    let with = |input| signature(input, float("out", &[1, 1, 144, 256]));
    refused(&plain(), |d| d.input.name = "src".into(), &["\"src\"", "\"in\"", "[input] name"]);
    refused(&plain(), |d| d.input.name = String::new(), &["\"in\""]);
    refused(
        &plain(),
        |d| d.input.size = Some(SizePx::new(257, 257)),
        &["257x257", "256x144 only", "1x3x144x256"],
    );
    refused(&plain(), |d| d.input.layout = Layout::Nhwc, &["\"nhwc\"", "layout = \"nchw\""]);
    let other = with(float("in", &[1, 144, 256, 3]));
    refused(&other, |_| (), &["\"nchw\"", "144 channels", "layout = \"nhwc\""]);
    refused(&with(float("in", &[1, 1, 144, 256])), |_| (), &["1 channels", "three channels"]);
    refused(&with(float("in", &[4, 3, 144, 256])), |_| (), &["takes 4", "batch of 1"]);
    refused(&with(float("in", &[1, 3, 144])), |_| (), &["4 axes", "has 3"]);
    for element in ["float16", "uint8", "int64"] {
        let typed = with(port("in", element, &[1, 3, 144, 256]));
        refused(&typed, |_| (), &["float32", element]);
    }
    let list = Port { name: "in".into(), element: "sequence".into(), axes: None };
    refused(&with(list), |_| (), &["float32", "sequence"]);
    let open = with(float("in", &[1, 3, 0, 0]));
    refused(&open, |d| d.input.size = None, &["leaves the picture's size open", "size = "]);
    refused(&open, |d| d.input.size = Some(SizePx::new(5000, 144)), &["5000x144", "4096"]);
    refused(&open, |d| d.input.size = Some(SizePx::new(4, 4)), &["4x4", "8 to"]);
    refused(&with(float("in", &[1, 3, 9000, 9000])), |d| d.input.size = None, &["9000x9000"]);
    let two =
        Signature { inputs: vec![float("in", &[1, 3, 144, 256]), float("r", &[1])], ..plain() };
    refused(&two, |_| (), &["\"r\"", "[constants]", "[[recurrent]]"]);
}

#[test]
fn an_output_that_differs_is_told() {
    let with = |output| signature(float("in", &[1, 3, 144, 256]), output);
    refused(&plain(), |d| d.output.name = "pha".into(), &["\"pha\"", "\"out\"", "[output] name"]);
    refused(&with(port("out", "uint8", &[1, 1, 9, 9])), |_| (), &["float32", "uint8"]);
    refused(&with(float("out", &[1, 2])), |_| (), &["1x2"]);
    refused(&with(float("out", &[9])), |_| (), &["2 to 4 axes", "has 1"]);
    refused(&with(float("out", &[1, 1, 1, 9, 9])), |_| (), &["2 to 4 axes", "has 5"]);
    let two = with(float("out", &[1, 2, 9, 9]));
    refused(&two, |_| (), &["1x2x9x9", "2 channels", "class = NUMBER"]);
    let softmax = |class| {
        move |d: &mut OnnxDescription| {
            d.output.meaning = OutputMeaning::SoftmaxClass(class);
        }
    };
    refused(&two, softmax(2), &["class = 2", "1x2x9x9", "counted from 0"]);
    refused(&two, |d| d.output.channel = Some(5), &["class = 5", "1x2x9x9"]);
    refused(&with(float("out", &[1, 9, 9, 1])), |_| (), &["1x9x9x1", "layout"]);
    refused(&with(float("out", &[7, 9, 9])), |_| (), &["7x9x9", "7 of them"]);
    refused(&with(float("out", &[1, 1, 9000, 9])), |_| (), &["1x1x9000x9", "9x9000"]);
    let mut fits = description();
    softmax(1)(&mut fits);
    fit(&fits, &two).unwrap();
}

#[test]
fn a_memory_that_differs_is_told() {
    let with = |input, output| {
        let mut signature = plain();
        signature.inputs.push(input);
        signature.outputs.push(output);
        signature
    };
    let pair = |input: &str, output: &str| {
        let pair = Recurrence { input: input.into(), output: output.into() };
        move |d: &mut OnnxDescription| d.recurrent.push(pair)
    };
    let sound = with(float("ri", &[0, 0, 0, 0]), float("ro", &[0, 16, 0, 0]));
    let mut fits = description();
    pair("ri", "ro")(&mut fits);
    assert_eq!(fit(&fits, &sound).unwrap().memories, [vec![1, 1, 1, 1]]);
    refused(&sound, pair("r1i", "ro"), &["\"r1i\"", "\"in\", \"ri\"", "[[recurrent]]"]);
    refused(&sound, pair("ri", "r1o"), &["\"r1o\"", "\"out\", \"ro\"", "[[recurrent]]"]);
    refused(&sound, pair("in", "ro"), &["\"in\"", "twice"]);
    let ranks = with(float("ri", &[1, 9]), float("ro", &[1, 9, 9]));
    refused(&ranks, pair("ri", "ro"), &["1x9x9", "\"ri\", float32 1x9"]);
    let lengths = with(float("ri", &[1, 8]), float("ro", &[1, 9]));
    refused(&lengths, pair("ri", "ro"), &["1x8", "1x9"]);
    let types = with(port("ri", "float16", &[1, 8]), float("ro", &[1, 8]));
    refused(&types, pair("ri", "ro"), &["float16"]);
    let huge = with(float("ri", &[1 << 20, 1 << 20]), float("ro", &[0, 0]));
    refused(&huge, pair("ri", "ro"), &["256 MiB"]);
}

#[test]
fn a_constant_that_differs_is_told() {
    let with = |input| {
        let mut signature = plain();
        signature.inputs.push(input);
        signature
    };
    let constant = |name: &str, values: &[f32]| {
        let constant = Constant { name: name.into(), values: values.to_vec() };
        move |d: &mut OnnxDescription| d.constants.push(constant)
    };
    for (axes, shape) in
        [(&[1][..], vec![1]), (&[], vec![]), (&[0], vec![1]), (&[1, 1], vec![1, 1])]
    {
        let mut fits = description();
        constant("dr", &[0.5])(&mut fits);
        let fitted = fit(&fits, &with(float("dr", axes))).unwrap();
        assert_eq!(fitted.constants, [(shape, false)]);
    }
    let mut size = description();
    constant("size", &[720.0, 1280.0])(&mut size);
    let fitted = fit(&size, &with(port("size", INTEGER, &[2]))).unwrap();
    assert_eq!(fitted.constants, [(vec![2], true)]);
    refused(&plain(), constant("dr", &[1.0]), &["\"dr\"", "[constants]"]);
    refused(&with(float("dr", &[2])), constant("dr", &[1.0]), &["1 values", "float32 2"]);
    refused(&with(port("dr", "bool", &[1])), constant("dr", &[1.0]), &["bool"]);
}
