//! What the flash keeps: classes, settings and the record of starts, whatever happens to the power and
//! to the cells.

mod banks;
mod damage;
mod effort;
mod flash;
mod formats;
mod history;
mod power_cuts;
mod store;
