//! Our side of the comparison with the reference runtime; `xtask/speed.py` is the other side and
//! tells how to run both.
//!
//! Reads lines `MODEL ISA COUNT FILE` (`landscape best 20 photo.rgb`), runs that many inferences on
//! the 8-bit RGB picture of the model's size in FILE and answers with the processor time of one, in
//! nanoseconds. MODEL is the name of a built-in model or `multiclass`, ISA is `best` or as `greenroom` names it (`scalar`,
//! `AVX2+FMA`, `AVX-512`, `AVX-512+BF16`).

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Duration;

use greenroom_matte::{AlphaMap, Engine, InputTensor, Isa, MulticlassEngine, SelfieEngine};
use rustix::time::{ClockId, clock_gettime};

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn engine(model: &str, isa: Isa) -> Box<dyn Engine> {
    const LOADS: &str = "built-in models load";
    if model == "multiclass" {
        let file = MulticlassEngine::file();
        return Box::new(MulticlassEngine::from_tflite(model, file, isa).expect(LOADS));
    }
    let model = model.parse().expect("a model's name");
    Box::new(SelfieEngine::built_in(model, isa).expect(LOADS))
}

fn main() {
    let mut engines = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("stdin is text");
        let words: Vec<_> = line.split_whitespace().collect();
        let [model, isa, count, file] = words[..] else { panic!("give MODEL ISA COUNT FILE") };
        let (engine, input, alpha) =
            engines.entry([model, isa, file].map(str::to_owned)).or_insert_with(|| {
                let isa = match isa {
                    "best" => Isa::best(),
                    name => Isa::available()
                        .find(|isa| isa.to_string() == name)
                        .expect("ISA is `best` or an instruction set of this machine"),
                };
                let engine = engine(model, isa);
                let description = engine.description();
                let (scale, offset) =
                    (description.normalisation.scale[0], description.normalisation.offset[0]);
                let mut input = InputTensor::new(description);
                let alpha = AlphaMap::new(description);
                let rgb = std::fs::read(file).expect("FILE is readable");
                let pixels = rgb.len() / 3;
                for (at, value) in input.values_mut().iter_mut().enumerate() {
                    let unit = f32::from(rgb[at % pixels * 3 + at / pixels]) / 255.0;
                    *value = unit * scale + offset;
                }
                (engine, input, alpha)
            });
        let count: u32 = count.parse().expect("a count");
        let start = processor_time();
        for _ in 0..count {
            engine.infer(input, alpha).expect("the tensors were made for the model");
        }
        println!("{}", ((processor_time() - start) / count).as_nanos());
        std::io::stdout().flush().expect("stdout is open");
    }
}
