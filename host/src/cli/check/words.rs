//! What was found on own pictures, in plain words.

use std::path::Path;

use serde::Serialize;
use sudal::data::mvtec::Product;
use sudal::device::{Head, Tally, Trial};

use super::super::output::Output;
use super::Args;
use super::measure::{Measured, Read, Row};

/// Two classes are not told apart where so much of their pictures is mistaken.
const MUCH: f64 = 0.2;
/// A class is hopeless of which less than this is found.
const HOPELESS: f64 = 0.6;
/// From here on it is good, and from here on of use.
const GOOD: f64 = 0.95;
const USABLE: f64 = 0.8;
/// Pictures are dark, or without contrast, below these.
const DARK: f64 = 50.0;
const FLAT: f64 = 12.0;

#[derive(Serialize)]
pub(super) struct Report {
    folder: String,
    trial: Trial,
    classes: Vec<Class>,
    /// Every model with every head.
    tried: Vec<Row>,
    best: Best,
    /// Pairs that are mistaken for each other, the worst first.
    confused: Vec<Confused>,
    hopeless: Vec<String>,
    at_shots: Vec<AtShots>,
    /// Accuracy where only the middle half of the pictures is looked at.
    middle: f64,
    /// Of a picture, of 255: the median of all.
    brightness: f64,
    contrast: f64,
    /// In plain words.
    advice: Vec<String>,
    picture: Option<std::path::PathBuf>,
}

#[derive(Serialize)]
struct Class {
    name: String,
    pictures: usize,
    looked_at: usize,
    /// Share of its pictures that is found; none where it has one only.
    found: Option<f64>,
}

#[derive(Serialize)]
struct Best {
    model: String,
    head: Head,
    accuracy: f64,
    interval: f64,
    flash: usize,
    ram: usize,
    /// `confusion[truth][answer]`, in the order of the classes.
    confusion: Vec<Vec<u64>>,
}

#[derive(Serialize)]
struct Confused {
    classes: [String; 2],
    mistaken: u64,
    pictures: u64,
}

#[derive(Serialize)]
struct AtShots {
    shots: usize,
    accuracy: f64,
    interval: f64,
}

impl Report {
    pub(super) fn new(args: &Args, read: &Read, measured: &Measured, trial: Trial) -> Self {
        let best = &measured.best;
        let found = found(&best.tally);
        let classes = (0..read.names.len()).map(|class| Class {
            name: read.names[class].clone(),
            pictures: read.there[class],
            looked_at: read.counts[class],
            found: found[class],
        });
        let hopeless = (0..found.len()).filter(|&class| found[class].is_some_and(|f| f < HOPELESS));
        let at_shots = measured.at_shots.iter().map(|(shots, tally)| AtShots {
            shots: *shots,
            accuracy: tally.accuracy,
            interval: tally.interval,
        });
        let mut report = Self {
            folder: args.folder.display().to_string(),
            trial,
            classes: classes.collect(),
            tried: measured.rows.clone(),
            best: Best {
                model: best.model.clone(),
                head: best.head,
                accuracy: best.tally.accuracy,
                interval: best.tally.interval,
                flash: measured.flash,
                ram: measured.ram,
                confusion: best.tally.counts.clone(),
            },
            confused: confused(&best.tally, &read.names),
            hopeless: hopeless.map(|class| read.names[class].clone()).collect(),
            at_shots: at_shots.collect(),
            middle: measured.middle.accuracy,
            brightness: read.brightness,
            contrast: read.contrast,
            advice: Vec::new(),
            picture: args.out.clone(),
        };
        report.advice = advice(&report);
        report
    }
}

/// Share of each class's pictures that is found; none where none was asked about.
fn found(tally: &Tally) -> Vec<Option<f64>> {
    let rows = tally.counts.iter().enumerate();
    rows.map(|(class, row)| {
        let asked: u64 = row.iter().sum();
        (asked > 0).then(|| row[class] as f64 / asked as f64)
    })
    .collect()
}

