//! The program of the OpenMV N6, which nothing here can run: it builds, links and fits, and the kernels of Helium
//! are in it.

use std::fs;

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection};
use sudal::device::{self, OPENMV_N6, programs, rooms};

/// Bytes that have to stay free, of the stack's own memory all: what the program puts there shows when it runs.
const FREE: u64 = 4 << 10;
/// The first half of `vmlava.s8`, the sum of products by which the kernels of Helium multiply, without the
/// numbers of its registers.
const MULTIPLY: (u16, u16) = (0xeef0, 0xfff1);

#[test]
fn the_firmware_of_the_n6_builds_fits_and_multiplies_by_vectors() {
    let program = programs()
        .find(|program| program.board == OPENMV_N6)
        .unwrap();
    let built = device::build_firmware(program.board, program.target, None, &mut |step| {
        println!("{step}");
    });
    let file = fs::read(built.unwrap_or_else(|error| panic!("{error}"))).unwrap();
    for room in rooms(OPENMV_N6, &file).unwrap_or_else(|error| panic!("{error}")) {
        println!("{}: {} of {} bytes", room.name, room.used, room.size);
        assert!(room.used + FREE <= room.size, "{room:?}");
    }
    let elf: ElfFile32 = ElfFile32::parse(&*file).unwrap();
    let text = elf.section_by_name(".text").unwrap();
    let halves = text.data().unwrap().chunks_exact(2);
    let halves = halves.map(|half| u16::from_le_bytes([half[0], half[1]]));
    let (word, mask) = MULTIPLY;
    let found = halves.filter(|half| half & mask == word).count();
    assert!(found > 100, "{found} multiplications by vectors");
}
