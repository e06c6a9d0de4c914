//! Flash memories in RAM, with the rules of real ones, that keep a journal of what was done to them.
//!
//! From the journal every state is made that a power cut can leave: all before one operation, and of
//! that one a part.

mod chip;
mod cut;
mod oracle;
mod random;

pub(crate) use chip::{Chip, Flash, Kind, NOR, Operation, STM32H7};
pub(crate) use cut::tear;
pub(crate) use oracle::{Oracle, Step, apply, seen, steps};
pub(crate) use random::Random;
