//! Studies of functions whose best point is known.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;

/// Steps of a whole trial, and of one report.
const STEPS: u64 = 100;
const EVERY: u64 = 10;

fn dimension(name: &str, range: Range) -> Dimension {
    Dimension {
        name: name.to_owned(),
        range,
    }
}

fn space() -> Space {
    let of = ["none", "little", "much", "most"];
    let of = of.map(|word| Value::Text(word.to_owned())).to_vec();
    let integer = |low, high, step| Range::Integer { low, high, step };
    Space::new(vec![
        dimension(
            "rate",
            Range::LogUniform {
                low: 1e-4,
                high: 1e-1,
            },
        ),
        dimension("channels", integer(8, 96, 8)),
        dimension("way", integer(5, 60, 1)),
        dimension(
            "strength",
            Range::Uniform {
                low: 0.0,
                high: 2.0,
            },
        ),
        dimension("averaging", Range::Choice { of }),
    ])
    .unwrap()
}

fn setup(seed: u64) -> Setup {
    Setup {
        space: space(),
        seed,
        startup: Setup::STARTUP,
        first: None,
        pruning: None,
        about: BTreeMap::from([("data".to_owned(), "a function".to_owned())]),
    }
}

/// Greatest, 1, at rate 0.003, 64 channels, way 20, strength 1.2 and much averaging.
fn value(params: &Params) -> f64 {
    let number = |name| params.number(name).unwrap();
    let rate = (number("rate") / 3e-3).log10();
    let channels = (number("channels") - 64.0) / 64.0;
    let way = (number("way") - 20.0) / 40.0;
    let strength = number("strength") - 1.2;
    let averaging = match params.text("averaging").unwrap() {
        "much" => 0.0,
        "most" => 0.05,
        _ => 0.2,
    };
    let off = 0.3 * rate.powi(2) + 0.3 * channels.powi(2) + 0.2 * way.powi(2);
    1.0 - off - 0.2 * strength.powi(2) - averaging
}

/// A trial's value rises to what its settings are worth; the better ones are ahead throughout.
fn after(params: &Params, step: u64) -> f64 {
    value(params) - (-(step as f64) / 20.0).exp()
}

/// Continues to `trials` trials and gives the steps that were taken.
fn resume(study: &mut Study, trials: usize) -> u64 {
    let mut steps = 0;
    while study.trials().len() < trials {
        let mut running = study.ask();
        let mut outcome = TrialStatus::Finished;
        for step in (EVERY..=STEPS).step_by(EVERY as usize) {
            steps += EVERY;
            running.report(step, after(&running.params, step));
            if step < STEPS && study.should_stop(&running) {
                outcome = TrialStatus::Pruned;
                break;
            }
        }
        study.tell(running, outcome, 1.0).unwrap();
    }
    steps
}

fn best(study: &Study) -> f64 {
    value(&study.best().unwrap().params)
}

#[test]
fn finds_more_than_chance_with_the_same_number_of_trials() {
    let (mut found, mut by_chance, mut won) = (0.0, 0.0, 0);
    let (seeds, trials) = (20, 40);
    for seed in 0..seeds {
        let mut study = Study::new(setup(seed)).unwrap();
        resume(&mut study, trials);
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut point = || value(&space().at(std::array::from_fn::<f64, 5, _>(|_| rng.random())));
        let chance = (0..trials).map(|_| point()).fold(f64::MIN, f64::max);
        found += best(&study) / seeds as f64;
        by_chance += chance / seeds as f64;
        won += u32::from(best(&study) > chance);
    }
    assert!(won >= 15, "{won} of {seeds}");
    // Half of what chance leaves to the greatest value there is.
    assert!(1.0 - found < 0.5 * (1.0 - by_chance), "{found} {by_chance}");
}

