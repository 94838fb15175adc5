//! The one test binary.

mod explore;
