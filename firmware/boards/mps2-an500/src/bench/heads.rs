//! Counts what each classifier head costs on a task, for `sudal profile --heads`.
//!
//! In PSRAM lie eight little-endian words: `TASK`, classes, shots and queries of each, values of an
//! embedding, its scale as the bits of an `f32`, its zero point, 0; then the embeddings, the shots
//! class by class before the queries class by class. For each head the program enrols the shots in a
//! NOR flash in RAM, in turn, and classifies the queries, and prints over semihosting, one line each:
//!
//! ```text
//! calibration ROUNDS TICKS      a loop of three instructions a round
//! head NAME                     what follows is of this head
//! enroll TICKS                  of a shot
//! adapt TICKS                   once, after the last shot
//! query TICKS CRC               of a query; CRC-32 of the class and all scores
//! stack BYTES BYTES             of the deepest enrolment, and of the deepest of the others
//! ```
//!
//! One tick more than an operation's own is that of the instruction which reads the counter.

#![no_std]
#![no_main]

mod counter;
mod machine;
mod part;
mod psram;
mod stack;

use cortex_m::singleton;
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use sudal_firmware::heads::{Answer, Head, MAX_CLASSES, Quantization};
use sudal_firmware::image::crc;
use sudal_firmware::store::nor::{Nor, SECTOR, Volatile};
use sudal_firmware::store::{Store, StoreError};

use counter::Counter;

/// Rounds of the calibration.
const ROUNDS: u32 = 10_000;
/// Size of the NOR flash, in bytes.
const FLASH: usize = 64 * SECTOR;
const NAMES: [&str; MAX_CLASSES] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16",
    "17", "18", "19", "20", "21", "22", "23", "24", "25", "26", "27", "28", "29", "30", "31",
];

/// What lies in PSRAM.
struct Task {
    way: usize,
    dim: usize,
    quantization: Quantization,
    support: &'static [i8],
    queries: &'static [i8],
}

impl Task {
    fn read(memory: &'static [u8]) -> Option<Self> {
        let (header, values) = memory.split_at_checked(32)?;
        let word = |index: usize| {
            let bytes = header.get(4 * index..)?.first_chunk::<4>()?;
            Some(u32::from_le_bytes(*bytes))
        };
        (header.starts_with(b"TASK")).then_some(())?;
        let [way, shots, queries, dim] =
            [1, 2, 3, 4].map(|index| word(index).map_or(0, |w| w as usize));
        let (support, rest) = values.split_at_checked(way * shots * dim)?;
        (dim > 0 && way <= MAX_CLASSES).then_some(Self {
            way,
            dim,
            quantization: Quantization {
                scale: f32::from_bits(word(5)?),
                zero_point: word(6)? as i8,
            },
            support: bytemuck::cast_slice(support),
            queries: bytemuck::cast_slice(rest.get(..way * queries * dim)?),
        })
    }

    /// The shots with their class, class by class.
    fn shots(&self) -> impl Iterator<Item = (&'static str, &'static [i8])> {
        let shots = self.support.len() / self.dim / self.way;
        let all = self.support.chunks_exact(self.dim).enumerate();
        all.map(move |(number, shot)| (NAMES[number / shots], shot))
    }
}

const MODEL: u64 = 1;

#[entry]
fn main() -> ! {
    let (Some(task), Some(mirror)) = (
        Task::read(psram::psram()),
        singleton!(: [u8; FLASH] = [0; FLASH]),
    ) else {
        hprintln!("no task");
        machine::exit(false);
    };
    let counter = Counter::start();
    hprintln!("calibration {} {}", ROUNDS, counter.calibrate(ROUNDS));
    for head in Head::ALL {
        hprintln!("head {}", head.name());
        // Once to count, once to see the stack, which is painted first.
        for counted in [true, false] {
            let Ok(flash) = Nor::new(mirror, Volatile) else {
                machine::exit(false);
            };
            let mut store = Store::open(flash);
            // The first item opens a sector, whatever the head.
            let chosen = store
                .set_head(Head::Linear)
                .and_then(|()| store.set_head(head));
            if chosen.is_err() || run(&task, &mut store, counted.then_some(counter)).is_none() {
                hprintln!("the store refuses");
                machine::exit(false);
            }
        }
    }
    machine::exit(true)
}

/// Counts each step, or without a counter measures the stack.
fn run(task: &Task, store: &mut Store<Nor<'_, Volatile>>, counter: Option<Counter>) -> Option<()> {
    let mut deepest = [0; 2];
    // Does it, and gives the ticks that it took.
    let mut step = |kind: usize, action: &mut dyn FnMut()| {
        let Some(counter) = counter else {
            deepest[kind] = deepest[kind].max(stack::measure(action));
            return 0;
        };
        let first = counter.read();
        action();
        counter.between(first, counter.read())
    };
    for (name, shot) in task.shots() {
        let mut done = Err(StoreError::Flash);
        let ticks = step(0, &mut || done = store.enroll(name, MODEL, shot));
        done.ok()?;
        if counter.is_some() {
            hprintln!("enroll {}", ticks);
        }
    }
    let ticks = step(1, &mut || store.adapt(MODEL, task.quantization));
    if counter.is_some() {
        hprintln!("adapt {}", ticks);
    }
    for query in task.queries.chunks_exact(task.dim) {
        let mut answer = None;
        let ticks = step(1, &mut || {
            answer = store.classify(query, MODEL, task.quantization)
        });
        if counter.is_some() {
            hprintln!("query {} {:08x}", ticks, checksum(&answer?));
        }
    }
    if counter.is_none() {
        hprintln!("stack {} {}", deepest[0], deepest[1]);
    }
    Some(())
}

/// Of the classes in the order of the store, the winner first.
fn checksum(answer: &Answer) -> u32 {
    let mut words = [0; 1 + MAX_CLASSES];
    words[0] = answer.ranking.first as u32;
    for (word, score) in words[1..].iter_mut().zip(&answer.scores) {
        *word = score.value.to_bits();
    }
    crc(bytemuck::cast_slice(&words))
}
