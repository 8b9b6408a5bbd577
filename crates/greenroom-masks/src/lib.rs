//! Masks over HTTP, in the protocol of the program that greenroom supersedes: a picture goes out,
//! and a byte for each of its pixels comes back. Both ends of it; `docs/mask-server.md` tells more.
#![forbid(unsafe_code)]
#![cfg_attr(
    not(test),
    deny(clippy::disallowed_methods, clippy::print_stderr, clippy::print_stdout)
)]

mod client;
mod server;
mod url;

pub use client::{MaskClient, Observer};
pub use server::{Limits, ListenError, MakeMatte, Server, listen};
pub use url::MaskServerUrl;
