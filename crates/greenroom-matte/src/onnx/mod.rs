//! A user's own model, through ONNX Runtime.
//!
//! The runtime is a library that users have or get themselves: `runtime` looks for it when the first
//! model is opened, and nothing here is touched before. [`OnnxDescription`] says how a file is to be
//! fed and read, [`Signature`] what the file itself tells; `fit` holds one against the other, and
//! every difference has a sentence. `opening` makes the session with its providers, `reading` turns
//! what comes out into an alpha.

mod description;
mod elf;
mod engine;
mod file;
mod fit;
mod opening;
mod places;
mod provider;
mod reading;
mod runtime;
mod signature;

use std::num::NonZeroUsize;
use std::path::PathBuf;

pub use description::{Constant, OnnxDescription, OnnxInput, OnnxOutput, Recurrence};
pub use engine::OnnxEngine;
pub use file::{ModelFormat, model_format};
pub use provider::Provider;
pub use runtime::{GET_RUNTIME, RuntimeInfo, find_runtime};
pub use signature::{Port, Signature};

/// Which ONNX Runtime is used, and how.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OnnxOptions {
    /// Path of the library; looked for where there is none.
    pub library: Option<PathBuf>,
    /// What shall do the work, the first that can before the next; the CPU does what is left.
    pub providers: Vec<Provider>,
    /// Threads on the CPU; by default as many as there are cores, four at most.
    pub threads: Option<NonZeroUsize>,
}

/// The longest side of an input or output. A model beyond that is none for pictures of a camera.
pub(crate) const SIDE_MAX_PX: u32 = 4096;

/// What a library says, on one line and not too long. ONNX Runtime puts the place in its source and
/// the function's signature before what went wrong: they are left out.
pub(crate) fn one_line(text: &str) -> String {
    const MOST: usize = 300;
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = without_place(&line).unwrap_or(&line);
    match line.char_indices().nth(MOST) {
        Some((end, _)) => format!("{} …", &line[..end]),
        None => line.to_owned(),
    }
}

/// What follows `…/file.cc:46 void function(…) `.
fn without_place(line: &str) -> Option<&str> {
    let place = [".cc:", ".h:"].into_iter().filter_map(|end| line.find(end)).min()?;
    let signature = &line[place..];
    let mut depth = 0;
    let (end, _) = signature.char_indices().find(|(_, letter)| {
        depth += i32::from(*letter == '(') - i32::from(*letter == ')');
        *letter == ')' && depth == 0
    })?;
    let rest = signature[end + 1..].trim_start();
    let rest = rest.strip_prefix("const ").unwrap_or(rest);
    (!rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::one_line;

    #[test]
    fn what_went_wrong_is_left_of_what_a_library_says() {
        let said = "Load model from /x failed:/src/core/graph.cc:46 void a::b(const c<d()>&, e) const \
                    ONNX Runtime\n only *guarantees* opset 26.";
        assert_eq!(one_line(said), "ONNX Runtime only *guarantees* opset 26.");
        assert_eq!(one_line("no such\n op (x.cc:3"), "no such op (x.cc:3");
        assert!(one_line(&"long ".repeat(100)).ends_with(" …"));
    }
}
