//! The store against a plain map, on a NOR flash whose power can be cut at any operation.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use proptest::prelude::*;
use sudal_firmware::heads::memory::SLOTS;
use sudal_firmware::heads::{Answer, Head, Quantization};
use sudal_firmware::store::nor::{Medium, Nor, SECTOR, WORD};
use sudal_firmware::store::{Damage, MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS, Store, StoreError};

/// Sectors of the flash: as few as the store accepts, so that it compacts often.
const SECTORS: usize = Store::<Nor<'static, Flash>>::MIN_SECTORS;

/// What the flash keeps while the power is off, and when it will fail.
struct Cells {
    bytes: Vec<u8>,
    /// Words that are still programmed or sectors that are still erased before the power fails.
    power: Option<usize>,
    /// Whether the power failed.
    off: bool,
    /// Words programmed and sectors erased.
    work: usize,
    /// When sectors were erased, in work.
    erases: Vec<usize>,
    /// Decides how the word or byte at the moment of the failure ends up.
    noise: u32,
}

#[derive(Clone)]
struct Flash(Rc<RefCell<Cells>>);

impl Flash {
    fn new() -> Self {
        Self(Rc::new(RefCell::new(Cells {
            bytes: vec![0xff; SECTORS * SECTOR],
            power: None,
            off: false,
            work: 0,
            erases: Vec::new(),
            noise: 0x9e37_79b9,
        })))
    }
}

impl Cells {
    fn random(&mut self) -> u8 {
        self.noise = self
            .noise
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.noise >> 24) as u8
    }

    /// Takes one step's worth of power; false when there is none left.
    fn draw(&mut self) -> bool {
        self.work += 1;
        match &mut self.power {
            Some(0) => {
                self.off = true;
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }
}

impl Medium for Flash {
    type Error = &'static str;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let cells = self.0.borrow();
        bytes.copy_from_slice(&cells.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let cells = &mut *self.0.borrow_mut();
        if cells.off {
            return Err("no power");
        }
        let erase = bytes.len() == SECTOR && bytes.iter().all(|&byte| byte == 0xff);
        if erase {
            // An erase works on the whole sector at once: cut short, each bit is on its own.
            if !cells.draw() {
                for position in offset as usize..offset as usize + SECTOR {
                    let noise = cells.random();
                    cells.bytes[position] |= noise;
                }
                return Err("the power failed");
            }
            cells.bytes[offset as usize..][..SECTOR].fill(0xff);
            cells.erases.push(cells.work - 1);
            return Ok(());
        }
        for (position, word) in (offset as usize..).step_by(WORD).zip(bytes.chunks(WORD)) {
            let complete = cells.draw();
            for (position, &byte) in (position..).zip(word) {
                let noise = if complete { 0 } else { cells.random() };
                cells.bytes[position] &= byte | noise;
            }
            if !complete {
                return Err("the power failed");
            }
        }
        Ok(())
    }
}

/// A group of the memory: its slot, when it was written, and its shots as a set.
type Group = (u8, u32, u32);

/// A class as a plain value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Shown {
    shots: Vec<Vec<i8>>,
    groups: Vec<Group>,
}

/// What the store should hold: classes by name and model, the head, and when slots were read since
/// the power came on.
#[derive(Debug, Clone, Default)]
struct Oracle {
    classes: BTreeMap<Key, Shown>,
    head: Head,
    read: BTreeMap<u8, u32>,
}

type Key = (String, u64);

/// The memory by the book, every slot found again in all classes.
impl Oracle {
    /// The class and group that stand in each slot that is in use.
    fn slots(&self) -> BTreeMap<u8, (Key, Group)> {
        let mut slots: BTreeMap<u8, (Key, Group)> = BTreeMap::new();
        for (key, class) in &self.classes {
            for group in &class.groups {
                if slots
                    .get(&group.0)
                    .is_none_or(|(_, other)| other.1 < group.1)
                {
                    slots.insert(group.0, (key.clone(), *group));
                }
            }
        }
        slots
    }

    fn used(&self, group: Group) -> u32 {
        self.read.get(&group.0).copied().unwrap_or(0).max(group.1)
    }

    fn now(&self) -> u32 {
        let slots = self.slots();
        let uses = slots.values().map(|(_, group)| self.used(*group));
        uses.max().unwrap_or(0) + 1
    }

