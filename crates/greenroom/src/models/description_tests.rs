use greenroom_frame::SizePx;
use greenroom_matte::{ChannelOrder, Layout, Normalisation, OutputMeaning};

use super::*;

const SOUND: &str = r#"
[input]
name = "src"
layout = "nchw"
range = [0, 1]

[output]
name = "pha"
meaning = "alpha"
"#;

fn parse(text: &str) -> Result<OnnxDescription, DescriptionError> {
    parse_description(text, Path::new("/models/mine.toml"))
}

#[test]
fn a_short_one_is_filled_up() {
    let description = parse(SOUND).unwrap();
    assert_eq!(description.name, "mine");
    assert_eq!(description.input.size, None);
    assert_eq!(description.input.channel_order, ChannelOrder::Rgb);
    assert_eq!(description.input.normalisation, Normalisation::UNIT);
    assert_eq!(description.output.layout, Layout::Nchw);
    assert_eq!(description.output.meaning, OutputMeaning::Alpha);
}

#[test]
fn a_long_one_is_read_whole() {
    let description = parse(
        r#"
        name = "long"
        licence = "MIT"
        [input]
        name = "x"
        size = "256x144"
        layout = "nhwc"
        channels = "bgr"
        mean = [0.5, 0.5, 0.5]
        std = [0.25, 0.5, 1]
        [output]
        name = "y"
        layout = "nchw"
        meaning = "softmax"
        class = 15
        threshold = 0.7
        min_max = true
        align_corners = true
        [[recurrent]]
        input = "a"
        output = "b"
        [constants]
        one = 1
        many = [1, 2.5]
        "#,
    )
    .unwrap();
    assert_eq!(description.input.size, Some(SizePx::new(256, 144)));
    let expected = Normalisation { scale: [4.0, 2.0, 1.0], offset: [-2.0, -1.0, -0.5] };
    assert_eq!(description.input.normalisation, expected);
    assert_eq!(description.output.meaning, OutputMeaning::SoftmaxClass(15));
    assert_eq!(description.output.threshold, Some(0.7));
    assert_eq!(description.recurrent.len(), 1);
    assert_eq!(description.constants[1].values, [1.0, 2.5]);
}

#[test]
fn mistakes_get_one_sentence_each() {
    let replaced = |from: &str, to: &str| {
        let text = SOUND.replace(from, to);
        assert_ne!(text, SOUND, "{from}");
        text
    };
    for (text, words) in [
        (String::new(), "missing: name in [input], layout in [input], range (or mean and std)"),
        (replaced("name = \"pha\"", ""), "missing: name in [output];"),
        (replaced("layout", "laout"), "\"laout\" in [input]; did you mean \"layout\"?"),
        (replaced("meaning", "meaing"), "did you mean \"meaning\"?"),
        (replaced("[output]", "[ouput]"), "did you mean \"output\"?"),
        (format!("{SOUND}[[recurrent]]\nin = 'x'"), "no key \"in\" in [[recurrent]]"),
        (format!("{SOUND}[[recurrent]]\ninput = 'x'"), "each [[recurrent]] needs"),
        (format!("{SOUND}[constants]\nx = 'y'"), "x in [constants] must be a number"),
        (replaced("\"nchw\"", "\"chw\""), "\"chw\"; write \"nchw\" or \"nhwc\""),
        (replaced("\"nchw\"", "3"), "expected a string"),
        (replaced("[0, 1]", "[1, 0]"), "the lowest and the highest"),
        (replaced("[0, 1]", "[1]"), "the lowest and the highest"),
        (replaced("range = [0, 1]", "mean = [0, 1]"), "range (or mean and std)"),
        (replaced("range = [0, 1]", "mean = [0, 1]\nstd = [1, 1]"), "three numbers"),
        (replaced("range = [0, 1]", "mean = [0, 0, 0]\nstd = [1, 0, 1]"), "above 0"),
        (replaced("[0, 1]", "[0, 1]\nmean = [0, 0, 0]"), "either range, or mean"),
        (replaced("[0, 1]", "[0, 1]\nsize = 'big'"), "\"big\"; write it as \"257x257\""),
        (replaced("[0, 1]", "[0, 1]\nchannels = 'yuv'"), "\"rgb\" or \"bgr\""),
        (replaced("\"alpha\"", "\"matte\""), "\"matte\"; write probability, logit"),
        (replaced("\"alpha\"", "\"softmax\""), "class = NUMBER"),
        (replaced("\"alpha\"", "\"alpha\"\nclass = -1"), "output.class"),
        (replaced("\"alpha\"", "\"alpha\"\nthreshold = 70"), "70; write a number from 0 to 1"),
        ("input = 3".to_owned(), "input"),
        ("recurrent = 3".to_owned(), "recurrent"),
        ("x = [".to_owned(), "not TOML: line 1"),
    ] {
        let said = parse(&text).unwrap_err().to_string();
        assert!(said.contains(words) && said.contains("mine.toml"), "{text}\n{said}");
        assert!(!said.contains('\n'), "{said}");
    }
}

#[test]
fn it_lies_beside_the_file_or_the_name_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let mine = folder.path().join("mine.onnx");
    let said = read_description(&mine).unwrap_err().to_string();
    assert!(said.contains("write mine.toml beside it"), "{said}");
    std::fs::write(folder.path().join("mine.toml"), SOUND).unwrap();
    assert_eq!(read_description(&mine).unwrap().output.name, "pha");
    let known = folder.path().join("rvm_mobilenetv3_fp32.onnx");
    assert_eq!(read_description(&known).unwrap().name, "rvm");
    // What the user writes goes before what we know.
    std::fs::write(folder.path().join("rvm_mobilenetv3_fp32.toml"), SOUND).unwrap();
    assert_eq!(read_description(&known).unwrap().name, "rvm_mobilenetv3_fp32");
    let unreadable = folder.path().join("folder.toml");
    std::fs::create_dir(&unreadable).unwrap();
    let said = read_description(&folder.path().join("folder.onnx")).unwrap_err().to_string();
    assert!(said.contains("it is no file"), "{said}");
}
