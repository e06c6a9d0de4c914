//! The report of a shift, to be printed.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::csv::iso;
use super::{Call, Decision, Log, LogError};

/// Decisions that are read from the log at once.
const PIECE: usize = 4096;
/// Pictures of a device's parts that did not pass.
const SHOWN: usize = 24;
const HOUR: u64 = 60 * 60 * 1_000_000;

/// What a device decided.
#[derive(Default)]
struct Tally {
    total: u64,
    unknown: u64,
    unclear: u64,
    defect: u64,
    undecided: u64,
    /// Whether a vote decided about any.
    voted: bool,
    /// By the class's name, and whether it is good, bad or neither.
    classes: BTreeMap<(String, &'static str), u64>,
    /// All, and those that did not pass, by the hour.
    hours: BTreeMap<u64, (u64, u64)>,
    /// The last that did not pass.
    failed: Vec<Failed>,
}

/// A part that did not pass.
struct Failed {
    id: u64,
    time: u64,
    what: String,
    /// How large its flaws are, in percent of the part.
    flawed: Option<f32>,
}

impl Tally {
    fn add(&mut self, id: u64, decision: &Decision, korean: bool) {
        self.total += 1;
        let hour = self.hours.entry(decision.time / HOUR).or_default();
        hour.0 += 1;
        self.voted |= decision.vote.is_some();
        let told = decision.shown();
        let what = match told {
            Some((Call::Unknown, _)) => {
                self.unknown += 1;
                word(korean, "unknown", "미등록").to_owned()
            }
            Some((Call::Unclear, _)) => {
                self.unclear += 1;
                word(korean, "too close to call", "구별 안 됨").to_owned()
            }
            Some((Call::Defect, class)) => {
                self.defect += 1;
                class.to_owned()
            }
            Some((Call::Flawed, class)) => {
                self.defect += 1;
                let flaw = word(korean, "flaw", "흠");
                match class {
                    "" => flaw.to_owned(),
                    class => format!("{class}, {flaw}"),
                }
            }
            Some((Call::Class | Call::Good, _)) => String::new(),
            None => {
                self.undecided += 1;
                String::new()
            }
        };
        if let Some((call @ (Call::Class | Call::Good | Call::Defect | Call::Flawed), class)) = told
            && !class.is_empty()
        {
            let class = (class.to_owned(), call.name());
            *self.classes.entry(class).or_default() += 1;
        }
        if !what.is_empty() {
            hour.1 += 1;
            let what = match decision.alone() {
                alone if Some(alone) == told => what,
                (Call::Unknown, _) => format!(
                    "{what} ({})",
                    word(korean, "this frame: unknown", "이 프레임: 미등록")
                ),
                (Call::Unclear, _) => format!(
                    "{what} ({})",
                    word(
                        korean,
                        "this frame: too close to call",
                        "이 프레임: 구별 안 됨"
                    )
                ),
                (Call::Flawed, _) => format!(
                    "{what} ({})",
                    word(korean, "this frame: flaw", "이 프레임: 흠")
                ),
                (_, class) => format!(
                    "{what} ({}: {class})",
                    word(korean, "this frame", "이 프레임")
                ),
            };
            if self.failed.len() == SHOWN {
                self.failed.remove(0);
            }
            self.failed.push(Failed {
                id,
                time: decision.time,
                what,
                flawed: decision.flawed_percent,
            });
        }
    }
}

/// A part of the log. Its beginning is told by a number, as a clock may have been set since.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The first decision.
    pub(super) first: u64,
    /// The first and the last time, in microseconds since 1970, where times were asked for.
    pub(super) from: Option<u64>,
    pub(super) to: Option<u64>,
}

impl Part {
    pub(super) fn has(&self, decision: &Decision) -> bool {
        self.from.is_none_or(|from| decision.time >= from)
            && self.to.is_none_or(|to| decision.time < to)
    }
}

/// A part of the log as a page for print, in Korean or English. `times` are those in its head.
pub(super) fn report(
    log: &Log,
    part: Part,
    times: (u64, u64),
    korean: bool,
) -> Result<String, LogError> {
    let mut devices: BTreeMap<String, Tally> = BTreeMap::new();
    let mut next = part.first;
    loop {
        let piece = log.after(next, PIECE)?;
        let Some((last, _)) = piece.last() else { break };
        next = last + 1;
        for (id, decision) in piece.iter().filter(|(_, decision)| part.has(decision)) {
            let tally = devices.entry(decision.device.clone()).or_default();
            tally.add(*id, decision, korean);
        }
    }
    let mut html = String::new();
    // A string takes whatever is written to it.
    let _ = write(&mut html, &devices, times, korean);
    Ok(html)
}

