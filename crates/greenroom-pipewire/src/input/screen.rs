//! A screen or window that the desktop shows us, over a connection that its portal has made for that.

use std::cell::Cell;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::rc::Rc;
use std::time::{Duration, Instant};

use greenroom_device::{CameraDecoder, Decoded, DeviceError, FrameRate, Wake, instant_of};
use greenroom_frame::{Colour, Frame, FrameView, PixelFormat, RgbOrder, SizePx};
use pipewire::core;
use pipewire::keys;
use pipewire::loop_::Timeout;
use pipewire::properties::properties;
use pipewire::registry;

use super::chunk::{Content, content, rgb_picture};
use super::formats::{Negotiated, negotiated, negotiated_rgb};
use super::listeners::{Shared, listen_to_core};
use super::offers;
use super::stream::{InputStream, WantedStream};
use crate::connection::Connection;
use crate::error::PipewireError;
use crate::raw::{Copies, Received};

/// What is offered first; every size is taken.
const USUAL: SizePx = SizePx::new(1920, 1080);
/// How long PipeWire may take to tell of the screen's node.
const PATIENCE: Duration = Duration::from_secs(5);

/// Pictures of a screen or window. A connection is there as long as this is, and the stream only while it
/// [plays](Self::play): a screen costs its compositor a copy of each picture. Used by the thread that makes it.
///
/// The source of method is the portal's description of ScreenCast, and what mutter, KWin and xdg-desktop-portal-wlr do:
/// pictures come when something changes; a window that is smaller than its pictures tells which part it has.
pub struct ScreenStream {
    /// Dropped in this order.
    stream: Option<InputStream>,
    _registry_listener: registry::Listener,
    _core_listener: core::Listener,
    connection: Connection,
    shared: Rc<Shared>,
    node: Rc<Cell<Node>>,
    node_id: u32,
    frames: Wake,
    agreed: Option<Agreed>,
    /// Since when a picture must come: the stream has begun, or has another format.
    awaits_since: Option<Instant>,
    decoder: CameraDecoder,
    /// Memory for planes that come in blocks of their own.
    planes: Vec<u8>,
    copies: Copies,
    picture: Frame,
}

/// What the registry says of the screen's node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Node {
    Unseen,
    There,
    Gone,
}

/// The form of the pictures.
#[derive(Debug, Clone, Copy)]
enum Agreed {
    Rgb(RgbOrder, SizePx),
    Yuv(Negotiated),
}

impl ScreenStream {
    /// Connects over `remote`, which the portal has opened, to see the screen that is node `node_id` there. No stream yet.
    ///
    /// # Errors
    /// [`DeviceError::Elsewhere`] when PipeWire does not answer, or there is no such node.
    pub fn connect(remote: OwnedFd, node_id: u32) -> Result<Self, DeviceError> {
        Self::try_connect(remote, node_id).map_err(|error| error.of_screen().into())
    }

    fn try_connect(remote: OwnedFd, node_id: u32) -> Result<Self, PipewireError> {
        let no_screen = |why: String| PipewireError::NoScreen { why };
        let connection = Connection::new(Some(remote), no_screen)?;
        let shared = Rc::new(Shared::default());
        let core_listener = listen_to_core(&connection.core, &shared);
        let node = Rc::new(Cell::new(Node::Unseen));
        let (come, gone) = (Rc::clone(&node), Rc::clone(&node));
        let registry_listener = connection
            .registry
            .add_listener_local()
            .global(move |object| {
                // What comes after it has gone is another one with its number.
                if object.id == node_id && come.get() == Node::Unseen {
                    come.set(Node::There);
                }
            })
            .global_remove(move |id| {
                if id == node_id {
                    gone.set(Node::Gone);
                }
            })
            .register();
        let failed = |error: std::io::Error| no_screen(error.to_string());
        let blank = Frame::new(PixelFormat::I420, SizePx::new(2, 2), Colour::WEBCAM);
        let mut screen = Self {
            stream: None,
            _registry_listener: registry_listener,
            _core_listener: core_listener,
            connection,
            shared,
            node,
            node_id,
            frames: Wake::new().map_err(failed)?,
            agreed: None,
            awaits_since: None,
            decoder: CameraDecoder::new(),
            planes: Vec::new(),
            copies: Copies::default(),
            picture: blank.map_err(|error| no_screen(error.to_string()))?,
        };
        screen.wait_for_node()?;
        Ok(screen)
    }