#[test]
fn stopping_saves_steps_and_keeps_the_best() {
    let (mut all, mut fewer) = (0, 0);
    let (mut best_of_all, mut best_of_fewer) = (0.0, 0.0);
    for seed in 0..10 {
        let mut whole = Study::new(setup(seed)).unwrap();
        all += resume(&mut whole, 40);
        let mut pruned = Study::new(Setup {
            pruning: Some(Halving::default()),
            ..setup(seed)
        })
        .unwrap();
        fewer += resume(&mut pruned, 40);
        best_of_all += best(&whole) / 10.0;
        best_of_fewer += best(&pruned) / 10.0;
        let stopped = |t: &&Trial| t.outcome == TrialStatus::Pruned;
        for trial in pruned.trials().iter().filter(stopped) {
            assert!(value(&trial.params) < best(&pruned), "the best was stopped");
            assert!(trial.reports.last().unwrap().0 < STEPS);
        }
    }
    assert!(fewer * 4 < all * 3, "{fewer} of {all} steps");
    assert!(
        best_of_fewer > best_of_all - 0.02,
        "{best_of_fewer} {best_of_all}"
    );
}

#[test]
fn a_resumed_study_is_an_unbroken_one() {
    let folder = tempfile::tempdir().unwrap();
    let setup = Setup {
        pruning: Some(Halving::default()),
        ..setup(3)
    };
    let unbroken = folder.path().join("unbroken.jsonl");
    resume(&mut Study::create(&unbroken, setup.clone()).unwrap(), 30);
    let broken = folder.path().join("broken.jsonl");
    drop(Study::create(&broken, setup.clone()).unwrap());
    for trials in [1, 7, 8, 20, 30] {
        let (mut study, torn) = Study::open(&broken, setup.clone()).unwrap();
        assert_eq!(torn, None);
        // A trial that was begun and not reported leaves nothing behind.
        study.ask().report(EVERY, 1.0);
        resume(&mut study, trials);
    }
    assert_eq!(fs::read(&broken).unwrap(), fs::read(&unbroken).unwrap());
    let other = Setup { seed: 4, ..setup };
    let mut other = Study::new(other).unwrap();
    resume(&mut other, 30);
    let (kept, _) = Study::open(
        &unbroken,
        Setup {
            seed: 3,
            ..other.setup().clone()
        },
    )
    .unwrap();
    assert_ne!(kept.trials(), other.trials(), "the seed counts");
}

#[test]
fn a_torn_last_line_is_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    resume(&mut Study::create(&path, setup(1)).unwrap(), 5);
    let whole = fs::read(&path).unwrap();
    let mut lines = whole.split_inclusive(|b| *b == b'\n');
    let last = lines.next_back().unwrap().len();
    for left in [1, last / 2, last - 2] {
        fs::write(&path, &whole[..whole.len() - last + left]).unwrap();
        let (mut study, torn) = Study::open(&path, setup(1)).unwrap();
        assert_eq!(
            (study.trials().len(), torn),
            (4, Some(6)),
            "{left} bytes of it"
        );
        resume(&mut study, 5);
        assert_eq!(fs::read(&path).unwrap(), whole);
    }
    // Without its line break it is whole all the same.
    fs::write(&path, &whole[..whole.len() - 1]).unwrap();
    let (study, torn) = Study::open(&path, setup(1)).unwrap();
    assert_eq!((study.trials().len(), torn), (5, None));
    drop(study);
    assert_eq!(fs::read(&path).unwrap(), whole);
}

#[test]
fn a_damaged_file_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    resume(&mut Study::create(&path, setup(1)).unwrap(), 3);
    let whole = fs::read_to_string(&path).unwrap();
    let refused = |text: &str| {
        fs::write(&path, text).unwrap();
        let error = Study::open(&path, setup(1)).unwrap_err();
        assert_eq!(
            fs::read_to_string(&path).unwrap(),
            text,
            "it stays as it is"
        );
        error.to_string()
    };
    let lines: Vec<&str> = whole.lines().collect();
    let file = |lines: &[&str]| lines.join("\n") + "\n";

    let error = refused("");
    assert!(
        error.contains("study.jsonl, line 1: it is empty"),
        "{error}"
    );
    let error = refused("{\"loss\": 3}\n");
    assert!(error.contains("line 1: this is not the setup"), "{error}");
    let error = refused(&whole.replace("sudal tune 1", "sudal tune 9"));
    assert!(
        error.contains("line 1: a study of format \"sudal tune 9\""),
        "{error}"
    );
    let error = refused(&file(&[lines[0], lines[1], "what", lines[3]]));
    assert!(error.contains("line 3: expected value"), "{error}");
    let error = refused(&file(&[lines[0], lines[1], lines[3]]));
    assert!(
        error.contains("line 3: trial 2 stands where trial 1 belongs"),
        "{error}"
    );
    let outside = lines[2].replace("\"channels\":", "\"channels\":1000");
    let error = refused(&file(&[lines[0], lines[1], &outside]));
    assert!(error.contains("line 3: channels = 1000"), "{error}");
    assert!(error.contains("is not of 8..96 by steps of 8"), "{error}");
    let nested = lines[2].replace("\"channels\":", "\"channels\":[],\"old\":");
    let error = refused(&file(&[lines[0], lines[1], &nested]));
    assert!(
        error.contains("line 3: [] is neither a number nor a word"),
        "{error}"
    );
    let better = lines[1].replace("\"value\":", "\"value\":9");
    let error = refused(&file(&[lines[0], &better]));
    assert!(
        error.contains("line 2: its value is not the best"),
        "{error}"
    );
}

