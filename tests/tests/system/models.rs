//! The committed models are what their cards say.

use std::fs;
use std::path::PathBuf;

use sudal::data::{Loaded, omniglot, parts, surfaces};
use sudal::device::{Basis, Head, Rate};
use sudal::engine::QuantizedModel;
use sudal::episodes::{EpisodeShape, Sampler};
use sudal::export::float::FloatModel;
use sudal::export::views::{MOST_VIEWS, with_views};
use sudal::measure::{Embeddings, OpenSet, Run};
use sudal::meta::Checkpoint;
use sudal_firmware::engine;

fn model(name: &str) -> Vec<u8> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("../models")
        .join(name);
    fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

fn int8(name: &str, data: &Loaded) -> Embeddings {
    let model = QuantizedModel::new(&model(name)).unwrap();
    let (width, height) = data.size();
    let frames: Vec<&[u8]> = data.all().chunks((width * height) as usize).collect();
    let values: Vec<f32> = model
        .embed(&frames)
        .unwrap()
        .concat()
        .into_iter()
        .map(f32::from)
        .collect();
    Embeddings::new(values.len() / frames.len(), &data.class_sizes(), values)
}

fn float(name: &str, data: &Loaded) -> Embeddings {
    let model = FloatModel::new(&model(name), None).unwrap();
    let (width, height) = data.size();
    let frames: Vec<&[u8]> = data.all().chunks((width * height) as usize).collect();
    let values = model.embed(&frames).unwrap().concat();
    Embeddings::new(model.length(), &data.class_sizes(), values)
}

fn accuracy(embeddings: &Embeddings, way: usize, shot: usize) -> f64 {
    let shape = EpisodeShape {
        way,
        shot,
        query: 10,
    };
    embeddings.accuracy(shape, 400, 1).unwrap().mean
}

#[test]
fn golden_frames_give_their_golden_embeddings() {
    for name in [
        "parts.sudal",
        "omniglot.sudal",
        "omniglot-32.sudal",
        "surfaces.sudal",
        "flaws.sudal",
        "world.sudal",
    ] {
        let image = QuantizedModel::new(&model(name)).unwrap();
        let parsed = image.model().unwrap();
        let golden = parsed.golden().expect("every converted image has one");
        let embedding = image.embed(&[golden.frame]).unwrap();
        assert_eq!(embedding[0], golden.embedding, "{name}");
        let mut arena = vec![0; parsed.arena_words()];
        assert_eq!(engine::self_test(&parsed, &mut arena), Some(true), "{name}");
        let finds_flaws = ["surfaces.sudal", "flaws.sudal"].contains(&name);
        assert_eq!(golden.patches.is_some(), finds_flaws, "{name}");
    }
}

/// What else the map says than the embedding, and the self-test notices.
#[test]
fn surfaces_gives_patches_close_to_those_in_float() {
    let bytes = model("surfaces.sudal");
    let image = QuantizedModel::new(&bytes).unwrap();
    let parsed = image.model().unwrap();
    let patches = parsed.patches().unwrap();
    assert_eq!(
        [patches.height, patches.width, patches.channels],
        [12, 12, 64]
    );
    let data = surfaces::dataset(5, 16, 2, (96, 96))
        .load((96, 96), |_| {})
        .unwrap();
    let frames: Vec<&[u8]> = data.all().chunks(96 * 96).collect();
    let float = FloatModel::new(&model("surfaces.onnx"), None).unwrap();
    let (mut noise, mut signal) = (0.0, 0.0);
    for (exact, got) in float
        .patches(&frames)
        .unwrap()
        .iter()
        .zip(image.patches(&frames).unwrap())
    {
        for (exact, got) in exact.iter().zip(got) {
            let steps = i32::from(got) - i32::from(patches.zero_point);
            noise += (steps as f32 * patches.scale - exact).powi(2);
            signal += exact.powi(2);
        }
    }
    assert!(
        (noise / signal).sqrt() < 0.08,
        "{}",
        (noise / signal).sqrt()
    );

    // An image whose map is another one.
    let mut bytes = bytes;
    sudal_tests::change(&mut bytes, |header| header.golden_patches ^= 1);
    let image = QuantizedModel::new(&bytes).unwrap();
    let parsed = image.model().unwrap();
    let mut arena = vec![0; parsed.arena_words()];
    assert_eq!(engine::self_test(&parsed, &mut arena), Some(false));
}

#[test]
fn checkpoints_without_a_contrast_are_read() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../models/omniglot-anil.ckpt");
    assert_eq!(&model("omniglot-anil.ckpt")[..8], b"sudalck2");
    let checkpoint = Checkpoint::load(&path).unwrap();
    assert_eq!(checkpoint.config.contrast, 0);
    assert_eq!(checkpoint.size, (28, 28));
}

