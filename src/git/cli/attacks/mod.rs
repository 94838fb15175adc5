//! Attacks on git, each run against everything that ships, where it must fail, and with exactly
//! one defence taken away, where it must succeed.

mod bundles;
mod road;
mod traps;
mod words;

use super::ground::Disk;
use super::*;
