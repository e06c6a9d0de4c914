//! `sudal explain`.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::data::{Loaded, Raster, Size};
use sudal::episodes::{Episode, EpisodeShape};
use sudal::measure::Embeddings;
use sudal::report::{Axis, Chart, Neighbor, Neighbors, Point, Series, Sought, Style, components};

use super::data::DataArgs;
use super::episodes::Options;
use super::model::ModelFile;
use super::output::Output;
use super::output_file;

/// Show why a model answers as it does, in pictures.
///
/// Show why a model answers as it does: a map of an episode's embeddings, and each query's nearest
/// support pictures.
///
/// Draws OUT-map.png and .svg, the embeddings of support (large, rimmed) and queries along their two
/// principal components, and OUT-neighbors.png, queries beside the support pictures that lie
/// nearest, with their Euclidean distances. Queries that are nearest to another class come first.
#[derive(clap::Args)]
#[command(after_help = "Examples:
  sudal explain parts --data synthetic:parts --out parts
  sudal explain models/omniglot.onnx --data ~/omniglot --way 8 --shot 3 --episode 7 --out omniglot")]
pub(crate) struct Args {
    /// A model that comes with sudal, by name, or a file: checkpoint, ONNX or model image.
    model: PathBuf,
    #[command(flatten)]
    data: DataArgs,
    /// Classes of the episode.
    #[arg(long, default_value_t = 6)]
    way: usize,
    /// Support pictures of a class.
    #[arg(long, default_value_t = 3)]
    shot: usize,
    /// Query pictures of a class.
    #[arg(long, default_value_t = 8)]
    query: usize,
    /// Draw whole families of this many classes, which are similar (parts: 4).
    #[arg(long, default_value_t = 1)]
    family: usize,
    /// Seed of the episodes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Which of the seed's episodes.
    #[arg(long, default_value_t = 0)]
    episode: u64,
    /// Queries shown with their neighbours.
    #[arg(long, default_value_t = 8)]
    rows: usize,
    /// Neighbours of each.
    #[arg(long, default_value_t = 5)]
    neighbors: usize,
    /// Start of the files' names.
    #[arg(long, default_value = "explain", value_name = "PREFIX")]
    out: PathBuf,
}

#[derive(Serialize)]
struct Report {
    map: PathBuf,
    neighbors: PathBuf,
    /// Part of the variance along the map's two axes, 0..=1.
    share: [f64; 2],
    queries: Vec<Explained>,
}

#[derive(Serialize)]
struct Explained {
    class: String,
    picture: usize,
    nearest: Vec<Near>,
}

#[derive(Serialize)]
struct Near {
    class: String,
    picture: usize,
    distance: f32,
}

/// A picture of the episode.
#[derive(Clone, Copy)]
struct Place {
    /// Which class of the episode.
    place: usize,
    /// Which class of the data.
    class: usize,
    /// Which picture of the class.
    picture: usize,
}

/// A query, and the support pictures that are nearest to it with their distances.
struct Found {
    query: Place,
    nearest: Vec<(f32, Place)>,
}

impl Found {
    fn is_right(&self) -> bool {
        let first = self.nearest.first();
        first.is_some_and(|(_, support)| support.place == self.query.place)
    }
}

/// An episode, and what the model makes of its pictures.
struct Shown<'a> {
    data: &'a Loaded,
    embeddings: &'a Embeddings,
    episode: &'a Episode,
    support: Vec<Place>,
    queries: Vec<Place>,
}

pub(crate) fn run(args: &Args, output: &Output) -> anyhow::Result<()> {
    let map_path = output_file::named(&args.out, "-map.png");
    let sheet_path = output_file::named(&args.out, "-neighbors.png");
    output_file::ready_chart(&map_path)?;
    output_file::ready(&sheet_path)?;
    let model = ModelFile::open(&args.model)?;
    let split = args.data.split_or("test")?;
    let data = args.data.load(&split, model.size()?, output)?;
    let embeddings = model.embeddings(&data, output)?;
    let shape = EpisodeShape {
        way: args.way,
        shot: args.shot,
        query: args.query,
    };
    let sampler = Options::USUAL.sampler(&data, shape, args.family, args.seed)?;
    let episode = sampler.episode(args.episode);
    let shown = Shown {
        data: &data,
        embeddings: &embeddings,
        episode: &episode,
        support: places(&episode, &episode.support),
        queries: places(&episode, &episode.query),
    };
    let (chart, share) = shown.map(&args.data.name()?);
    chart.save(&map_path).context("drawing the map")?;

    let found = shown.nearest(args.neighbors);
    let right = found.iter().filter(|found| found.is_right()).count();
    let title = format!(
        "{right} of {} queries are nearest to a support picture of their own class",
        found.len()
    );
    let sheet = shown.sheet(&found[..found.len().min(args.rows)], &title);
    sheet.figure().save(&sheet_path)?;

    let report = Report {
        share,
        queries: found.iter().map(|found| shown.explained(found)).collect(),
        map: map_path,
        neighbors: sheet_path,
    };
    output.result(&report, text(&report, &title, args.rows))
}

