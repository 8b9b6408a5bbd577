//! Mask servers, in the protocol of the program that greenroom supersedes: a picture goes out over
//! HTTP, and a byte for each of its pixels comes back.

mod client;
mod url;

pub use client::{MaskClient, MaskServerReport};
pub use url::MaskServerUrl;
