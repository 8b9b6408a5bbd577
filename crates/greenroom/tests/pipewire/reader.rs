//! A program that takes a camera from PipeWire, as strictly as OBS and libwebrtc do: it notes whatever they would refuse,
//! crash over, or show wrongly. And it judges each pixel.

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pipewire::context::ContextRc;
use pipewire::core::CoreRc;
use pipewire::loop_::Timeout;
use pipewire::main_loop::MainLoopRc;
use pipewire::node::Node;
use pipewire::properties::properties;
use pipewire::spa::buffer::DataType;
use pipewire::spa::buffer::meta::MetaHeader;
use pipewire::spa::param::ParamType;
use pipewire::spa::param::video::VideoInfoRaw;
use pipewire::spa::pod::deserialize::PodDeserializer;
use pipewire::spa::pod::serialize::PodSerializer;
use pipewire::spa::pod::{ChoiceValue, Object, Pod, Property, Value};
use pipewire::spa::sys;
use pipewire::spa::utils::{
    Choice, ChoiceEnum, ChoiceFlags, Direction, Fraction, Id, Rectangle, SpaTypes,
};
use pipewire::stream::{Stream, StreamFlags, StreamRc};
use pipewire::types::ObjectType;

/// What a reader has seen.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    pub frames: u64,
    pub composed: u64,
    pub placeholders: u64,
    /// Frames with a pixel of the room.
    pub leaks: u64,
    /// Frames that are partly the one and partly the other.
    pub torn: u64,
    /// Neither of these.
    pub strange: u64,
    /// What strict readers do not bear.
    pub complaints: Vec<String>,
}

