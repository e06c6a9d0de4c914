//! The demo's parts, and one board that learns and finds them.

use anyhow::bail;
use sudal::data::{Dataset, Raster, parts};
use sudal::device::{Head, Outcome, Verdict};
use sudal::report::{Confusion, ContactSheet, Query, Row};

use super::super::device::{BoardArgs, Connection, Cost};
use super::super::interrupt::{Interrupt, Interrupted};
use super::super::output::Output;
use super::args::Args;

/// Parts that no training saw.
pub(super) struct DemoEpisode {
    pub(super) names: Vec<String>,
    support: Vec<Vec<Raster>>,
    queries: Vec<Vec<Raster>>,
}

impl DemoEpisode {
    pub(super) fn of(args: &Args, size: (u32, u32)) -> anyhow::Result<Self> {
        let stride = if args.siblings {
            1
        } else {
            parts::FAMILY as usize
        };
        let classes: Vec<usize> = (0..args.classes).map(|c| c * stride).collect();
        let frames = args.shots + args.queries;
        let data: Dataset = parts::dataset(args.seed, args.classes * stride, frames, size);
        let data = data.subset(&classes);
        let frames = |class: usize, from: usize, to: usize| -> anyhow::Result<Vec<Raster>> {
            let frames = (from..to).map(|index| data.get(class, index));
            Ok(frames.collect::<Result<_, _>>()?)
        };
        let all = |from: usize, to: usize| -> anyhow::Result<Vec<Vec<Raster>>> {
            (0..args.classes)
                .map(|class| frames(class, from, to))
                .collect()
        };
        Ok(Self {
            names: (0..args.classes)
                .map(|c| data.class_name(c).to_owned())
                .collect(),
            support: all(0, args.shots)?,
            queries: all(args.shots, args.shots + args.queries)?,
        })
    }
}

/// What a board made of a query.
#[derive(PartialEq)]
struct Said {
    /// Without the time, in which boards differ.
    verdict: Verdict,
    embedding: Vec<i8>,
    /// The class it is nearest to, by its number among the parts.
    nearest: usize,
}

/// What a board made of all of them.
pub(super) struct Shown {
    pub(super) board: String,
    said: Vec<Vec<Said>>,
    /// The number of each class id among the parts.
    places: Vec<(u8, usize)>,
    pub(super) median: Cost,
    pub(super) most: Cost,
}

/// How often it was right.
#[derive(Clone, Copy, serde::Serialize)]
pub(super) struct Counts {
    pub(super) right: usize,
    pub(super) not_sure: usize,
    pub(super) wrong: usize,
}

/// Flashes a board, teaches it, switches it off and on, and asks. It is off in the end, also where that
/// fails or Ctrl-C comes.
pub(super) fn show(
    board_args: &BoardArgs,
    image: &[u8],
    parts: &DemoEpisode,
    interrupt: &Interrupt,
    output: &Output,
) -> anyhow::Result<Shown> {
    let (mut board, _hold) = board_args.open_alone()?;
    board.hasten();
    board.flash(image, &mut |step| output.step(step))?;
    let mut connection = Connection::new(board)?;
    connection.unlock(board_args)?;
    let shown = ask(&mut connection, parts, interrupt, output);
    if board_args.usb()?.is_none() {
        connection.board.stop()?;
    }
    shown
}

