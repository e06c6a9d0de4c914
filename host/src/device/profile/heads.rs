//! What each classifier head costs on a task, counted on an emulated processor.

use std::fmt;
use std::fs;

use serde::Serialize;
use sudal_firmware::heads::memory::Memory;
use sudal_firmware::heads::{Answer, Class, Head, MAX_CLASSES};
use sudal_firmware::image::crc;
use sudal_firmware::store::{Known, flash_bytes};

use super::count::{Clock, ICOUNT};
use super::{LIMIT, Profile};
use crate::device::error::BoardError;
use crate::device::{Machine, build_bench, qemu};
use crate::engine::grouped;
use crate::episodes::Episode;
use crate::measure::{Accuracy, HeadEpisodes, few_shot};
use crate::table::Table;

/// What a head costs on one task, the network's run for each picture not included.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct HeadCost {
    /// The head.
    pub head: Head,
    /// Classes of the task.
    pub way: usize,
    /// Shots of each.
    pub shot: usize,
    /// Instructions to enrol a shot, the flash's record and the memory's write included: the mean.
    pub enroll: u64,
    /// Instructions once after the shots changed.
    pub adapt: u64,
    /// Instructions to classify a query: the mean.
    pub query: u64,
    /// Bytes of stack at the deepest of an enrolment.
    pub enroll_stack: usize,
    /// Bytes of stack at the deepest of the others.
    pub stack: usize,
    /// Bytes of RAM that the head reads for a class: the mean.
    pub ram: usize,
    /// Bytes of RAM whatever the number of classes.
    pub fixed: usize,
    /// Bytes of flash of a class, which all heads share: the mean.
    pub flash: usize,
}

/// Runs an episode with every head on a machine and counts.
///
/// Every answer, with the scores of all classes, is compared with that of the same heads on this
/// computer.
///
/// # Errors
/// When the program can't be built or run, and when the machine answers anything else than this
/// computer, to the bit.
pub fn profile_heads(
    episodes: &HeadEpisodes<'_>,
    episode: &Episode,
    machine: Machine,
    step: &mut dyn FnMut(&str),
) -> Result<Vec<HeadCost>, BoardError> {
    let program = build_bench("heads", machine, step)?;
    let dir = tempfile::tempdir().map_err(BoardError::io("a temporary folder"))?;
    let path = dir.path().join("task.bin");
    fs::write(&path, task(episodes, episode)).map_err(BoardError::io(path.display()))?;
    let said = qemu::run(machine, &program, Some(&path), ICOUNT, LIMIT)?;
    let counts = read(&said, Clock::of(machine)).ok_or_else(|| BoardError::Failed {
        what: format!("counting on {}", machine.name()),
        output: said.clone(),
    })?;
    let refused = |what: &str| BoardError::Failed {
        what: "the same task on this computer".to_owned(),
        output: what.to_owned(),
    };
    counts
        .into_iter()
        .map(|(head, count)| {
            // Learned again: reads change what the memory thinks was used.
            let mut here = episodes.head(head);
            let answered = few_shot::run(&mut here, episode);
            let answered = answered.map_err(|error| refused(&error.to_string()))?;
            let sums: Option<Vec<u32>> = answered
                .iter()
                .map(|(_, answer)| answer.as_ref().map(checksum))
                .collect();
            let there: Vec<u32> = count.queries.iter().map(|query| query.1).collect();
            if sums.as_ref() != Some(&there) {
                return Err(BoardError::Failed {
                    what: format!(
                        "comparing {} with this computer, bit for bit,",
                        machine.name()
                    ),
                    output: format!("the head {} answers something else there", head.name()),
                });
            }
            let classes = here.known().classes();
            let mean = |bytes: fn(Head, &Class) -> usize| {
                classes
                    .iter()
                    .map(|class| bytes(head, class))
                    .sum::<usize>()
                    / classes.len().max(1)
            };
            let queries: Vec<u64> = count.queries.iter().map(|query| query.0).collect();
            Ok(HeadCost {
                head,
                way: episode.classes.len(),
                shot: episode.support.first().map_or(0, Vec::len),
                enroll: average(&count.enroll),
                adapt: count.adapt,
                query: average(&queries),
                enroll_stack: count.stack[0],
                stack: count.stack[1],
                ram: mean(ram),
                fixed: if head == Head::Memory {
                    Memory::BYTES
                } else {
                    0
                },
                flash: mean(|_, class| flash_bytes(class)),
            })
        })
        .collect()
}

