//! A power cut in the midst of an operation.

use super::chip::{Chip, Operation, Word};

/// Does an operation in part, as a power cut in its midst leaves it.
pub(crate) fn tear(chip: &mut Chip, operation: &Operation) {
    let (sector, word) = (chip.kind.sector, chip.kind.word);
    match operation {
        Operation::Program(number, value) => {
            let start = number * word;
            let mut random = || chip.random.byte();
            let noise: Vec<u8> = value.iter().map(|_| random()).collect();
            for (position, (value, noise)) in value.iter().zip(noise).enumerate() {
                // With a code, the bits that were to stay may be wrong too.
                let value = if chip.kind.once { noise } else { value | noise };
                chip.bytes[start + position] &= value;
            }
            chip.words[*number] = Word::Torn;
        }
        Operation::Erase(number) => {
            let range = number * sector..(number + 1) * sector;
            let mut unstable = vec![0; sector];
            // Some flashes clear all bits before they set them; and the cut may come at any time:
            // first most bits are as they were, at last few read as anything but ones.
            let cleared = chip.random.below(2) == 0;
            let progress = chip.random.below(3);
            for (position, bits) in range.clone().zip(&mut unstable) {
                let pending = if cleared { 0xff } else { !chip.bytes[position] };
                let (a, b) = (chip.random.byte(), chip.random.byte());
                *bits = pending & [a & b, a, 0xff][progress];
                // What is not in between has got there, or has not begun.
                let arrived = [b & !a, a | b, 0][progress];
                chip.bytes[position] = if cleared { 0 } else { chip.bytes[position] } | arrived;
            }
            chip.words[range.start / word..range.end / word].fill(Word::Torn);
            if chip.kind.once {
                // Some words have a code that happens to be right.
                for number in range.start / word..range.end / word {
                    if chip.random.below(4) == 0 {
                        chip.words[number] = Word::Programmed;
                    }
                }
            }
            chip.unstable[*number] = Some(unstable);
        }
    }
}
