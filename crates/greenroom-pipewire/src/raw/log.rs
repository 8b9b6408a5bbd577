/// Has libpipewire write no lines of its own to standard error, unless the user asks for them by `PIPEWIRE_DEBUG`: what
/// fails is told by our log.
pub(crate) fn be_quiet() {
    if std::env::var_os("PIPEWIRE_DEBUG").is_none() {
        // SAFETY: takes any level, from any thread; libpipewire was initialised by whoever calls.
        unsafe { pipewire::sys::pw_log_set_level(pipewire::spa::sys::SPA_LOG_LEVEL_NONE) };
    }
}
