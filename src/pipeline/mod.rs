//! The state machine: what a run is, what can happen to it, and what follows.
//!
//! [`decide()`] is synchronous, total and pure. The stages are a closed catalogue in [`stage`];
//! the machine in [`mod@decide`] walks them and answers what concerns them all.

pub mod budget;
pub mod chosen;
pub mod critique;
pub mod decide;
pub mod effect;
pub mod event;
mod facts;
pub mod frozen;
pub mod live;
mod outcome;
pub mod park;
pub mod preview;
pub mod question;
mod run;
pub mod salvage;
pub mod stage;
pub mod standing;
pub mod state;
pub mod stories;
pub mod trust;
pub mod twin;

pub use budget::{Budget, Short, Unfinished};
pub use chosen::{By, Chosen};
pub use decide::{Decision, Hears, Ignored, decide, hears};
pub use effect::{Answer, Effect};
pub use event::{Event, EventKind, Timer, Told, Withdrawal};
pub use frozen::{Frozen, Level, Taint};
pub use live::{Live, Worked};
pub use park::{Park, ParkReason};
pub use preview::Preview;
pub use run::Run;
pub use stage::{Done, MergeAnswer, Role, Settled, StageKind, Task, UpdateAnswer};
pub use state::{Outcome, Phase, Progress, Request, State, Wait};
