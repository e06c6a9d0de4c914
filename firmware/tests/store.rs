//! The store against a plain map, on a NOR flash whose power can be cut at any operation.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use proptest::prelude::*;
use sudal_firmware::store::nor::{Medium, Nor, SECTOR, WORD};
use sudal_firmware::store::{MAX_CLASSES, MAX_DIM, MAX_NAME, MAX_SHOTS, Store, StoreError};

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

/// A class as a plain value: its model and shots.
type Shots = Vec<Vec<i8>>;
/// What the store should hold: shots by name and model.
type Oracle = BTreeMap<(String, u64), Shots>;

#[derive(Debug, Clone)]
enum Step {
    Enroll { name: u8, model: u8, seed: u8 },
    Remove { name: u8, model: u8 },
    Rename { name: u8, model: u8, to: u8 },
    Reset,
}

fn name(number: u8) -> String {
    // Long ones too, and some that are more than ASCII.
    match number % 3 {
        0 => format!("part {number}"),
        1 => format!("부품 {number}"),
        _ => format!("{number:0>32}"),
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
    let key = |number, model| (name(number), u64::from(model));
    match *step {
        Step::Enroll { name, model, seed } => {
            let full = oracle.len() == MAX_CLASSES;
            let shots = match oracle.get_mut(&key(name, model)) {
                Some(shots) if shots.len() == MAX_SHOTS => return Err(StoreError::ShotsFull),
                Some(shots) => shots,
                None if full => return Err(StoreError::ClassesFull),
                None => oracle.entry(key(name, model)).or_default(),
            };
            shots.push(embedding(model, seed));
        }
        Step::Remove { name, model } => {
            oracle
                .remove(&key(name, model))
                .ok_or(StoreError::NoSuchClass)?;
        }
        Step::Rename { name, model, to } => {
            if !oracle.contains_key(&key(name, model)) {
                return Err(StoreError::NoSuchClass);
            }
            if name != to && oracle.contains_key(&key(to, model)) {
                return Err(StoreError::NameTaken);
            }
            if let Some(shots) = oracle.remove(&key(name, model)) {
                oracle.insert(key(to, model), shots);
            }
        }
        Step::Reset => oracle.clear(),
    }
    Ok(())
}

/// What the store holds, as far as it can be seen: names, models, shots and their sum.
fn seen(store: &Store<Nor<'_, Flash>>) -> BTreeMap<(String, u64), (u8, Vec<i16>)> {
    let classes = store.classes().iter().map(|class| {
        let key = (class.name.to_string(), class.model);
        (key, (class.shots, class.prototype().sum.to_vec()))
    });
    classes.collect()
}

fn expected(oracle: &Oracle) -> BTreeMap<(String, u64), (u8, Vec<i16>)> {
    let classes = oracle.iter().map(|(key, shots)| {
        let mut sum = vec![0; shots[0].len()];
        for shot in shots {
            for (total, &value) in sum.iter_mut().zip(shot) {
                *total += i16::from(value);
            }
        }
        (key.clone(), (shots.len() as u8, sum))
    });
    classes.collect()
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
        let mut oracle = Oracle::new();
        let mut mirror = Vec::new();
        for some in steps.chunks(7) {
            let mut store = open(&mut mirror, &flash);
            prop_assert_eq!(store.fault(), None);
            prop_assert_eq!(seen(&store), expected(&oracle));
            for step in some {
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
        let mut oracle = Oracle::new();
        let mut mirror = Vec::new();
        let mut store = open(&mut mirror, &flash);
        for step in &history {
            prop_assert_eq!(on_store(&mut store, step), on_oracle(&mut oracle, step));
        }
        drop(store);
        flash.0.borrow_mut().erases.clear();
        for step in &steps {
            let before = flash.0.borrow().bytes.clone();
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
                    let now = seen(&store);
                    check_cut(&now, &expected(&oracle), &expected(&after), matches!(step, Step::Reset))?;

                    // It goes on working.
                    let more = Step::Enroll { name: 1, model: 0, seed: 3 };
                    match on_store(&mut store, &more) {
                        Ok(()) | Err(StoreError::ShotsFull | StoreError::ClassesFull) => {}
                        Err(error) => prop_assert!(false, "{} after power {} of {}", error, power, work),
                    }
                    prop_assert_eq!(seen(&store).len().abs_diff(now.len()) < 2, true);
                }
            }
            flash.0.borrow_mut().bytes.clone_from(&done);
            oracle = after;
        }
    }
}

type Seen = BTreeMap<(String, u64), (u8, Vec<i16>)>;

/// The state is that before the step or that after it; a reset may have got anywhere in between.
fn check_cut(now: &Seen, before: &Seen, after: &Seen, reset: bool) -> Result<(), TestCaseError> {
    if reset {
        for (key, class) in now {
            prop_assert_eq!(Some(class), before.get(key));
        }
        return Ok(());
    }
    prop_assert!(
        now == before || now == after,
        "neither old nor new: {:?}",
        now.keys().collect::<Vec<_>>()
    );
    Ok(())
}

/// A torn erase leaves any contents at all; 300 of them are survived.
#[test]
fn torn_erases_are_finished() {
    let flash = Flash::new();
    let mut oracle = Oracle::new();
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
        flash.0.borrow_mut().erases.clear();
        let outcome = on_store(&mut open(&mut mirror, &flash), &step);
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
            assert_eq!(seen(&store), expected(&oracle));
            torn += 1;
        }
        flash.0.borrow_mut().bytes.clone_from(&done);
        assert_eq!(outcome, on_oracle(&mut oracle, &step));
        if torn >= 300 {
            return;
        }
    }
    panic!("only {torn} erases were torn");
}

#[test]
fn refuses_with_a_reason() {
    let flash = Flash::new();
    let mut mirror = Vec::new();
    let mut store = open(&mut mirror, &flash);
    let long = "x".repeat(MAX_NAME + 1);
    assert_eq!(store.enroll("", 1, &[1]).unwrap_err(), StoreError::Name);
    assert_eq!(store.enroll(&long, 1, &[1]).unwrap_err(), StoreError::Name);
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
            let name = format!("{class:0>32}");
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
            .enroll(&format!("{:0>32}", 0), 7, &embedding(0, 0))
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
