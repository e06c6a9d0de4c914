//! Flash memories in RAM, with the rules of real ones, that keep a journal of what was done to them.
//!
//! From the journal every state is made that a power cut can leave: all before one operation, and of
//! that one a part.

#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    reason = "each test uses some of it"
)]

mod chip;
mod cut;
mod oracle;
mod random;

pub use chip::{Chip, Flash, Kind, NOR, Operation, STM32H7};
pub use cut::tear;
pub use oracle::{Oracle, Step, apply, seen, steps};
pub use random::Random;