#[test]
fn the_models_fit_the_memory_on_their_cards() {
    for (name, flash, ram) in [
        ("parts.sudal", 64 << 10, 64 << 10),
        ("omniglot.sudal", 128 << 10, 96 << 10),
        ("omniglot-32.sudal", 128 << 10, 96 << 10),
        ("surfaces.sudal", 256 << 10, 64 << 10),
        ("flaws.sudal", 256 << 10, 64 << 10),
    ] {
        let bytes = model(name);
        let image = QuantizedModel::new(&bytes).unwrap();
        assert!(bytes.len() <= flash, "{name} has {} bytes", bytes.len());
        assert!(image.model().unwrap().arena_len() <= ram, "{name}");
    }
}

#[test]
fn parts_of_unseen_classes_are_told_apart_as_well_in_int8_as_in_float() {
    let data = parts::dataset(3, 60, 20, (64, 64))
        .load((64, 64), |_| {})
        .unwrap();
    let (int8, float) = (int8("parts.sudal", &data), float("parts.onnx", &data));
    for (way, shot) in [(5, 1), (5, 5)] {
        let (a, b) = (accuracy(&int8, way, shot), accuracy(&float, way, shot));
        assert!(a > 0.8, "{way}-way {shot}-shot: {a}");
        assert!(a > b - 0.01, "{way}-way {shot}-shot: int8 {a}, float {b}");
    }
}

#[test]
fn omniglot_keeps_its_accuracy_in_int8() {
    let Some(dir) = sudal_tests::data("omniglot") else {
        return;
    };
    let data = omniglot::vinyals(&dir, omniglot::Split::Test).unwrap();
    let tasks = [(5, 1), (5, 5), (20, 1), (20, 5)];
    for (name, side, least) in [
        ("omniglot.sudal", 28, [0.977, 0.989, 0.945, 0.981]),
        ("omniglot-32.sudal", 32, [0.983, 0.99, 0.955, 0.985]),
    ] {
        let pictures = data.load((side, side), |_| {}).unwrap();
        let int8 = int8(name, &pictures);
        for ((way, shot), least) in tasks.into_iter().zip(least) {
            let a = accuracy(&int8, way, shot);
            assert!(a > least, "{name}, {way}-way {shot}-shot: {a}");
        }
    }
}

/// On classes that it was neither trained nor calibrated on.
#[test]
fn parts_rejects_known_pictures_about_as_often_as_chosen() {
    let data = parts::dataset(3, 100, 20, (64, 64))
        .load((64, 64), |_| ())
        .unwrap();
    let embeddings = int8("parts.sudal", &data);
    let image = QuantizedModel::new(&model("parts.sudal")).unwrap();
    let model = image.model().unwrap();
    let rates = [100, 500, 1000].map(|parts| Rate::new(parts).unwrap());
    for shot in [1, 3, 5] {
        let shape = EpisodeShape {
            way: 2,
            shot,
            query: 10,
        };
        let sampler = Sampler::new(&data.class_sizes(), shape, 1).unwrap();
        // One class enrolled, so that its threshold alone decides.
        let open_set = OpenSet::new(&model, &embeddings, Head::Prototype, 1);
        let found = open_set.measure(&Run::new(&sampler, 1000), &rates).unwrap();
        assert_eq!(found.basis, Basis::Calibration);
        for at in found.rates {
            let realised = at.false_reject.mean / at.chosen;
            assert!((0.5..2.0).contains(&realised), "{shot} {at:?}");
        }
        assert!(found.auroc.mean > 0.9, "{:?}", found.auroc);
    }
}

/// On a hundred of the test classes, each shot by its picture and eight shifted ones.
#[test]
fn views_of_a_shot_tell_more_than_its_picture_alone() {
    let Some(dir) = sudal_tests::data("omniglot") else {
        return;
    };
    let data = omniglot::vinyals(&dir, omniglot::Split::Test).unwrap();
    let pictures = data.load((32, 32), |_| {}).unwrap();
    let sizes = &pictures.class_sizes()[..100];
    let frames: Vec<&[u8]> = pictures.pictures().take(sizes.iter().sum()).collect();
    let image = with_views(&model("omniglot-32.sudal"), MOST_VIEWS).unwrap();
    let image = QuantizedModel::new(&image).unwrap();
    let viewed = Embeddings::of_image(&image, &frames, sizes, &|_| ()).unwrap();
    let plain = Embeddings::new(viewed.dim(), sizes, viewed.values().to_vec());
    let [with, without] = [&viewed, &plain].map(|embeddings| accuracy(embeddings, 20, 1));
    println!("20-way 1-shot: {without:.4} by the picture alone, {with:.4} by its views");
    assert!(with > without + 0.002, "{with} {without}");
}
