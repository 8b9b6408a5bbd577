//! A server in this process, with a network whose masks are known: what is white is the person.

use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::thread::sleep;
use std::time::Duration;

use greenroom::masks::server::{Limits, Server};
use greenroom_frame::SizePx;
use greenroom_matte::{
    AlphaMap, ChannelOrder, Engine, InputTensor, Isa, Layout, MatteError, MatteMaker, Model,
    ModelDescription, Normalisation, OutputMeaning,
};

/// Takes `work` for a picture, panics at a red one and errs at a blue one.
struct Stub {
    description: ModelDescription,
    work: Duration,
    resets: Arc<AtomicU32>,
}

impl Engine for Stub {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        sleep(self.work);
        let (pixels, _) = input.values().as_chunks::<3>();
        let [red, green, blue] = pixels[0].map(|channel| channel > 0.6);
        assert!(!red || green, "a red picture");
        if blue && !green {
            return Err(MatteError::UnsupportedFrame {
                format: greenroom_frame::PixelFormat::Yuyv,
            });
        }
        for (alpha, pixel) in alpha.values_mut().iter_mut().zip(pixels) {
            *alpha = pixel[1];
        }
        Ok(())
    }

    fn reset(&mut self) {
        self.resets.fetch_add(1, SeqCst);
    }
}

pub struct Counts {
    /// Networks made anew.
    pub remade: Arc<AtomicU32>,
    /// Times a network was told to forget.
    pub resets: Arc<AtomicU32>,
}

pub fn serve(limits: Limits, work: Duration) -> (Server, Counts) {
    let (remade, resets) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
    let counts = Counts { remade: Arc::clone(&remade), resets: Arc::clone(&resets) };
    let make = move || {
        let size = SizePx::new(128, 128);
        let description = ModelDescription {
            name: "stub".into(),
            input_size: size,
            layout: Layout::Nhwc,
            channel_order: ChannelOrder::Rgb,
            normalisation: Normalisation::UNIT,
            output_size: size,
            output: OutputMeaning::Alpha,
            ..Model::DEFAULT.description().clone()
        };
        let stub = Stub { description, work, resets: Arc::clone(&resets) };
        MatteMaker::with_engine(Box::new(stub), Isa::best())
    };
    let matte = make().unwrap();
    let remake = Box::new(move || {
        remade.fetch_add(1, SeqCst);
        make()
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (Server::start(listener, limits, matte, remake).unwrap(), counts)
}

/// With no work to speak of.
pub fn quick(limits: Limits) -> (Server, Counts) {
    serve(limits, Duration::ZERO)
}