#[test]
fn another_study_is_not_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("study.jsonl");
    drop(Study::create(&path, setup(1)).unwrap());
    let refused = |setup: Setup| Study::open(&path, setup).unwrap_err().to_string();
    let error = refused(setup(2));
    assert!(error.contains("with seed 1, asked for is 2"), "{error}");
    let about = BTreeMap::from([("data".to_owned(), "parts".to_owned())]);
    let error = refused(Setup { about, ..setup(1) });
    assert!(
        error.contains("data a function, asked for is parts"),
        "{error}"
    );
    let rate = Range::LogUniform {
        low: 1e-3,
        high: 1e-1,
    };
    let space = Space::new(vec![dimension("rate", rate)]).unwrap();
    let error = refused(Setup { space, ..setup(1) });
    assert!(error.contains("rate 0.0001..0.1"), "{error}");
    let pruning = Some(Halving::default());
    let error = refused(Setup {
        pruning,
        ..setup(1)
    });
    assert!(error.contains("stopping of bad trials off"), "{error}");

    let error = Study::create(&path, setup(1)).unwrap_err();
    assert!(matches!(error, TuneError::File { .. }), "{error}");
    let error = Study::open(Path::new("/nowhere/study.jsonl"), setup(1)).unwrap_err();
    assert!(
        error.to_string().contains("/nowhere/study.jsonl"),
        "{error}"
    );
    let held = Study::open(&path, setup(1)).unwrap();
    let error = Study::open(&path, setup(1)).unwrap_err();
    assert!(matches!(error, TuneError::Busy(_)), "{error}");
    drop(held);
    assert!(Study::open(&path, setup(1)).is_ok());
}

#[test]
fn the_first_trials_are_the_named_one_and_a_spread() {
    let first = space().at([0.5; 5]);
    let named = Setup {
        first: Some(first.clone()),
        ..setup(0)
    };
    let mut study = Study::new(named.clone()).unwrap();
    resume(&mut study, Setup::STARTUP);
    assert_eq!(study.trials()[0].params, first);
    let space = space();
    let rate = &space.dimensions()[0].range;
    let rows = Setup::STARTUP - 1;
    let rates = study.trials()[1..].iter().map(|t| {
        let position = rate.position(t.params.get("rate").unwrap()).unwrap();
        (position * rows as f64) as usize
    });
    let mut parts: Vec<usize> = rates.collect();
    parts.sort_unstable();
    assert_eq!(parts, (0..rows).collect::<Vec<_>>(), "one in each part");

    let first = with(&first, "way", Value::Integer(3));
    let error = Study::new(Setup {
        first: Some(first),
        ..named
    })
    .unwrap_err();
    assert_eq!(error.to_string(), "way = 3 is not of 5..60");
}

fn with(params: &Params, name: &str, value: Value) -> Params {
    let names = ["rate", "channels", "way", "strength", "averaging"];
    let kept = names.map(|n| (n.to_owned(), params.get(n).unwrap().clone()));
    kept.into_iter().chain([(name.to_owned(), value)]).collect()
}

