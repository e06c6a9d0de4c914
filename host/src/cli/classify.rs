//! `sudal classify`.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use serde::Serialize;
use sudal::data::Raster;
use sudal::device::{self, Judgement};
use sudal::report::{Acceptance, Answer, Flaws, SCHEMA, heatmap};

use super::align;
use super::decide;
use super::device::{BoardArgs, Connection, Cost};
use super::names::{name, names};
use super::output::Output;
use super::own_pictures;

/// Ask the board what pictures show.
///
/// Classify pictures by their distance to what was enrolled, as the chosen head measures it.
///
/// Without pictures it is what the camera sees. `host/docs/json.md` documents what --json prints.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal classify unknown.png --json
  sudal classify part.png --heatmap part-heat.png
  sudal classify part.png --fail-on ng,unknown,unclear || echo stop")]
pub(crate) struct Classify {
    /// Pictures, or folders of them: PNG, JPEG, BMP, TIFF or WebP. Of one of other proportions than the model's input the
    /// board looks at the middle (see sudal region).
    pictures: Vec<PathBuf>,
    /// End with exit code 3 if a picture has one of these verdicts: ng, unknown, unclear.
    #[arg(long, value_name = "VERDICTS", value_delimiter = ',', value_parser = acceptance())]
    fail_on: Vec<Acceptance>,
    /// Draw where each picture is flawed, beside the good parts that were shown: the file for one
    /// picture, the folder for several. With --json the values too.
    #[arg(long, value_name = "FILE", requires = "pictures")]
    heatmap: Option<PathBuf>,
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
    said: Said,
    /// What was found beside the good parts that were shown, if some were.
    flaws: Option<Flaws>,
    cost: Cost,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Said {
    /// Of its class.
    Class(Box<Answer>),
    /// By its flaws alone: no class is enrolled.
    Flaws { verdict: Acceptance },
}

impl Said {
    fn verdict(&self) -> Acceptance {
        match self {
            Self::Class(answer) => answer.verdict,
            Self::Flaws { verdict } => *verdict,
        }
    }
}

impl Classify {
    pub(crate) fn run(&self, output: &Output) -> anyhow::Result<()> {
        let mut c = self.board.connect()?;
        let info = c.client.info()?;
        let (rate, alignment) = (info.ticks_per_second, info.decision_config.alignment);
        let names = names(&mut c.client)?;
        let mut results = Vec::new();
        let mut text = String::new();
        let capacity = c.board.memory().frame;
        let seen = |picture: &Raster| device::seen(picture, capacity, &info);
        let mut ask = |path: PathBuf, picture: Option<&Raster>, c: &mut Connection| {
            let judgement = c.client.judge()?;
            let (anomaly, ticks) = match &judgement {
                Judgement::Class(verdict) => (verdict.anomaly, verdict.ticks),
                Judgement::Inspection(anomaly) => (Some(*anomaly), anomaly.ticks),
            };
            let cost = Cost::new(c.board.as_ref(), ticks, rate);
            let wanted = self.heatmap.is_some();
            let heat = anomaly.filter(|_| wanted);
            let heat = heat.map(|anomaly| c.client.heatmap(&anomaly)).transpose()?;
            let flaws = anomaly.map(|anomaly| Flaws::new(&anomaly, heat));
            let flaws = match picture.and_then(seen) {
                Some(seen) => flaws.map(|flaws| flaws.seen_in(&seen)),
                None => flaws,
            };
            text.push_str(&format!("{}: ", path.display()));
            let said = match &judgement {
                Judgement::Class(verdict) => {
                    let answer = Answer::new(verdict, |id| name(&names, id).to_owned());
                    text.push_str(&decide::describe_decision(&verdict.decision, &names));
                    for near in answer.distances.iter().take(3) {
                        text.push_str(&format!("  {} {}", near.name, near.measure));
                    }
                    text.push_str(&format!("  ({cost})\n"));
                    let reasons = decide::reasons(&verdict.decision, &names);
                    let found = align::found(alignment, verdict.pose);
                    for line in (!reasons.is_empty())
                        .then_some(reasons)
                        .into_iter()
                        .chain(found)
                    {
                        text.push_str(&format!("  {line}\n"));
                    }
                    Said::Class(answer.into())
                }
                Judgement::Inspection(anomaly) => {
                    let ok = if anomaly.is_good() { "OK" } else { "NOT OK" };
                    text.push_str(&format!("{ok}  ({cost})\n"));
                    let verdict = Flaws::new(anomaly, None).verdict();
                    Said::Flaws { verdict }
                }
            };
            if let Some(flaws) = &flaws {
                text.push_str(&format!("  {flaws}\n"));
            }
            results.push(Classified {
                picture: path,
                said,
                flaws,
                cost,
            });
            anyhow::Ok(())
        };
        let given = own_pictures::expand(&self.pictures, output)?;
        let bar = output.bar(given.len() as u64, "pictures");
        bar.set_message("classifying");
        for path in &given {
            let picture = Raster::open_as(path, info.colors())?;
            c.show(&picture)?;
            ask(path.clone(), Some(&picture), &mut c)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        if self.pictures.is_empty() {
            ask("camera".into(), None, &mut c)?;
        }
        if let Some(place) = &self.heatmap {
            let maps = results
                .iter()
                .filter_map(|r| Some((r, r.flaws.as_ref()?.heat.as_ref()?)));
            let mut drawn = 0;
            for (result, heat) in maps {
                let picture = Raster::open_as(&result.picture, info.colors())?;
                let seen = seen(&picture).unwrap_or(picture);
                let file = self.heatmap_of(place, &result.picture)?;
                heatmap(&seen, [heat.height, heat.width], &heat.values).save(&file)?;
                drawn += 1;
            }
            if drawn == 0 {
                bail!(
                    "there is no heat map: show the board good parts by `sudal good`, with a model that gives patches"
                );
            }
        }
        let failed = self.failed(&results);
        let schema = SCHEMA;
        output.result(&Results { schema, results }, text)?;
        failed.map_or(Ok(()), |failed| Err(failed.into()))
    }

    /// The file of a picture's heat map: the place that was given, or one in that folder.
    fn heatmap_of(&self, place: &Path, picture: &Path) -> anyhow::Result<PathBuf> {
        if self.pictures.len() == 1 && !self.pictures[0].is_dir() && !place.is_dir() {
            return Ok(place.to_owned());
        }
        fs::create_dir_all(place).with_context(|| {
            format!(
                "the heat maps of several pictures go to a folder, {}",
                place.display()
            )
        })?;
        let parents = picture.parent().and_then(Path::file_name);
        let name: Vec<_> = parents.into_iter().chain(picture.file_stem()).collect();
        let name: Vec<_> = name.iter().map(|part| part.to_string_lossy()).collect();
        Ok(place.join(format!("{}-heat.png", name.join("-"))))
    }

    /// How many pictures have a verdict to fail on, if any has.
    fn failed(&self, results: &[Classified]) -> Option<FailedOn> {
        let counts = self.fail_on.iter().filter_map(|&verdict| {
            let those = results.iter().filter(|r| r.said.verdict() == verdict);
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
