//! How do we work on it?
fn main() {}