    /// Slots of a model with the squared distance of their mean to the query.
    fn distances(&self, model: u64, query: &[i8]) -> Vec<(Key, Group, f64)> {
        let of_model = self.slots().into_values().filter(|(key, _)| key.1 == model);
        of_model
            .map(|(key, group)| {
                let members = self.classes[&key].shots.iter().enumerate();
                let members: Vec<_> = members.filter(|(n, _)| group.2 >> n & 1 == 1).collect();
                let squared = (0..query.len()).map(|d| {
                    let sum: i32 = members.iter().map(|(_, shot)| i32::from(shot[d])).sum();
                    let mean = f64::from(sum) / members.len() as f64;
                    (f64::from(query[d]) - mean).powi(2)
                });
                let squared = squared.sum();
                (key, group, squared)
            })
            .collect()
    }

    /// Of equally near slots the first.
    fn nearest(&self, model: u64, query: &[i8]) -> Option<(Key, Group)> {
        let mut distances = self.distances(model, query);
        // Means of few shots differ by much more than rounding.
        distances.sort_by(|a, b| {
            if (a.2 - b.2).abs() < 1e-6 * (a.2 + b.2) {
                a.1.0.cmp(&b.1.0)
            } else {
                a.2.total_cmp(&b.2)
            }
        });
        let first = distances.into_iter().next()?;
        Some((first.0, first.1))
    }

    fn write(&mut self, key: &Key, shot: Vec<i8>) {
        let now = self.now();
        let nearest = self.nearest(key.1, &shot);
        let slots = self.slots();
        let class = self.classes.entry(key.clone()).or_default();
        let bit = 1 << class.shots.len();
        class.shots.push(shot);
        if let Some((owner, group)) = nearest
            && owner == *key
        {
            let place = class.groups.iter_mut().find(|g| **g == group).unwrap();
            *place = (group.0, now, group.2 | bit);
            return;
        }
        let free = (0..SLOTS as u8).find(|slot| !slots.contains_key(slot));
        let least_used = || {
            let uses = slots.values().map(|(_, group)| {
                let read = self.read.get(&group.0).copied().unwrap_or(0);
                (read.max(group.1), group.0)
            });
            uses.min().unwrap().1
        };
        let slot = free.unwrap_or_else(least_used);
        self.read.remove(&slot);
        class.groups.push((slot, now, bit));
    }

    fn power_cycle(&mut self) {
        self.read.clear();
    }
}

#[derive(Debug, Clone)]
enum Step {
    Enroll { name: u8, model: u8, seed: u8 },
    Head { head: Head },
    Classify { model: u8, seed: u8 },
    Remove { name: u8, model: u8 },
    Rename { name: u8, model: u8, to: u8 },
    Reset,
}

fn name(number: u8) -> String {
    // Long ones too, and some that are more than ASCII.
    match number % 3 {
        0 => format!("part {number}"),
        1 => format!("부품 {number}"),
        _ => format!("{number:0>MAX_NAME$}"),
    }
}

fn dim(model: u8) -> usize {
    [MAX_DIM, 17][usize::from(model) % 2]
}

fn embedding(model: u8, seed: u8) -> Vec<i8> {
    (0..dim(model))
        .map(|i| (i as u8).wrapping_mul(seed | 1).wrapping_add(seed) as i8)
        .collect()
}

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

