//! Whether the program fits its chip.

use std::fs;

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol};
use sudal::device::{self, Kind};

/// Memories of the chip: name, first address, end, and bytes that have to stay free.
const MEMORIES: [(&str, u64, u64, u64); 3] = [
    ("flash of the program", 0x1000_0000, 0x1008_0000, 128 << 10),
    ("stack", 0x2000_0000, 0x2000_a000, 0),
    ("RAM", 0x2000_a000, 0x2004_2000, 8 << 10),
];

#[test]
fn the_firmware_fits_its_chip() {
    let kind = Kind::Pico;
    let built = device::build_firmware(kind.name(), kind.target(), None, &mut |step| {
        println!("{step}");
    });
    let file = fs::read(built.unwrap_or_else(|error| panic!("{error}"))).unwrap();
    let elf: ElfFile32 = ElfFile32::parse(&*file).unwrap();
    let mut used = [0; MEMORIES.len()];
    let mut take = |what: &str, start: u64, len: u64| {
        let within = |&(_, from, to, _): &(_, _, _, _)| start >= from && start + len <= to;
        let place = MEMORIES.iter().position(within);
        let place = place.unwrap_or_else(|| panic!("{what} at {start:#x}, {len} bytes: no memory"));
        used[place] += len;
        println!("{what}: {len} bytes, {}", MEMORIES[place].0);
    };
    for section in elf.sections().filter(|s| s.address() > 0 && s.size() > 0) {
        take(section.name().unwrap(), section.address(), section.size());
    }
    // What start-up copies to RAM is in flash too.
    let symbol = |name: &str| {
        let found = elf.symbols().find(|symbol| symbol.name() == Ok(name));
        found.unwrap_or_else(|| panic!("no {name}")).address()
    };
    let data = elf.section_by_name(".data").map_or(0, |data| data.size());
    take("contents of .data", symbol("__sidata"), data);
    assert_eq!(symbol("_stack_start"), MEMORIES[1].2);
    for ((name, from, to, free), used) in MEMORIES.iter().zip(used) {
        println!("{name}: {used} of {} bytes", to - from);
        assert!(used + free <= to - from, "{name}: {free} to stay free");
    }
}
