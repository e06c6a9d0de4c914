//! Whether the programs fit their chips.

use std::fs;

use object::read::elf::ElfFile32;
use object::{Object, ObjectSymbol};
use sudal::device::Board;
use sudal::device::{self, Kind, UsbBoard, Way, rooms};

use super::image;

/// Bytes that have to stay free: of the flash of the program, and of RAM.
const FREE: [(&str, u64); 2] = [("flash of the program", 128 << 10), ("RAM", 8 << 10)];
/// Where the stack ends, below all data.
const STACK: u64 = 0x2000_a000;
/// With what a block begins that says to the RP2350's boot ROM where the program is; it looks for it in the first
/// 4 KiB.
const BLOCK: [u8; 4] = 0xffff_ded3_u32.to_le_bytes();

/// The program, which fits.
fn fitting(kind: Kind) -> Vec<u8> {
    let built = device::build_firmware(kind.name(), kind.target(), None, &mut |step| {
        println!("{step}");
    });
    let file = fs::read(built.unwrap_or_else(|error| panic!("{error}"))).unwrap();
    let rooms = rooms(kind.name(), &file).unwrap_or_else(|error| panic!("{error}"));
    for room in &rooms {
        println!("{}: {} of {} bytes", room.name, room.used, room.size);
    }
    for (name, free) in FREE {
        let room = rooms.iter().find(|room| room.name == name).unwrap();
        assert!(room.used > 0 && room.used + free <= room.size, "{room:?}");
    }
    let elf: ElfFile32 = ElfFile32::parse(&*file).unwrap();
    let stack = elf.symbols().find(|s| s.name() == Ok("_stack_start"));
    assert_eq!(stack.unwrap().address(), STACK);
    file
}

#[test]
fn the_firmware_fits_its_chip() {
    let program = fitting(Kind::Pico);
    // It is told from one for another chip.
    let error = rooms(Kind::OpenMv.name(), &program)
        .unwrap_err()
        .to_string();
    assert!(error.contains("in no memory"), "{error}");
}

#[test]
fn that_of_the_pico_2_fits_and_its_boot_rom_finds_it() {
    let kind = Kind::Pico2;
    fitting(kind);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sudal.uf2");
    let mut board = UsbBoard::at(kind, None).flashed_by(Way::File(path.clone()));
    let flashed = board.flash(&image("parts.sudal"), &mut |step| println!("{step}"));
    flashed.unwrap_or_else(|error| panic!("{error}"));
    let file = fs::read(path).unwrap();
    let blocks = file.chunks_exact(512);
    let first: Vec<u8> = blocks
        .take(16)
        .flat_map(|block| &block[32..288])
        .copied()
        .collect();
    // The stack's end and the start of the program, in Thumb code.
    let word = |at: usize| u32::from_le_bytes(first[at..at + 4].try_into().unwrap());
    assert_eq!(u64::from(word(0)), STACK);
    assert!((0x1000_0000..0x1008_0000).contains(&word(4)) && word(4) & 1 == 1);
    assert!(first.windows(4).any(|bytes| bytes == BLOCK));
}
