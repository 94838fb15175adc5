//! Scenarios: whole lives of runs, told as sentences and played through the engine that ships.

mod calls;
mod ci;
mod commands;
mod crashes;
mod edges;
mod ground;
mod life;
mod people;
mod races;
mod rules;
