//! Reads I420 frames of a size from standard input and writes their mattes, grey, to standard
//! output: `refine WIDTH HEIGHT MODEL [all] [STEP]... [fps=FPS] [quality=QUALITY] [frames_per_inference=N] [small]`, steps as `[cut]` has them, `key=COLOUR`, and `main` for one person; of
//! frames that come 30 times a second if nothing else is said.
//! Prints to standard error what preparing, inferring, refining, fitting and composing take, in microseconds: medians at the
//! end, or with `each` a line a frame, then how much of inferring and of refining the network took, and where the mask comes from.
//! `cargo xtask cost` and `cargo xtask choice` run it.

use std::io::{Read, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use greenroom_frame::{Colour, Compositor, Frame, MatteView, PixelFormat, SizePx};
use greenroom_matte::{
    AlphaMap, Effort, Engine, Guide, Input, InputTensor, Isa, KeyColour, MatteError, MatteMaker,
    Model, ModelDescription, People, RefineSteps, ScreenKey, SecondOpinion, SelfieEngine, Upscaler,
};

/// An engine that adds up the nanoseconds that it takes.
struct Timed(SelfieEngine, Arc<AtomicU64>);

impl Engine for Timed {
    fn description(&self) -> &ModelDescription {
        self.0.description()
    }

    fn other_sizes(&self) -> &[SizePx] {
        self.0.other_sizes()
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        let start = Instant::now();
        let result = self.0.infer(input, alpha);
        self.1.fetch_add(start.elapsed().as_nanos() as u64, Ordering::Relaxed);
        result
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let size = SizePx::new(words[0].parse()?, words[1].parse()?);
    let has = |word: &str| words.iter().any(|have| have == word);
    let some = RefineSteps {
        crop: has("crop"),
        exposure: has("exposure"),
        denoise: has("denoise"),
        islands: has("islands"),
        people: if has("main") { People::Main } else { People::All },
        raise: has("raise"),
        second_opinion: has("second_opinion"),
        smooth: has("smooth"),
        guide: has("guide"),
        spill: has("spill"),
        ..RefineSteps::NONE
    };
    let quality = words.iter().find_map(|word| word.strip_prefix("quality=")).map(str::parse);
    let quality = quality.transpose()?.unwrap_or_default();
    let steps = if has("all") { RefineSteps::default() } else { some };
    let steps = RefineSteps { quality, ..steps };
    let (model, isa): (Model, _) = (words[2].parse()?, Isa::best());
    let looked = Arc::new(AtomicU64::new(0));
    let maker = if has("small") {
        MatteMaker::governable(model, steps.quality)?
    } else {
        let engine = SelfieEngine::of_quality(model, steps.quality, isa)?;
        MatteMaker::with_engine(Box::new(Timed(engine, looked.clone())), isa)?
    };
    let mut maker = maker.refined(steps)?;
    if steps.second_opinion {
        maker = maker.with_second_opinion(SecondOpinion::at_once()?.paced(steps.quality));
    }
    let frames_per_inference =
        words.iter().find_map(|word| word.strip_prefix("frames_per_inference="));
    maker.set_effort(Effort {
        frames_per_inference: frames_per_inference.map(str::parse).transpose()?.unwrap_or(1),
        input: if has("small") { Input::Small } else { Input::Full },
        ..Effort::default()
    });
    let mut frame = Frame::new(PixelFormat::I420, size, Colour::WEBCAM)?;
    let half = frame.format().chroma().plane_size(size);
    let (mut guide, mut plain) = (Guide::new(), [Upscaler::new(), Upscaler::new()]);
    guide = if steps.spill { guide.with_spill() } else { guide };
    let key = words.iter().find_map(|word| word.strip_prefix("key=")).map(str::parse::<KeyColour>);
    let mut key = key.transpose()?.map(ScreenKey::new);
    let background = Frame::new(PixelFormat::I420, size, Colour::WEBCAM)?;
    let (mut compositor, mut composed) = (Compositor::default(), background.clone());
    let fps = words.iter().find_map(|word| word.strip_prefix("fps=")?.parse().ok()).unwrap_or(30.0);
    let start_of_clip = Instant::now();
    let (mut times, mut out) = ([const { Vec::new() }; 5], std::io::stdout().lock());
    while std::io::stdin().lock().read_exact(frame.bytes_mut()).is_ok() {
        let time = Duration::from_secs_f64(times[0].len() as f64 / fps);
        frame.set_captured_at(start_of_clip + time);
        let start = Instant::now();
        maker.prepare(&frame.view())?;
        times[0].push(start.elapsed());
        let start = Instant::now();
        maker.infer()?;
        times[1].push(start.elapsed());
        let look_ns = looked.swap(0, Ordering::Relaxed);
        let start = Instant::now();
        let alpha = maker.refine(&frame.view())?;
        times[2].push(start.elapsed());
        let more_looks_ns = looked.swap(0, Ordering::Relaxed);
        let start = Instant::now();
        let keyed = match &mut key {
            Some(key) => key.pull(&alpha.view(), &frame.view())?,
            None => None,
        };
        if steps.guide {
            let alpha = keyed.unwrap_or(alpha.view());
            guide.fit(&alpha, &frame.view())?;
        } else {
            let planes = guide.planes_mut().into_iter().zip([size, half]).zip(&mut plain);
            for ((plane, size), upscaler) in planes {
                plane.reshape(PixelFormat::Grey, size, Colour::JPEG)?;
                upscaler.upscale(&alpha.view(), &mut plane.view_mut())?;
            }
        }
        if let Some(key) = &mut key {
            let [luma, chroma] = guide.planes_mut();
            key.draw(&frame.view(), luma, chroma);
        }
        times[3].push(start.elapsed());
        let start = Instant::now();
        let [luma, chroma] = guide.planes();
        let matte = MatteView::new(frame.view(), luma, chroma)?;
        let matte = matte.with_edge(guide.edge()).with_blocks(guide.blocks());
        compositor.compose(frame.view(), background.view().into(), matte, None, &mut composed)?;
        times[4].push(start.elapsed());
        out.write_all(guide.planes()[0].bytes())?;
        if has("each") {
            out.flush()?;
            let newest = times.each_ref().map(|times| times[times.len() - 1]);
            let looks = [look_ns, more_looks_ns].map(Duration::from_nanos);
            eprintln!("{} {} {:?}", in_micros(newest), in_micros(looks), maker.origin());
        }
    }
    if has("each") {
        return Ok(());
    }
    let medians = times.map(|mut times: Vec<Duration>| {
        times.sort();
        times.get(times.len() / 2).copied().unwrap_or_default()
    });
    eprintln!("{}", in_micros(medians));
    Ok(())
}

fn in_micros<const N: usize>(times: [Duration; N]) -> String {
    times.map(|time| format!("{:.1}", time.as_secs_f64() * 1e6)).join(" ")
}
