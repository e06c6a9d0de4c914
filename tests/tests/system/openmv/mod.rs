//! The firmware of the camera board, which is built and looked at, since there is no board to run it.

mod executed;
mod n6;
mod stack;

use std::fs;
use std::ops::Range;
use std::path::Path;

use object::read::elf::{ElfFile32, FileHeader, ProgramHeader};
use object::{Object, ObjectSection, ObjectSymbol};
use sudal::device::{self, Board, Kind, UsbBoard, Way};

const TARGET: &str = "thumbv7em-none-eabihf";

/// The chip's memories: name, addresses, and bytes that have to stay free. Of the tightly coupled memory
/// that is by how much more than the largest committed model the largest that is let through needs, of
/// 64 KiB of arena and 24 KiB of input.
const MEMORIES: [(&str, Range<u64>, u64); 4] = [
    ("flash of the program", 0x0800_0000..0x0804_0000, 16 << 10),
    ("tightly coupled memory", 0x2000_0000..0x2002_0000, 24 << 10),
    ("stack", 0x2400_0000..0x2408_0000, 24 << 10),
    ("memory of the frame", 0x3000_0000..0x3004_0000, 0),
];

#[test]
fn the_firmware_of_the_camera_board_builds_and_fits_its_chip() {
    let built = device::build_firmware(Kind::OpenMv.name(), TARGET, None, &mut |step| {
        println!("{step}")
    });
    let file = fs::read(built.unwrap_or_else(|error| panic!("{error}"))).unwrap();
    let elf: ElfFile32 = ElfFile32::parse(&*file).unwrap();
    let symbol = |name: &str| {
        let found = elf.symbols().find(|symbol| symbol.name() == Ok(name));
        found.unwrap_or_else(|| panic!("no {name}")).address()
    };

    let mut used = [0; MEMORIES.len()];
    let mut take = |what: &str, start: u64, len: u64| {
        let within = |range: &Range<u64>| range.contains(&start) && start + len <= range.end;
        let place = MEMORIES.iter().position(|(_, range, _)| within(range));
        let place = place.unwrap_or_else(|| panic!("{what} at {start:#x}, {len} bytes: no memory"));
        used[place] += len;
        println!("{what}: {len} bytes, {}", MEMORIES[place].0);
    };
    for section in elf
        .sections()
        .filter(|section| section.address() > 0 && section.size() > 0)
    {
        take(section.name().unwrap(), section.address(), section.size());
    }
    // What start-up copies to RAM is in flash too.
    let data = elf.section_by_name(".data").map_or(0, |data| data.size());
    take("contents of .data", symbol("__sidata"), data);

    let frames = stack::frames(&elf);
    let named = |part: &str| -> u64 {
        let named = frames.iter().filter(|(name, _)| name.contains(part));
        named
            .map(|&(_, bytes)| bytes)
            .max()
            .unwrap_or_else(|| panic!("no function {part}"))
    };
    // The device is made while `main` has room for it, which is when the stack is fullest; under it
    // lies what opens the store, checks a model and handles an interrupt. The patch memory is made before
    // that, and its room given back.
    const PATCH_MEMORY: &str = "board7learned6memory17h";
    let (main, new, memory) = (
        named("__cortex_m_rt_main17h"),
        named("Device$LT$C$C$F$GT$3new17h"),
        named(PATCH_MEMORY),
    );
    let rest: u64 = frames
        .iter()
        .filter(|(name, bytes)| *bytes < new.min(main) && !name.contains(PATCH_MEMORY))
        .map(|&(_, bytes)| bytes)
        .max()
        .unwrap();
    println!(
        "stack: main {main}, making the device {new}, the patch memory {memory}, the largest of the rest {rest}"
    );
    take(
        "the stack at its fullest",
        0x2400_0000,
        main + (new + 2 * rest).max(memory + rest),
    );
    assert_eq!(symbol("_stack_start"), MEMORIES[2].1.end);

    for ((name, range, free), used) in MEMORIES.iter().zip(used) {
        let len = range.end - range.start;
        println!("{name}: {used} of {len} bytes");
        assert!(
            used > 0 && used + free <= len,
            "{name}: {used} of {len} bytes, {free} to stay free"
        );
    }
    // The vector table is where the chip starts, with the stack and a handler in flash.
    let header = elf.elf_header();
    let segments = header.program_headers(elf.endian(), &*file).unwrap();
    let lowest = segments
        .iter()
        .filter(|s| s.p_filesz(elf.endian()) > 0)
        .map(|s| s.p_paddr(elf.endian()))
        .min();
    assert_eq!(lowest, Some(0x0800_0000));
}

#[test]
fn what_would_be_flashed_is_the_program_the_largest_model_and_an_erased_slot() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("chip.bin");
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../models");
    let images = fs::read_dir(models)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let images = images.filter(|path| path.extension().is_some_and(|name| name == "sudal"));
    // One that inspects is among them.
    let image = images
        .map(|path| fs::read(path).unwrap())
        .max_by_key(Vec::len)
        .unwrap();
    assert!(image.len() > 200_000, "{}", image.len());
    let mut said = Vec::new();
    UsbBoard::at(Kind::OpenMv, None)
        .flashed_by(Way::File(file.clone()))
        .flash(&image, &mut |step| said.push(step.to_owned()))
        .unwrap_or_else(|error| panic!("{error}"));
    let contents = fs::read(&file).unwrap();
    let sector = 128 << 10;
    assert_eq!(contents.len(), 6 * sector);
    // Initial stack pointer, and the address where it starts, in Thumb code.
    let word = |at: usize| u32::from_le_bytes(contents[at..at + 4].try_into().unwrap());
    assert_eq!(word(0), 0x2408_0000);
    assert!((0x0800_0000..0x0804_0000).contains(&word(4)) && word(4) & 1 == 1);
    // Two slots of 256 KiB follow, of which the first has the image.
    assert_eq!(contents[2 * sector..][..image.len()], image);
    let rest = &contents[2 * sector + image.len()..];
    assert!(rest.iter().all(|&byte| byte == 0xff));
    let last = said.last().unwrap();
    assert!(
        last.contains("dfu-util") && last.contains("0x8000000"),
        "{last}"
    );
}