    /// Only what is there is asked for: nothing else may be linked in its place.
    fn wait_for_node(&mut self) -> Result<(), PipewireError> {
        let deadline = Instant::now() + PATIENCE;
        while self.node.get() == Node::Unseen {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Err(PipewireError::ScreenGone);
            }
            self.iterate(left)?;
        }
        Ok(())
    }

    /// Readable when PipeWire has something to tell: then [`follow`](Self::follow) takes it in.
    pub fn news_fd(&self) -> BorrowedFd<'_> {
        self.connection.fd()
    }

    /// Readable when a picture has come: then [`newest`](Self::newest) makes it unreadable again.
    pub fn pictures_fd(&self) -> BorrowedFd<'_> {
        self.frames.as_fd()
    }

    /// Whether there is a stream.
    pub fn plays(&self) -> bool {
        self.stream.is_some()
    }

    /// Since when it owes a picture, if it does: it plays and has sent none yet, or none in a new format.
    pub fn awaits_since(&self) -> Option<Instant> {
        self.awaits_since
    }

    /// Begins the stream, or begins it anew: a screen that stands still sends its picture once.
    ///
    /// # Errors
    /// [`DeviceError::Elsewhere`] when PipeWire refuses.
    pub fn play(&mut self) -> Result<(), DeviceError> {
        self.rest();
        let wanted = || -> Result<_, PipewireError> {
            let properties = properties! {
                *keys::MEDIA_TYPE => "Video",
                *keys::MEDIA_CATEGORY => "Capture",
                *keys::MEDIA_ROLE => "Screen",
                *keys::NODE_NAME => "greenroom-screen",
                *keys::NODE_DESCRIPTION => "greenroom",
            };
            let (formats, buffers) = (offers::screen(USUAL)?, offers::screen_buffers()?);
            let (node_id, formats) = (Some(self.node_id), &formats);
            let wanted = WantedStream { properties, node_id, formats, buffers };
            InputStream::open(&self.connection, &self.shared, &self.frames, wanted)
        };
        self.stream = Some(wanted().map_err(PipewireError::of_screen)?);
        self.awaits_since = Some(Instant::now());
        Ok(())
    }

    /// Ends the stream, not the connection.
    pub fn rest(&mut self) {
        self.stream = None;
        self.agreed = None;
        self.awaits_since = None;
        self.shared.new_format.take();
        self.frames.clear();
    }

    /// Takes in what PipeWire has told.
    ///
    /// # Errors
    /// [`DeviceError::Elsewhere`] when the screen or PipeWire has gone; [`DeviceError::Broken`] for pictures that nobody can
    /// read.
    pub fn follow(&mut self) -> Result<(), DeviceError> {
        self.iterate(Duration::ZERO).map_err(PipewireError::of_screen)?;
        if let Some(why) = self.stream.as_ref().and_then(InputStream::failure) {
            return Err(PipewireError::NoScreen { why }.into());
        }
        if let Some(format) = self.shared.new_format.take() {
            self.adopt(&format)?;
        }
        Ok(())
    }

    fn iterate(&mut self, patience: Duration) -> Result<(), PipewireError> {
        self.connection.main_loop.loop_().iterate(Timeout::Finite(patience));
        if let Some(error) = self.shared.error.borrow().clone() {
            return Err(error);
        }
        if self.node.get() == Node::Gone { Err(PipewireError::ScreenGone) } else { Ok(()) }
    }

    fn adopt(&mut self, format: &[u8]) -> Result<(), DeviceError> {
        let rgb = negotiated_rgb(format).map(|(order, size)| Agreed::Rgb(order, size));
        let any_rate = FrameRate::new(30, 1);
        let yuv = || any_rate.and_then(|rate| negotiated(format, rate)).map(Agreed::Yuv);
        let agreed =
            rgb.or_else(yuv).ok_or_else(|| broken("a format that nobody has agreed on"))?;
        if let Agreed::Yuv(Negotiated { codec, size, .. }) = agreed {
            let buffer_bytes = usize::try_from(size.area_px()).unwrap_or(0) * 3 / 2;
            self.decoder.prepare(codec, buffer_bytes)?;
        }
        tracing::debug!("screen: {agreed:?}");
        self.agreed = Some(agreed);
        self.awaits_since.get_or_insert_with(Instant::now);
        Ok(())
    }

    /// The newest picture, planar and in colour, if one has come since this was asked last.
    ///
    /// # Errors
    /// [`DeviceError::Broken`] for what nobody can read.
    pub fn newest(&mut self) -> Result<Option<FrameView<'_>>, DeviceError> {
        let (Some(stream), true) = (&self.stream, self.frames.clear()) else { return Ok(None) };
        let (Some(received), _) = stream.newest() else { return Ok(None) };
        let Some(agreed) = self.agreed.filter(|_| !received.is_corrupt()) else { return Ok(None) };
        let crop_px = received.crop_px();
        let into = &mut self.picture;
        let is_whole = match agreed {
            Agreed::Rgb(order, size) => {
                let blocks = received.blocks(&mut self.copies).map_err(broken)?;
                match rgb_picture(order, size, &blocks).map_err(|why| broken(&why))? {
                    Some(mut view) => {
                        if let Some((left, top, width, height)) = crop_px {
                            view = view.part(left, top, SizePx::new(width, height));
                        }
                        let at = instant_of(received.captured_us());
                        view.to_planar(Colour::WEBCAM, at, into)?;
                        self.awaits_since = None;
                        return Ok(Some(self.picture.view()));
                    }
                    None => false,
                }
            }
            Agreed::Yuv(agreed) => {
                let (copies, planes) = (&mut self.copies, &mut self.planes);
                decode(&agreed, received, copies, planes, &mut self.decoder, into)?
            }
        };
        if is_whole {
            self.awaits_since = None;
        }
        let view = self.picture.view();
        Ok(is_whole.then(|| match crop_px {
            Some(crop_px) => part(view, crop_px),
            None => view,
        }))
    }
}

