use std::path::Path;

use greenroom_matte::onnx::OnnxDescription;

use super::description_file::words;

/// A model whose description greenroom brings, and whose file the user gets.
#[derive(Debug, Clone, PartialEq)]
pub struct KnownModel {
    /// How it is fed and read.
    pub description: OnnxDescription,
    /// Where to get the file.
    pub source: String,
    /// Names of its file, `*` for anything.
    pub files: Vec<String>,
}

/// A later one is a file in `models/` and a line here.
const TEXTS: [&str; 3] = [
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/rvm.toml")),
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/u2netp.toml")),
    include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../models/body-pix.toml")),
];

/// Every model whose description greenroom brings.
pub fn known_models() -> Vec<KnownModel> {
    let known = |text: &&str| {
        let mut words = words(text).ok()?;
        let (source, files) = (words.source.take()?, std::mem::take(&mut words.files));
        Some(KnownModel { description: words.checked(Path::new("")).ok()?, source, files })
    };
    TEXTS.iter().map(|text| known(text).expect("a test reads each")).collect()
}

impl KnownModel {
    /// Whether a file of this name is the model.
    pub fn is_called(&self, name: &str) -> bool {
        self.files.iter().any(|pattern| match pattern.split_once('*') {
            Some((start, end)) => {
                name.len() >= start.len() + end.len()
                    && name.starts_with(start)
                    && name.ends_with(end)
            }
            None => name == pattern,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_whole_and_known_by_its_files_name() {
        let known = known_models();
        let names: Vec<&str> = known.iter().map(|known| known.description.name.as_str()).collect();
        assert_eq!(names, ["rvm", "u2netp", "body-pix"]);
        assert!(known.iter().all(|known| known.description.licence.is_some()));
        let found = |name: &str| {
            let found = known.iter().find(|known| known.is_called(name));
            found.map(|known| known.description.name.as_str())
        };
        assert_eq!(found("rvm_mobilenetv3_fp32.onnx"), Some("rvm"));
        assert_eq!(found("rvm_mobilenetv3.onnx"), Some("rvm"));
        assert_eq!(found("u2netp.onnx"), Some("u2netp"));
        assert_eq!(found("u2net.onnx"), None);
        assert_eq!(found("body-pix-float-050-8.onnx"), Some("body-pix"));
        assert_eq!(found("rvm_mobilenetv3.tflite"), None);
    }
}
