//! greenroom-scene
