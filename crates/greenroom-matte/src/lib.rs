//! greenroom-matte