fn ask(
    connection: &mut Connection,
    parts: &DemoEpisode,
    interrupt: &Interrupt,
    output: &Output,
) -> anyhow::Result<Shown> {
    let go_on = || match interrupt.is_set() {
        true => Err(Interrupted("the demo is over".to_owned())),
        false => Ok(()),
    };
    let info = connection.client.info()?;
    let shots = parts.support.iter().map(Vec::len).max().unwrap_or(0);
    if parts.names.len() > usize::from(info.max_classes) || shots > usize::from(info.max_shots) {
        bail!(
            "the board stores {} classes of {} shots",
            info.max_classes,
            info.max_shots
        );
    }
    connection.client.reset()?;
    // The contact sheet shows distances.
    connection.client.set_head(Head::Prototype)?;
    output.step(format!(
        "{}: teaching {} classes from {shots} frames each",
        info.board,
        parts.names.len()
    ));
    let frames = parts
        .support
        .iter()
        .chain(&parts.queries)
        .map(Vec::len)
        .sum::<usize>();
    let bar = output.bar(frames as u64, "frames");
    bar.set_message(info.board.clone());
    for (name, frames) in parts.names.iter().zip(&parts.support) {
        for frame in frames {
            go_on()?;
            connection.show(frame)?;
            connection.client.enroll_forced(&short(name))?;
            bar.inc(1);
        }
    }
    bar.suspend(|| output.step(format!("{}: switching it off and on", info.board)));
    connection.restart()?;
    let enrolled = connection.client.list()?;
    if enrolled.len() != parts.names.len() || enrolled.iter().any(|c| usize::from(c.shots) != shots)
    {
        let names: Vec<_> = enrolled.iter().map(|c| c.name.as_str()).collect();
        bail!(
            "the power cycle lost classes: left are {}",
            names.join(", ")
        );
    }
    let places: Vec<(u8, usize)> = enrolled
        .iter()
        .filter_map(|c| {
            let place = parts.names.iter().position(|name| short(name) == c.name)?;
            Some((c.id, place))
        })
        .collect();
    let mut ticks = Vec::new();
    let mut said = Vec::new();
    for frames in &parts.queries {
        let mut row = Vec::new();
        for frame in frames {
            go_on()?;
            connection.show(frame)?;
            let mut verdict = connection.client.classify()?;
            ticks.push(std::mem::take(&mut verdict.ticks));
            let embedding = connection.client.embed()?.values;
            let Some(nearest) = place(&places, verdict.nearest.class) else {
                bail!(
                    "the board named a class that was not enrolled: {}",
                    verdict.name
                );
            };
            row.push(Said {
                verdict,
                embedding,
                nearest,
            });
            bar.inc(1);
        }
        said.push(row);
    }
    bar.finish_and_clear();
    ticks.sort_unstable();
    let cost = |ticks| Cost::new(connection.board.as_ref(), ticks, info.ticks_per_second);
    Ok(Shown {
        board: info.board,
        said,
        places,
        median: cost(ticks[ticks.len() / 2]),
        most: cost(ticks[ticks.len() - 1]),
    })
}

fn place(places: &[(u8, usize)], id: u8) -> Option<usize> {
    places
        .iter()
        .find(|(other, _)| *other == id)
        .map(|(_, place)| *place)
}

impl Shown {
    /// Whether the other board gave every verdict, distance and embedding to the bit.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.said == other.said && self.places == other.places
    }

    /// The class that the device decided for; none where it is not sure.
    fn decided(&self, said: &Said) -> Option<usize> {
        match said.verdict.decision.outcome {
            Outcome::Class(id) | Outcome::Good(id) | Outcome::Defect(id) => place(&self.places, id),
            Outcome::Flawed(_) | Outcome::Unknown | Outcome::Unclear => None,
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let mut counts = Counts {
            right: 0,
            not_sure: 0,
            wrong: 0,
        };
        for (truth, row) in self.said.iter().enumerate() {
            for said in row {
                *match self.decided(said) {
                    None => &mut counts.not_sure,
                    Some(class) if class == truth => &mut counts.right,
                    Some(_) => &mut counts.wrong,
                } += 1;
            }
        }
        counts
    }

    /// By the nearest class, whether the device was sure or not.
    pub(super) fn confusion(&self, parts: &DemoEpisode) -> anyhow::Result<Confusion> {
        let mut confusion = Confusion::new(&parts.names);
        for (truth, row) in self.said.iter().enumerate() {
            for said in row {
                confusion.add(truth, said.nearest)?;
            }
        }
        Ok(confusion)
    }

    pub(super) fn sheet(&self, parts: &DemoEpisode, title: String) -> ContactSheet {
        let rows = parts.names.iter().enumerate().map(|(class, name)| {
            let queries = parts.queries[class].iter().zip(&self.said[class]);
            Row {
                name: name.clone(),
                support: parts.support[class].clone(),
                queries: queries
                    .map(|(frame, said)| self.query(frame, said))
                    .collect(),
            }
        });
        ContactSheet {
            title,
            rows: rows.collect(),
        }
    }

    fn query(&self, frame: &Raster, said: &Said) -> Query {
        let mut distances = vec![f32::NAN; self.places.len()];
        for d in &said.verdict.distances {
            if let Some(place) = place(&self.places, d.class) {
                distances[place] = d.value.sqrt();
            }
        }
        Query {
            frame: frame.clone(),
            distances,
            sure: self.decided(said).is_some(),
        }
    }
}

/// A name that fits the board's store; its number at the front keeps it unique.
fn short(name: &str) -> String {
    let mut end = name.len().min(32);
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    name[..end].trim_end().to_owned()
}
