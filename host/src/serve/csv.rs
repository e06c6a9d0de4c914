//! The log as comma-separated values (RFC 4180).

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::Decision;

/// With a mark by which spreadsheets know that it is UTF-8.
pub(super) const HEADER: &str =
    "\u{feff}id,time,device,decision,class,distance,novelty,threshold,milliseconds\r\n";

/// A line.
pub(super) fn line(id: u64, decision: &Decision) -> String {
    let distance = decision.distances.first();
    format!(
        "{id},{},{},{},{},{},{},{},{:.3}\r\n",
        iso(id),
        field(&decision.device),
        decision.call.name(),
        field(&decision.nearest),
        figure(distance.map(|distance| distance.value)),
        figure(decision.novelty),
        figure(decision.threshold),
        f64::from(decision.micros) / 1e3
    )
}

fn figure(value: Option<f32>) -> String {
    value.map_or(String::new(), |value| format!("{value:.4}"))
}

/// Microseconds since 1970 as a date and time, UTC.
pub(super) fn iso(micros: u64) -> String {
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(micros) * 1000)
        .ok()
        .and_then(|time| time.format(&Rfc3339).ok())
        .unwrap_or_default()
}

/// Text that a spreadsheet takes for text, whatever an operator wrote.
fn field(text: &str) -> String {
    let formula = text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\r', '\n']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Call, Measure};
    use super::*;

    #[test]
    fn a_line_has_a_field_for_each_column_and_no_formula() {
        let decision = Decision {
            device: "line, \"one\"".to_owned(),
            call: Call::Class,
            nearest: "=HYPERLINK(1)".to_owned(),
            distances: vec![Measure {
                name: "=HYPERLINK(1)".to_owned(),
                value: 1.25,
            }],
            novelty: Some(0.5),
            threshold: None,
            micros: 1500,
        };
        assert_eq!(
            line(1_700_000_000_000_001, &decision),
            "1700000000000001,2023-11-14T22:13:20.000001Z,\"line, \"\"one\"\"\",class,\"'=HYPERLINK(1)\",1.2500,0.5000,,1.500\r\n"
        );
        assert_eq!(field("너트 M4"), "너트 M4");
    }
}
