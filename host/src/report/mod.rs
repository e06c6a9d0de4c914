//! What people look at: contact sheets and confusion matrices, as text and as PNG.

mod confusion;
mod figure;
mod sheet;

pub use confusion::Confusion;
pub use figure::{Figure, ReportError};
pub use sheet::{ContactSheet, Query, Row};