/// Support or query pictures of an episode, class by class.
fn places(episode: &Episode, of: &[Vec<usize>]) -> Vec<Place> {
    let classes = episode.classes.iter().zip(of).enumerate();
    let each = classes.flat_map(|(place, (&class, pictures))| {
        pictures.iter().map(move |&picture| Place {
            place,
            class,
            picture,
        })
    });
    each.collect()
}

impl Shown<'_> {
    fn row(&self, query: &Place) -> &[f32] {
        self.embeddings.get(query.class, query.picture)
    }

    fn shot(&self, support: &Place) -> &[f32] {
        self.embeddings.shot(support.class, support.picture)
    }

    fn name(&self, at: &Place) -> String {
        self.data.class_name(at.class).to_owned()
    }

    /// The embeddings along their two principal components, and how much of the variance each has.
    fn map(&self, data: &str) -> (Chart, [f64; 2]) {
        let support = self.support.iter().map(|at| self.shot(at));
        let all = support.chain(self.queries.iter().map(|at| self.row(at)));
        let map = components(&all.collect::<Vec<_>>());
        let (of_support, of_queries) = map.places.split_at(self.support.len());
        let points = |list: &[Place], places: &[(f64, f64)], place: usize| {
            let own = list.iter().zip(places).filter(|(at, _)| at.place == place);
            let own = own.map(|(_, &(x, y))| Point {
                x,
                y,
                interval: 0.0,
            });
            own.collect::<Vec<_>>()
        };
        let classes = self.episode.classes.iter().enumerate();
        let series = classes.flat_map(|(place, &class)| {
            let of_class = |points, style| Series {
                points,
                style,
                color: Some(place),
                ..Series::default()
            };
            let queries = points(&self.queries, of_queries, place);
            [
                Series {
                    name: self.data.class_name(class).to_owned(),
                    ..of_class(queries, Style::Marks)
                },
                of_class(points(&self.support, of_support, place), Style::Rims),
            ]
        });
        let axis = |n: usize| {
            let share = 100.0 * map.share[n];
            Axis::linear(format!("component {}, {share:.0} % of the variance", n + 1))
        };
        let chart = Chart {
            title: format!("Embeddings of an episode: support large, queries small; {data}"),
            x: axis(0),
            y: axis(1),
            series: series.collect(),
        };
        (chart, map.share)
    }

    /// The nearest support pictures of each query, wrong ones first.
    fn nearest(&self, count: usize) -> Vec<Found> {
        let distance = |a: &[f32], b: &[f32]| {
            let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
            squares.sum::<f32>().sqrt()
        };
        let of_query = |query: &Place| {
            let support = self.support.iter();
            let mut nearest: Vec<_> = support
                .map(|at| (distance(self.row(query), self.shot(at)), *at))
                .collect();
            nearest.sort_by(|a, b| a.0.total_cmp(&b.0));
            nearest.truncate(count);
            Found {
                query: *query,
                nearest,
            }
        };
        let mut found: Vec<Found> = self.queries.iter().map(of_query).collect();
        found.sort_by_key(Found::is_right);
        found
    }

    /// The pictures side by side.
    fn sheet(&self, found: &[Found], title: &str) -> Neighbors {
        let neighbor = |(distance, at): &(f32, Place)| Neighbor {
            frame: picture_of(self.data, at),
            class: at.place,
            name: self.name(at),
            distance: *distance,
        };
        let sought = |Found { query, nearest }: &Found| Sought {
            frame: picture_of(self.data, query),
            class: query.place,
            name: self.name(query),
            nearest: nearest.iter().map(neighbor).collect(),
        };
        Neighbors {
            title: title.to_owned(),
            rows: found.iter().map(sought).collect(),
        }
    }

    fn explained(&self, found: &Found) -> Explained {
        let near = |(distance, at): &(f32, Place)| Near {
            class: self.name(at),
            picture: at.picture,
            distance: *distance,
        };
        Explained {
            class: self.name(&found.query),
            picture: found.query.picture,
            nearest: found.nearest.iter().map(near).collect(),
        }
    }
}

fn text(report: &Report, title: &str, rows: usize) -> String {
    let mut text = format!("{title}\n");
    for query in report.queries.iter().take(rows) {
        text.push_str(&format!("{} picture {}:\n", query.class, query.picture));
        for near in &query.nearest {
            text.push_str(&format!(
                "  {:>9.3}  {} picture {}\n",
                near.distance, near.class, near.picture
            ));
        }
    }
    text.push_str(&format!(
        "drawn: {}, {}, {}",
        report.map.display(),
        report.map.with_extension("svg").display(),
        report.neighbors.display()
    ));
    text
}

fn picture_of(data: &Loaded, at: &Place) -> Raster {
    let Size {
        width,
        height,
        colors,
    } = data.picture_size();
    Raster {
        width,
        height,
        colors,
        pixels: data.pixels(at.class, at.picture).to_vec(),
    }
}
