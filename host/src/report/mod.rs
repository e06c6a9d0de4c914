//! What people look at: contact sheets, confusion matrices and charts, as text, PNG and SVG; and what
//! programs are told of a picture.

mod answer;
mod bars;
mod chart;
mod confusion;
mod figure;
mod flaw;
mod flaw_sheet;
mod heatmap;
mod neighbors;
mod pca;
mod roc;
mod scale;
mod sheet;

pub use answer::{Acceptance, Answer, Flaws, Measure, Nearness, SCHEMA, Together, Witnesses};
pub use bars::{Bar, BarChart};
pub use chart::{Chart, Point, Series, Style};
pub use confusion::Confusion;
pub use figure::{Figure, ReportError};
pub use flaw::flawed_percent;
pub use flaw_sheet::{FlawRow, FlawSheet, InspectedFrame};
pub use heatmap::heatmap;
pub use neighbors::{Neighbor, Neighbors, Sought};
pub use pca::{Components, components};
pub use roc::roc;
pub use scale::Axis;
pub use sheet::{ContactSheet, Query, Row};
