//! The memories of the boards' chips, and how much of them a program takes.

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol};
use serde::Serialize;

use super::super::board::Memory;
use super::super::boards::{OPENMV_H7, OPENMV_N6, PICO, PICO_2};
use super::super::error::BoardError;
use super::super::machine::Machine;
use super::Kind;

/// A board whose program can be built.
#[derive(Debug, Clone, Copy)]
pub struct Program {
    /// Its name.
    pub board: &'static str,
    /// The compiler's name for what runs on it.
    pub target: &'static str,
    /// What it has for a model.
    pub memory: Memory,
}

/// The boards that people can buy.
pub fn programs() -> impl Iterator<Item = Program> {
    let kinds = Kind::ALL.into_iter().map(|kind| Program {
        board: kind.name(),
        target: kind.target(),
        memory: kind.memory(),
    });
    kinds.chain([Program {
        board: OPENMV_N6,
        target: Machine::An547.target(),
        // As in its own sources.
        memory: Memory {
            arena: 64 << 10,
            image: 256 << 10,
            input: 27 << 10,
            frame: 240 * 180,
        },
    }])
}

/// A memory of a board, and how much of it its program takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Room {
    /// What it is for.
    pub name: &'static str,
    /// First address.
    pub start: u64,
    /// Bytes.
    pub size: u64,
    /// Bytes that the program takes. Of the stack that shows only when it runs.
    pub used: u64,
}

const fn room(name: &'static str, start: u64, size: u64) -> Room {
    let used = 0;
    Room {
        name,
        start,
        size,
        used,
    }
}

const KIB: u64 = 1 << 10;

/// As the linker scripts of the boards divide them.
const H7: [Room; 4] = [
    room("flash of the program", 0x0800_0000, 256 * KIB),
    room("tightly coupled memory", 0x2000_0000, 128 * KIB),
    room("stack", 0x2400_0000, 512 * KIB),
    room("memory of the frame", 0x3000_0000, 256 * KIB),
];
const RP2040: [Room; 3] = [
    room("flash of the program", 0x1000_0000, 512 * KIB),
    room("stack", 0x2000_0000, 40 * KIB),
    room("RAM", 0x2000_a000, 224 * KIB),
];
const RP2350: [Room; 3] = [RP2040[0], RP2040[1], room("RAM", 0x2000_a000, 480 * KIB)];
const N6: [Room; 3] = [
    room("RAM of the program", 0x341c_0000, 256 * KIB),
    room("stack", 0x3410_0000, 64 * KIB),
    room("RAM", 0x3411_0000, 704 * KIB),
];

/// How much a program, an ELF file, takes of a board's memories.
///
/// # Errors
/// That it is for another chip, or the board has no program.
pub fn rooms(board: &str, elf: &[u8]) -> Result<Vec<Room>, BoardError> {
    let refuse = |why: String| BoardError::Failed {
        what: "reading the firmware".to_owned(),
        output: why,
    };
    let elf: ElfFile32 = ElfFile32::parse(elf).map_err(|error| refuse(error.to_string()))?;
    let mut rooms = match board {
        OPENMV_H7 => H7.to_vec(),
        PICO => RP2040.to_vec(),
        PICO_2 => RP2350.to_vec(),
        OPENMV_N6 => N6.to_vec(),
        _ => return Err(refuse(format!("{board} has no program of its own"))),
    };
    let mut take = |what: &str, start: u64, len: u64| -> Result<(), BoardError> {
        let holds = |room: &&mut Room| room.start <= start && start + len <= room.start + room.size;
        let room = rooms.iter_mut().find(holds);
        let room = room.ok_or_else(|| {
            refuse(format!(
                "{what}, {len} bytes at {start:#x}, is in no memory"
            ))
        })?;
        room.used += len;
        Ok(())
    };
    for section in elf.sections().filter(|s| s.address() > 0 && s.size() > 0) {
        let name = section.name().unwrap_or("a section");
        take(name, section.address(), section.size())?;
    }
    // What start-up copies to RAM is in flash too.
    let data = elf.section_by_name(".data").map_or(0, |data| data.size());
    if let Some(symbol) = elf.symbols().find(|s| s.name() == Ok("__sidata")) {
        take("what .data starts with", symbol.address(), data)?;
    }
    Ok(rooms)
}
