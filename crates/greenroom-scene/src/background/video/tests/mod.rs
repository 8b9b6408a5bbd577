//! Videos through the real FFmpeg, with clips that it makes here, whose frames show their number.

mod clips;
mod faults;
mod speed;
