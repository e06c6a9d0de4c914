//! Whole small runs on synthetic parts.

use std::sync::Arc;

use super::augment::Augment;
use super::checkpoint::Origin;
use super::distilled::Distilled;
use super::features::Features;
use super::learner::Learner;
use super::maml::Maml;
use super::mann::Mann;
use super::matrix::Matrix;
use super::meta_transfer::MetaTransfer;
use super::params::Params;
use super::prototypical::Prototypical;
use super::reptile::Reptile;
use super::schedule::Schedule;
use super::scratch::Scratch;
use super::siamese::Siamese;
use super::tempered::Tempered;
use super::transfer::Transfer;
use super::{Checkpoint, CheckpointError, TrainConfig, TrainError, Trained, Trainer};
use crate::data::{Colors, Loaded, parts};
use crate::episodes::{EpisodeShape, Sampler};
use crate::measure::{Embeddings, Run};
use crate::nets::network::{Architecture, Averaged};
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
        new_classes: false,
        balance: false,
        fake_quantize: 0.0,
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

/// A teacher that tells apart by the light in the halves of a picture and nothing else; its values are about zero, of
/// a deviation of one.
fn teacher(data: &Loaded) -> Embeddings {
    let half = (SIDE / 2) as usize;
    let sum = |rows: &[u8]| rows.iter().map(|&p| f32::from(p)).sum::<f32>();
    let area = (SIDE * SIDE) as usize;
    let embeddings = data.all().chunks_exact(area).map(|picture| {
        let left = picture
            .chunks_exact(2 * half)
            .map(|row| sum(&row[..half]))
            .sum::<f32>();
        [sum(&picture[..area / 2]), left, sum(picture)]
    });
    let mut embeddings: Vec<[f32; 3]> = embeddings.collect();
    for k in 0..3 {
        let count = embeddings.len() as f32;
        let mean = embeddings.iter().map(|e| e[k]).sum::<f32>() / count;
        let spread = embeddings
            .iter()
            .map(|e| (e[k] - mean).powi(2))
            .sum::<f32>()
            / count;
        for embedding in &mut embeddings {
            embedding[k] = (embedding[k] - mean) / spread.sqrt();
        }
    }
    Embeddings::new(3, &data.class_sizes(), embeddings.concat())
}

#[test]
fn a_teacher_passes_on_what_it_sees_and_a_resumed_run_learns_the_same() {
    let distilled = Distilled {
        labels: 0.0,
        ..Distilled::default()
    };
    let features = Features {
        values: 3,
        ..Features::new(distilled.clone())
    };
    for (learner, rest) in [
        (Learner::Distilled(distilled), 0.5),
        (Learner::Features(features), 0.7),
    ] {
        learns_from_a_teacher(&learner, rest);
    }
}

/// Until so much of the first loss is left.
fn learns_from_a_teacher(learner: &Learner, rest: f32) {
    let data = data(1, 60);
    let config = || TrainConfig {
        learner: learner.clone(),
        augment: Augment::default(),
        family: 1,
        ..config(60)
    };
    let origin = Origin::default;
    let start = || Trainer::new(config(), origin(), Arc::clone(&data), None).unwrap();
    let mut run = start().with_teacher(teacher(&data)).unwrap();
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
    assert!(last < rest * first, "{first} to {last}");

    let resumed = Trainer::resume(&kept.unwrap(), Arc::clone(&data)).unwrap();
    let resumed = finished(resumed.with_teacher(teacher(&data)).unwrap());
    assert!(resumed == finished(run), "the resumed run went another way");

    let alone = start().step().unwrap_err();
    assert!(matches!(alone, TrainError::NoTeacher), "{alone}");
    let other = start()
        .with_teacher(teacher(&super::tests::data(1, 24)))
        .err()
        .unwrap();
    assert!(matches!(other, TrainError::OtherTeacher), "{other}");
}

