//! What the program on the board says.
//!
//! The emulator lets the board's clock run with the instructions, and its timer ticks every 40 ns,
//! on the machine with a Cortex-M33 every 50 ns, on that with a Cortex-M55 every 31.25. At a nanosecond
//! an instruction a tick would be 40 instructions; at 128 ns (`-icount shift=7`) an instruction is 3.2
//! (2.56, 4.1) ticks, so that a difference of two readings, each rounded down to whole ticks, lies
//! within 0.32 (0.40, 0.25) of an instruction of the truth: rounded, the count is exact.

use super::super::machine::Machine;

/// Time of an instruction, as the emulator wants it told: 2^7 ns.
pub(super) const ICOUNT: &str = "shift=7";
const PS_PER_INSTRUCTION: u64 = 128_000;

/// What the program said.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Count {
    pub(super) stack: usize,
    /// Of each operation the instructions and the CRC-32 of its output, or of nothing where it never
    /// exists whole.
    pub(super) operations: Vec<(u64, u32)>,
    /// Of the views of a shot, where the model has some: the instructions, and the CRC-32 of what is taught.
    pub(super) shot: Option<(u64, u32)>,
}

impl Count {
    /// Nothing if a line is not as it should be or the clock does not run with the instructions.
    pub(super) fn read(said: &str, clock: Clock) -> Option<Self> {
        let (mut stack, mut calibrated, mut operations) = (None, false, Vec::new());
        let mut shot = None;
        for line in said.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["calibration", rounds, ticks] => {
                    calibrated = clock.is_calibrated(rounds.parse().ok()?, ticks.parse().ok()?);
                }
                ["stack", bytes] => stack = bytes.parse().ok(),
                ["operation", number, ticks, sum] => {
                    let number: usize = number.parse().ok()?;
                    // By rows, an operation has several turns, but none before the one before it.
                    if number > operations.len() {
                        return None;
                    }
                    if number == operations.len() {
                        operations.push((0, 0));
                    }
                    let operation = &mut operations[number];
                    operation.0 += clock.instructions(ticks.parse().ok()?);
                    operation.1 = u32::from_str_radix(sum, 16).ok()?;
                }
                ["shot", ticks, sum] => {
                    let instructions = clock.instructions(ticks.parse().ok()?);
                    shot = Some((instructions, u32::from_str_radix(sum, 16).ok()?));
                }
                _ => return None,
            }
        }
        calibrated.then_some(())?;
        Some(Self {
            stack: stack?,
            operations,
            shot,
        })
    }
}

/// The board's clock.
#[derive(Clone, Copy)]
pub(super) struct Clock {
    /// Time from tick to tick.
    pub(super) ps_per_tick: u64,
}

impl Clock {
    /// That of a machine.
    pub(super) fn of(machine: Machine) -> Self {
        Self {
            ps_per_tick: machine.ps_per_tick(),
        }
    }

    /// Whether a loop of n rounds took the instructions that it has.
    pub(super) fn is_calibrated(self, rounds: u64, ticks: u64) -> bool {
        let expected = 3 * rounds;
        // The counter may be loaded before the loop or between the readings.
        (expected..=expected + 4).contains(&self.instructions(ticks))
    }

    /// Instructions between two readings, without the one that reads.
    pub(super) fn instructions(self, ticks: u64) -> u64 {
        let picoseconds = ticks * self.ps_per_tick + PS_PER_INSTRUCTION / 2;
        (picoseconds / PS_PER_INSTRUCTION).saturating_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLOCK: Clock = Clock {
        ps_per_tick: 40_000,
    };

    #[test]
    fn ticks_tell_the_instructions_whatever_the_phase() {
        for tick in [40_000, 50_000, 31_250] {
            let clock = Clock { ps_per_tick: tick };
            for phase in (0..tick).step_by(625) {
                for count in [1, 2, 3, 999, 1_000_000_007] {
                    let end = phase + (count + 1) * PS_PER_INSTRUCTION;
                    assert_eq!(clock.instructions(end / tick - phase / tick), count);
                }
            }
        }
    }

    #[test]
    fn reads_what_the_program_said() {
        let said = "calibration 100 963\nstack 400\noperation 0 3203 0000beef\n";
        let count = Count::read(said, CLOCK).unwrap();
        assert_eq!(count.stack, 400);
        assert_eq!(count.operations, [(1000, 0xbeef)]);
        let turns = said.replace("0000beef\n", "00000000\noperation 0 3203 0000cafe\n");
        let count = Count::read(&turns, CLOCK).unwrap();
        assert_eq!(count.operations, [(2000, 0xcafe)]);
        assert_eq!(count.shot, None);
        let viewed = format!("{said}shot 6403 0000f00d\n");
        let count = Count::read(&viewed, CLOCK).unwrap();
        assert_eq!(count.shot, Some((2000, 0xf00d)));
        assert_eq!(Count::read(&said.replace("963", "7"), CLOCK), None);
        assert_eq!(
            Count::read(&said.replace("operation 0", "operation 1"), CLOCK),
            None
        );
        assert_eq!(Count::read("hard fault at 0x0", CLOCK), None);
    }
}
