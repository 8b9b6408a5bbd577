//! A camera on PipeWire that the tests make themselves: it may say wrong things of its frames, and come back at once. (The
//! camera that GStreamer makes dies now and then when it is linked in its first moments: pipewiresink 0.3.65.)

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering::SeqCst};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use pipewire::loop_::Timeout;
use pipewire::properties::properties;
use pipewire::spa::param::ParamType;
use pipewire::spa::pod::{ChoiceValue, Object, Pod, Property, Value};
use pipewire::spa::sys;
use pipewire::spa::utils::{
    Choice, ChoiceEnum, ChoiceFlags, Direction, Fraction, Id, Rectangle, SpaTypes,
};
use pipewire::stream::{Stream, StreamFlags, StreamRc, StreamState};

use super::reader::{connect, pod};
use super::session::wait_until;

/// What the camera says of the YUYV samples in a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Said {
    pub offset: u32,
    pub size: u32,
    pub stride: i32,
}

/// A camera of YUYV frames, in a thread.
pub struct OwnCamera {
    /// The size of its frames, and what it says of them.
    sends: Arc<Mutex<((u32, u32), Said)>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

/// As it is.
pub fn truth(width: u32, height: u32) -> Said {
    Said { offset: 0, size: width * height * 2, stride: 2 * width as i32 }
}

impl OwnCamera {
    /// Called `name`, with frames of that size.
    pub fn start(socket: PathBuf, name: &'static str, (width, height): (u32, u32)) -> Self {
        let sends = Arc::new(Mutex::new(((width, height), truth(width, height))));
        let stop = Arc::new(AtomicBool::new(false));
        let (ours, ends) = (Arc::clone(&sends), Arc::clone(&stop));
        let thread = thread::spawn(move || serve(&socket, name, &ours, &ends));
        Self { sends, stop, thread: Some(thread) }
    }

    /// What it says from now on.
    pub fn say(&self, said: Said) {
        self.sends.lock().unwrap().1 = said;
    }

    /// Offers another size in the middle of the stream.
    pub fn resize(&self, (width, height): (u32, u32)) {
        *self.sends.lock().unwrap() = ((width, height), truth(width, height));
    }
}

impl Drop for OwnCamera {
    fn drop(&mut self) {
        self.stop.store(true, SeqCst);
        let _ = self.thread.take().unwrap().join();
    }
}

fn format((width, height): (u32, u32)) -> Vec<u8> {
    let id = |key, value| Property::new(key, Value::Id(Id(value)));
    let size = Rectangle { width, height };
    pod(Object {
        type_: SpaTypes::ObjectParamFormat.as_raw(),
        id: ParamType::EnumFormat.as_raw(),
        properties: vec![
            id(sys::SPA_FORMAT_mediaType, sys::SPA_MEDIA_TYPE_video),
            id(sys::SPA_FORMAT_mediaSubtype, sys::SPA_MEDIA_SUBTYPE_raw),
            id(sys::SPA_FORMAT_VIDEO_format, sys::SPA_VIDEO_FORMAT_YUY2),
            Property::new(sys::SPA_FORMAT_VIDEO_size, Value::Rectangle(size)),
            Property::new(
                sys::SPA_FORMAT_VIDEO_framerate,
                Value::Fraction(Fraction { num: 15, denom: 1 }),
            ),
        ],
    })
}

/// Buffers for frames that it says this of, in memory with a descriptor.
pub fn buffers(said: Said) -> Vec<u8> {
    let int = |key, value| Property::new(key, Value::Int(value));
    let memory = ChoiceEnum::Flags { default: 1 << sys::SPA_DATA_MemFd, flags: Vec::new() };
    let memory = Value::Choice(ChoiceValue::Int(Choice(ChoiceFlags::empty(), memory)));
    pod(Object {
        type_: SpaTypes::ObjectParamBuffers.as_raw(),
        id: ParamType::Buffers.as_raw(),
        properties: vec![
            int(sys::SPA_PARAM_BUFFERS_buffers, 4),
            int(sys::SPA_PARAM_BUFFERS_blocks, 1),
            int(sys::SPA_PARAM_BUFFERS_size, said.size as i32),
            int(sys::SPA_PARAM_BUFFERS_stride, said.stride),
            Property::new(sys::SPA_PARAM_BUFFERS_dataType, memory),
        ],
    })
}

fn serve(socket: &Path, name: &str, sends: &Arc<Mutex<((u32, u32), Said)>>, stop: &AtomicBool) {
    // PipeWire may have been started just now.
    let mut connected = None;
    wait_until("PipeWire", || {
        connected = connect(socket);
        connected.is_some()
    });
    let (main_loop, _context, core) = connected.unwrap();
    let properties = properties! {
        "media.class" => "Video/Source",
        "media.role" => "Camera",
        "node.name" => name,
        "node.description" => format!("Own {name}"),
    };
    let stream = StreamRc::new(core, name, properties).unwrap();
    let (mut size, _) = *sends.lock().unwrap();
    let of_buffers = Arc::clone(sends);
    let _listener = stream
        .add_local_listener::<()>()
        .param_changed(move |stream, (), id, param| {
            if id == ParamType::Format.as_raw() && param.is_some() {
                let ((width, height), _) = *of_buffers.lock().unwrap();
                let params = buffers(truth(width, height));
                stream.update_params(&mut [Pod::from_bytes(&params).unwrap()]).unwrap();
            }
        })
        .register()
        .unwrap();
    let offered = format(size);
    let flags = StreamFlags::DRIVER | StreamFlags::MAP_BUFFERS | StreamFlags::RT_PROCESS;
    stream
        .connect(Direction::Output, None, flags, &mut [Pod::from_bytes(&offered).unwrap()])
        .unwrap();
    while !stop.load(SeqCst) {
        main_loop.loop_().iterate(Timeout::Finite(Duration::from_millis(60)));
        let (wanted, said) = *sends.lock().unwrap();
        if wanted != size {
            size = wanted;
            stream.update_params(&mut [Pod::from_bytes(&format(size)).unwrap()]).unwrap();
        } else if matches!(stream.state(), StreamState::Streaming) {
            send(&stream, said);
        }
    }
}

/// A frame of the blue room.
fn send(stream: &Stream, said: Said) {
    if let Some(mut buffer) = stream.dequeue_buffer() {
        let block = &mut buffer.datas_mut()[0];
        if let Some(memory) = block.data() {
            let (pixels, _) = memory.as_chunks_mut::<4>();
            pixels.fill([70, 210, 70, 100]);
        }
        let chunk = block.chunk_mut();
        *chunk.offset_mut() = said.offset;
        *chunk.size_mut() = said.size;
        *chunk.stride_mut() = said.stride;
    }
    let _ = stream.trigger_process();
}