#[test]
fn new_classes_are_made_the_same_way_again_and_only_where_a_method_can_learn_them() {
    let data = data(1, 24);
    let config = |learner| TrainConfig {
        learner,
        new_classes: true,
        ..config(8)
    };
    let prototypical = || Learner::Prototypical(Prototypical { shots: vec![1, 3] });
    let start = |config| Trainer::new(config, Origin::default(), Arc::clone(&data), None);
    let mut run = start(config(prototypical())).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    while !run.is_done() {
        if run.episode() == 3 {
            run.save(&path).unwrap();
        }
        run.step().unwrap();
    }
    let kept = Checkpoint::load(&path).unwrap();
    assert!(kept.config.new_classes);
    let resumed = finished(Trainer::resume(&kept, Arc::clone(&data)).unwrap());
    let run = finished(run);
    assert!(resumed == run, "the resumed run went another way");
    let plain = TrainConfig {
        new_classes: false,
        ..config(prototypical())
    };
    assert!(
        finished(start(plain).unwrap()) != run,
        "no class was changed"
    );

    let error = start(config(Learner::Transfer(Transfer::Frozen)))
        .err()
        .unwrap();
    assert!(matches!(error, TrainError::OwnClasses(_)), "{error}");
}

#[test]
fn eight_bits_begin_where_they_are_asked_for_and_a_resumed_run_knows_it() {
    let data = data(1, 24);
    let of = |fake_quantize| TrainConfig {
        fake_quantize,
        ..config(8)
    };
    let start = |config| Trainer::new(config, Origin::default(), Arc::clone(&data), None);
    let (mut plain, mut run) = (start(of(0.0)).unwrap(), start(of(0.5)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    for _ in 0..4 {
        assert_eq!(plain.step().unwrap().loss, run.step().unwrap().loss);
    }
    run.save(&path).unwrap();
    let (exact, rounded) = (plain.step().unwrap().loss, run.step().unwrap().loss);
    assert!(
        exact != rounded && (exact - rounded).abs() < 0.2 * exact,
        "{exact} {rounded}"
    );
    let kept = Checkpoint::load(&path).unwrap();
    assert_eq!(kept.config, of(0.5));
    let resumed = finished(Trainer::resume(&kept, Arc::clone(&data)).unwrap());
    assert!(resumed == finished(run), "the resumed run went another way");

    let maml = TrainConfig {
        learner: Learner::Maml(Maml::exact()),
        ..of(0.5)
    };
    let error = start(maml).err().unwrap();
    assert!(matches!(error, TrainError::NotFakeQuantized(_)), "{error}");
    let error = of(1.5).check().unwrap_err();
    assert!(error.to_string().contains("eight bits"), "{error}");
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
fn a_checkpoint_whose_parts_do_not_fit_is_refused_though_its_checksum_is_right() {
    let mut trainer = Trainer::new(config(2), Origin::default(), data(1, 24), None).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    trainer.step().unwrap();
    let under_way = trainer.checkpoint();
    let finished = finished(trainer);
    let refused = |change: &dyn Fn(&mut Checkpoint), says: &str| {
        for sound in [&under_way, &finished] {
            let mut changed = sound.clone();
            change(&mut changed);
            if changed == *sound {
                continue;
            }
            changed.save(&path).unwrap();
            let error = Checkpoint::load(&path).err().map(|error| error.to_string());
            let error = error.unwrap_or_else(|| panic!("taken for sound: {says}"));
            assert!(error.contains(says), "{says}: {error}");
        }
        finished.save(&path).unwrap();
        assert!(Checkpoint::load(&path).is_ok());
    };
    let of = Matrix::of;
    let wide = Architecture::Conv4 { channels: 60_000 };
    refused(&|c| c.config.architecture = wide, "parameters");
    let other = Architecture::Conv4 { channels: 8 };
    refused(&|c| c.config.architecture = other, "what is learned");
    refused(&|c| c.size = (u32::MAX, u32::MAX), "too large");
    refused(&|c| c.config.way = 0, "classes");
    refused(&|c| c.config.schedule.peak = f64::NAN, "learning rate");
    refused(&|c| c.config.augment.rotate = f32::INFINITY, "change");
    refused(&|c| c.step = 3, "3 of 2 episodes");
    refused(
        &|c| c.params.tensors[0] = of([9, 17], 0.0),
        "what is learned",
    );
    refused(&|c| c.params.tensors[1] = of([1, 16], f32::NAN), "diverged");
    refused(
        &|c| c.params.tensors[1] = Matrix::new([usize::MAX, 2], vec![0.0; 16]),
        "fit",
    );
    refused(&|c| drop(c.params.tensors.pop()), "tensors instead of");
    refused(
        &|c| c.params.statistics = vec![(of([1, 16], 0.0), of([1, 16], 1.0))],
        "the means",
    );
    refused(&|c| c.average[2] = of([2, 16], 0.0), "the average");
    refused(&|c| c.best = Some((0.5, Vec::new())), "the best");
    refused(&|c| drop(c.moments.pop()), "moment");
    refused(
        &|c| c.moments[0] = Some((of([9, 16], 0.0), of([16, 9], 0.0))),
        "moment",
    );
    refused(
        &|c| {
            if let Some(finished) = &mut c.finished {
                finished.statistics.pop();
            }
        },
        "statistics",
    );
    refused(
        &|c| {
            (c.params, c.finished) = Default::default();
        },
        "neither a run nor a finished network",
    );
    let transfer = Learner::Transfer(Transfer::Frozen);
    refused(&|c| c.config.learner = transfer.clone(), "what is learned");
}

#[test]
fn a_run_that_diverged_is_neither_kept_nor_validated_and_what_was_kept_stays() {
    let data = data(1, 24);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    let trainer = Trainer::new(config(5), Origin::default(), Arc::clone(&data), None).unwrap();
    trainer.save(&path).unwrap();
    let kept = std::fs::read(&path).unwrap();
    let shape = EpisodeShape {
        way: 5,
        shot: 1,
        query: 5,
    };
    for value in [f32::NAN, f32::INFINITY] {
        let mut astray = trainer.checkpoint();
        astray.average[1] = Matrix::of([1, 16], value);
        let mut astray = Trainer::resume(&astray, Arc::clone(&data)).unwrap();
        let refused = astray.save(&path);
        assert!(matches!(refused, Err(TrainError::NotFinite { episode: 0 })));
        assert!(std::fs::read(&path).unwrap() == kept);
        let refused = astray.validate(&data, shape, 5);
        assert!(matches!(refused, Err(TrainError::NotFinite { .. })));
    }
}

#[test]
fn a_run_resumes_with_the_pictures_with_which_it_began_and_with_no_others() {
    let own = data(1, 24);
    let mut trainer = Trainer::new(config(5), Origin::default(), Arc::clone(&own), None).unwrap();
    trainer.step().unwrap();
    let kept = trainer.checkpoint();
    assert!(Trainer::resume(&kept, Arc::clone(&own)).is_ok());
    for other in [data(2, 24), data(1, 23), Arc::new(own.first(7))] {
        let refused = Trainer::resume(&kept, other).err();
        assert!(matches!(refused, Some(TrainError::OtherPictures)));
    }
    // A run of a version that kept no fingerprint still must learn as many classes.
    let mut config = config(5);
    config.learner = Learner::Transfer(Transfer::Frozen);
    let trainer = Trainer::new(config, Origin::default(), Arc::clone(&own), None).unwrap();
    let mut old = trainer.checkpoint();
    old.pictures = None;
    assert!(Trainer::resume(&old, own).is_ok());
    let refused = Trainer::resume(&old, data(1, 28)).err();
    assert!(matches!(refused, Some(TrainError::OtherPictures)));
}

#[test]
fn a_run_with_colours_resumes_and_is_exported_with_three_channels() {
    let parts = parts::dataset(1, 24, 8, (SIDE, SIDE)).with_colors(Colors::Rgb);
    let colored = Arc::new(parts.load((SIDE, SIDE), |_| {}).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.ckpt");
    let origin = Origin::default();
    let config = || TrainConfig {
        balance: true,
        augment: Augment::SURFACE,
        ..config(4)
    };
    let grey = Trainer::new(config(), origin.clone(), data(1, 24), None).err();
    assert!(matches!(grey, Some(TrainError::NoColors)));
    let whole = Trainer::new(config(), origin.clone(), Arc::clone(&colored), None).unwrap();
    let mut begun = Trainer::new(config(), origin, Arc::clone(&colored), None).unwrap();
    for _ in 0..2 {
        begun.step().unwrap();
    }
    begun.save(&path).unwrap();
    let kept = Checkpoint::load(&path).unwrap();
    assert_eq!(kept.colors, Colors::Rgb);
    assert_eq!(kept.config, config());
    let refused = Trainer::resume(&kept, data(1, 24)).err();
    assert!(matches!(refused, Some(TrainError::OtherPictures)));
    let resumed = finished(Trainer::resume(&kept, Arc::clone(&colored)).unwrap());
    assert!(resumed == finished(whole));
    let trained = Trained::load(&resumed).unwrap();
    assert_eq!(trained.graph().input, [3, SIDE as usize, SIDE as usize]);
    assert!(trained.graph().normalization.balance);
    let values = trained.embeddings(&colored).values().len();
    assert_eq!(
        values,
        colored.pictures().len() * trained.plan().embedding()
    );
}

#[test]
fn the_checkpoints_that_come_with_the_project_are_sound() {
    let models = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let files = std::fs::read_dir(models).unwrap();
    let paths = files.map(|file| file.unwrap().path());
    let mut count = 0;
    for path in paths.filter(|path| path.extension().is_some_and(|ending| ending == "ckpt")) {
        let checkpoint = Checkpoint::load(&path).unwrap();
        Trained::load(&checkpoint).unwrap();
        count += 1;
    }
    assert!(count > 5, "{count}");
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
        TrainError::Setting { .. }
    ));
    for peak in [1e30, f64::NAN, f64::INFINITY, -1.0, 0.0] {
        let mut config = config(5);
        config.schedule.peak = peak;
        let refused = Trainer::new(config, Origin::default(), Arc::clone(&data), None);
        let said = refused.err().unwrap().to_string();
        assert!(
            said.contains("learning rate") && said.contains("10"),
            "{said}"
        );
    }
    for steps in [usize::MAX, usize::MAX / 4, 1001] {
        let learners = [
            Learner::Maml(Maml {
                steps,
                ..Maml::exact()
            }),
            Learner::Maml(Maml {
                test_steps: steps,
                ..Maml::anil()
            }),
            Learner::Reptile(Reptile {
                test_steps: steps,
                ..Reptile::default()
            }),
        ];
        for learner in learners {
            let mut config = config(5);
            config.learner = learner;
            let refused = Trainer::new(config, Origin::default(), Arc::clone(&data), None);
            assert!(matches!(refused.err(), Some(TrainError::Setting { .. })));
        }
    }
    for channels in [0, 60_000, usize::MAX] {
        for architecture in [
            Architecture::Conv4 { channels },
            Architecture::Conv5 { channels },
            Architecture::Separable { channels },
        ] {
            let mut config = config(5);
            config.architecture = architecture;
            let refused = Trainer::new(config, Origin::default(), Arc::clone(&data), None);
            assert!(matches!(refused.err(), Some(TrainError::Plan(_))));
        }
    }
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
            trained.accuracy(&test, &Run::new(&sampler, 100)).mean
        };
        let (start, end) = (run(1), run(250));
        assert!(
            end > start + 0.02 && end > 0.45,
            "{}: {start} to {end}, chance is 0.2",
            learner.name()
        );
    }
}

