//! The store against a plain map, on a NOR flash whose power can be cut at any operation.

mod cases;
mod cells;
mod oracle;

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use sudal_firmware::heads::{Answer, Head};
use sudal_firmware::store::nor::{Nor, SECTOR};
use sudal_firmware::store::{Damage, Store, StoreError};

use cells::{Flash, SECTORS};
use oracle::{Key, Oracle, QUANTIZATION, Shown, Step, by_the_book, embedding, name, on_oracle};

fn open<'a>(mirror: &'a mut Vec<u8>, flash: &Flash) -> Store<Nor<'a, Flash>> {
    mirror.resize(SECTORS * SECTOR, 0);
    Store::open(Nor::new(mirror, flash.clone()).expect("the medium can be read"))
}

fn id(store: &Store<Nor<'_, Flash>>, name: &str, model: u64) -> Option<u8> {
    let mut classes = store.classes().iter();
    let class = classes.find(|class| class.name == name && class.model == model);
    class.map(|class| class.id)
}

/// Does a step on the store.
fn on_store(store: &mut Store<Nor<'_, Flash>>, step: &Step) -> Result<(), StoreError> {
    let id = |store: &Store<_>, number, model| {
        id(store, &name(number), u64::from(model)).ok_or(StoreError::NoSuchClass)
    };
    match *step {
        Step::Enroll {
            name: number,
            model,
            seed,
        } => store
            .enroll(&name(number), model.into(), &embedding(model, seed))
            .map(|_| ()),
        Step::Head { head } => store.set_head(head),
        Step::Classify { model, seed } => {
            store.classify(&embedding(model, seed), model.into(), QUANTIZATION);
            Ok(())
        }
        Step::Remove { name, model } => store.remove(id(store, name, model)?),
        Step::Rename {
            name: number,
            model,
            to,
        } => store.rename(id(store, number, model)?, &name(to)),
        Step::Reset => store.reset(),
    }
}

/// What the store holds, as far as it can be seen.
type Seen = (Head, BTreeMap<Key, Shown>);

fn seen(store: &Store<Nor<'_, Flash>>) -> Seen {
    let mut held = 0;
    let classes = store.classes().iter().enumerate().map(|(position, class)| {
        let key = (class.name.to_string(), class.model);
        let groups = class.groups().iter();
        let shown = Shown {
            shots: class.support().map(<[i8]>::to_vec).collect(),
            groups: groups.map(|g| (g.slot, g.stamp, g.shots)).collect(),
        };
        let mut sum = vec![0; class.dim()];
        for shot in &shown.shots {
            for (total, &value) in sum.iter_mut().zip(shot) {
                *total += i16::from(value);
            }
        }
        assert_eq!(class.prototype().sum, sum);
        held += store.known().memory().held_by(position);
        (key, shown)
    });
    let classes = classes.collect();
    assert_eq!(held, store.known().memory().in_use());
    (store.head(), classes)
}

fn expected(oracle: &Oracle) -> Seen {
    (oracle.head, oracle.classes.clone())
}

/// That an answer has the scores of the book, and ranks them.
fn check_answer(
    store: &mut Store<Nor<'_, Flash>>,
    oracle: &Oracle,
    model: u8,
    seed: u8,
) -> Result<(), TestCaseError> {
    let query = embedding(model, seed);
    let answer = store.classify(&query, model.into(), QUANTIZATION);
    let classes = oracle
        .classes
        .keys()
        .filter(|key| key.1 == u64::from(model));
    let readable =
        oracle.head != Head::Memory || !oracle.distances(model.into(), &query).is_empty();
    if classes.clone().count() == 0 || !readable {
        prop_assert_eq!(answer, None);
        return Ok(());
    }
    let Some(Answer { scores, ranking }) = answer else {
        return Err(TestCaseError::fail("no answer"));
    };
    prop_assert_eq!(scores.len(), classes.count());
    let least = scores
        .iter()
        .map(|score| score.value)
        .fold(f32::INFINITY, f32::min);
    prop_assert!(scores[ranking.first].value - least <= 1e-6 * least.abs());
    prop_assert_eq!(ranking.second.is_some(), scores.len() > 1);
    if let Some(book) = by_the_book(oracle, model.into(), &query) {
        for score in &scores {
            let exact = book[store.class(score.class).unwrap().name.as_str()];
            let error = (f64::from(score.value) - exact).abs();
            prop_assert!(
                error < 1e-5 * exact.max(1.0),
                "{:?}: {}, {}",
                oracle.head,
                score.value,
                exact
            );
        }
    }
    Ok(())
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        48 => (0..40u8, 0..2u8, any::<u8>())
            .prop_map(|(name, model, seed)| Step::Enroll { name, model, seed }),
        // A few classes get most of the shots.
        96 => (0..6u8, any::<u8>()).prop_map(|(name, seed)| Step::Enroll { name, model: 0, seed }),
        3 => (0..40u8, 0..2u8).prop_map(|(name, model)| Step::Remove { name, model }),
        24 => (0..6u8, 0..6u8).prop_map(|(name, to)| Step::Rename { name, model: 0, to }),
        1 => Just(Step::Reset),
        8 => prop::sample::select(&Head::ALL[..]).prop_map(|head| Step::Head { head }),
        24 => (0..2u8, any::<u8>()).prop_map(|(model, seed)| Step::Classify { model, seed }),
    ]
}

