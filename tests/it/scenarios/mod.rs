//! Scenarios: whole lives of runs, told as sentences and played through the engine that ships.

mod again;
mod auto_merge;
mod budget;
mod calls;
mod ci;
mod commands;
mod crashes;
mod edges;
mod gate;
mod ground;
mod held;
mod hosts;
mod lane;
mod life;
mod live;
mod lost;
mod offers;
mod people;
mod queue;
mod races;
mod rules;
mod signed;
mod stories;
mod trust;
mod updates;
mod words;
