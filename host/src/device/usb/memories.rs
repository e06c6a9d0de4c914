//! The memories of the boards' chips, and how much of them a program takes.

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol};
use serde::Serialize;

use super::super::error::BoardError;
use super::Kind;

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
const OPENMV: [Room; 4] = [
    room("flash of the program", 0x0800_0000, 256 * KIB),
    room("tightly coupled memory", 0x2000_0000, 128 * KIB),
    room("stack", 0x2400_0000, 512 * KIB),
    room("memory of the frame", 0x3000_0000, 256 * KIB),
];
const PICO: [Room; 3] = [
    room("flash of the program", 0x1000_0000, 512 * KIB),
    room("stack", 0x2000_0000, 40 * KIB),
    room("RAM", 0x2000_a000, 224 * KIB),
];
const PICO_2: [Room; 3] = [PICO[0], PICO[1], room("RAM", 0x2000_a000, 480 * KIB)];

/// How much a program, an ELF file, takes of a board's memories.
///
/// # Errors
/// That it is for another chip.
pub fn rooms(kind: Kind, elf: &[u8]) -> Result<Vec<Room>, BoardError> {
    let refuse = |why: String| BoardError::Failed {
        what: "reading the firmware".to_owned(),
        output: why,
    };
    let elf: ElfFile32 = ElfFile32::parse(elf).map_err(|error| refuse(error.to_string()))?;
    let mut rooms = match kind {
        Kind::OpenMv => OPENMV.to_vec(),
        Kind::Pico => PICO.to_vec(),
        Kind::Pico2 => PICO_2.to_vec(),
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
