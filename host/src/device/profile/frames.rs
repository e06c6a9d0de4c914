//! What a frame costs before the network sees it, counted on an emulated processor.

use std::fmt;

use serde::Serialize;
use sudal_firmware::frame::{Frame, Geometry, PixelFormat};
use sudal_firmware::image::crc;
use sudal_firmware::preprocess::align::{self, Align, Alignment};
use sudal_firmware::preprocess::reference;
use sudal_firmware::preprocess::{Fit, Region};

use super::LIMIT;
use super::count::{Clock, ICOUNT};
use crate::device::error::BoardError;
use crate::device::{Machine, build_bench, qemu};
use crate::engine::grouped;
use crate::table::Table;

/// Side of the input, as in the program.
const SIDE: usize = 64;

/// What a frame costs until it is an input of 64x64 pixels.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameCost {
    /// How its pixels are stored, `-colours` behind it where these are read: `grey8`, `yuyv-colours`.
    pub format: String,
    /// Its columns.
    pub width: u16,
    /// Its rows.
    pub height: u16,
    /// Instructions to see whether it shows anything.
    pub check: u64,
    /// Instructions to resize it.
    pub resize: u64,
    /// Instructions to resize it with the part in its middle, turned upright.
    pub align: u64,
}

/// What frames of a part cost on a machine.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FrameTable {
    /// Where it was counted.
    pub machine: Machine,
    /// Each format in several sizes.
    pub rows: Vec<FrameCost>,
    /// How a frame comes over the line.
    pub line: LineCost,
}

/// What the packets of a frame of 181x181 bytes cost until the camera has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct LineCost {
    /// All their bytes.
    pub bytes: u64,
    /// Instructions for all of them.
    pub instructions: u64,
}

impl LineCost {
    /// Instructions for a byte.
    #[must_use]
    pub fn of_byte(self) -> f64 {
        self.instructions as f64 / self.bytes as f64
    }
}

/// Prepares frames of each format on a machine and counts.
///
/// # Errors
/// When the program can't be built or run, and when the machine prepares a frame otherwise than this
/// computer, to the bit.
pub fn profile_frames(
    machine: Machine,
    step: &mut dyn FnMut(&str),
) -> Result<FrameTable, BoardError> {
    qemu::find(step)?;
    let program = build_bench("frames", machine, step)?;
    step(&format!("counting on {}", machine.name()));
    let said = qemu::run(machine, &program, None, ICOUNT, LIMIT)?;
    let failed = |what: String| BoardError::Failed {
        what,
        output: said.clone(),
    };
    let (counts, line) = read(&said, Clock::of(machine))
        .ok_or_else(|| failed(format!("counting on {}", machine.name())))?;
    for (cost, sums) in &counts {
        if prepared(cost) != Some(*sums) {
            let name = machine.name();
            return Err(failed(format!(
                "comparing {name} with this computer, bit for bit,"
            )));
        }
    }
    let rows = counts.into_iter().map(|(cost, _)| cost).collect();
    Ok(FrameTable {
        machine,
        rows,
        line,
    })
}

/// The checksums of what this computer makes of a frame: resized, and turned upright.
fn prepared(cost: &FrameCost) -> Option<[u32; 2]> {
    let (format, channels) = match cost.format.as_str() {
        "grey8" => (PixelFormat::Grey8, 1),
        "yuyv" => (PixelFormat::Yuyv, 1),
        "yuyv-colours" => (PixelFormat::Yuyv, 3),
        "rgb565" => (PixelFormat::Rgb565, 1),
        "rgb565-colours" => (PixelFormat::Rgb565, 3),
        "rgb888-colours" => (PixelFormat::Rgb888, 3),
        _ => return None,
    };
    let geometry = Geometry {
        width: cost.width,
        height: cost.height,
        format,
    };
    let mut pixels = vec![0; geometry.len()];
    reference::draw(geometry, &mut pixels);
    let frame = Frame {
        geometry,
        pixels: &pixels,
    };
    let region = Fit::Crop.of(Region::whole(&frame), (SIDE as u16, SIDE as u16));
    let mut input = vec![0; SIDE * SIDE * channels];
    let mut sum = |align| {
        let alignment = Alignment { align, window: 100 };
        align::run(
            &frame,
            region,
            alignment,
            [SIDE, SIDE, channels],
            &mut input,
        )
        .ok()?;
        Some(crc(&input))
    };
    Some([sum(Align::Off)?, sum(Align::Rotation)?])
}

