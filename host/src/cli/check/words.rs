//! What was found on own pictures, in plain words.

use sudal::device::Head;
use sudal::measure::Trial;
use sudal::table::Table;

use super::report::{HOPELESS, Report};

/// Two classes are not told apart where so much of their pictures is mistaken.
const MUCH: f64 = 0.2;
/// From here on it is good, and from here on of use.
const GOOD: f64 = 0.95;
const USABLE: f64 = 0.8;
/// Pictures are dark, or without contrast, below these.
const DARK: f64 = 50.0;
const FLAT: f64 = 12.0;

/// What to take and do, a sentence each.
pub(super) fn advice(report: &Report) -> Vec<String> {
    let Report { best, folder, .. } = report;
    let chance = 1.0 / report.classes.len() as f64;
    let mut advice = Vec::new();
    let head = match best.head {
        Head::Prototype => String::new(),
        head => format!(" with `sudal head {}`", head.name()),
    };
    let at = shots(report.trial);
    let verdict = match best.accuracy {
        a if a >= GOOD => "good enough to begin with",
        a if a >= USABLE => {
            "of use where several frames vote (`sudal decide --help`), not for single frames"
        }
        a if a >= 2.0 * chance => "not good enough yet",
        _ => "hardly better than guessing",
    };
    advice.push(format!(
        "take {}{head}: {} of new pictures are right {at} (± {:.1}); that is {verdict}",
        best.model,
        percent(best.accuracy),
        100.0 * best.interval
    ));
    let apart: Vec<_> = report
        .confused
        .iter()
        .filter(|pair| pair.share() >= MUCH)
        .collect();
    for pair in &apart {
        advice.push(format!(
            "{} and {} are not told apart {at} ({} are mistaken)",
            pair.classes[0],
            pair.classes[1],
            percent(pair.share())
        ));
    }
    if !report.hopeless.is_empty() {
        let (is, them) = if report.hopeless.len() == 1 {
            ("is", "it")
        } else {
            ("are", "them")
        };
        advice.push(format!(
            "{} {is} hopeless {at}: show {them} in more even light, from closer, or in a region (`sudal region`); \
             or make one class of what need not be told apart",
            listed(&report.hopeless)
        ));
    }
    let weak = report.classes.iter().filter(|class| {
        class
            .found
            .is_some_and(|found| (HOPELESS..USABLE).contains(&found))
    });
    let weak: Vec<_> = weak.map(|class| class.name.clone()).collect();
    if !weak.is_empty() {
        let is = if weak.len() == 1 { "is" } else { "are" };
        advice.push(format!(
            "{} {is} weak {at}: see what they are taken for",
            listed(&weak)
        ));
    }
    if let [.., before, last] = &report.at_shots[..] {
        let gain = last.accuracy - before.accuracy;
        if gain > before.interval.max(0.02) {
            advice.push(format!(
                "more shots help: {} with {}, {} with {}; take more pictures",
                percent(before.accuracy),
                before.shots,
                percent(last.accuracy),
                last.shots
            ));
        } else if best.accuracy < GOOD {
            advice.push(format!(
                "more shots hardly help ({} with {}, {} with {}): better pictures do",
                percent(before.accuracy),
                before.shots,
                percent(last.accuracy),
                last.shots
            ));
        }
    }
    if report.middle > best.accuracy + best.interval.max(0.02) {
        advice.push(format!(
            "closer is better: of the middle half of the pictures alone {} are right; set `sudal region`, or move the camera",
            percent(report.middle)
        ));
    }
    if report.brightness < DARK {
        advice.push(format!(
            "the pictures are dark ({:.0} of 255 in the middle): more light",
            report.brightness
        ));
    } else if report.contrast < FLAT {
        advice.push(format!(
            "the pictures have little contrast ({:.0} of 255): light from the side, or less of the same ground",
            report.contrast
        ));
    }
    let single: Vec<_> = report
        .classes
        .iter()
        .filter(|class| class.found.is_none())
        .map(|class| class.name.clone())
        .collect();
    if !single.is_empty() {
        advice.push(format!(
            "{}: one picture, so nothing can be said; take more",
            listed(&single)
        ));
    }
    advice.push(format!("next: sudal teach {folder} --model {}", best.model));
    advice
}

fn shots(trial: Trial) -> String {
    match trial {
        Trial::LeaveOneOut => "from all others".to_owned(),
        Trial::Drawn { shots: 1, .. } => "at one shot".to_owned(),
        Trial::Drawn { shots, .. } => format!("at {shots} shots"),
    }
}

fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// `a, b and c`.
fn listed(names: &[String]) -> String {
    match names {
        [all @ .., last] if !all.is_empty() => format!("{} and {last}", all.join(", ")),
        names => names.join(""),
    }
}

/// The table, the confusions of the best, and the advice.
pub(super) fn text(report: &Report) -> String {
    let mut text = match report.trial {
        Trial::LeaveOneOut => "each picture left out in turn, the others enrolled".to_owned(),
        Trial::Drawn { shots, draws, .. } => {
            format!("{shots} shots of each class, drawn {draws} times")
        }
    };
    text.push_str("; right answers in %, mean of the classes\n\n");
    let heads = Head::ALL.iter().map(|head| head.name());
    let mut models = Table::new(["model"].into_iter().chain(heads));
    for rows in report.tried.chunks(Head::ALL.len()) {
        let cells = rows.iter().map(|row| {
            let is_best = row.model == report.best.model && row.head == report.best.head;
            let mark = if is_best { "*" } else { "" };
            format!("{mark}{:.1}", 100.0 * row.tally.accuracy)
        });
        models.row([rows[0].model.to_string()].into_iter().chain(cells));
    }
    let mut classes = Table::new(["class", "pictures", "found", "taken for"]).left([0, 3]);
    for (class, row) in report.classes.iter().zip(&report.best.confusion) {
        let found = class.found.map_or("-".to_owned(), percent);
        let mut others: Vec<(u64, &str)> = row
            .iter()
            .zip(&report.classes)
            .filter(|(count, other)| **count > 0 && other.name != class.name)
            .map(|(count, other)| (*count, other.name.as_str()))
            .collect();
        others.sort_by_key(|(count, _)| std::cmp::Reverse(*count));
        let asked: u64 = row.iter().sum();
        let others: Vec<_> = others
            .iter()
            .take(3)
            .map(|(count, name)| format!("{name} {:.0} %", 100.0 * *count as f64 / asked as f64))
            .collect();
        classes.row([
            class.name.clone(),
            class.looked_at.to_string(),
            found,
            others.join(", "),
        ]);
    }
    text.push_str(&format!("{models}\n{classes}"));
    let left: usize = report
        .classes
        .iter()
        .map(|c| c.pictures - c.looked_at)
        .sum();
    if left > 0 {
        text.push_str(&format!(
            "{left} more pictures were not looked at (--pictures)\n"
        ));
    }
    text.push('\n');
    for line in &report.advice {
        text.push_str(&format!("{line}\n"));
    }
    if let Some(path) = &report.picture {
        text.push_str(&format!("{}\n", path.display()));
    }
    text
}
