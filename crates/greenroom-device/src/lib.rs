//! greenroom-device
