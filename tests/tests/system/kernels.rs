//! The engine's kernels and the classifier heads on the emulated processors.

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use sudal::device::{self, Head, Machine};
use sudal::engine::QuantizedModel;
use sudal::episodes::{EpisodeShape, Sampler};
use sudal::measure::{Embeddings, HeadEpisodes, few_shot};
use sudal_tests::block_means;

fn step(text: &str) {
    println!("{text}");
}

/// 20,000 operations and 5,000 chains on each, the same as on this computer: see
/// `firmware/src/engine/reference/trial.rs`.
#[test]
fn kernels_agree_with_their_scalar_twins_on_every_processor() {
    for machine in Machine::ALL {
        match device::try_kernels(machine, &mut step) {
            Ok(count) => assert!(count >= 25_000, "{count} on {}", machine.name()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// Profiling compares what each operation of the model gives, the one of the patches among them.
#[test]
fn patches_are_the_same_on_every_processor() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/surfaces.sudal");
    let image = std::fs::read(path).unwrap();
    for machine in Machine::ALL {
        let profile =
            device::profile(&image, machine, &mut step).unwrap_or_else(|error| panic!("{error}"));
        let patches: Vec<_> = profile
            .layers
            .iter()
            .filter(|layer| layer.patches)
            .collect();
        let [patches] = patches[..] else {
            panic!("{profile}")
        };
        assert_eq!(patches.output, [12, 12, 64]);
        println!("{profile}");
    }
}

/// Checks, resizes and turns frames of each format, and compares what comes of them to the bit.
#[test]
fn frames_become_the_same_inputs_on_every_processor_in_few_instructions() {
    for machine in Machine::ALL {
        let frames = device::profile_frames(machine, &mut step);
        let frames = frames.unwrap_or_else(|error| panic!("{error}"));
        println!("{frames}");
        for cost in frames.rows.iter().filter(|cost| cost.width == 320) {
            let (resize, align) = match cost.format.as_str() {
                "rgb565" => (1_500_000, 3_500_000),
                "rgb565-colours" | "rgb888-colours" => (1_750_000, 3_000_000),
                "yuyv-colours" => (3_000_000, 3_000_000),
                _ => (600_000, 1_250_000),
            };
            let said = format!("{cost:?}");
            assert!(cost.check + cost.resize < resize, "{said}");
            assert!(cost.check + cost.align < align, "{said}");
        }
    }
}

/// The program links only if no panic can be reached from reading a model image and running it.
#[test]
fn no_panic_can_be_reached_from_inference() {
    for machine in [Machine::An500, Machine::An505, Machine::An547] {
        if let Err(error) = device::build_bench("inference", machine, &mut step) {
            panic!("{error}");
        }
    }
}

/// The program links only if no panic can be reached from enrolling in RAM and any of the heads.
#[test]
fn no_panic_can_be_reached_from_learning() {
    if let Err(error) = device::build_bench("learning", Machine::An500, &mut step) {
        panic!("{error}");
    }
}

/// Every score of every head, bit for bit, on an episode whose shots fill the memory more than once.
#[test]
fn heads_answer_as_on_this_computer_on_both_processors() {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let (classes, pictures, dim) = (25, 15, 49);
    let mut values = Vec::new();
    for _ in 0..classes {
        let center: Vec<i32> = (0..dim).map(|_| random.random_range(-20..20)).collect();
        for _ in 0..pictures {
            let near = |&c: &i32| (c + random.random_range(-110..110)).clamp(-128, 127) as f32;
            values.extend(center.iter().map(near));
        }
    }
    let embeddings = Embeddings::new(dim, &[pictures; 25], values);
    let image = QuantizedModel::new(&block_means("a")).unwrap();
    let runs = HeadEpisodes::new(&image.model().unwrap(), &embeddings);
    let shape = EpisodeShape {
        way: 25,
        shot: 12,
        query: 3,
    };
    let sampler = Sampler::new(&embeddings.class_sizes(), shape, 1).unwrap();
    let episode = sampler.episode(0);
    let mut head = runs.head(Head::Memory);
    few_shot::run(&mut head, &episode).unwrap();
    let known = head.known();
    let written: usize = known.classes().iter().map(|c| c.groups().len()).sum();
    assert!(known.memory().in_use() < written, "no slot was overwritten");
    for machine in Machine::ALL {
        match device::profile_heads(&runs, &episode, machine, &mut step) {
            Ok(costs) => {
                assert_eq!(costs.len(), Head::ALL.len());
                assert!(
                    costs
                        .iter()
                        .all(|cost| cost.query > 1000 && cost.flash > 12 * dim)
                );
            }
            Err(error) => panic!("{error}"),
        }
    }
}
