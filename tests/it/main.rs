//! The one test binary.

mod explore;
#[cfg(test)]
mod program;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod simulate;
mod tidy;
#[cfg(test)]
mod world;