/// Bytes of RAM that a head reads for a class.
fn ram(head: Head, class: &Class) -> usize {
    let shots = usize::from(class.shots()) * class.dim();
    match head {
        Head::Prototype => size_of::<i16>() * class.dim(),
        Head::Nearest => shots,
        Head::Memory => shots + size_of_val(class.groups()),
        // The start, the shots, and weights and their slopes.
        Head::Linear => {
            size_of::<i16>() * class.dim() + shots + 2 * size_of::<f32>() * (class.dim() + 1)
        }
    }
}

fn average(counts: &[u64]) -> u64 {
    counts.iter().sum::<u64>() / (counts.len() as u64).max(1)
}

/// An episode as the program wants it, see `firmware/boards/mps2-an500/src/bench/heads.rs`.
fn task(episodes: &HeadEpisodes<'_>, episode: &Episode) -> Vec<u8> {
    let quantization = episodes.quantization();
    let shots = episode.support.first().map_or(0, Vec::len);
    let queries = episode.query.first().map_or(0, Vec::len);
    let pictures =
        |of: &[Vec<usize>], embedding: fn(&HeadEpisodes<'_>, few_shot::Picture) -> Vec<i8>| {
            let classes = episode.classes.iter().zip(of);
            classes
                .flat_map(|(&class, of)| of.iter().map(move |&index| (class, index)))
                .map(|picture| embedding(episodes, picture))
                .collect::<Vec<_>>()
        };
    let support = pictures(&episode.support, |of, picture| of.shot(picture));
    let query = pictures(&episode.query, |of, picture| of.embedding(picture));
    let mut bytes = b"TASK".to_vec();
    for word in [
        episode.classes.len() as u32,
        shots as u32,
        queries as u32,
        support.first().map_or(0, Vec::len) as u32,
        quantization.scale.to_bits(),
        i32::from(quantization.zero_point) as u32,
        0,
    ] {
        bytes.extend(word.to_le_bytes());
    }
    for embedding in support.iter().chain(&query) {
        bytes.extend(bytemuck::cast_slice::<i8, u8>(embedding));
    }
    bytes
}

/// As the program has it.
fn checksum(answer: &Answer) -> u32 {
    let mut words = [0; 1 + MAX_CLASSES];
    words[0] = answer.ranking.first as u32;
    for (word, score) in words[1..].iter_mut().zip(&answer.scores) {
        *word = score.value.to_bits();
    }
    crc(bytemuck::cast_slice(&words))
}

/// Instructions of each step.
#[derive(Debug, Default, PartialEq, Eq)]
struct Count {
    enroll: Vec<u64>,
    adapt: u64,
    /// With the checksum of the answer.
    queries: Vec<(u64, u32)>,
    /// Of the enrolments and of the others.
    stack: [usize; 2],
}

/// What the program said; nothing if a line is not as it should be, or the clock does not run with
/// the instructions.
fn read(said: &str, clock: Clock) -> Option<Vec<(Head, Count)>> {
    let mut calibrated = false;
    let mut counts: Vec<(Head, Count)> = Vec::new();
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        if let ["calibration", rounds, ticks] = words[..] {
            calibrated = clock.is_calibrated(rounds.parse().ok()?, ticks.parse().ok()?);
            continue;
        }
        if let ["head", name] = words[..] {
            let head = Head::ALL.into_iter().find(|head| head.name() == name)?;
            counts.push((head, Count::default()));
            continue;
        }
        let (_, count) = counts.last_mut()?;
        match words[..] {
            ["enroll", ticks] => count.enroll.push(clock.instructions(ticks.parse().ok()?)),
            ["adapt", ticks] => count.adapt = clock.instructions(ticks.parse().ok()?),
            ["query", ticks, sum] => count.queries.push((
                clock.instructions(ticks.parse().ok()?),
                u32::from_str_radix(sum, 16).ok()?,
            )),
            ["stack", enroll, other] => {
                count.stack = [enroll.parse().ok()?, other.parse().ok()?];
            }
            _ => return None,
        }
    }
    let heads = counts.iter().map(|(head, _)| *head);
    (calibrated && heads.eq(Head::ALL)).then_some(counts)
}

