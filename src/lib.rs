//! Slipway: from `/go` on an issue to a merged pull request, and never a commit that was not
//! verified.
//!
//! The modules stand in the order of their dependencies: each may use only those above it.
//! First the core (pure, synchronous), then the boundaries (a contract, its adapters and its
//! fake together), then the shell. `docs/ARCHITECTURE.md` is the map.

pub mod model;

pub mod policy;

pub mod command;
pub mod gate;
pub mod pipeline;
pub mod report;

pub mod clock;
pub mod process;
pub mod socket;

pub mod agent;
pub mod egress;
pub mod gateway;
pub mod git;
pub mod github;
pub mod sandbox;
pub mod store;

pub mod telemetry;

pub mod playground;

pub mod web;
pub mod worker;

pub mod config;

pub mod app;
