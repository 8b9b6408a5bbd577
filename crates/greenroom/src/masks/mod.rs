//! Masks over HTTP: the crate `greenroom-masks`, where it is built in (feature `mask-server`).

#[cfg(not(feature = "mask-server"))]
mod left_out;

#[cfg(feature = "mask-server")]
pub use greenroom_masks::{
    Limits, ListenError, MaskClient, MaskServerUrl, Observer, Server, listen,
};
#[cfg(not(feature = "mask-server"))]
pub use left_out::{ListenError, MaskClient, MaskServerUrl};
