//! Kinds of flash.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

use super::Random;

/// What a flash does in addition to what all do: programming clears bits, erasing sets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Kind {
    /// A word may be programmed once after an erase, and one that was half programmed can't be
    /// read: the flash keeps an error-correcting code for each.
    pub(crate) once: bool,
    pub(crate) sector: usize,
    pub(crate) word: usize,
    /// Most bytes that are programmed at once; a power cut leaves the words before it.
    pub(crate) page: usize,
}

/// Serial NOR, as of Winbond's W25Q: sectors of 4 KiB, pages of 256 bytes.
pub(crate) const NOR: Kind = Kind {
    once: false,
    sector: 4096,
    word: 4,
    page: 256,
};

/// The internal flash of an STM32H7, with its words of 32 bytes; real sectors have 128 KiB.
pub(crate) const STM32H7: Kind = Kind {
    once: true,
    sector: 8192,
    word: 32,
    page: 32,
};

/// One thing done to a flash that a power cut can interrupt.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// A word programmed: its number and value.
    Program(usize, Vec<u8>),
    /// A sector erased.
    Erase(usize),
}

/// The state of a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Word {
    Erased,
    Programmed,
    /// Programming was cut short.
    Torn,
}

/// What a flash holds, power or not.
#[derive(Debug, Clone)]
pub(crate) struct Chip {
    pub(crate) kind: Kind,
    pub(crate) bytes: Vec<u8>,
    pub(crate) words: Vec<Word>,
    /// Sectors whose erase was cut short: these bits read otherwise each time.
    pub(crate) unstable: Vec<Option<Vec<u8>>>,
    /// Whether a torn word of a flash with a code reads as garbage instead of as an error.
    pub(crate) garbage: bool,
    /// Bytes that can't be cleared any more.
    pub(crate) stuck: Vec<usize>,
    pub(crate) erases: Vec<u32>,
    /// What was done since it was last taken.
    pub(crate) journal: Vec<Operation>,
    /// Programming of words that have to be erased first.
    pub(crate) violations: usize,
    pub(crate) random: Random,
}

impl Chip {
    pub(crate) fn new(kind: Kind, sectors: usize) -> Self {
        Self {
            kind,
            bytes: vec![0xff; sectors * kind.sector],
            words: vec![Word::Erased; sectors * kind.sector / kind.word],
            unstable: vec![None; sectors],
            garbage: false,
            stuck: Vec::new(),
            erases: vec![0; sectors],
            journal: Vec::new(),
            violations: 0,
            random: Random::new(1),
        }
    }

    /// Does an operation wholly; false if the flash refuses.
    pub(crate) fn carry_out(&mut self, operation: &Operation) -> bool {
        match operation {
            Operation::Program(word, value) => {
                let start = word * self.kind.word;
                let erased = self.words[*word] == Word::Erased;
                if (self.kind.once && !erased) || self.unstable[start / self.kind.sector].is_some()
                {
                    self.violations += 1;
                    return false;
                }
                self.words[*word] = Word::Programmed;
                let target = &mut self.bytes[start..start + value.len()];
                for (byte, value) in target.iter_mut().zip(value) {
                    *byte &= value;
                }
                for &stuck in &self.stuck {
                    if (start..start + value.len()).contains(&stuck) {
                        self.bytes[stuck] = 0xff;
                    }
                }
            }
            Operation::Erase(sector) => {
                let range = sector * self.kind.sector..(sector + 1) * self.kind.sector;
                self.bytes[range.clone()].fill(0xff);
                self.words[range.start / self.kind.word..range.end / self.kind.word]
                    .fill(Word::Erased);
                self.unstable[*sector] = None;
                self.erases[*sector] += 1;
            }
        }
        true
    }
}

/// A handle to a chip, with the size of its sectors and words in its type.
pub(crate) struct Flash<const SECTOR: usize, const WORD: usize>(pub Rc<RefCell<Chip>>);

impl<const SECTOR: usize, const WORD: usize> Flash<SECTOR, WORD> {
    /// Switches on a copy of a chip.
    pub(crate) fn on(chip: &Chip) -> (Self, Rc<RefCell<Chip>>) {
        let shared = Rc::new(RefCell::new(chip.clone()));
        (Self(shared.clone()), shared)
    }
}

/// Why the flash refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    Bounds,
    /// The code of a word tells that it is wrong.
    Code,
    /// A word was not erased before it was programmed.
    NotErased,
}

impl NorFlashError for Refusal {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Bounds => NorFlashErrorKind::OutOfBounds,
            Self::Code | Self::NotErased => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for Refusal {
    fn from(_: NorFlashErrorKind) -> Self {
        Self::Bounds
    }
}

impl<const SECTOR: usize, const WORD: usize> ErrorType for Flash<SECTOR, WORD> {
    type Error = Refusal;
}

impl<const SECTOR: usize, const WORD: usize> ReadNorFlash for Flash<SECTOR, WORD> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Refusal> {
        check_read(self, offset, bytes.len())?;
        let chip = &mut *self.0.borrow_mut();
        let range = offset as usize..offset as usize + bytes.len();
        bytes.copy_from_slice(&chip.bytes[range.clone()]);
        if chip.kind.once && !chip.garbage {
            let words = range.start / WORD..range.end.div_ceil(WORD);
            if chip.words[words].contains(&Word::Torn) {
                return Err(Refusal::Code);
            }
        }
        if let Some(bits) = &chip.unstable[range.start / SECTOR] {
            for (position, byte) in range.zip(bytes) {
                let noise = chip.random.byte() & bits[position % SECTOR];
                *byte ^= noise;
            }
        }
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().bytes.len()
    }
}

impl<const SECTOR: usize, const WORD: usize> NorFlash for Flash<SECTOR, WORD> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Refusal> {
        check_erase(self, from, to)?;
        let chip = &mut *self.0.borrow_mut();
        for sector in from as usize / SECTOR..to as usize / SECTOR {
            let operation = Operation::Erase(sector);
            chip.carry_out(&operation);
            chip.journal.push(operation);
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Refusal> {
        check_write(self, offset, bytes.len())?;
        let chip = &mut *self.0.borrow_mut();
        let first = offset as usize / WORD;
        for (word, value) in (first..).zip(bytes.chunks(WORD)) {
            let operation = Operation::Program(word, value.to_vec());
            if !chip.carry_out(&operation) {
                return Err(Refusal::NotErased);
            }
            chip.journal.push(operation);
        }
        Ok(())
    }
}
