//! `sudal classify`.

use std::path::PathBuf;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use sudal::data::Gray;
use sudal::report::{Acceptance, Answer, SCHEMA};

use super::align;
use super::board::{name, names};
use super::decide;
use super::device::{BoardArgs, Connection, Cost};
use super::output::Output;

/// Classify pictures by their distance to what was enrolled, as the chosen head measures it.
///
/// Without pictures it is what the camera sees. `host/JSON.md` documents what --json prints.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal classify unknown.png --json
  sudal classify part.png --fail-on ng,unknown,unclear || echo stop")]
pub(crate) struct Classify {
    /// Pictures: PNG, JPEG, BMP, TIFF or WebP. Of one of other proportions than the model's input the
    /// board looks at the middle (see sudal region).
    pictures: Vec<PathBuf>,
    /// End with exit code 3 if a picture has one of these verdicts: ng, unknown, unclear.
    #[arg(long, value_name = "VERDICTS", value_delimiter = ',', value_parser = acceptance())]
    fail_on: Vec<Acceptance>,
    #[command(flatten)]
    board: BoardArgs,
}

/// Ends the command, when the verdicts were printed, with an exit code of its own.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct FailedOn(String);

#[derive(Serialize)]
struct Results {
    schema: u32,
    results: Vec<Classified>,
}

#[derive(Serialize)]
struct Classified {
    /// Its file, or `camera`.
    picture: PathBuf,
    #[serde(flatten)]
    answer: Answer,
    cost: Cost,
}

impl Classify {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect()?;
        let info = c.client.info()?;
        let (rate, alignment) = (info.ticks_per_second, info.deciding.alignment);
        let names = names(&mut c.client)?;
        let mut results = Vec::new();
        let mut text = String::new();
        let mut ask = |picture: PathBuf, c: &mut Connection| -> anyhow::Result<()> {
            let verdict = c.client.classify()?;
            let cost = Cost::new(c.board.as_ref(), verdict.ticks, rate);
            let answer = Answer::new(&verdict, |id| name(&names, id).to_owned());
            let told = decide::told(&verdict.decision, &names);
            text.push_str(&format!("{}: {told}", picture.display()));
            for near in answer.distances.iter().take(3) {
                text.push_str(&format!("  {} {}", near.name, near.measure));
            }
            text.push_str(&format!("  ({cost})\n"));
            let reasons = decide::reasons(&verdict.decision, &names);
            if !reasons.is_empty() {
                text.push_str(&format!("  {reasons}\n"));
            }
            if let Some(found) = align::found(alignment, verdict.pose) {
                text.push_str(&format!("  {found}\n"));
            }
            results.push(Classified {
                picture,
                answer,
                cost,
            });
            Ok(())
        };
        for path in &self.pictures {
            c.show(&Gray::open(path)?)?;
            ask(path.clone(), &mut c)?;
        }
        if self.pictures.is_empty() {
            ask("camera".into(), &mut c)?;
        }
        let failed = self.failed(&results);
        let schema = SCHEMA;
        output.result(&Results { schema, results }, text)?;
        failed.map_or(Ok(()), |failed| Err(failed.into()))
    }

    /// How many pictures have a verdict to fail on, if any has.
    fn failed(&self, results: &[Classified]) -> Option<FailedOn> {
        let counts = self.fail_on.iter().filter_map(|&verdict| {
            let those = results.iter().filter(|r| r.answer.verdict == verdict);
            let count = those.count();
            (count > 0).then(|| format!("{count} {}", verdict.name()))
        });
        let counts: Vec<_> = counts.collect();
        let text = format!("of {} pictures: {}", results.len(), counts.join(", "));
        (!counts.is_empty()).then_some(FailedOn(text))
    }
}

fn acceptance() -> impl TypedValueParser<Value = Acceptance> {
    PossibleValuesParser::new(Acceptance::ALL.map(Acceptance::name)).map(|name| {
        let mut all = Acceptance::ALL.into_iter();
        let named = all.find(|verdict| verdict.name() == name);
        named.unwrap_or(Acceptance::Unknown)
    })
}
