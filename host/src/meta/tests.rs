//! Whole small runs on synthetic parts.

use std::sync::Arc;

use super::augment::Augment;
use super::checkpoint::Origin;
use super::distilled::Distilled;
use super::learner::Learner;
use super::maml::Maml;
use super::mann::Mann;
use super::meta_transfer::MetaTransfer;
use super::params::Params;
use super::prototypical::Prototypical;
use super::reptile::Reptile;
use super::schedule::Schedule;
use super::scratch::Scratch;
use super::siamese::Siamese;
use super::transfer::Transfer;
use super::{Checkpoint, CheckpointError, Embeddings, TrainConfig, TrainError, Trained, Trainer};
use crate::data::{Loaded, parts};
use crate::episodes::{EpisodeShape, Sampler};
use crate::nets::network::Architecture;
use crate::nets::reference;

const SIDE: u32 = 32;

fn data(seed: u64, classes: usize) -> Arc<Loaded> {
    let parts = parts::dataset(seed, classes, 8, (SIDE, SIDE));
    Arc::new(parts.load((SIDE, SIDE), |_| {}).unwrap())
}

fn config(episodes: u64) -> TrainConfig {
    TrainConfig {
        learner: Learner::Prototypical(Prototypical { shots: vec![1, 3] }),
        architecture: Architecture::Conv4 { channels: 16 },
        way: 10,
        support: 3,
        tasks: 1,
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
        contrast: 0,
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
    let start = || Trainer::new(config(8), Origin::default(), Arc::clone(&data), None).unwrap();
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
        finished(Trainer::new(config(episodes), origin, data(1, 60), None).unwrap())
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

/// A teacher that tells apart by the light in the halves of a picture and nothing else.
fn teacher(data: &Loaded) -> Embeddings {
    let half = (SIDE / 2) as usize;
    let sum = |rows: &[u8]| rows.iter().map(|&p| f32::from(p)).sum::<f32>();
    let area = (SIDE * SIDE) as usize;
    let told = data.all().chunks_exact(area).flat_map(|picture| {
        let left = picture
            .chunks_exact(2 * half)
            .map(|row| sum(&row[..half]))
            .sum::<f32>();
        [sum(&picture[..area / 2]), left, sum(picture)]
    });
    Embeddings::new(3, &data.class_sizes(), told.collect())
}

#[test]
fn a_teacher_passes_on_what_it_sees_and_a_resumed_run_learns_the_same() {
    let data = data(1, 60);
    let config = || TrainConfig {
        learner: Learner::Distilled(Distilled {
            labels: 0.0,
            ..Distilled::default()
        }),
        augment: Augment::default(),
        family: 1,
        ..config(60)
    };
    let origin = Origin::default;
    let start = || Trainer::new(config(), origin(), Arc::clone(&data), None).unwrap();
    let mut run = start().taught(teacher(&data)).unwrap();
    let mut losses = Vec::new();
    let mut kept = None;
    while !run.is_done() {
        if run.episode() == 20 {
            kept = Some(run.checkpoint());
        }
        losses.push(run.step().unwrap().loss);
    }
    let mean = |losses: &[f32]| losses.iter().sum::<f32>() / losses.len() as f32;
    let (first, last) = (mean(&losses[..5]), mean(&losses[55..]));
    assert!(last < 0.5 * first, "{first} to {last}");

    let resumed = Trainer::resume(&kept.unwrap(), Arc::clone(&data)).unwrap();
    let resumed = finished(resumed.taught(teacher(&data)).unwrap());
    assert!(resumed == finished(run), "the resumed run went another way");

    let alone = start().step().unwrap_err();
    assert!(matches!(alone, TrainError::NoTeacher), "{alone}");
    let other = start()
        .taught(teacher(&super::tests::data(1, 24)))
        .err()
        .unwrap();
    assert!(matches!(other, TrainError::OtherTeacher), "{other}");
}

#[test]
fn an_unfinished_run_is_no_network() {
    let trainer = Trainer::new(config(5), Origin::default(), data(1, 24), None).unwrap();
    let error = Trained::load(&trainer.checkpoint()).unwrap_err();
    assert!(matches!(error, TrainError::Unfinished { done: 0, of: 5 }));
}

#[test]
fn a_damaged_checkpoint_is_refused() {
    let trainer = Trainer::new(config(5), Origin::default(), data(1, 24), None).unwrap();
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
        Trainer::new(config, Origin::default(), Arc::clone(&data), None)
            .err()
            .unwrap()
    };
    assert!(matches!(refuse(|c| c.way = 25), TrainError::Episode(_)));
    assert!(matches!(refuse(|c| c.query = 6), TrainError::Episode(_)));
    for shots in [vec![], vec![0, 1], vec![1, 4]] {
        let maml = Maml {
            shots: shots.clone(),
            ..Maml::exact()
        };
        for learner in [
            Learner::Prototypical(Prototypical { shots }),
            Learner::Maml(maml),
        ] {
            let mut config = config(5);
            config.learner = learner;
            let refused = Trainer::new(config, Origin::default(), Arc::clone(&data), None);
            assert!(matches!(refused.err(), Some(TrainError::Shots(3))));
        }
    }
    assert!(matches!(
        refuse(|c| {
            c.learner = Learner::Reptile(Reptile {
                steps: 0,
                ..Reptile::default()
            })
        }),
        TrainError::NoSteps
    ));
    assert!(matches!(
        refuse(|c| c.learner = Learner::Scratch(Scratch::default())),
        TrainError::NothingToTrain(_)
    ));
    assert!(matches!(
        refuse(|c| c.learner = Learner::Mann(Mann::default())),
        TrainError::NeedsStart(_)
    ));
    assert!(matches!(
        refuse(|c| {
            c.learner = Learner::Mann(Mann::default());
            c.way = 4;
        }),
        TrainError::Narrow {
            needed: 5,
            way: 4,
            ..
        }
    ));
}

/// Every method that is trained end to end on small data is better after training than before, and
/// than chance.
#[test]
fn every_method_learns_to_learn() {
    let (base, test) = (data(1, 60), data(2, 20));
    let shape = EpisodeShape {
        way: 5,
        shot: 3,
        query: 5,
    };
    let sampler = Sampler::new(&test.class_sizes(), shape, 0).unwrap();
    for learner in [
        Learner::Siamese(Siamese::CONTRASTIVE),
        Learner::Siamese(Siamese::Logistic),
        Learner::Transfer(Transfer::Frozen),
        Learner::Maml(Maml::exact()),
        Learner::Maml(Maml::anil()),
        Learner::Reptile(Reptile::default()),
    ] {
        let run = |episodes| {
            let mut config = config(episodes);
            config.learner = learner.clone();
            let trainer = Trainer::new(config, Origin::default(), Arc::clone(&base), None);
            let trained = Trained::load(&finished(trainer.unwrap())).unwrap();
            trained.accuracy(&test, &sampler, 100).mean
        };
        let (start, end) = (run(1), run(250));
        assert!(
            end > start + 0.02 && end > 0.45,
            "{}: {start} to {end}, chance is 0.2",
            learner.name()
        );
    }
}

/// Scales and shifts make a trained network better, and the exported graph has them.
#[test]
fn meta_transfer_improves_on_its_start() {
    let (base, test) = (data(1, 60), data(2, 20));
    let run = |config: TrainConfig, start| {
        let trainer = Trainer::new(config, Origin::default(), Arc::clone(&base), start);
        Trained::load(&finished(trainer.unwrap())).unwrap()
    };
    let trained = run(config(20), None);
    let Params {
        network,
        statistics,
        ..
    } = trained.params().clone();
    let shape = EpisodeShape {
        way: 5,
        shot: 3,
        query: 5,
    };
    let sampler = Sampler::new(&test.class_sizes(), shape, 0).unwrap();
    let on_top = |episodes| {
        let mut config = config(episodes);
        config.learner = Learner::MetaTransfer(MetaTransfer {
            way: 5,
            ..MetaTransfer::default()
        });
        let start = Some((network.clone(), statistics.clone()));
        run(config, start)
    };
    let (before, after) = (on_top(1), on_top(150));
    let accuracy = |t: &Trained| t.accuracy(&test, &sampler, 200).mean;
    let (start, end) = (accuracy(&before), accuracy(&after));
    assert!(end > start + 0.02, "{start} to {end}");
    for (a, b) in after.params().network.tensors().zip(network.tensors()) {
        let difference: f32 = (a.clone() - b.clone()).abs().max().into_scalar();
        // But for the rounding of its running average.
        assert!(
            difference < 1e-5,
            "the network stays as it was: {difference}"
        );
    }
    let scaled = |t: &Trained| reference::embed(&t.graph(), &[0.5; 32 * 32]).unwrap();
    assert_ne!(scaled(&after), scaled(&trained));
    let picture: Vec<f32> = test
        .pixels(3, 1)
        .iter()
        .map(|&p| f32::from(p) / 255.0)
        .collect();
    let folded = reference::embed(&after.graph(), &picture).unwrap();
    for (a, b) in folded.iter().zip(&after.embed_normalized(&picture)) {
        assert!((a - b).abs() < 1e-4, "{a} {b}");
    }
}

/// Training on nothing but the support set beats chance, and learns more from more pictures.
#[test]
fn from_scratch_more_pictures_teach_more() {
    let test = data(2, 20);
    let plan = crate::nets::network::Plan::new(
        Architecture::Conv4 { channels: 8 },
        (SIDE as usize, SIDE as usize),
    );
    let scratch = Trained::untrained(plan.unwrap(), Learner::Scratch(Scratch::default()));
    let accuracy = |shot| {
        let shape = EpisodeShape {
            way: 5,
            shot,
            query: 3,
        };
        let sampler = Sampler::new(&test.class_sizes(), shape, 0).unwrap();
        scratch.accuracy(&test, &sampler, 30).mean
    };
    let (one, five) = (accuracy(1), accuracy(5));
    assert!(one > 0.25 && five > one, "{one}, {five}; chance is 0.2");
}

#[test]
fn what_was_learned_can_be_kept_without_the_run() {
    let data = data(1, 24);
    let trainer = Trainer::new(config(3), Origin::default(), Arc::clone(&data), None).unwrap();
    assert!(trainer.checkpoint().learned().is_none());
    let run = finished(trainer);
    let learned = run.learned().unwrap();
    let embed = |c: &Checkpoint| Trained::load(c).unwrap().embed(data.pixels(0, 0));
    assert_eq!(embed(&learned), embed(&run));
    let refused = Trainer::resume(&learned, Arc::clone(&data));
    assert!(matches!(refused.err(), Some(TrainError::NoRun)));
    // A run can start from it, and from nothing that does not fit.
    let trained = Trained::load(&learned).unwrap();
    let start = || Some((trained.params().network.clone(), Vec::new()));
    let warm = Trainer::new(config(3), Origin::default(), Arc::clone(&data), start());
    assert!(warm.is_ok());
    let mut other = config(3);
    other.architecture = Architecture::Conv4 { channels: 4 };
    let refused = Trainer::new(other, Origin::default(), data, start());
    assert!(matches!(refused.err(), Some(TrainError::OtherStart(_))));
}
