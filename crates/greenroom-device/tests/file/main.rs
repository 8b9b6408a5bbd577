//! Video files through the real FFmpeg, with clips that it makes here.
#![allow(clippy::unwrap_used)]

mod clips;
mod hostile;
mod sinks;
mod sources;
