//! `sudal explain`.

use std::path::PathBuf;

use anyhow::Context;
use serde::Serialize;
use sudal::data::{Loaded, Raster, Size};
use sudal::episodes::EpisodeShape;
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

/// A picture of the episode: the place of its class there, its class, its number.
type Place = (usize, usize, usize);
/// A query and the support pictures that are nearest to it, with their distances.
type Found = (Place, Vec<(f32, Place)>);

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
    let list = |of: &[Vec<usize>]| -> Vec<Place> {
        let classes = episode.classes.iter().zip(of).enumerate();
        let each = classes.flat_map(|(place, (&class, pictures))| {
            pictures.iter().map(move |&p| (place, class, p))
        });
        each.collect()
    };
    let (support, queries) = (list(&episode.support), list(&episode.query));
    let row = |&(_, class, picture): &Place| embeddings.get(class, picture);

    let rows: Vec<&[f32]> = support.iter().chain(&queries).map(row).collect();
    let map = components(&rows);
    let (of_support, of_queries) = map.places.split_at(support.len());
    let points = |list: &[Place], places: &[(f64, f64)], place: usize| {
        let own = list.iter().zip(places).filter(|(l, _)| l.0 == place);
        let own = own.map(|(_, &(x, y))| Point {
            x,
            y,
            interval: 0.0,
        });
        own.collect::<Vec<_>>()
    };
    let mut series = Vec::new();
    for (place, &class) in episode.classes.iter().enumerate() {
        let (rims, marks) = (
            points(&support, of_support, place),
            points(&queries, of_queries, place),
        );
        series.push(Series {
            name: data.class_name(class).to_owned(),
            points: marks,
            style: Style::Marks,
            color: Some(place),
        });
        series.push(Series {
            points: rims,
            style: Style::Rims,
            color: Some(place),
            ..Series::default()
        });
    }
    let axis = |n: usize| {
        let share = 100.0 * map.share[n];
        Axis::linear(format!("component {}, {share:.0} % of the variance", n + 1))
    };
    let chart = Chart {
        title: format!(
            "Embeddings of an episode: support large, queries small; {}",
            args.data.name()?
        ),
        x: axis(0),
        y: axis(1),
        series,
    };
    chart.save(&map_path).context("drawing the map")?;

    let distance = |a: &[f32], b: &[f32]| {
        let squares = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b));
        squares.sum::<f32>().sqrt()
    };
    let mut found: Vec<Found> = queries
        .iter()
        .map(|q| {
            let mut near: Vec<_> = support
                .iter()
                .map(|s| (distance(row(q), row(s)), *s))
                .collect();
            near.sort_by(|a, b| a.0.total_cmp(&b.0));
            near.truncate(args.neighbors);
            (*q, near)
        })
        .collect();
    let right = |(q, near): &Found| near.first().is_some_and(|(_, s)| s.0 == q.0);
    let wrong = found.iter().filter(|f| !right(f)).count();
    found.sort_by_key(right);
    let title = format!(
        "{} of {} queries are nearest to a support picture of their own class",
        found.len() - wrong,
        found.len()
    );
    let sheet = Neighbors {
        title: title.clone(),
        rows: found
            .iter()
            .take(args.rows)
            .map(|((place, class, picture), near)| Sought {
                frame: picture_of(&data, *class, *picture),
                class: *place,
                name: data.class_name(*class).to_owned(),
                nearest: near
                    .iter()
                    .map(|(distance, (place, class, picture))| Neighbor {
                        frame: picture_of(&data, *class, *picture),
                        class: *place,
                        name: data.class_name(*class).to_owned(),
                        distance: *distance,
                    })
                    .collect(),
            })
            .collect(),
    };
    sheet.figure().save(&sheet_path)?;

    let name = |class: usize| data.class_name(class).to_owned();
    let report = Report {
        share: map.share,
        queries: found
            .iter()
            .map(|((_, class, picture), near)| Explained {
                class: name(*class),
                picture: *picture,
                nearest: near
                    .iter()
                    .map(|(distance, (_, class, picture))| Near {
                        class: name(*class),
                        picture: *picture,
                        distance: *distance,
                    })
                    .collect(),
            })
            .collect(),
        map: map_path,
        neighbors: sheet_path,
    };
    let mut text = format!("{title}\n");
    for query in report.queries.iter().take(args.rows) {
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
    output.result(&report, text)
}

fn picture_of(data: &Loaded, class: usize, picture: usize) -> Raster {
    let Size {
        width,
        height,
        colors,
    } = data.picture_size();
    Raster {
        width,
        height,
        colors,
        pixels: data.pixels(class, picture).to_vec(),
    }
}
