use crate::input::CameraSession;
use crate::session::Session;

/// A session that may be used by one thread after another.
pub(crate) struct Movable<T = Session>(T);

// SAFETY: A `Session` is not `Send` because it counts its references without atomics. All of them are inside it: it gives
// out neither a clone nor a reference that outlives a call, and its callbacks, which hold some, are dropped with it. So
// they move together. Libpipewire itself does not mind: its main loop belongs to a thread only while an iteration runs
// (`pw_loop_enter` to `pw_loop_leave`, both within `Session::iterate`), and its own data thread runs no callback of ours.
unsafe impl Send for Movable<Session> {}

// SAFETY: as above, but for one callback that libpipewire's data thread runs: it has an eventfd of its own and nothing else
// (`CameraSession::start`), and the stream is disconnected, which waits for that thread, before the callback is dropped.
unsafe impl Send for Movable<CameraSession> {}

impl<T> Movable<T>
where
    Self: Send,
{
    pub(crate) fn new(session: T) -> Self {
        Self(session)
    }
}

impl<T> std::ops::Deref for Movable<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> std::ops::DerefMut for Movable<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}
