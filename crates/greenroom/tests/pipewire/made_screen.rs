//! A screen as a compositor shows it: pictures come when something has changed, and one at first.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pipewire::loop_::Timeout;
use pipewire::properties::properties;
use pipewire::spa::param::ParamType;
use pipewire::spa::param::video::VideoInfoRaw;
use pipewire::spa::pod::{ChoiceValue, Object, Pod, Property, Value};
use pipewire::spa::sys;
use pipewire::spa::utils::{
    Choice, ChoiceEnum, ChoiceFlags, Direction, Fraction, Id, Rectangle, SpaTypes,
};
use pipewire::stream::{Stream, StreamFlags, StreamRc, StreamState};

use super::own_camera::{Said, buffers};
use super::reader::{connect, pod};
use super::session::{Session, wait_until};

/// As red, green and blue.
pub type Rgb = [u8; 3];

/// What the screen shows: its left half, its right half.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    pub size: (u32, u32),
    pub left: Rgb,
    pub right: Rgb,
}

#[derive(Default)]
struct Shared {
    shown: Mutex<Option<Shown>>,
    node: AtomicU32,
    sent: AtomicU64,
    leaves: AtomicBool,
    stop: AtomicBool,
}

/// A screen in a thread.
pub struct MadeScreen {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl MadeScreen {
    /// A screen whose node is called `screen`; pixels are in the order of `format`, one of libpipewire's.
    pub fn start(session: &Session, format: u32, shown: Shown) -> Self {
        let shared = Arc::new(Shared::default());
        shared.node.store(u32::MAX, SeqCst);
        *shared.shown.lock().unwrap() = Some(shown);
        let (ours, socket) = (Arc::clone(&shared), session.socket());
        let thread = thread::spawn(move || serve(&socket, format, &ours));
        let screen = Self { shared, thread: Some(thread) };
        wait_until("the screen's node", || screen.node() != u32::MAX);
        screen
    }

    pub fn node(&self) -> u32 {
        self.shared.node.load(SeqCst)
    }

    pub fn show(&self, shown: Shown) {
        *self.shared.shown.lock().unwrap() = Some(shown);
    }

    /// It goes, as a window that is closed, when somebody wants to see it.
    pub fn leave_when_wanted(&self) {
        self.shared.leaves.store(true, SeqCst);
    }

