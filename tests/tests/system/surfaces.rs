//! The model of surfaces against features that nobody trained.

use std::fs;
use std::path::PathBuf;

use sudal::data::{Loaded, folder, surfaces};
use sudal::engine::QuantizedModel;
use sudal::episodes::EpisodeShape;
use sudal::measure::Embeddings;
use sudal::meta::hand_crafted::Feature;

/// Side of the pictures, in pixels.
const SIDE: u32 = 96;

fn int8(data: &Loaded) -> Embeddings {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/surfaces.sudal");
    let model = QuantizedModel::new(&fs::read(path).unwrap()).unwrap();
    let frames: Vec<&[u8]> = data.all().chunks((SIDE * SIDE) as usize).collect();
    let values = model.embed(&frames).unwrap().concat();
    let dim = values.len() / frames.len();
    let values = values.into_iter().map(f32::from).collect();
    Embeddings::new(dim, &data.class_sizes(), values)
}

/// 5-way 1-shot and 5-shot.
fn accuracies(embeddings: &Embeddings) -> [f64; 2] {
    [1, 5].map(|shot| {
        let shape = EpisodeShape {
            way: 5,
            shot,
            query: 10,
        };
        embeddings.accuracy(shape, 400, 1).unwrap().mean
    })
}

/// Checks that the model is better than every hand-made feature by `points`, and returns its accuracies.
fn compare(data: &Loaded, points: [f64; 2]) -> [f64; 2] {
    let learned = accuracies(&int8(data));
    for feature in Feature::ALL {
        let made = accuracies(&feature.describe(data));
        println!("{}: {made:.3?}, learned {learned:.3?}", feature.name());
        for place in 0..2 {
            assert!(learned[place] > made[place] + points[place]);
        }
    }
    learned
}

#[test]
fn it_tells_new_generated_surfaces_apart_better_than_hand_made_features() {
    // Five materials of eight classes.
    let data = surfaces::dataset(77, 40, 15, (SIDE, SIDE))
        .load((SIDE, SIDE), |_| {})
        .unwrap();
    let learned = compare(&data, [0.1, 0.1]);
    assert!(learned[0] > 0.75 && learned[1] > 0.8, "{learned:?}");
}

#[test]
fn it_tells_photographed_strip_apart_that_it_never_saw() {
    let Some(dir) = sudal_tests::data("x-sdd") else {
        return;
    };
    let data = folder::open(&dir.join("x-sdd.zip"))
        .unwrap()
        .load((SIDE, SIDE), |_| {})
        .unwrap();
    let learned = compare(&data, [0.02, 0.05]);
    assert!(learned[0] > 0.6 && learned[1] > 0.77, "{learned:?}");
}
