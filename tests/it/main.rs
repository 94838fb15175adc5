//! The one test binary.

mod explore;
#[cfg(test)]
mod program;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod simulate;
#[cfg(test)]
mod world;