/// Frames, each with the checksums of its inputs, and the line.
type Counts = (Vec<(FrameCost, [u32; 2])>, LineCost);

/// What the program said, each with the checksums; nothing if a line is not as it should be, or the clock
/// does not run with the instructions.
fn read(said: &str, clock: Clock) -> Option<Counts> {
    let mut calibrated = false;
    let (mut costs, mut line_cost) = (Vec::new(), LineCost::default());
    for line in said.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["calibration", rounds, ticks] => {
                calibrated = clock.is_calibrated(rounds.parse().ok()?, ticks.parse().ok()?);
            }
            ["line", bytes, ticks] => {
                line_cost = LineCost {
                    bytes: bytes.parse().ok()?,
                    instructions: clock.instructions(ticks.parse().ok()?),
                };
            }
            [
                "frame",
                format,
                width,
                height,
                check,
                resize,
                align,
                plain,
                upright,
            ] => {
                let count = |ticks: &str| Some(clock.instructions(ticks.parse().ok()?));
                let sum = |word| u32::from_str_radix(word, 16).ok();
                let cost = FrameCost {
                    format: format.to_owned(),
                    width: width.parse().ok()?,
                    height: height.parse().ok()?,
                    check: count(check)?,
                    resize: count(resize)?,
                    align: count(align)?,
                };
                costs.push((cost, [sum(plain)?, sum(upright)?]));
            }
            _ => return None,
        }
    }
    (calibrated && !costs.is_empty() && line_cost.bytes > 0).then_some((costs, line_cost))
}

impl FrameTable {
    /// A row for each format and size.
    #[must_use]
    pub fn table(&self) -> Table {
        let heads = ["frame", "shows anything", "resize", "resize and align"];
        let mut table = Table::new(heads);
        for cost in &self.rows {
            table.row([
                format!("{} {}x{}", cost.format, cost.width, cost.height),
                grouped(cost.check),
                grouped(cost.resize),
                grouped(cost.align),
            ]);
        }
        table
    }
}

impl fmt::Display for FrameTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let machine = self.machine;
        let (name, processor) = (machine.name(), machine.processor());
        writeln!(f, "frames to {SIDE}x{SIDE} on {name} ({processor})")?;
        write!(f, "{}", self.table())?;
        let of_byte = self.line.of_byte();
        writeln!(
            f,
            "a byte of a frame takes {of_byte:.1} instructions from the line into the camera"
        )?;
        write!(
            f,
            "in instructions; every input is that of this computer, bit for bit"
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
        let said = "calibration 100 963\nframe yuyv 320 240 3203 6403 35 0000beef 00000001\n\
            line 5 323\n";
        let expected = FrameCost {
            format: "yuyv".to_owned(),
            width: 320,
            height: 240,
            check: 1000,
            resize: 2000,
            align: 10,
        };
        let line = LineCost {
            bytes: 5,
            instructions: 100,
        };
        let all = (vec![(expected, [0xbeef, 1])], line);
        assert_eq!(read(said, CLOCK), Some(all));
        assert_eq!(read(&said.replace("963", "7"), CLOCK), None);
        assert_eq!(read("refused\n", CLOCK), None);
    }

    #[test]
    fn this_computer_finds_the_part_that_is_drawn() {
        for (format, width, height) in [("grey8", 320, 240), ("rgb565", 181, 181)] {
            let [plain, upright] = prepared(&FrameCost {
                format: format.to_owned(),
                width,
                height,
                check: 0,
                resize: 0,
                align: 0,
            })
            .unwrap();
            assert_ne!(plain, upright);
        }
    }
}
