//! Fuzzing: strangers' bytes against what reads them. A small number of inputs in every test
//! run; `SLIPWAY_FUZZ=<n>` tries as many of each kind, and `SLIPWAY_SEED` begins elsewhere.

mod bundle;
mod command;
mod egress;
mod gate;
mod grow;
mod payload;
mod signature;
mod words;

use std::io::Write;

use fastrand::Rng;

/// Inputs of each kind in an ordinary test run.
const INPUTS: u64 = 4_000;

#[expect(clippy::disallowed_methods, reason = "how long to search is told to the tests here")]
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.replace('_', "").parse().ok()
}

/// Names the input that broke something.
struct Told {
    seed: u64,
}

impl Drop for Told {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let seed = self.seed;
            let again = format!("SLIPWAY_SEED={seed} SLIPWAY_FUZZ=1 cargo test --test it fuzz");
            writeln!(std::io::stderr(), "again: {again}").ok();
        }
    }
}

/// Tries one input of each seed.
fn search(one: impl Fn(&mut Rng)) {
    let first = number("SLIPWAY_SEED").unwrap_or(1);
    for seed in first..first + number("SLIPWAY_FUZZ").unwrap_or(INPUTS) {
        let told = Told { seed };
        one(&mut Rng::with_seed(seed));
        drop(told);
    }
}
