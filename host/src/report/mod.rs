//! What people look at: contact sheets, confusion matrices and bar charts, as text and as PNG.

mod bars;
mod confusion;
mod figure;
mod sheet;

pub use bars::{Bar, BarChart};
pub use confusion::Confusion;
pub use figure::{Figure, ReportError};
pub use sheet::{ContactSheet, Query, Row};
