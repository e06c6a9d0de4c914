//! The report as a page.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::super::Call;
use super::super::csv::iso;
use super::super::tally::{Hour, Tally};
use super::reader::Reader;
use super::station::Station;

const HOUR: u64 = 60 * 60 * 1_000_000;
const HOURS_OF_A_DAY: i64 = 24;

/// Writes the report of these devices.
pub(super) fn write(
    html: &mut String,
    devices: &BTreeMap<String, Station>,
    (from, to): (u64, u64),
    reader: Reader,
) -> std::fmt::Result {
    let w = |en, ko| reader.word(en, ko);
    let lang = if reader.korean { "ko" } else { "en" };
    write!(
        html,
        r#"<!doctype html><html lang="{lang}"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>{title}</title>
<link rel="icon" href="/assets/icon.svg"><link rel="stylesheet" href="/assets/report.css">
<script type="module" src="/assets/report.js"></script></head><body>
<header><h1>{title}</h1><p>{} – {}</p><button id="print" type="button">{}</button></header><main>"#,
        time(from),
        time(to),
        w("Print", "인쇄"),
        title = w("Shift report", "근무 보고서"),
    )?;
    if devices.is_empty() {
        let nothing = w("Nothing was decided.", "판정 기록이 없습니다.");
        write!(html, "<p>{nothing}</p>")?;
    }
    for (name, station) in devices {
        write!(html, "<section><h2>{}</h2>", escape(name))?;
        figures(html, station, reader)?;
        classes(html, &station.tally, reader)?;
        hours(html, &station.tally, reader)?;
        days(html, &station.tally, reader)?;
        pictures(html, station, reader)?;
        write!(html, "</section>")?;
    }
    let signed = w("Signed", "확인");
    write!(
        html,
        "</main><footer>{signed} ____________________</footer></body></html>"
    )
}

fn figures(html: &mut String, station: &Station, reader: Reader) -> std::fmt::Result {
    let w = |en, ko| reader.word(en, ko);
    let tally = &station.tally;
    let passed = tally.of(Call::Class) + tally.of(Call::Good);
    let defects = tally.of(Call::Defect) + tally.of(Call::Flawed);
    let (unknown, unclear) = (tally.of(Call::Unknown), tally.of(Call::Unclear));
    let decided = passed + defects + unknown + unclear;
    let share = percent(passed, decided);
    write!(
        html,
        "<dl><div class=\"yield\"><dt>{}</dt><dd>{share}</dd></div>",
        w("Yield", "수율"),
    )?;
    let undecided = tally.parts - decided;
    let figures = [
        (w("Parts", "부품"), tally.parts, true),
        (w("OK", "OK"), passed, true),
        (w("Defects", "불량"), defects, true),
        (w("Unknown", "미등록"), unknown, true),
        (w("Too close to call", "구별 안 됨"), unclear, unclear > 0),
        (w("Undecided", "판정 전"), undecided, undecided > 0),
    ];
    for (label, count, _) in figures.into_iter().filter(|(.., shown)| *shown) {
        let share = percent(count, tally.parts);
        write!(
            html,
            "<div><dt>{label}</dt><dd>{count}<small>{share}</small></dd></div>"
        )?;
    }
    write!(html, "</dl>")?;
    let how = w(
        "Parts are counted, each as what was said of it last; yield is OK of those decided.",
        "부품 단위로, 부품마다 마지막 판정으로 셉니다. 수율은 판정된 부품 중 OK의 비율입니다.",
    );
    write!(html, "<p>{how}")?;
    if station.voted {
        let how = w(
            "What the last frames together said is what counts.",
            "최근 프레임들의 다수결 판정을 씁니다.",
        );
        write!(html, " {how}")?;
    }
    write!(html, "</p>")
}

fn classes(html: &mut String, tally: &Tally, reader: Reader) -> std::fmt::Result {
    let w = |en, ko| reader.word(en, ko);
    let heads = [w("Class", "클래스"), w("Parts", "부품"), w("Share", "비율")];
    table(html, w("Classes", "클래스"), &heads)?;
    let mut classes: Vec<_> = tally
        .classes
        .iter()
        .map(|(name, calls)| {
            let failed: u64 = [Call::Defect, Call::Flawed]
                .iter()
                .filter_map(|call| calls.get(call.name()))
                .sum();
            (name, calls.values().sum::<u64>(), failed)
        })
        .collect();
    classes.sort_by_key(|&(name, count, _)| (std::cmp::Reverse(count), name));
    for (class, count, failed) in classes {
        let kind = match failed {
            0 => "good",
            failed if failed == count => "defect",
            _ => "both",
        };
        write!(
            html,
            "<tr class=\"{kind}\"><th scope=\"row\">{}</th><td>{count}</td><td>{}</td><td>{}</td></tr>",
            escape(class),
            percent(count, tally.parts),
            bar(count - failed, failed, tally.parts)
        )?;
    }
    write!(html, "</tbody></table>")
}

