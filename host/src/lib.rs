//! Few-shot vision for microcontroller cameras, the host half.
//!
//! The folders stand in the order in which a model comes to be, and each imports only what stands
//! before it: pictures ([`data`]), small tasks drawn from them ([`episodes`]), networks ([`nets`]),
//! how these are trained on such tasks ([`meta`]), their way to files ([`export`]) and onto a board
//! ([`device`]), what people look at in the end ([`report`]), and the page on which they watch and
//! teach ([`serve`]). The command `sudal` stands on them. All of them write files by [`files`]
//! and tables by [`table`]; [`models`] are those that come with it. The pages for users are in
//! [`docs`].

pub mod data;
pub mod device;
pub mod docs;
pub mod episodes;
pub mod export;
pub mod files;
pub mod meta;
pub mod models;
pub mod near;
pub mod nets;
pub mod report;
pub mod serve;
pub mod table;