    /// Pictures that it has sent.
    pub fn sent(&self) -> u64 {
        self.shared.sent.load(SeqCst)
    }
}

impl Drop for MadeScreen {
    fn drop(&mut self) {
        self.shared.stop.store(true, SeqCst);
        let _ = self.thread.take().unwrap().join();
    }
}

fn format(id: u32, (width, height): (u32, u32)) -> Vec<u8> {
    let property = |key, value| Property::new(key, Value::Id(Id(value)));
    let fps = |num| Fraction { num, denom: 1 };
    let most = ChoiceEnum::Range { default: fps(60), min: fps(1), max: fps(60) };
    let most = Value::Choice(ChoiceValue::Fraction(Choice(ChoiceFlags::empty(), most)));
    let size = Value::Rectangle(Rectangle { width, height });
    pod(Object {
        type_: SpaTypes::ObjectParamFormat.as_raw(),
        id: ParamType::EnumFormat.as_raw(),
        properties: vec![
            property(sys::SPA_FORMAT_mediaType, sys::SPA_MEDIA_TYPE_video),
            property(sys::SPA_FORMAT_mediaSubtype, sys::SPA_MEDIA_SUBTYPE_raw),
            property(sys::SPA_FORMAT_VIDEO_format, id),
            Property::new(sys::SPA_FORMAT_VIDEO_size, size),
            Property::new(sys::SPA_FORMAT_VIDEO_framerate, Value::Fraction(fps(0))),
            Property::new(sys::SPA_FORMAT_VIDEO_maxFramerate, most),
        ],
    })
}

/// With padding, as many graphics cards have.
fn stride(width: u32) -> u32 {
    4 * width + 64
}

fn serve(socket: &Path, id: u32, shared: &Arc<Shared>) {
    let (main_loop, _context, core) = connect(socket).unwrap();
    let properties = properties! {
        "media.class" => "Video/Source",
        "media.role" => "Screen",
        "node.name" => "screen",
        "node.description" => "Made screen",
    };
    let stream = StreamRc::new(core, "screen", properties).unwrap();
    let agreed = Arc::new(Mutex::new(None));
    let (agrees, wanted) = (Arc::clone(&agreed), Arc::clone(shared));
    let _listener = stream
        .add_local_listener::<()>()
        .param_changed(move |stream, (), id, param| {
            if id != ParamType::Format.as_raw() {
                return;
            }
            let size = param.map(|param| {
                let mut format = VideoInfoRaw::new();
                format.parse(param).unwrap();
                assert!(format.max_framerate().num <= 30, "{format:?}");
                (format.size().width, format.size().height)
            });
            if size.is_some() && wanted.leaves.load(SeqCst) {
                return wanted.stop.store(true, SeqCst);
            }
            *agrees.lock().unwrap() = size;
            if let Some(size) = size {
                let stride = stride(size.0);
                let said = Said { offset: 0, size: stride * size.1, stride: stride as i32 };
                let params = buffers(said);
                stream.update_params(&mut [Pod::from_bytes(&params).unwrap()]).unwrap();
            }
        })
        .register()
        .unwrap();
    let mut offered = shared.shown.lock().unwrap().unwrap().size;
    let offer = format(id, offered);
    let flags = StreamFlags::DRIVER | StreamFlags::MAP_BUFFERS | StreamFlags::RT_PROCESS;
    let direction = Direction::Output;
    stream.connect(direction, None, flags, &mut [Pod::from_bytes(&offer).unwrap()]).unwrap();
    let mut sent = None;
    while !shared.stop.load(SeqCst) {
        main_loop.loop_().iterate(Timeout::Finite(Duration::from_millis(20)));
        shared.node.store(stream.node_id(), SeqCst);
        let shown = shared.shown.lock().unwrap().unwrap();
        if shown.size != offered {
            offered = shown.size;
            let offer = format(id, offered);
            stream.update_params(&mut [Pod::from_bytes(&offer).unwrap()]).unwrap();
        }
        if !matches!(stream.state(), StreamState::Streaming) {
            // Whoever links to it gets what there is.
            sent = None;
        } else if sent != Some(shown)
            && *agreed.lock().unwrap() == Some(shown.size)
            && send(&stream, id, shown)
        {
            sent = Some(shown);
            shared.sent.fetch_add(1, SeqCst);
        }
    }
}

/// Whether it could be sent.
fn send(stream: &Stream, id: u32, shown: Shown) -> bool {
    let (width, height) = shown.size;
    let Some(mut buffer) = stream.dequeue_buffer() else { return false };
    let block = &mut buffer.datas_mut()[0];
    let size = stride(width) * height;
    let Some(memory) = block.data().filter(|memory| memory.len() >= size as usize) else {
        return false;
    };
    let pixel = |[r, g, b]: Rgb| match id {
        sys::SPA_VIDEO_FORMAT_BGRx | sys::SPA_VIDEO_FORMAT_BGRA => [b, g, r, 255],
        _ => [r, g, b, 255],
    };
    for row in memory[..size as usize].chunks_exact_mut(stride(width) as usize) {
        // What is in the padding is nobody's.
        row.fill(0x5a);
        let (pixels, _) = row[..4 * width as usize].as_chunks_mut::<4>();
        let (left, right) = pixels.split_at_mut(width as usize / 2);
        left.fill(pixel(shown.left));
        right.fill(pixel(shown.right));
    }
    let chunk = block.chunk_mut();
    (*chunk.offset_mut(), *chunk.size_mut()) = (0, size);
    *chunk.stride_mut() = stride(width) as i32;
    drop(buffer);
    let _ = stream.trigger_process();
    true
}

/// Where the stub of the portal's backend reads what the user chooses.
pub fn answer(session: &Session, answer: &str) {
    std::fs::write(session.at("screen-answer"), answer).unwrap();
}

/// The calls that it had.
pub fn calls(session: &Session) -> Vec<serde_json::Value> {
    let path: PathBuf = session.at("screen-calls.jsonl");
    let text = std::fs::read_to_string(path).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}
