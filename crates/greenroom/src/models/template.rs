use std::fmt::Write as _;

use greenroom_matte::onnx::{Port, Signature};

/// A description to begin with for a file that tells `signature` of itself: names, layout and size
/// are the file's, the rest is a guess and says so.
pub fn template(signature: &Signature) -> String {
    let picture = signature.inputs.iter().find(|port| channel_axis(port).is_some());
    let picture = picture.or_else(|| signature.inputs.first());
    let mut text = String::from("licence = \"?\"\n\n[input]\n");
    let layout = match picture.and_then(channel_axis) {
        Some(3) => "nhwc",
        _ => "nchw",
    };
    let name = |port: Option<&Port>| port.map(|port| port.name.clone()).unwrap_or_default();
    let _ = writeln!(text, "name = {}", quoted(&name(picture)));
    if picture.is_none_or(|port| port.axes.iter().flatten().skip(1).any(|axis| axis.0.is_none())) {
        text.push_str("size = \"256x144\"  # a guess: the file takes any\n");
    }
    let _ = write!(
        text,
        "layout = \"{layout}\"\nchannels = \"rgb\"  # a guess; or \"bgr\"\nrange = [0, 1]  # a guess; or \
         [-1, 1], or mean = [R, G, B] and std = [R, G, B]\n\n[output]\n"
    );
    let _ = writeln!(text, "name = {}", quoted(&name(signature.outputs.first())));
    text.push_str(
        "meaning = \"probability\"  # a guess; or \"logit\", \"alpha\", or \"softmax\" with class = NUMBER\n",
    );
    let others = signature.inputs.iter().filter(|port| Some(*port) != picture);
    let (memories, constants): (Vec<_>, Vec<_>) = others
        .map(|port| (port, remembers(port, signature)))
        .partition(|(_, output)| output.is_some());
    for (input, output) in memories {
        let output = output.unwrap_or_default();
        let _ = write!(
            text,
            "\n[[recurrent]]  # a guess by the names\ninput = {}\noutput = {}\n",
            quoted(&input.name),
            quoted(&output)
        );
    }
    if !constants.is_empty() {
        text.push_str("\n[constants]  # a guess\n");
    }
    for (constant, _) in constants {
        let _ = writeln!(text, "{} = 1.0", quoted(&constant.name));
    }
    text
}

/// Which axis has the three channels of a picture.
fn channel_axis(port: &Port) -> Option<usize> {
    let axes: Vec<_> = port.axes.iter().flatten().map(|axis| axis.0).collect();
    (axes.len() == 4).then(|| [1, 3].into_iter().find(|at| axes[*at] == Some(3)))?
}

/// The output that an input takes up, if their names say so: `r1i` and `r1o`, `h_in` and `h_out`.
fn remembers(input: &Port, signature: &Signature) -> Option<String> {
    let name = &input.name;
    let swapped = [("in", "out"), ("i", "o")]
        .into_iter()
        .filter_map(|(from, to)| name.strip_suffix(from).map(|stem| format!("{stem}{to}")));
    let mut outputs = signature.outputs.iter().map(|port| port.name.clone());
    let wanted: Vec<String> = swapped.collect();
    outputs.find(|output| wanted.contains(output))
}

/// As TOML writes a text or key.
fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::models::parse_description;

    fn port(name: &str, axes: &[u64]) -> Port {
        let axes = axes.iter().map(|axis| ((*axis > 0).then_some(*axis), String::new()));
        Port { name: name.into(), element: "float32".into(), axes: Some(axes.collect()) }
    }

    #[test]
    fn it_is_a_description_and_names_what_the_file_has() {
        let signature = Signature {
            inputs: vec![port("r1i", &[0; 4]), port("src", &[0, 3, 0, 0]), port("dr", &[1])],
            outputs: vec![port("pha \"q\"", &[0, 1, 0, 0]), port("r1o", &[0; 4])],
        };
        let text = template(&signature);
        let description = parse_description(&text, Path::new("/x/model.toml")).unwrap();
        assert_eq!(description.name, "model");
        assert_eq!((&*description.input.name, &*description.output.name), ("src", "pha \"q\""));
        assert!(description.input.size.is_some());
        assert_eq!(description.recurrent.len(), 1);
        assert_eq!(description.constants[0].name, "dr");
        let fixed = Signature {
            inputs: vec![port("x", &[1, 257, 257, 3])],
            outputs: vec![port("y", &[1, 33, 33, 1])],
        };
        let text = template(&fixed);
        assert!(text.contains("nhwc") && !text.contains("size"), "{text}");
        parse_description(&text, Path::new("m.toml")).unwrap();
        // A file of nonsense gets one, too.
        let none = Signature { inputs: Vec::new(), outputs: Vec::new() };
        parse_description(&template(&none), Path::new("m.toml")).unwrap();
    }
}