/// Heads beside each other, with what they are good for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadTable {
    /// Where it was counted.
    pub machine: Machine,
    /// Name of the model.
    pub model: String,
    /// Instructions to embed a picture, which comes with every shot and query.
    pub embedding: u64,
    /// Instructions more for a shot, by the model's views of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub views: Option<u64>,
    /// Bytes of RAM for the classes and all that the heads derive, at the most that the store holds.
    pub state: usize,
    /// Each head for each number of shots.
    pub rows: Vec<HeadRow>,
}

/// A head for a number of shots.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeadRow {
    /// On many episodes.
    pub accuracy: Accuracy,
    /// On one of them.
    #[serde(flatten)]
    pub cost: HeadCost,
}

impl HeadTable {
    /// An empty table.
    #[must_use]
    pub fn new(profile: &Profile) -> Self {
        Self {
            machine: profile.machine,
            model: profile.model.clone(),
            embedding: profile.instructions,
            views: profile.views,
            state: size_of::<Known>(),
            rows: Vec::new(),
        }
    }
}

impl HeadTable {
    /// A row for each head and number of shots.
    #[must_use]
    pub fn table(&self) -> Table {
        let mut table = Table::new([
            "head",
            "way",
            "shots",
            "accuracy",
            "enrol a shot",
            "adapt",
            "classify",
            "stack: enrol, classify",
            "RAM a class",
            "RAM fixed",
            "flash a class",
        ]);
        for HeadRow { accuracy, cost } in &self.rows {
            let bytes = |bytes: usize| grouped(bytes as u64);
            table.row([
                cost.head.name().to_owned(),
                cost.way.to_string(),
                cost.shot.to_string(),
                accuracy.to_string(),
                grouped(cost.enroll),
                grouped(cost.adapt),
                grouped(cost.query),
                format!("{} {}", bytes(cost.enroll_stack), bytes(cost.stack)),
                bytes(cost.ram),
                bytes(cost.fixed),
                bytes(cost.flash),
            ]);
        }
        table
    }
}

impl fmt::Display for HeadTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (machine, model) = (self.machine, &self.model);
        writeln!(f, "{model} on {} ({})", machine.name(), machine.processor())?;
        write!(f, "{}", self.table())?;
        let views = self.views.map_or_else(String::new, |views| {
            format!(", and {} to teach it by its views", grouped(views))
        });
        writeln!(
            f,
            "enrol, adapt, classify in instructions, beside {} to embed each picture{views}; the rest in bytes\n\
             all heads' state for {MAX_CLASSES} full classes takes {} bytes of RAM; every answer is that of this computer, bit for bit",
            grouped(self.embedding),
            grouped(self.state as u64),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock {
        ps_per_tick: 40_000,
    };

    #[test]
    fn reads_what_the_program_said() {
        let mut said = "calibration 100 963\n".to_owned();
        for head in Head::ALL {
            said += &format!(
                "head {}\nenroll 3203\nenroll 6403\nadapt 35\nquery 3203 0000beef\nstack 400 300\n",
                head.name()
            );
        }
        let counts = read(&said, CLOCK).unwrap();
        assert_eq!(counts.len(), 4);
        let expected = Count {
            enroll: vec![1000, 2000],
            adapt: 10,
            queries: vec![(1000, 0xbeef)],
            stack: [400, 300],
        };
        assert_eq!(counts[3], (Head::Linear, expected));
        assert_eq!(read(&said.replace("963", "7"), CLOCK), None);
        assert_eq!(read(&said.replace("head memory\n", ""), CLOCK), None);
        assert_eq!(read("no task\n", CLOCK), None);
    }
}
