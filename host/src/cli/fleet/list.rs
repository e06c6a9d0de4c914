//! `sudal fleet list` and `sudal fleet health`.

use std::path::PathBuf;

use anyhow::bail;
use sudal::fleet::{Row, payload};
use sudal::table::Table;

use super::super::output::Output;
use super::hall::Hall;
use super::known;

/// List the boards of all stations.
///
/// Boards that were seen before and are not there now are listed, too, with the time when they were.
#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    hall: Hall,
    /// File of the boards that were seen before [default: in the user's state folder].
    #[arg(long, value_name = "FILE")]
    known: Option<PathBuf>,
}

/// Show how the boards of all stations do, and fail if one does not.
///
/// One does not do well that is not there, or whose share of unknown parts or of parts that pass in this
/// shift is out of bounds.
#[derive(clap::Args)]
pub(super) struct Health {
    #[command(flatten)]
    list: List,
    /// Most unknown parts, in percent.
    #[arg(long, default_value_t = 10.0, value_name = "PERCENT")]
    most_unknown: f64,
    /// Least parts that pass, in percent.
    #[arg(long, default_value_t = 80.0, value_name = "PERCENT")]
    least_yield: f64,
}

impl List {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let rows = self.rows(output)?;
        let mut table = Table::new([
            "station",
            "board",
            "kind",
            "model",
            "versions",
            "parts",
            "last seen",
        ]);
        for row in &rows {
            table.row([
                row.station.clone(),
                row.board.clone(),
                row.kind.clone(),
                format!("{} {}", row.model, row.model_id),
                format!("{} / {}", row.sudal, row.firmware),
                row.parts.to_string(),
                seen(row),
            ]);
        }
        output.result(&serde_json::json!({ "boards": rows }), table)
    }

    fn rows(&self, output: &Output) -> anyhow::Result<Vec<Row>> {
        let watch = self.hall.gather(output)?;
        let file = self.known.clone();
        let file = file.unwrap_or_else(|| known::file(watch.group()));
        let rows = known::with_earlier(&file, watch.fleet().rows())?;
        let rows: Vec<Row> = rows
            .into_iter()
            .filter(|row| row.group == watch.group())
            .collect();
        if rows.is_empty() {
            bail!(
                "no station of group {:?} said anything: start one by `sudal serve --sparkplug mqtt://HOST/{}/STATION`, or --wait longer",
                watch.group(),
                watch.group()
            );
        }
        Ok(rows)
    }
}

impl Health {
    pub(super) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let rows = self.list.rows(output)?;
        let mut table = Table::new([
            "station",
            "board",
            "parts",
            "yield",
            "unknown",
            "last seen",
            "health",
        ]);
        let mut ill = 0;
        let mut boards = Vec::new();
        for row in &rows {
            let wrong = self.wrong(row);
            ill += usize::from(wrong.is_some());
            let percent =
                |p: Option<f64>| p.map_or_else(|| "-".to_owned(), |p| format!("{p:.1} %"));
            table.row([
                row.station.clone(),
                row.board.clone(),
                row.parts.to_string(),
                percent(row.yield_percent),
                percent(row.unknown_percent),
                seen(row),
                wrong.unwrap_or("well").to_owned(),
            ]);
            let mut json = serde_json::to_value(row)?;
            json["wrong"] = wrong.into();
            boards.push(json);
        }
        output.result(&serde_json::json!({ "boards": boards, "ill": ill }), table)?;
        match ill {
            0 => Ok(()),
            ill => bail!("{ill} of {} boards do not do well", rows.len()),
        }
    }

    fn wrong(&self, row: &Row) -> Option<&'static str> {
        let unknown = row.unknown_percent.is_some_and(|p| p > self.most_unknown);
        let fails = row.yield_percent.is_some_and(|p| p < self.least_yield);
        match (row.online, unknown, fails) {
            (false, ..) => Some("not there"),
            (_, true, _) => Some("many unknown parts"),
            (_, _, true) => Some("few parts pass"),
            _ => None,
        }
    }
}

fn seen(row: &Row) -> String {
    if row.online {
        return "now".to_owned();
    }
    let seconds = payload::now().saturating_sub(row.seen) / 1000;
    match seconds {
        0..60 => format!("{seconds} s ago"),
        60..3600 => format!("{} min ago", seconds / 60),
        3600..86_400 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400),
    }
}