fn write(
    html: &mut String,
    devices: &BTreeMap<String, Tally>,
    (from, to): (u64, u64),
    korean: bool,
) -> std::fmt::Result {
    let w = |en, ko| word(korean, en, ko);
    let lang = if korean { "ko" } else { "en" };
    write!(
        html,
        r#"<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<link rel="icon" href="/assets/icon.svg"><link rel="stylesheet" href="/assets/report.css">
<script type="module" src="/assets/report.js"></script></head><body>
<header><h1>{title}</h1><p>{} – {}</p><button id="print" type="button">{}</button></header>"#,
        time(from),
        time(to),
        w("Print", "인쇄"),
        title = w("Shift report", "근무 보고서"),
    )?;
    if devices.is_empty() {
        write!(
            html,
            "<p>{}</p>",
            w("Nothing was decided.", "판정 기록이 없습니다.")
        )?;
    }
    for (name, tally) in devices {
        write!(html, "<section><h2>{}</h2><dl>", escape(name))?;
        let failed = tally.unknown + tally.unclear + tally.defect;
        let passed = tally.total - failed - tally.undecided;
        let mut figures = vec![
            (w("Frames", "프레임"), tally.total),
            (w("Recognised", "인식"), passed),
            (w("Defects", "불량"), tally.defect),
            (w("Unknown", "미등록"), tally.unknown),
        ];
        if tally.unclear > 0 {
            figures.push((w("Too close to call", "구별 안 됨"), tally.unclear));
        }
        if tally.undecided > 0 {
            figures.push((w("Undecided", "판정 전"), tally.undecided));
        }
        for (label, count) in figures {
            let share = percent(count, tally.total);
            write!(
                html,
                "<div><dt>{label}</dt><dd>{count}<small>{share}</small></dd></div>"
            )?;
        }
        write!(html, "</dl>")?;
        if tally.voted {
            let how = w(
                "Each frame counts as what the last frames together said of it.",
                "프레임마다 최근 프레임들의 다수결 판정으로 셉니다.",
            );
            write!(html, "<p>{how}</p>")?;
        }
        write!(
            html,
            "<h3>{}</h3><table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th></th></tr></thead><tbody>",
            w("Classes", "클래스"),
            w("Class", "클래스"),
            w("Frames", "프레임"),
            w("Share", "비율"),
        )?;
        let mut classes: Vec<_> = tally.classes.iter().collect();
        classes.sort_by_key(|(class, count)| (std::cmp::Reverse(**count), (*class).clone()));
        for ((class, call), count) in classes {
            write!(
                html,
                "<tr class=\"{call}\"><td>{}</td><td>{count}</td><td>{}</td><td>{}</td></tr>",
                escape(class),
                percent(*count, tally.total),
                bar(*count, tally.total)
            )?;
        }
        write!(
            html,
            "</tbody></table><h3>{}</h3><table><thead><tr><th>{}</th><th>{}</th><th>{}</th><th></th></tr></thead><tbody>",
            w("By the hour", "시간대별"),
            w("From", "시작"),
            w("Frames", "프레임"),
            w("Not passed", "불합격"),
        )?;
        let most = tally.hours.values().map(|(all, _)| *all).max().unwrap_or(1);
        for (hour, (all, failed)) in &tally.hours {
            write!(
                html,
                "<tr><td>{}</td><td>{all}</td><td>{failed}</td><td>{}</td></tr>",
                time(hour * HOUR),
                bar(*all, most)
            )?;
        }
        write!(html, "</tbody></table>")?;
        if !tally.failed.is_empty() {
            write!(html, "<h3>{}</h3><ul>", w("Last not passed", "최근 불합격"))?;
            for failed in tally.failed.iter().rev() {
                let (picture, size) = match failed.flawed {
                    Some(percent) => ("heat", format!(" {percent:.1} %")),
                    None => ("picture", String::new()),
                };
                write!(
                    html,
                    "<li><img src=\"/log/{}/{picture}\" alt=\"\"><b>{}{size}</b>{}</li>",
                    failed.id,
                    escape(&failed.what),
                    time(failed.time)
                )?;
            }
            write!(html, "</ul>")?;
            if tally.failed.iter().any(|failed| failed.flawed.is_some()) {
                let what = w(
                    "Flaws are outlined; % is their size beside the part.",
                    "흠은 테두리로 표시하고, %는 부품 대비 크기입니다.",
                );
                write!(html, "<p>{what}</p>")?;
            }
        }
        write!(html, "</section>")?;
    }
    write!(
        html,
        "<footer>{} ____________________</footer></body></html>",
        w("Signed", "확인")
    )
}

