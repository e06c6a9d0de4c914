//! The log as comma-separated values (RFC 4180).

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use unicode_normalization::UnicodeNormalization;

use super::{Belongs, Decision};
use crate::device::is_hidden;

/// With a mark by which spreadsheets know that it is UTF-8. `decision` and `class` are the frame's own,
/// what follows `milliseconds` is the vote's, empty where a device has none; `flawed_percent` is of the
/// part, where it is not like the good ones; `part` is the number of its first decision.
pub(super) const HEADER: &str = "\u{feff}id,time,device,decision,class,distance,novelty,threshold,\
    milliseconds,stable,stable_class,votes,frames,flawed_percent,part\r\n";

/// A line.
pub(super) fn line(id: u64, decision: &Decision) -> String {
    let distance = decision.distances.first();
    let vote = decision.vote.as_ref().map(|vote| {
        let (stable, class) = (vote.call_name(), field(&vote.class));
        format!("{stable},{class},{},{}", vote.votes, vote.frames)
    });
    let part = match decision.part {
        Belongs::Begins => id.to_string(),
        Belongs::To(part) => part.to_string(),
        Belongs::Aside => String::new(),
    };
    format!(
        "{id},{},{},{},{},{},{},{},{:.3},{},{},{part}\r\n",
        iso(decision.time),
        field(&decision.device),
        decision.call.name(),
        field(&decision.nearest),
        figure(distance.map(|distance| distance.value)),
        figure(decision.novelty),
        figure(decision.threshold),
        f64::from(decision.micros) / 1e3,
        vote.as_deref().unwrap_or(",,,"),
        figure(decision.flawed_percent)
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
pub(super) fn field(text: &str) -> String {
    // Some take full-width signs for formulas too, and skip what can't be seen.
    let seen = |c: &char| !is_hidden(*c) && !c.is_whitespace();
    let first = text.chars().filter(seen).nfkc().next();
    let formula = matches!(first, Some('=' | '+' | '-' | '@')) || text.starts_with(['\t', '\r']);
    let guard = if formula { "'" } else { "" };
    if formula || text.contains([',', '"', '\r', '\n']) {
        format!("\"{guard}{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Call, Measure, Vote};
    use super::*;

    #[test]
    fn a_line_has_a_field_for_each_column_and_no_formula() {
        let mut decision = Decision {
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
            vote: None,
            time: 1_700_000_000_000_001,
            flawed_percent: None,
            part: Belongs::Begins,
            accepted: None,
            deviations: None,
        };
        let own = "7,2023-11-14T22:13:20.000001Z,\"line, \"\"one\"\"\",class,\"'=HYPERLINK(1)\",1.2500,0.5000,,1.500";
        assert_eq!(line(7, &decision), format!("{own},,,,,,7\r\n"));
        decision.part = Belongs::To(6);
        decision.vote = Some(Vote {
            call: Some(Call::Good),
            class: "@nut".to_owned(),
            votes: 3,
            frames: 5,
        });
        assert_eq!(
            line(7, &decision),
            format!("{own},good,\"'@nut\",3,5,,6\r\n")
        );
        decision.vote = Some(Vote {
            call: None,
            class: String::new(),
            votes: 0,
            frames: 2,
        });
        decision.part = Belongs::Aside;
        decision.flawed_percent = Some(3.25);
        assert_eq!(
            line(7, &decision),
            format!("{own},undecided,,0,2,3.2500,\r\n")
        );
        assert_eq!(HEADER.split(',').count(), 15);
        assert_eq!(field("너트 M4"), "너트 M4");
        for formula in [
            "＝1",
            "＋1",
            "－1",
            "＠A",
            "\u{feff}=1",
            " \u{200b}=1",
            "﹦1",
            "\t1",
        ] {
            assert_eq!(field(formula), format!("\"'{formula}\""), "{formula:?}");
        }
        assert_eq!(field("M4=너트"), "M4=너트");
    }
}