/// Few cases by default; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let mut config = ProptestConfig::default();
    if std::env::var_os("PROPTEST_CASES").is_none() {
        config.cases = 6;
    }
    config
}

proptest! {
    #![proptest_config(config())]

    /// Long histories, every answer and every state, with the power cut between the steps.
    #[test]
    fn holds_what_a_map_holds(steps in prop::collection::vec(step(), 1..400)) {
        let flash = Flash::new();
        let mut oracle = Oracle::default();
        let mut mirror = Vec::new();
        for some in steps.chunks(7) {
            let mut store = open(&mut mirror, &flash);
            oracle.power_cycle();
            prop_assert_eq!(store.fault(), None);
            prop_assert_eq!(seen(&store), expected(&oracle));
            for step in some {
                if let Step::Classify { model, seed } = *step {
                    check_answer(&mut store, &oracle, model, seed)?;
                    on_oracle(&mut oracle, step).unwrap();
                    continue;
                }
                prop_assert_eq!(on_store(&mut store, step), on_oracle(&mut oracle, step), "{:?}", step);
                prop_assert_eq!(seen(&store), expected(&oracle));
            }
        }
    }

    /// The power is cut at every flash operation of the last steps, after a history that is long
    /// enough for sectors to be compacted and erased: what was enrolled before is there, and the
    /// class of the step is as it was or as it should be.
    #[test]
    fn a_power_cut_loses_nothing(
        history in prop::collection::vec(step(), 600..1500),
        steps in prop::collection::vec(step(), 1..12),
    ) {
        let flash = Flash::new();
        let mut oracle = Oracle::default();
        let mut mirror = Vec::new();
        let mut store = open(&mut mirror, &flash);
        for step in &history {
            prop_assert_eq!(on_store(&mut store, step), on_oracle(&mut oracle, step));
        }
        drop(store);
        flash.0.borrow_mut().erases.clear();
        for step in &steps {
            let before = flash.0.borrow().bytes.clone();
            oracle.power_cycle();
            let mut after = oracle.clone();
            let outcome = on_oracle(&mut after, step);

            // The step without a cut, to learn how much work it is.
            let start = flash.0.borrow().work;
            prop_assert_eq!(on_store(&mut open(&mut mirror, &flash), step), outcome);
            let work = flash.0.borrow().work - start;
            let erases = std::mem::take(&mut flash.0.borrow_mut().erases);
            let done = flash.0.borrow().bytes.clone();

            // Every point where the kind of work changes, and some in between.
            let near = |power: usize| power < 8 || work - power < 8 || power.is_multiple_of(97);
            for power in (0..work).filter(|&power| near(power) || erases.contains(&(start + power))) {
                // What a torn erase leaves is chance: see more of it.
                let chances = if erases.contains(&(start + power)) { 8 } else { 1 };
                for _ in 0..chances {
                    {
                        let mut cells = flash.0.borrow_mut();
                        cells.bytes.clone_from(&before);
                        cells.power = Some(power);
                    }
                    let cut = on_store(&mut open(&mut mirror, &flash), step);
                    prop_assert!(cut.is_err(), "power {} of {}", power, work);
                    {
                        let mut cells = flash.0.borrow_mut();
                        cells.power = None;
                        cells.off = false;
                    }
                    let mut store = open(&mut mirror, &flash);
                    prop_assert_eq!(store.fault(), None);
                    prop_assert_eq!(store.damage(), Damage::default());
                    let now = seen(&store);
                    check_cut(&now, &expected(&oracle), &expected(&after), matches!(step, Step::Reset))?;

                    // It continues working.
                    let more = Step::Enroll { name: 1, model: 0, seed: 3 };
                    match on_store(&mut store, &more) {
                        Ok(()) | Err(StoreError::ShotsFull | StoreError::ClassesFull) => {}
                        Err(error) => prop_assert!(false, "{} after power {} of {}", error, power, work),
                    }
                    prop_assert!(seen(&store).1.len().abs_diff(now.1.len()) < 2);
                }
            }
            flash.0.borrow_mut().bytes.clone_from(&done);
            oracle = after;
        }
    }
}

/// The state is that before the step or that after it; a reset may have got anywhere in between.
fn check_cut(now: &Seen, before: &Seen, after: &Seen, reset: bool) -> Result<(), TestCaseError> {
    if reset {
        prop_assert_eq!(now.0, before.0);
        for (key, class) in &now.1 {
            prop_assert_eq!(Some(class), before.1.get(key));
        }
        return Ok(());
    }
    prop_assert!(
        now == before || now == after,
        "neither old nor new: head {:?}, not {:?} or {:?}; classes {:?}",
        now.0,
        before.0,
        after.0,
        differing(now, before, after)
    );
    Ok(())
}

/// Classes that are neither old nor new, with the number of shots and groups.
fn differing(now: &Seen, before: &Seen, after: &Seen) -> Vec<String> {
    let keys: BTreeSet<_> = [now, before, after]
        .iter()
        .flat_map(|seen| seen.1.keys())
        .collect();
    let held = |seen: &Seen, key: &Key| seen.1.get(key).map(|c| (c.shots.len(), c.groups.clone()));
    keys.into_iter()
        .filter(|key| now.1.get(key) != before.1.get(key) || now.1.get(key) != after.1.get(key))
        .map(|key| {
            format!(
                "{key:?}: {:?}, not {:?} or {:?}",
                held(now, key),
                held(before, key),
                held(after, key)
            )
        })
        .collect()
}