/// Does a step on the map.
fn on_oracle(oracle: &mut Oracle, step: &Step) -> Result<(), StoreError> {
    let stood = oracle.slots();
    let key = |number, model| (name(number), u64::from(model));
    match *step {
        Step::Enroll { name, model, seed } => {
            let key = key(name, model);
            match oracle.classes.get(&key) {
                Some(class) if class.shots.len() == MAX_SHOTS => return Err(StoreError::ShotsFull),
                None if oracle.classes.len() == MAX_CLASSES => return Err(StoreError::ClassesFull),
                _ => oracle.write(&key, embedding(model, seed)),
            }
        }
        Step::Head { head } => oracle.head = head,
        Step::Classify { model, seed } => {
            if oracle.head == Head::Memory
                && let Some((_, group)) = oracle.nearest(model.into(), &embedding(model, seed))
            {
                let now = oracle.now();
                oracle.read.insert(group.0, now);
            }
        }
        Step::Remove { name, model } => {
            oracle
                .classes
                .remove(&key(name, model))
                .ok_or(StoreError::NoSuchClass)?;
        }
        Step::Rename { name, model, to } => {
            let (from, to) = (key(name, model), key(to, model));
            if !oracle.classes.contains_key(&from) {
                return Err(StoreError::NoSuchClass);
            }
            if from != to && oracle.classes.contains_key(&to) {
                return Err(StoreError::NameTaken);
            }
            if let Some(class) = oracle.classes.remove(&from) {
                oracle.classes.insert(to, class);
            }
        }
        Step::Reset => oracle.classes.clear(),
    }
    // What was read is forgotten with what stood there.
    let stands = oracle.slots();
    let stamp =
        |slots: &BTreeMap<u8, (Key, Group)>, slot: &u8| slots.get(slot).map(|(_, group)| group.1);
    oracle
        .read
        .retain(|slot, _| stamp(&stands, slot).is_some_and(|now| stamp(&stood, slot) == Some(now)));
    Ok(())
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

const QUANTIZATION: Quantization = Quantization {
    scale: 0.004,
    zero_point: -11,
};

/// The measure of each head that reads distances, by the book; the linear head has its own test.
fn by_the_book(oracle: &Oracle, model: u64, query: &[i8]) -> Option<BTreeMap<String, f64>> {
    let square = f64::from(QUANTIZATION.scale).powi(2);
    let of_model = || oracle.classes.iter().filter(|(key, _)| key.1 == model);
    let squared = |point: &[f64]| -> f64 {
        let steps = point
            .iter()
            .zip(query)
            .map(|(p, &q)| (f64::from(q) - p).powi(2));
        square * steps.sum::<f64>()
    };
    let float = |shot: &Vec<i8>| shot.iter().map(|&v| f64::from(v)).collect::<Vec<_>>();
    match oracle.head {
        Head::Prototype => Some(
            of_model()
                .map(|(key, class)| {
                    let mut mean = vec![0.0; query.len()];
                    for shot in &class.shots {
                        for (m, v) in mean.iter_mut().zip(float(shot)) {
                            *m += v / class.shots.len() as f64;
                        }
                    }
                    (key.0.clone(), squared(&mean))
                })
                .collect(),
        ),
        Head::Nearest => Some(
            of_model()
                .map(|(key, class)| {
                    let all = class.shots.iter().map(|shot| squared(&float(shot)));
                    (key.0.clone(), all.fold(f64::INFINITY, f64::min))
                })
                .collect(),
        ),
        Head::Memory => {
            let slots = oracle.distances(model, query);
            let least = slots
                .iter()
                .map(|slot| slot.2)
                .fold(f64::INFINITY, f64::min);
            let weight = |squared: f64| (square * (least - squared)).exp();
            let total: f64 = slots.iter().map(|slot| weight(slot.2)).sum();
            Some(
                of_model()
                    .map(|(key, _)| {
                        let own = slots.iter().filter(|slot| slot.0 == *key);
                        let own: f64 = own.map(|slot| weight(slot.2)).sum();
                        (key.0.clone(), 1.0 - own / total)
                    })
                    .collect(),
            )
        }
        Head::Linear => None,
    }
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

/// A torn erase leaves any contents at all; 300 of them are survived.
#[test]
fn torn_erases_are_finished() {
    let flash = Flash::new();
    let mut oracle = Oracle::default();
    let mut mirror = Vec::new();
    let mut torn = 0;
    // A new flash has every sector erased once.
    drop(open(&mut mirror, &flash));
    for number in 0..2000_u32 {
        let step = match number % 25 {
            24 => Step::Remove {
                name: (number / 25 % 6) as u8,
                model: 0,
            },
            _ => Step::Enroll {
                name: (number % 6) as u8,
                model: 0,
                seed: number as u8,
            },
        };
        let before = flash.0.borrow().bytes.clone();
        let start = flash.0.borrow().work;
        oracle.power_cycle();
        flash.0.borrow_mut().erases.clear();
        let outcome = on_store(&mut open(&mut mirror, &flash), &step);
        let mut after = oracle.clone();
        assert_eq!(outcome, on_oracle(&mut after, &step));
        let done = flash.0.borrow().bytes.clone();
        let erases = flash.0.borrow().erases.clone();
        for erase in erases.iter().flat_map(|erase| [erase; 10]) {
            {
                let mut cells = flash.0.borrow_mut();
                cells.bytes.clone_from(&before);
                cells.power = Some(erase - start);
            }
            on_store(&mut open(&mut mirror, &flash), &step).unwrap_err();
            // And once more, while the erase is finished.
            {
                let mut cells = flash.0.borrow_mut();
                cells.power = Some(0);
                cells.off = false;
            }
            assert_eq!(open(&mut mirror, &flash).fault(), Some(StoreError::Flash));
            {
                let mut cells = flash.0.borrow_mut();
                cells.power = None;
                cells.off = false;
            }
            let store = open(&mut mirror, &flash);
            assert_eq!(store.fault(), None);
            assert!(!store.damage().any());
            let now = seen(&store);
            assert!(now == expected(&oracle) || now == expected(&after));
            torn += 1;
        }
        flash.0.borrow_mut().bytes.clone_from(&done);
        oracle = after;
        if torn >= 300 {
            return;
        }
    }
    panic!("only {torn} erases were torn");
}

/// A store that the first release wrote: two classes, one renamed and enrolled further, one removed.
#[test]
fn an_old_store_still_reads() {
    let old = include_bytes!("../files/store-1.bin");
    let flash = Flash::new();
    flash.0.borrow_mut().bytes[..old.len()].copy_from_slice(old);
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    assert_eq!((store.fault(), store.head()), (None, Head::Prototype));
    let names: Vec<_> = store
        .classes()
        .iter()
        .map(|class| class.name.as_str())
        .collect();
    assert_eq!(names, ["wheel", "부품"]);
    // The shots stand behind the name in the last item of the class.
    let place = old.windows(5).rposition(|bytes| bytes == b"wheel").unwrap() + 5;
    let shots: Vec<Vec<i8>> = old[place..place + 3 * 64]
        .chunks(64)
        .map(|shot| shot.iter().map(|&value| value as i8).collect())
        .collect();
    assert!(
        store.classes()[0]
            .support()
            .eq(shots.iter().map(Vec::as_slice))
    );
    // Every head knows it, and what is enrolled now continues from there.
    let model = store.classes()[0].model;
    for head in Head::ALL {
        store.set_head(head).unwrap();
        let answer = store.classify(&shots[0], model, QUANTIZATION).unwrap();
        assert_eq!(answer.ranking.first, 0, "{head:?}");
    }
    assert_eq!(store.known().memory().in_use(), 2);
    store.enroll("wheel", model, &shots[1]).unwrap();
    let after = seen(&store);
    drop(store);
    let store = open(&mut mirror, &flash);
    assert_eq!(seen(&store), after);
    assert_eq!(
        (store.head(), store.classes()[0].shots()),
        (Head::Linear, 4)
    );
}

/// The memory is full before the classes are: the least used slot is given up, and that is said.
#[test]
fn a_full_memory_forgets_the_least_used() {
    let flash = Flash::new();
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    // Opposite shots in turn, so that the class of the shot before is never the nearest.
    let shot = |number: usize| {
        vec![
            (number * 37 % 251) as i8,
            (number * 91 % 241) as i8,
            number as i8,
        ]
    };
    let mut overwritten = Vec::new();
    let mut enrolled = 0;
    while store.known().memory().in_use() < SLOTS {
        let name = format!("{}", enrolled % MAX_CLASSES);
        let enrolment = store.enroll(&name, 1, &shot(enrolled)).unwrap();
        assert_eq!(enrolment.overwritten, None);
        enrolled += 1;
    }
    for number in enrolled..MAX_CLASSES * MAX_SHOTS {
        let name = format!("{}", number % MAX_CLASSES);
        overwritten.extend(store.enroll(&name, 1, &shot(number)).unwrap().overwritten);
        assert_eq!(store.known().memory().in_use(), SLOTS);
    }
    assert!(overwritten.len() > SLOTS, "{}", overwritten.len());
}

#[test]
fn refuses_with_a_reason() {
    let flash = Flash::new();
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    let long = "x".repeat(MAX_NAME + 1);
    assert_eq!(store.enroll("", 1, &[1]).unwrap_err(), StoreError::Name);
    assert_eq!(store.enroll(&long, 1, &[1]).unwrap_err(), StoreError::Name);
    let steers = store.enroll("gear\u{1b}[2J", 1, &[1]);
    assert_eq!(steers.unwrap_err(), StoreError::Name);
    // 63 bytes and more, of the longest kind that people type.
    store.enroll(&"가".repeat(MAX_NAME / 3), 3, &[1]).unwrap();
    let long = id(&store, &"가".repeat(32), 3).unwrap();
    store.remove(long).unwrap();
    assert_eq!(
        store.enroll("a", 1, &[]).unwrap_err(),
        StoreError::Embedding
    );
    assert_eq!(
        store.enroll("a", 1, &[0; MAX_DIM + 1]).unwrap_err(),
        StoreError::Embedding
    );
    store.enroll("a", 1, &[1, 2]).unwrap();
    assert_eq!(
        store.enroll("a", 1, &[1]).unwrap_err(),
        StoreError::Embedding
    );
    assert_eq!(store.remove(9), Err(StoreError::NoSuchClass));
    store.enroll("b", 1, &[1, 2]).unwrap();
    store.enroll("b", 2, &[1, 2]).unwrap();
    let b = id(&store, "b", 1).unwrap();
    assert_eq!(store.rename(b, "a"), Err(StoreError::NameTaken));
    assert_eq!(store.rename(b, "b"), Ok(()));
    assert_eq!(store.classes().len(), 3);
}

#[test]
fn the_largest_contents_fit_and_can_be_removed() {
    let flash = Flash::new();
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    for class in 0..MAX_CLASSES {
        for shot in 0..MAX_SHOTS {
            let name = format!("{class:0>MAX_NAME$}");
            store
                .enroll(&name, 7, &embedding(0, shot as u8))
                .unwrap_or_else(|error| panic!("class {class}, shot {shot}: {error}"));
        }
    }
    assert_eq!(
        store.enroll("more", 7, &embedding(0, 0)).unwrap_err(),
        StoreError::ClassesFull
    );
    assert_eq!(
        store
            .enroll(&format!("{:0>MAX_NAME$}", 0), 7, &embedding(0, 0))
            .unwrap_err(),
        StoreError::ShotsFull
    );
    let full = seen(&store);
    drop(store);
    let mut store = open(&mut mirror, &flash);
    assert_eq!(seen(&store), full);
    store.reset().unwrap();
    assert!(store.classes().is_empty());
}

#[test]
fn arbitrary_contents_neither_panic_nor_last() {
    let flash = Flash::new();
    for round in 0..8 {
        {
            let mut cells = flash.0.borrow_mut();
            for position in 0..cells.bytes.len() {
                let noise = cells.random();
                // Sparse ones and zeros too: they look more like a flash.
                cells.bytes[position] = match round % 4 {
                    0 => noise,
                    1 => 0,
                    2 => !(u8::from(noise > 250) << (noise & 7)),
                    _ => u8::from(noise > 250) << (noise & 7),
                };
            }
        }
        let mut mirror = Vec::new();
        let mut store = open(&mut mirror, &flash);
        store.reset().unwrap();
        store.enroll("a", 1, &[1, 2, 3]).unwrap();
        drop(store);
        let store = open(&mut mirror, &flash);
        assert_eq!(store.fault(), None);
        assert_eq!(store.classes().len(), 1);
    }
}

#[test]
fn a_small_flash_is_refused() {
    let mut mirror = vec![0; 4 * SECTOR];
    let mut store = Store::open(Nor::new(&mut mirror, Flash::new()).unwrap());
    assert_eq!(store.fault(), Some(StoreError::TooSmall));
    assert_eq!(
        store.enroll("a", 1, &[1]).unwrap_err(),
        StoreError::TooSmall
    );
    assert_eq!(store.reset(), Err(StoreError::TooSmall));
}

/// What looks like free space and is not erased is found out by the first write.
#[test]
fn free_space_that_is_not_erased_is_passed_over() {
    let (mut mirror, flash) = (Vec::new(), Flash::new());
    let mut store = open(&mut mirror, &flash);
    store.enroll("gear", 1, &[1; 8]).unwrap();
    drop(store);
    for sector in flash.0.borrow_mut().bytes.chunks_mut(SECTOR) {
        sector[1024..SECTOR - 64].fill(0);
    }
    let mut store = open(&mut mirror, &flash);
    for _ in 1..MAX_SHOTS {
        store.enroll("gear", 1, &[2; 8]).unwrap();
    }
    drop(store);
    let mut store = open(&mut mirror, &flash);
    assert_eq!(store.classes()[0].shots(), MAX_SHOTS as u8);
    store.reset().unwrap();
    for _ in 0..MAX_SHOTS {
        store.enroll("gear", 1, &[3; 8]).unwrap();
    }
}
