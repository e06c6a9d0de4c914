//! Training throughput of each method: whole steps of the trainer (drawing, augmenting, forward,
//! backward, Adam) with its recipe. `cargo bench --bench methods [NAME]`

use std::sync::Arc;
use std::time::{Duration, Instant};

use sudal::data::parts;
use sudal::meta::augment::Augment;
use sudal::meta::checkpoint::Origin;
use sudal::meta::schedule::Schedule;
use sudal::meta::{Learner, TrainConfig, Trainer};
use sudal::nets::block::Statistics;
use sudal::nets::network::{Architecture, Plan};

/// Time that each method gets.
const TIME: Duration = Duration::from_secs(5);
const SIDE: u32 = 28;

fn main() {
    // cargo passes `--bench` too.
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let data = parts::dataset(1, 240, 12, (SIDE, SIDE)).load((SIDE, SIDE), |_| {});
    let data = Arc::new(data.expect("synthetic parts cannot fail"));
    println!("{}, {} threads", processor(), rayon::current_num_threads());
    println!("Conv-4-64, {SIDE}x{SIDE}; the pictures of a step are all embedded, forward and back");
    for learner in Learner::all() {
        if wanted
            .as_ref()
            .is_some_and(|w| !learner.name().contains(&**w))
        {
            continue;
        }
        let recipe = learner.recipe();
        let architecture = Architecture::Conv4 { channels: 64 };
        let plan = Plan::new(architecture, (SIDE as usize, SIDE as usize)).expect("large enough");
        let device = sudal::nets::backend::device();
        let network = plan.init(0, &device);
        let x = burn::tensor::Tensor::random(
            [64, SIDE as usize, SIDE as usize, 1],
            burn::tensor::Distribution::Default,
            &device,
        );
        let statistics: Vec<Statistics> = plan.embed(&network, x).1;
        let config = TrainConfig {
            architecture,
            way: recipe.way,
            support: recipe.support,
            query: recipe.query,
            tasks: recipe.tasks,
            family: 1,
            episodes: u64::MAX,
            schedule: Schedule {
                peak: recipe.learning_rate,
                warmup: 50,
            },
            augment: Augment::STROKES,
            averaging: 0.999,
            validate_every: u64::MAX,
            patience: 1,
            seed: 0,
            contrast: 0,
            new_classes: false,
            balance: false,
            fake_quantize: 0.0,
            learner: learner.clone(),
        };
        let start = Some((network, statistics));
        let trainer = Trainer::new(config, Origin::default(), Arc::clone(&data), start);
        let mut trainer = trainer.expect("the recipe fits the data");
        trainer.step().expect("a first step");
        let begun = Instant::now();
        let mut steps = 0;
        while begun.elapsed() < TIME {
            trainer.step().expect("a step");
            steps += 1;
        }
        let seconds = begun.elapsed().as_secs_f64();
        let episodes = (steps * recipe.tasks) as f64 / seconds;
        let pictures = recipe.way * (recipe.support + recipe.query);
        println!(
            "{:<32}{episodes:>8.1} episodes/s of {:>3} classes x {:>2} pictures ({:>6.0} pictures/s), {:>3} a step",
            learner.name(),
            recipe.way,
            recipe.support + recipe.query,
            episodes * pictures as f64,
            recipe.tasks
        );
    }
}

/// The processor's name, where the system tells it.
fn processor() -> String {
    let info = std::fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    info.lines()
        .find_map(|line| line.strip_prefix("model name")?.split(':').nth(1))
        .map_or_else(
            || std::env::consts::ARCH.to_owned(),
            |n| n.trim().to_owned(),
        )
}