fn confused(tally: &Tally, names: &[String]) -> Vec<Confused> {
    let counts = &tally.counts;
    let asked = |class: usize| counts[class].iter().sum::<u64>();
    let mut pairs = Vec::new();
    for one in 0..names.len() {
        for other in one + 1..names.len() {
            let mistaken = counts[one][other] + counts[other][one];
            if mistaken > 0 {
                pairs.push(Confused {
                    classes: [one, other].map(|class| names[class].clone()),
                    mistaken,
                    pictures: asked(one) + asked(other),
                });
            }
        }
    }
    pairs.sort_by(|a, b| b.share().total_cmp(&a.share()));
    pairs
}

impl Confused {
    fn share(&self) -> f64 {
        self.mistaken as f64 / self.pictures.max(1) as f64
    }
}

/// What to take and do, a sentence each.
fn advice(report: &Report) -> Vec<String> {
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
    let heads = Head::ALL
        .map(|head| format!("{:>10}", head.name()))
        .concat();
    text.push_str(&format!("{:<20}{heads}\n", "model"));
    for model in report.tried.chunks(Head::ALL.len()) {
        text.push_str(&format!("{:<20}", model[0].model));
        for row in model {
            let is_best = row.model == report.best.model && row.head == report.best.head;
            let mark = if is_best { "*" } else { "" };
            text.push_str(&format!(
                "{:>10}",
                format!("{mark}{:.1}", 100.0 * row.tally.accuracy)
            ));
        }
        text.push('\n');
    }
    text.push_str(&format!(
        "\n{:<20}{:>10}{:>10}  taken for\n",
        "class", "pictures", "found"
    ));
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
        text.push_str(&format!(
            "{:<20}{:>10}{found:>10}  {}\n",
            class.name,
            class.looked_at,
            others.join(", ")
        ));
    }
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

/// Where good and flawed parts of products lie side by side there are no classes to be told apart.
pub(super) fn lead_to_inspection(
    folder: &Path,
    products: &[Product],
    output: &Output,
) -> anyhow::Result<()> {
    let mut text = String::from(
        "these are good and flawed parts in MVTec's layout: no classes to be taught, but products to be inspected\n",
    );
    for product in products {
        let flawed = product.test.iter().filter(|s| s.defect.is_some()).count();
        text.push_str(&format!(
            "  {}: {} good parts to show, {} good and {flawed} flawed to try\n",
            product.name,
            product.train.len(),
            product.test.len() - flawed
        ));
    }
    let data = folder.display();
    let steps = [
        format!(
            "sudal inspect surfaces --data {data}    how small a flaw is found, from how many good parts"
        ),
        "sudal flash surfaces                a model that finds flaws".to_owned(),
        "sudal good GOOD-PARTS/              show the board good parts: it finds flaws by itself"
            .to_owned(),
        "sudal classify PART.png --heatmap heat.png    where it is flawed".to_owned(),
        "sudal commission MORE-GOOD-PARTS/   so that false alarms hold on the line".to_owned(),
    ];
    led(
        text,
        "products",
        products.iter().map(|p| p.name.as_str()).collect(),
        &steps,
        output,
    )
}

/// One class alone is told apart from nothing.
pub(super) fn lead_one_class(folder: &Path, name: &str, output: &Output) -> anyhow::Result<()> {
    let text = format!(
        "there is one class, {name}: put the pictures of each class in a folder of its own, side by side, to check \
         whether they are told apart. If these are good parts, and flaws are to be found:\n"
    );
    let data = folder.display();
    let steps = [
        "sudal flash surfaces            a model that finds flaws".to_owned(),
        format!("sudal good {data}    show the board good parts: it finds flaws by itself"),
        "sudal classify PART.png --heatmap heat.png    where it is flawed".to_owned(),
        "sudal commission MORE-GOOD-PARTS/   so that false alarms hold on the line".to_owned(),
    ];
    led(text, "classes", vec![name], &steps, output)
}

fn led(
    mut text: String,
    what: &str,
    names: Vec<&str>,
    steps: &[String],
    output: &Output,
) -> anyhow::Result<()> {
    for step in steps {
        text.push_str(&format!("  {step}\n"));
    }
    let commands: Vec<_> = steps
        .iter()
        .map(|step| step.split("    ").next().unwrap_or_default().trim())
        .collect();
    let result = serde_json::json!({ "inspection": true, what: names, "advice": commands });
    output.result(&result, text)
}
