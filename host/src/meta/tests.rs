//! Whole small runs on synthetic parts.

use std::sync::Arc;

use super::augment::Augment;
use super::checkpoint::Origin;
use super::schedule::Schedule;
use super::{Checkpoint, CheckpointError, TrainConfig, TrainError, Trained, Trainer};
use crate::data::{Loaded, parts};
use crate::episodes::EpisodeShape;
use crate::nets::network::Architecture;
use crate::nets::reference;

const SIDE: u32 = 32;

fn data(seed: u64, classes: usize) -> Arc<Loaded> {
    let parts = parts::dataset(seed, classes, 8, (SIDE, SIDE));
    Arc::new(parts.load((SIDE, SIDE), |_| {}).unwrap())
}

fn config(episodes: u64) -> TrainConfig {
    TrainConfig {
        architecture: Architecture::Conv4 { channels: 16 },
        way: 10,
        shots: vec![1, 3],
        query: 3,
        family: 4,
        episodes,
        schedule: Schedule {
            peak: 5e-3,
            warmup: 5,
        },
        augment: Augment::CAMERA,
        averaging: 0.9,
        validate_every: 1000,
        patience: 10,
        seed: 5,
    }
}

fn finished(mut trainer: Trainer) -> Checkpoint {
    while !trainer.is_done() {
        trainer.step().unwrap();
    }
    let mut checkpoint = trainer.checkpoint();
    checkpoint.seconds = 0.0;
    checkpoint
}

#[test]
fn a_resumed_run_ends_where_an_unbroken_one_does() {
    let data = data(1, 24);
    let start = || Trainer::new(config(8), Origin::default(), Arc::clone(&data)).unwrap();
    let unbroken = finished(start());

    let mut first = start();
    for _ in 0..3 {
        first.step().unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    first.save(&path).unwrap();
    drop(first);
    let kept = Checkpoint::load(&path).unwrap();
    assert_eq!(kept.step, 3);
    let resumed = finished(Trainer::resume(&kept, data).unwrap());
    assert!(resumed == unbroken, "the resumed run went another way");
}

#[test]
fn training_teaches_and_the_folded_graph_is_the_network() {
    let test = data(2, 20);
    let shape = EpisodeShape {
        way: 5,
        shot: 3,
        query: 5,
    };
    let run = |episodes| {
        let origin = Origin::default();
        finished(Trainer::new(config(episodes), origin, data(1, 60)).unwrap())
    };
    let accuracy = |trained: &Trained| {
        let embeddings = trained.embeddings(&test);
        embeddings.accuracy(shape, 200, 0).unwrap().mean
    };
    let (before, after) = (run(1), run(300));
    let (before, after) = (
        Trained::load(&before).unwrap(),
        Trained::load(&after).unwrap(),
    );
    let (start, end) = (accuracy(&before), accuracy(&after));
    assert!(
        end > start + 0.1 && end > 0.45,
        "{start} to {end}, chance is 0.2"
    );

    let picture: Vec<f32> = test
        .pixels(3, 1)
        .iter()
        .map(|&p| f32::from(p) / 255.0)
        .collect();
    let folded = reference::embed(&after.graph(), &picture).unwrap();
    let trained = after.embed_normalized(&picture);
    assert_eq!(folded.len(), trained.len());
    for (a, b) in folded.iter().zip(&trained) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

#[test]
fn an_unfinished_run_is_no_network() {
    let trainer = Trainer::new(config(5), Origin::default(), data(1, 24)).unwrap();
    let error = Trained::load(&trainer.checkpoint()).unwrap_err();
    assert!(matches!(error, TrainError::Unfinished { done: 0, of: 5 }));
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let trainer = Trainer::new(config(5), Origin::default(), data(1, 24)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    trainer.save(&path).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for len in [0, 4, 10, 100, whole.len() - 1] {
        std::fs::write(&path, &whole[..len]).unwrap();
        let error = Checkpoint::load(&path).unwrap_err();
        assert!(matches!(error, CheckpointError::Format { .. }), "{len}");
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(&path, flipped).unwrap();
    assert!(Checkpoint::load(&path).is_err());
    std::fs::write(&path, whole).unwrap();
    assert!(Checkpoint::load(&path).is_ok());
}

#[test]
fn impossible_runs_are_refused_before_they_start() {
    let data = data(1, 24);
    let refuse = |change: fn(&mut TrainConfig)| {
        let mut config = config(5);
        change(&mut config);
        Trainer::new(config, Origin::default(), Arc::clone(&data))
            .err()
            .unwrap()
    };
    assert!(matches!(refuse(|c| c.way = 25), TrainError::Episode(_)));
    assert!(matches!(refuse(|c| c.query = 6), TrainError::Episode(_)));
    assert!(matches!(refuse(|c| c.shots = vec![]), TrainError::NoShots));
    assert!(matches!(
        refuse(|c| c.shots = vec![0, 1]),
        TrainError::NoShots
    ));
}