/// A reader in a thread.
pub struct Reader {
    seen: Arc<Mutex<Seen>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Reader {
    /// Watches the camera called `name`, as soon as that is there. If it never `takes` a frame, it negotiates and then holds
    /// still.
    pub fn start(socket: PathBuf, name: &'static str, takes: bool) -> Self {
        let (seen, stop) =
            (Arc::new(Mutex::new(Seen::default())), Arc::new(AtomicBool::new(false)));
        let (ours, ends) = (Arc::clone(&seen), Arc::clone(&stop));
        let thread = thread::spawn(move || read(&socket, name, takes, &ours, &ends));
        Self { seen, stop, thread: Some(thread) }
    }

    pub fn seen(&self) -> Seen {
        self.seen.lock().unwrap().clone()
    }

    /// Waits until it has seen `frames` more; tells all.
    pub fn wait_for(&self, frames: u64) -> Seen {
        let target = self.seen().frames + frames;
        super::session::wait_until("frames", || self.seen().frames >= target);
        self.seen()
    }

    /// Waits until it has seen a composed picture after now.
    pub fn wait_for_picture(&self) {
        let before = self.seen().composed;
        super::session::wait_until("a picture", || self.seen().composed > before);
    }

    pub fn stop(mut self) -> Seen {
        self.end();
        self.seen()
    }

    fn end(&mut self) {
        self.stop.store(true, SeqCst);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.end();
    }
}

pub fn connect(socket: &Path) -> Option<(MainLoopRc, ContextRc, CoreRc)> {
    pipewire::init();
    let main_loop = MainLoopRc::new(None).unwrap();
    let context = ContextRc::new(&main_loop, None).unwrap();
    let remote = properties! { "remote.name" => socket.to_str().unwrap() };
    let core = context.connect_rc(Some(remote)).ok()?;
    Some((main_loop, context, core))
}

/// The formats that the camera called `name` offers, and its properties; as soon as it is there.
pub fn offered(socket: &Path, name: &str) -> (Vec<Value>, Vec<(String, String)>) {
    let (main_loop, _context, core) = connect(socket).unwrap();
    let registry = core.get_registry_rc().unwrap();
    let found = Rc::new(RefCell::new(None));
    let (finds, of, wanted) = (Rc::clone(&found), registry.clone(), name.to_owned());
    let _listener = registry
        .add_listener_local()
        .global(move |object| {
            let is_it = object.props.is_some_and(|props| props.get("node.name") == Some(&*wanted));
            if object.type_ == ObjectType::Node && is_it {
                finds.replace(Some(of.bind::<Node, _>(object).unwrap()));
            }
        })
        .register();
    let iterate = || main_loop.loop_().iterate(Timeout::Finite(Duration::from_millis(20)));
    super::session::wait_until("the camera", || {
        iterate();
        found.borrow().is_some()
    });
    let node = found.take().unwrap();
    let formats = Rc::new(RefCell::new(Vec::new()));
    let properties = Rc::new(RefCell::new(Vec::new()));
    let (takes, told) = (Rc::clone(&formats), Rc::clone(&properties));
    let _node_listener = node
        .add_listener_local()
        .param(move |_, id, _, _, param| {
            if let (ParamType::EnumFormat, Some(param)) = (id, param) {
                let value = PodDeserializer::deserialize_any_from(param.as_bytes());
                takes.borrow_mut().push(value.map_or(Value::None, |(_, value)| value));
            }
        })
        .info(move |info| {
            if let Some(props) = info.props() {
                let pairs = props.iter().map(|(key, value)| (key.to_owned(), value.to_owned()));
                told.replace(pairs.collect());
            }
        })
        .register();
    node.enum_params(0, Some(ParamType::EnumFormat), 0, u32::MAX);
    let done = Rc::new(Cell::new(false));
    let (ends, question) = (Rc::clone(&done), core.sync(0).unwrap());
    let _core_listener = core
        .add_listener_local()
        .done(move |_, seq| ends.set(ends.get() || seq == question))
        .register();
    super::session::wait_until("all formats", || {
        iterate();
        done.get() && !properties.borrow().is_empty()
    });
    (formats.take(), properties.take())
}

pub fn pod(object: Object) -> Vec<u8> {
    let cursor = std::io::Cursor::new(Vec::new());
    PodSerializer::serialize(cursor, &Value::Object(object)).unwrap().0.into_inner()
}

/// What browsers offer: any size and rate.
fn wish() -> Vec<u8> {
    let id = |key, value| Property::new(key, Value::Id(Id(value)));
    let size = |width, height| Rectangle { width, height };
    let sizes =
        ChoiceEnum::Range { default: size(640, 480), min: size(1, 1), max: size(8192, 8192) };
    let rate = |num| Fraction { num, denom: 1 };
    let rates = ChoiceEnum::Range { default: rate(30), min: rate(0), max: rate(1000) };
    let flags = ChoiceFlags::empty();
    pod(Object {
        type_: SpaTypes::ObjectParamFormat.as_raw(),
        id: ParamType::EnumFormat.as_raw(),
        properties: vec![
            id(sys::SPA_FORMAT_mediaType, sys::SPA_MEDIA_TYPE_video),
            id(sys::SPA_FORMAT_mediaSubtype, sys::SPA_MEDIA_SUBTYPE_raw),
            id(sys::SPA_FORMAT_VIDEO_format, sys::SPA_VIDEO_FORMAT_YUY2),
            Property::new(
                sys::SPA_FORMAT_VIDEO_size,
                Value::Choice(ChoiceValue::Rectangle(Choice(flags, sizes))),
            ),
            Property::new(
                sys::SPA_FORMAT_VIDEO_framerate,
                Value::Choice(ChoiceValue::Fraction(Choice(flags, rates))),
            ),
        ],
    })
}

/// The memory that browsers and that OBS ask for.
const MEMORY: [i32; 2] =
    [1 << sys::SPA_DATA_MemFd | 1 << sys::SPA_DATA_MemPtr, 1 << sys::SPA_DATA_MemPtr];

/// Readers that asked for memory: every second one asks as OBS does.
static ASKED: AtomicUsize = AtomicUsize::new(0);

/// One block of such memory, and a header.
fn buffers() -> [Vec<u8>; 2] {
    let int = |key, value| Property::new(key, Value::Int(value));
    let default = MEMORY[ASKED.fetch_add(1, SeqCst) % MEMORY.len()];
    let memory = ChoiceEnum::Flags { default, flags: Vec::new() };
    let memory = Value::Choice(ChoiceValue::Int(Choice(ChoiceFlags::empty(), memory)));
    let buffers = Object {
        type_: SpaTypes::ObjectParamBuffers.as_raw(),
        id: ParamType::Buffers.as_raw(),
        properties: vec![Property::new(sys::SPA_PARAM_BUFFERS_dataType, memory)],
    };
    let header = Object {
        type_: SpaTypes::ObjectParamMeta.as_raw(),
        id: ParamType::Meta.as_raw(),
        properties: vec![
            Property::new(sys::SPA_PARAM_META_type, Value::Id(Id(sys::SPA_META_Header))),
            int(sys::SPA_PARAM_META_size, size_of::<sys::spa_meta_header>() as i32),
        ],
    };
    [pod(buffers), pod(header)]
}

fn read(socket: &Path, name: &str, takes: bool, seen: &Arc<Mutex<Seen>>, stop: &Arc<AtomicBool>) {
    while !stop.load(SeqCst) {
        // PipeWire may just be away.
        if let Some((main_loop, _context, core)) = connect(socket) {
            watch(&main_loop, &core, name, takes, seen, stop);
        }
        thread::sleep(Duration::from_millis(50));
    }
}

/// Until it is to stop, or the connection is lost.
fn watch(
    main_loop: &MainLoopRc,
    core: &CoreRc,
    name: &str,
    takes: bool,
    seen: &Arc<Mutex<Seen>>,
    stop: &Arc<AtomicBool>,
) {
    let is_lost = Rc::new(Cell::new(false));
    let loses = Rc::clone(&is_lost);
    let _core_listener = core
        .add_listener_local()
        .error(move |id, _, result, _| {
            loses.set(loses.get() || (id == pipewire::core::PW_ID_CORE && result == -32));
        })
        .register();
    let properties = properties! {
        "media.type" => "Video",
        "media.category" => "Capture",
        "media.role" => "Camera",
        "target.object" => name,
    };
    let stream = StreamRc::new(core.clone(), "reader", properties).unwrap();
    let ours = Arc::clone(seen);
    let mut last = (i64::MIN, None::<u64>);
    let negotiated = Rc::new(Cell::new(Rectangle { width: 0, height: 0 }));
    let size = Rc::clone(&negotiated);
    let _listener = stream
        .add_local_listener::<()>()
        .param_changed(move |stream, (), id, param| {
            if id == ParamType::Format.as_raw()
                && let Some(param) = param
            {
                let mut format = VideoInfoRaw::new();
                format.parse(param).unwrap();
                negotiated.set(format.size());
                let params = buffers();
                let mut pods = params.each_ref().map(|bytes| Pod::from_bytes(bytes).unwrap());
                stream.update_params(&mut pods).unwrap();
            }
        })
        .process(move |stream, ()| {
            if takes {
                take(stream, size.get(), &mut ours.lock().unwrap(), &mut last);
            }
        })
        .register()
        .unwrap();
    let wish = wish();
    let flags = StreamFlags::AUTOCONNECT | StreamFlags::MAP_BUFFERS;
    stream.connect(Direction::Input, None, flags, &mut [Pod::from_bytes(&wish).unwrap()]).unwrap();
    // The loop runs all the time, and ends when the stream has ended: while it does not run, libpipewire calls back from its
    // own thread.
    let (ends, runs, stop) = (stream.clone(), main_loop.clone(), Arc::clone(stop));
    let timer = main_loop.loop_().add_timer(move |_| {
        if stop.load(SeqCst) || is_lost.get() {
            let _ = ends.disconnect();
            runs.quit();
        }
    });
    let often = Some(Duration::from_millis(50));
    timer.update_timer(often, often).into_result().unwrap();
    main_loop.run();
}

fn take(stream: &Stream, of: Rectangle, seen: &mut Seen, last: &mut (i64, Option<u64>)) {
    let Some(mut buffer) = stream.dequeue_buffer() else { return };
    let mut complaints = Vec::new();
    let mut complain = |is_well: bool, what: String| {
        if !is_well {
            complaints.push(what);
        }
    };
    match buffer.find_meta::<MetaHeader>() {
        None => complain(false, "no header".to_owned()),
        Some(header) => {
            let (time, number) = (header.pts(), header.as_raw().seq);
            complain(header.flags().is_empty(), format!("flags {:?}", header.flags()));
            // Who is late may see a buffer twice, with what is newest in it; a later frame has a later time.
            let is_later = last.1.is_some_and(|before| number > before);
            complain(!is_later || time > last.0, format!("time {time} after {}", last.0));
            *last = (time, Some(number));
        }
    }
    let blocks = buffer.datas_mut();
    complain(blocks.len() == 1, format!("{} blocks", blocks.len()));
    let Some(block) = blocks.first_mut() else { return };
    // Memory that PipeWire has mapped for the reader, by itself or by its descriptor.
    let is_shared = [DataType::MemPtr, DataType::MemFd].contains(&block.type_());
    complain(is_shared, format!("{:?}", block.type_()));
    let chunk = block.chunk();
    let (offset, size, stride) = (chunk.offset(), chunk.size(), chunk.stride());
    let fits = (offset, size, stride) == (0, of.width * of.height * 2, 2 * of.width as i32);
    complain(fits, format!("{offset} {size} {stride} of {of:?}"));
    let kind = block.data().map_or("strange", |bytes| judge(bytes));
    seen.frames += 1;
    *match kind {
        "composed" => &mut seen.composed,
        "placeholder" => &mut seen.placeholders,
        "room" => &mut seen.leaks,
        "torn" => &mut seen.torn,
        _ => &mut seen.strange,
    } += 1;
    seen.complaints.extend(complaints);
    seen.complaints.truncate(20);
}

/// What a packed YUYV picture shows: the red background, greenroom's dark green placeholder, or a pixel of the blue room.
pub fn judge(bytes: &[u8]) -> &'static str {
    let (mut room, mut red, mut calm, mut pairs) = (0, 0, 0, 0);
    for pair in bytes.chunks_exact(4) {
        let [_, u, _, v] = [pair[0], pair[1], pair[2], pair[3]];
        pairs += 1;
        room += usize::from(u > 160);
        red += usize::from(v > 190);
        calm += usize::from(u <= 135 && v <= 135);
    }
    match () {
        () if room > 0 => "room",
        () if red == pairs => "composed",
        () if calm == pairs => "placeholder",
        // A slow reader sees a buffer that is written anew: both halves were composed.
        () if red + calm == pairs => "torn",
        () => "strange",
    }
}
