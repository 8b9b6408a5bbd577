use crate::session::Session;

/// A session that may be used by one thread after another.
pub(crate) struct Movable(Session);

// SAFETY: A `Session` is not `Send` because it counts its references without atomics. All of them are inside it: it gives
// out neither a clone nor a reference that outlives a call, and its callbacks, which hold some, are dropped with it. So
// they move together. Libpipewire itself does not mind: its main loop belongs to a thread only while an iteration runs
// (`pw_loop_enter` to `pw_loop_leave`, both within `Session::iterate`), and its own data thread runs no callback of ours.
unsafe impl Send for Movable {}

impl Movable {
    pub(crate) fn new(session: Session) -> Self {
        Self(session)
    }
}

impl std::ops::Deref for Movable {
    type Target = Session;

    fn deref(&self) -> &Session {
        &self.0
    }
}

impl std::ops::DerefMut for Movable {
    fn deref_mut(&mut self) -> &mut Session {
        &mut self.0
    }
}