fn hours(html: &mut String, tally: &Tally, reader: Reader) -> std::fmt::Result {
    let rates = tally
        .hours
        .iter()
        .map(|(hour, rate)| (time(hour * HOUR), *rate));
    rates_of(html, reader.word("By the hour", "시간대별"), rates, reader)
}

/// Where there are several, as the reader's calendar has them.
fn days(html: &mut String, tally: &Tally, reader: Reader) -> std::fmt::Result {
    let mut days: BTreeMap<i64, Hour> = BTreeMap::new();
    for (hour, rate) in &tally.hours {
        let local = *hour as i64 + i64::from(reader.offset) / 60;
        let day = days.entry(local.div_euclid(HOURS_OF_A_DAY)).or_default();
        day.parts += rate.parts;
        day.failed += rate.failed;
    }
    if days.len() < 2 {
        return Ok(());
    }
    let rates = days.into_iter().map(|(day, rate)| {
        let begin = day.max(0) as u64 * HOURS_OF_A_DAY as u64 * HOUR;
        (iso(begin).chars().take(10).collect(), rate)
    });
    rates_of(html, reader.word("By the day", "날짜별"), rates, reader)
}

fn rates_of(
    html: &mut String,
    title: &str,
    rates: impl Iterator<Item = (String, Hour)>,
    reader: Reader,
) -> std::fmt::Result {
    let w = |en, ko| reader.word(en, ko);
    let heads = [
        w("From", "시작"),
        w("Parts", "부품"),
        w("Not passed", "불합격"),
        w("Rejected", "불합격률"),
    ];
    table(html, title, &heads)?;
    let rates: Vec<_> = rates.collect();
    let most = rates.iter().map(|(_, rate)| rate.parts).max().unwrap_or(1);
    for (label, Hour { parts, failed }) in rates {
        write!(
            html,
            "<tr><th scope=\"row\">{label}</th><td>{parts}</td><td>{failed}</td><td>{}</td><td>{}</td></tr>",
            percent(failed, parts),
            bar(parts - failed, failed, most)
        )?;
    }
    write!(html, "</tbody></table>")
}

fn pictures(html: &mut String, station: &Station, reader: Reader) -> std::fmt::Result {
    let w = |en, ko| reader.word(en, ko);
    if station.failed.is_empty() {
        return Ok(());
    }
    write!(html, "<h3>{}</h3><ul>", w("Last not passed", "최근 불합격"))?;
    for failed in station.failed.values().rev() {
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
    if station
        .failed
        .values()
        .any(|failed| failed.flawed.is_some())
    {
        let what = w(
            "Flaws are outlined; % is their size beside the part.",
            "흠은 테두리로 표시하고, %는 부품 대비 크기입니다.",
        );
        write!(html, "<p>{what}</p>")?;
    }
    Ok(())
}

/// The head of a table with these columns and one of bars.
fn table(html: &mut String, title: &str, heads: &[&str]) -> std::fmt::Result {
    write!(html, "<h3>{title}</h3><table><thead><tr>")?;
    for head in heads {
        write!(html, "<th scope=\"col\">{head}</th>")?;
    }
    write!(html, "<td></td></tr></thead><tbody>")
}

fn percent(count: u64, total: u64) -> String {
    format!("{:.1} %", count as f64 / total.max(1) as f64 * 100.0)
}

/// Parts that passed and those that did not, side by side.
fn bar(passed: u64, failed: u64, most: u64) -> String {
    let width = |count: u64| count as f64 / most.max(1) as f64 * 100.0;
    format!(
        "<svg viewBox=\"0 0 100 8\" preserveAspectRatio=\"none\" aria-hidden=\"true\"><rect class=\"good\" width=\"{:.2}\" height=\"8\"/><rect class=\"defect\" x=\"{0:.2}\" width=\"{:.2}\" height=\"8\"/></svg>",
        width(passed),
        width(failed)
    )
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
