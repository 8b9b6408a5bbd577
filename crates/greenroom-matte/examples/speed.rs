//! Our side of the comparison with the reference runtime; `xtask/speed.py` is the other side and
//! tells how to run both.
//!
//! Reads lines `MODEL ISA COUNT FILE` (`landscape best 20 photo.rgb`), runs that many inferences on
//! the 8-bit RGB picture of the model's size in FILE and answers with the processor time of one, in
//! nanoseconds.

use std::collections::HashMap;
use std::io::{BufRead, Write};
use std::time::Duration;

use greenroom_matte::{AlphaMap, Engine, InputTensor, Isa, Model, SelfieEngine};
use rustix::time::{ClockId, clock_gettime};

fn processor_time() -> Duration {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    Duration::new(now.tv_sec as u64, now.tv_nsec as u32)
}

fn main() {
    let mut engines = HashMap::new();
    for line in std::io::stdin().lock().lines() {
        let line = line.expect("stdin is text");
        let words: Vec<_> = line.split_whitespace().collect();
        let [model, isa, count, file] = words[..] else { panic!("give MODEL ISA COUNT FILE") };
        let (engine, input, alpha) =
            engines.entry([model, isa, file].map(str::to_owned)).or_insert_with(|| {
                let isa = if isa == "scalar" { Isa::SCALAR } else { Isa::best() };
                let model: Model = model.parse().expect("a model's name");
                let engine = SelfieEngine::built_in(model, isa).expect("built-in models load");
                let description = model.description();
                let mut input = InputTensor::new(&description);
                let rgb = std::fs::read(file).expect("FILE is readable");
                let pixels = rgb.len() / 3;
                for (at, value) in input.values_mut().iter_mut().enumerate() {
                    *value = f32::from(rgb[at % pixels * 3 + at / pixels]) / 255.0;
                }
                (engine, input, AlphaMap::new(&description))
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