#[test]
fn what_gave_no_number_has_failed() {
    let mut study = Study::new(setup(0)).unwrap();
    let mut running = study.ask();
    running.report(10, 0.4);
    assert!(!study.should_stop(&running));
    running.report(20, f64::NAN);
    assert!(study.should_stop(&running));
    let ended = study.tell(running, TrialStatus::Pruned, 0.0).unwrap();
    assert_eq!(
        (ended.outcome, ended.value),
        (TrialStatus::Failed, Some(0.4))
    );
    let silent = study.ask();
    let ended = study.tell(silent, TrialStatus::Finished, 0.0).unwrap();
    assert_eq!((ended.outcome, ended.value), (TrialStatus::Failed, None));
    assert_eq!(study.best(), None);
    let mut running = study.ask();
    running.report(10, 0.1);
    study.tell(running, TrialStatus::Finished, 0.0).unwrap();
    assert_eq!(study.best_so_far(), [None, None, Some(0.1)]);
    // What failed is known to the proposals too.
    resume(&mut study, Setup::STARTUP + 2);
    assert!(study.best().unwrap().value > Some(0.1));
}

#[test]
fn halving_looks_at_the_same_step() {
    let mut study = Study::new(Setup {
        pruning: Some(Halving {
            factor: 2,
            trials: 3,
            warmup: 1,
        }),
        ..setup(0)
    })
    .unwrap();
    for (early, late) in [(0.1, 0.9), (0.2, 0.8), (0.3, 0.7)] {
        let mut running = study.ask();
        running.report(10, early);
        running.report(20, late);
        // Fewer than three to compare with.
        assert!(!study.should_stop(&running));
        study.tell(running, TrialStatus::Finished, 0.0).unwrap();
    }
    let stops = |reports: &[(u64, f64)]| {
        let mut running = study.ask();
        reports.iter().for_each(|(s, v)| running.report(*s, *v));
        study.should_stop(&running)
    };
    assert!(!stops(&[]));
    assert!(!stops(&[(10, 0.0)]), "the first report is not judged");
    assert!(stops(&[(10, 0.0), (20, 0.79)]));
    assert!(!stops(&[(10, 0.0), (20, 0.81)]));
    assert!(!stops(&[(10, 0.85), (20, 0.5)]), "its best counts");
    assert!(!stops(&[(10, 0.0), (30, 0.1)]), "nobody came so far");
}

#[test]
fn values_and_positions_belong_together() {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    for dimension in space().dimensions() {
        let range = &dimension.range;
        for position in [0.0, 1.0 - 1e-12]
            .into_iter()
            .chain((0..200).map(|_| rng.random()))
        {
            let value = range.at(position);
            let back = range.position(&value).unwrap();
            assert!((0.0..1.0).contains(&back), "{value} at {back}");
            assert_eq!(range.at(back), value, "{position}");
            let text = serde_json::to_string(&value).unwrap();
            let read: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read, value, "{text}");
            // Half of a part of the counted ones, else the third digit.
            let near = range.count().map_or(0.01, |n| 0.51 / n as f64);
            assert!(
                (back - position).abs() <= near,
                "{value}: {position} {back}"
            );
        }
    }
    let space = space();
    let integer = &space.dimensions()[1].range;
    assert_eq!(
        integer.position(&Value::Integer(20)),
        None,
        "between two steps"
    );
    assert_eq!(integer.position(&Value::Number(16.0)), None, "no integer");
}

#[test]
fn spaces_without_a_point_are_refused() {
    let one = |range| {
        Space::new(vec![dimension("x", range)])
            .unwrap_err()
            .to_string()
    };
    let integer = |low, high, step| Range::Integer { low, high, step };
    assert_eq!(Space::new(Vec::new()), Err(SpaceError::Empty));
    assert!(
        one(Range::LogUniform {
            low: 0.0,
            high: 1.0
        })
        .starts_with("x: ")
    );
    assert!(
        one(Range::Uniform {
            low: 1.0,
            high: 1.0
        })
        .contains("not above")
    );
    assert!(
        one(Range::Uniform {
            low: f64::NAN,
            high: 1.0
        })
        .contains("no numbers")
    );
    assert!(one(integer(2, 1, 1)).contains("below"));
    assert!(one(integer(1, 2, 0)).contains("step"));
    assert!(one(Range::Choice { of: Vec::new() }).contains("nothing"));
    let twice = Range::Choice {
        of: vec![Value::Integer(1); 2],
    };
    assert!(one(twice).contains("twice"));
    let two = vec![dimension("x", integer(1, 2, 1)); 2];
    assert_eq!(Space::new(two), Err(SpaceError::Twice("x".to_owned())));
}