fn word(korean: bool, en: &'static str, ko: &'static str) -> &'static str {
    if korean { ko } else { en }
}

fn percent(count: u64, total: u64) -> String {
    format!("{:.1} %", count as f64 / total.max(1) as f64 * 100.0)
}

fn bar(count: u64, most: u64) -> String {
    format!("<meter max=\"{}\" value=\"{count}\"></meter>", most.max(1))
}

/// The page's script shows it in the reader's time.
fn time(micros: u64) -> String {
    let iso = iso(micros);
    format!("<time datetime=\"{iso}\">{iso}</time>")
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            c => escaped.push(c),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::super::decision::tests::decision;
    use super::super::{Keep, Vote};
    use super::*;

    #[test]
    fn a_report_counts_and_what_operators_wrote_stays_text() {
        let dir = tempfile::tempdir().unwrap();
        let keep = Keep {
            days: 1,
            bytes: 1 << 20,
        };
        let log = Log::open(&dir.path().join("log"), keep).unwrap();
        let decision = |call, nearest: &str| Decision {
            nearest: nearest.to_owned(),
            ..decision(call, None)
        };
        let append = |decision: &Decision| {
            let (id, logged) = log.append(decision, b"");
            logged.unwrap();
            id
        };
        let from = |first| Part {
            first,
            from: None,
            to: None,
        };
        let report = |part| report(&log, part, (0, 1), false).unwrap();
        for _ in 0..3 {
            append(&decision(Call::Class, "<script>"));
        }
        let last = append(&decision(Call::Unknown, "nut"));
        let html = report(from(0));
        assert!(
            !html.contains("<script>")
                && html.contains("<td>&lt;script&gt;</td><td>3</td><td>75.0 %</td>")
        );
        assert!(html.contains("<dt>Unknown</dt><dd>1<small>25.0 %</small>"));
        assert!(html.contains(&format!("/log/{last}/picture")));
        assert!(!html.contains("Undecided") && !html.contains("together"));
        let time = log.after(last, 1).unwrap()[0].1.time;
        let before = Part {
            to: Some(time),
            ..from(0)
        };
        assert!(report(before).contains("Nothing was decided"));
        let since = Part {
            from: Some(time),
            ..from(0)
        };
        assert!(report(since).contains("<td>3</td>"));

        // With a vote its decision counts, whatever the frame alone is.
        let voted = |call| Decision {
            vote: Some(Vote {
                call,
                class: "bolt".to_owned(),
                votes: 3,
                frames: 5,
            }),
            ..decision(Call::Unknown, "nut")
        };
        append(&voted(Some(Call::Good)));
        let defect = append(&voted(Some(Call::Defect)));
        append(&voted(None));
        let html = report(from(last + 1));
        for expected in [
            "<dt>Recognised</dt><dd>1<",
            "<dt>Defects</dt><dd>1<",
            "<dt>Unknown</dt><dd>0<",
            "<dt>Undecided</dt><dd>1<",
            "the last frames together",
            "<tr class=\"good\"><td>bolt</td><td>1</td>",
        ] {
            assert!(html.contains(expected), "{expected}");
        }
        assert_eq!(html.matches("/log/").count(), 1);
        let flawed = append(&Decision {
            flawed_percent: Some(3.25),
            ..decision(Call::Flawed, "")
        });
        let flaw = report(from(flawed));
        assert!(
            flaw.contains(&format!("/log/{flawed}/heat\" alt=\"\"><b>flaw 3.2 %</b>")),
            "{flaw}"
        );
        assert!(html.contains(&format!(
            "/log/{defect}/picture\" alt=\"\"><b>bolt (this frame: unknown)</b>"
        )));
    }
}
