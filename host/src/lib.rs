//! Few-shot vision for microcontroller cameras, the host half.
//!
//! The folders stand in the order in which a model comes to be, and each imports only what stands
//! before it: pictures ([`data`]), small tasks drawn from them ([`episodes`]), model images on this
//! computer ([`engine`]), how well a model does on tasks ([`measure`]), networks ([`nets`]), how these are
//! trained ([`meta`]), their way to files ([`export`]) and onto a board ([`device`]), what people look at
//! in the end ([`report`]), many stations at a broker ([`fleet`]), and the page on which they watch and teach ([`serve`]). The command `sudal`
//! stands on them. All of them write files by [`atomic_file`] and tables by [`table`]; [`models`] are those
//! that come with it. The pages for users are in [`docs`].
//!
//! Cargo features leave folders out: `train` has [`meta`] and what of [`nets`] is trained, `convert` has
//! [`export`], `serve` has [`serve`] and [`fleet`]. Both `train` and `serve` are on by default.

pub mod atomic_file;
mod cache;
pub mod data;
pub mod device;
pub mod docs;
pub mod engine;
pub mod episodes;
#[cfg(feature = "convert")]
pub mod export;
#[cfg(feature = "serve")]
pub mod fleet;
pub mod measure;
#[cfg(feature = "train")]
pub mod meta;
pub mod models;
#[cfg(feature = "convert")]
pub mod nets;
pub mod report;
#[cfg(feature = "serve")]
pub mod serve;
pub mod similar;
pub mod table;
