//! A server in this process, with a network whose masks are known: what is white is the person.

use std::net::TcpListener;
use std::sync::atomic::{AtomicU32, Ordering::SeqCst};
use std::sync::{Arc, Condvar, Mutex};
use std::thread::sleep;
use std::time::{Duration, Instant};

use greenroom::masks::{Limits, Server};
use greenroom_frame::SizePx;
use greenroom_matte::{
    AlphaMap, ChannelOrder, Engine, InputTensor, Isa, Layout, MatteError, MatteMaker, Model,
    ModelDescription, Normalisation, OutputMeaning,
};

use crate::http::PATIENCE;

/// Whether networks may go on, and how many pictures came as far as to them.
#[derive(Debug, Default)]
struct Door {
    is_open: Mutex<bool>,
    opened: Condvar,
    arrived: AtomicU32,
}

impl Door {
    fn pass(&self) {
        self.arrived.fetch_add(1, SeqCst);
        let is_open = self.is_open.lock().unwrap();
        drop(self.opened.wait_while(is_open, |is_open| !*is_open).unwrap());
    }
}

/// Holds the network up until it is opened or dropped, so that a test knows what the server is at.
pub struct Gate(Arc<Door>);

impl Gate {
    pub fn open(&self) {
        *self.0.is_open.lock().unwrap() = true;
        self.0.opened.notify_all();
    }

    /// Pictures that came as far as to the network.
    pub fn arrived(&self) -> u32 {
        self.0.arrived.load(SeqCst)
    }

    /// Waits until a picture stands before the closed gate.
    pub fn wait_for_arrival(&self) {
        let since = Instant::now();
        while self.arrived() == 0 {
            assert!(since.elapsed() < PATIENCE, "no picture comes to the network");
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// Takes `work` for a picture, panics at a red one and errs at a blue one.
struct Stub {
    description: ModelDescription,
    work: Duration,
    door: Arc<Door>,
    resets: Arc<AtomicU32>,
}

impl Engine for Stub {
    fn description(&self) -> &ModelDescription {
        &self.description
    }

    fn infer(&mut self, input: &InputTensor, alpha: &mut AlphaMap) -> Result<(), MatteError> {
        sleep(self.work);
        self.door.pass();
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
    let (server, counts, gate) = serve_gated(limits, work);
    gate.open();
    (server, counts)
}

/// With a gate before the network, which is closed.
pub fn serve_gated(limits: Limits, work: Duration) -> (Server, Counts, Gate) {
    let door: Arc<Door> = Arc::default();
    let gate = Gate(Arc::clone(&door));
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
        let (door, resets) = (Arc::clone(&door), Arc::clone(&resets));
        let stub = Stub { description, work, door, resets };
        MatteMaker::with_engine(Box::new(stub), Isa::best())
    };
    let matte = make().unwrap();
    let remake = Box::new(move || {
        remade.fetch_add(1, SeqCst);
        make()
    });
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    (Server::start(listener, limits, matte, remake).unwrap(), counts, gate)
}

/// With no work to speak of.
pub fn quick(limits: Limits) -> (Server, Counts) {
    serve(limits, Duration::ZERO)
}
