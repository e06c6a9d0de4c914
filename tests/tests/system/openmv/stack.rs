//! How much stack each function of a program takes, read from its instructions.

use object::read::elf::ElfFile32;
use object::{Object, ObjectSection, ObjectSymbol, SymbolKind};

/// Name of each function, and the bytes by which it moves the stack pointer down, pushed registers
/// excepted.
pub(crate) fn frames(elf: &ElfFile32<'_>) -> Vec<(String, u64)> {
    let text = elf.section_by_name(".text").unwrap();
    let (start, code) = (text.address(), text.data().unwrap());
    elf.symbols()
        .filter(|symbol| symbol.kind() == SymbolKind::Text && symbol.size() > 0)
        .filter_map(|symbol| {
            // The lowest bit says that these are Thumb instructions.
            let from = ((symbol.address() & !1).checked_sub(start)?) as usize;
            let code = code.get(from..from + symbol.size() as usize)?;
            Some((symbol.name().ok()?.to_owned(), moves(code)))
        })
        .collect()
}

/// The sum of what the instructions subtract from the stack pointer.
fn moves(code: &[u8]) -> u64 {
    let mut halves = code
        .chunks_exact(2)
        .map(|half| u16::from_le_bytes([half[0], half[1]]));
    let mut sum = 0;
    while let Some(first) = halves.next() {
        if first >> 7 == 0b1_0110_0001 {
            sum += 4 * u64::from(first & 0x7f);
        } else if first >> 11 >= 0b11101 {
            let Some(second) = halves.next() else { break };
            sum += wide(first, second).unwrap_or(0);
        }
    }
    sum
}

/// What an instruction of 32 bits subtracts, if it is `sub.w sp, sp, #` or `subw sp, sp, #`.
fn wide(first: u16, second: u16) -> Option<u64> {
    if second & 0x8f00 != 0x0d00 {
        return None;
    }
    let value = u32::from(first >> 10 & 1) << 11
        | u32::from(second >> 12 & 7) << 8
        | u32::from(second & 0xff);
    match first & 0xfbff {
        0xf2ad => Some(value.into()),
        0xf1ad => {
            let byte = value & 0xff;
            // A pattern of bytes, or eight bits from a set one on, rotated.
            let value = match value >> 8 {
                0 => byte,
                1 => byte << 16 | byte,
                2 => byte << 24 | byte << 8,
                3 => byte * 0x0101_0101,
                _ => (byte | 0x80).rotate_right(value >> 7),
            };
            Some(value.into())
        }
        _ => None,
    }
}

#[test]
fn instructions_that_move_the_stack_pointer_are_read() {
    // sub sp, #104; nop; sub.w sp, sp, #296960; subw sp, sp, #1234; sub.w r0, sp, #256
    let code = [
        0x9a, 0xb0, 0x00, 0xbf, 0xad, 0xf5, 0x91, 0x2d, 0xad, 0xf2, 0xd2, 0x4d, 0xad, 0xf5, 0x80,
        0x70,
    ];
    assert_eq!(moves(&code[..2]), 104);
    assert_eq!(moves(&code[2..4]), 0);
    assert_eq!(moves(&code[4..8]), 296_960);
    assert_eq!(moves(&code[8..12]), 1234);
    assert_eq!(moves(&code[12..]), 0);
    assert_eq!(moves(&code), 104 + 296_960 + 1234);
}
