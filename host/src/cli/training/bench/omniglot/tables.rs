//! What was measured, and its tables.

use serde::Serialize;
use sudal::measure::Accuracy;
use sudal::table::Table;

use super::super::instances::{self, Instances};
use super::super::verification::{self, Verified};
use super::rows::{PUBLISHED_ERRORS, TASKS};

#[derive(Serialize)]
pub(super) struct Report {
    pub(super) data: String,
    pub(super) split: &'static str,
    pub(super) query: usize,
    pub(super) seed: u64,
    pub(super) rows: Vec<Measured>,
    pub(super) instances: Vec<Instances>,
    pub(super) verification: Vec<Verified>,
    pub(super) within_alphabet: Vec<Error>,
}

#[derive(Serialize)]
pub(super) struct Measured {
    pub(super) method: &'static str,
    pub(super) model: Option<&'static str>,
    pub(super) missing: bool,
    pub(super) tasks: Vec<Task>,
}

#[derive(Serialize)]
pub(super) struct Task {
    pub(super) way: usize,
    pub(super) shot: usize,
    #[serde(flatten)]
    pub(super) accuracy: Accuracy,
    pub(super) published: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct Error {
    pub(super) method: &'static str,
    pub(super) model: &'static str,
    /// Mean error over the runs and half its 95 % interval, 0..=1; none where the model is missing.
    pub(super) error: Option<Accuracy>,
}

/// A published figure with the decimals that it was published with.
fn published(percent: f64) -> String {
    let tenths = percent * 10.0;
    let decimals = if (tenths - tenths.round()).abs() < 1e-6 {
        1
    } else {
        2
    };
    format!("{percent:.decimals$}")
}

/// The tables, and what they tell.
pub(super) fn sections(report: &Report) -> Vec<(String, Table)> {
    let mut sections = vec![accuracies(report)];
    sections.extend(instances::section(&report.instances));
    sections.extend(verification::section(&report.verification));
    if !report.within_alphabet.is_empty() {
        sections.push(errors(report));
    }
    sections
}

fn missing(file: &str) -> String {
    format!("no {file} in the models' folder")
}

fn accuracies(report: &Report) -> (String, Table) {
    let caption = format!(
        "{}, {}; accuracy in %, mean and 95 % interval, {} queries a class, seed {}; published figures in brackets",
        report.data, report.split, report.query, report.seed
    );
    let tasks = TASKS.map(|(way, shot)| format!("{way}-way {shot}-shot"));
    let heads = ["method".to_owned()].into_iter().chain(tasks);
    let mut table = Table::new(heads.chain(["episodes".to_owned()]));
    for row in &report.rows {
        if row.missing {
            table.row([
                row.method.to_owned(),
                missing(row.model.unwrap_or_default()),
            ]);
            continue;
        }
        let cells = TASKS.map(|(way, shot)| {
            let measured = |task: &&Task| (task.way, task.shot) == (way, shot);
            let Some(task) = row.tasks.iter().find(measured) else {
                return "-".to_owned();
            };
            let published = task
                .published
                .map_or(String::new(), |p| format!(" ({})", published(p)));
            format!("{}{published}", task.accuracy.percent(2))
        });
        let episodes = row.tasks.first().map_or(0, |t| t.accuracy.episodes);
        let cells = [row.method.to_owned()].into_iter().chain(cells);
        table.row(cells.chain([episodes.to_string()]));
    }
    (caption, table)
}

fn errors(report: &Report) -> (String, Table) {
    let caption = "One picture each of 20 characters of one alphabet, 20 published runs (Lake et al. 2015), trained on \
        the background set alone; published figures in brackets";
    let mut table = Table::new(["method", "error in %"]);
    for row in &report.within_alphabet {
        let error = row.error.map(|error| error.percent(1));
        let error = error.unwrap_or_else(|| missing(row.model));
        table.row([row.method.to_owned(), error]);
    }
    for (who, error) in PUBLISHED_ERRORS {
        table.row([format!("published: {who}"), format!("({error:.1})")]);
    }
    (caption.to_owned(), table)
}
