//! The one test binary.

#[cfg(test)]
mod advisories;
#[cfg(test)]
mod attacks;
#[cfg(test)]
mod conform;
mod explore;
#[cfg(test)]
mod fuzz;
#[cfg(test)]
mod ghes;
#[cfg(test)]
mod known;
#[cfg(test)]
mod load;
#[cfg(test)]
mod model;
#[cfg(test)]
mod openapi;
#[cfg(test)]
mod program;
#[cfg(test)]
mod real;
#[cfg(test)]
mod rebound;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod setup;
#[cfg(test)]
mod simulate;
mod supply;
mod tidy;
#[cfg(test)]
mod world;
