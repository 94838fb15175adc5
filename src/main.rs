//! The binary; it has nothing to run yet.

fn main() {}
