//! The mask server from outside: what it says to good, bad, slow, rude and many clients.
#![allow(clippy::unwrap_used)]

mod abuse;
mod http;
mod limits;
mod pictures;
mod program;
mod protocol;
mod stub;
