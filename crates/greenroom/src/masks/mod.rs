//! Masks over HTTP, in the protocol of the program that greenroom supersedes: a picture goes out,
//! and a byte for each of its pixels comes back. Both ends of it; `docs/mask-server.md` tells more.

mod client;
pub mod server;
mod url;

pub use client::{MaskClient, MaskServerReport};
pub use url::MaskServerUrl;