/// Decodes as from a camera; whether a whole picture came of it.
fn decode(
    agreed: &Negotiated,
    received: Received<'_>,
    copies: &mut Copies,
    planes: &mut Vec<u8>,
    decoder: &mut CameraDecoder,
    into: &mut Frame,
) -> Result<bool, DeviceError> {
    let captured_at = instant_of(received.captured_us());
    let blocks = received.blocks(copies).map_err(broken)?;
    match content(agreed, &blocks, captured_at, planes).map_err(|why| broken(&why))? {
        Content::Picture(bytes) => decoder.take(bytes, into)?,
        Content::Damaged(why) => {
            tracing::debug!("screen: no whole picture: {why}");
            return Ok(false);
        }
    }
    drop(received);
    Ok(decoder.decode(into)? == Decoded::Whole)
}

/// The part that begins at `left`, `top` (even, as chroma needs it), or as much of it as there is.
fn part(view: FrameView<'_>, (left, top, width, height): (u32, u32, u32, u32)) -> FrameView<'_> {
    let (left, top) = (left & !1, top & !1);
    match SizePx::new(width, height).within((left, top), view.size()) {
        Some(size) => view.part(left, top, size),
        None => view,
    }
}

fn broken(why: &str) -> DeviceError {
    DeviceError::Broken {
        what: "the screen".to_owned(),
        why: format!("it sends {why}; choose another with: greenroom set background screen"),
    }
}