/// Networks that end or branch in another way are trained, kept in a checkpoint, and what their graph says.
#[test]
fn peaked_networks_and_resnet_12_are_trained_and_kept() {
    let (base, test) = (data(1, 60), data(2, 20));
    let of = Averaged::Separable;
    for architecture in [
        Architecture::Peaked { of, channels: 8 },
        Architecture::Resnet12 { channels: 4 },
    ] {
        let mut config = config(10);
        config.architecture = architecture;
        config.learner = Learner::Tempered(Tempered(Prototypical { shots: vec![1] }));
        let data = Arc::clone(&base);
        let trainer = Trainer::new(config, Origin::default(), data, None).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.ckpt");
        finished(trainer).save(&path).unwrap();
        let trained = Trained::load(&Checkpoint::load(&path).unwrap()).unwrap();
        let factor: f32 = trained.params().extras[0].clone().into_scalar();
        assert!(factor != 0.0 && factor.is_finite(), "{factor}");

        let picture: Vec<f32> = (test.pixels(3, 1).iter())
            .map(|&p| f32::from(p) / 255.0)
            .collect();
        let folded = reference::embed(&trained.graph(), &picture).unwrap();
        let embedding = trained.embed_normalized(&picture);
        assert_eq!(folded.len(), embedding.len());
        for (a, b) in folded.iter().zip(&embedding) {
            assert!((a - b).abs() < 1e-3 * (1.0 + a.abs()), "{a} {b}");
        }
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
    let accuracy = |t: &Trained| t.accuracy(&test, &Run::new(&sampler, 200)).mean;
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
        scratch.accuracy(&test, &Run::new(&sampler, 30)).mean
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
