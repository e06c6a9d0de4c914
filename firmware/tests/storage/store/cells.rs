//! A NOR flash whose power can be cut at any operation.

use std::cell::RefCell;
use std::rc::Rc;

use sudal_firmware::store::Store;
use sudal_firmware::store::nor::{Medium, Nor, SECTOR, WORD};

/// Sectors of the flash: as few as the store accepts, so that it compacts often.
pub(super) const SECTORS: usize = Store::<Nor<'static, Flash>>::MIN_SECTORS;

/// What the flash keeps while the power is off, and when it will fail.
pub(super) struct Cells {
    pub(super) bytes: Vec<u8>,
    /// Words that are still programmed or sectors that are still erased before the power fails.
    pub(super) power: Option<usize>,
    /// Whether the power failed.
    pub(super) off: bool,
    /// Words programmed and sectors erased.
    pub(super) work: usize,
    /// When sectors were erased, in work.
    pub(super) erases: Vec<usize>,
    /// Decides how the word or byte at the moment of the failure ends up.
    noise: u32,
}

#[derive(Clone)]
pub(super) struct Flash(pub(super) Rc<RefCell<Cells>>);

impl Flash {
    pub(super) fn new() -> Self {
        Self(Rc::new(RefCell::new(Cells {
            bytes: vec![0xff; SECTORS * SECTOR],
            power: None,
            off: false,
            work: 0,
            erases: Vec::new(),
            noise: 0x9e37_79b9,
        })))
    }
}

impl Cells {
    pub(super) fn random(&mut self) -> u8 {
        self.noise = self
            .noise
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.noise >> 24) as u8
    }

    /// Takes one step's worth of power; false when there is none left.
    pub(super) fn draw(&mut self) -> bool {
        self.work += 1;
        match &mut self.power {
            Some(0) => {
                self.off = true;
                false
            }
            Some(left) => {
                *left -= 1;
                true
            }
            None => true,
        }
    }
}

impl Medium for Flash {
    type Error = &'static str;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        let cells = self.0.borrow();
        bytes.copy_from_slice(&cells.bytes[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let cells = &mut *self.0.borrow_mut();
        if cells.off {
            return Err("no power");
        }
        let erase = bytes.len() == SECTOR && bytes.iter().all(|&byte| byte == 0xff);
        if erase {
            // An erase works on the whole sector at once: cut short, each bit is on its own.
            if !cells.draw() {
                for position in offset as usize..offset as usize + SECTOR {
                    let noise = cells.random();
                    cells.bytes[position] |= noise;
                }
                return Err("the power failed");
            }
            cells.bytes[offset as usize..][..SECTOR].fill(0xff);
            cells.erases.push(cells.work - 1);
            return Ok(());
        }
        for (position, word) in (offset as usize..).step_by(WORD).zip(bytes.chunks(WORD)) {
            let complete = cells.draw();
            for (position, &byte) in (position..).zip(word) {
                let noise = if complete { 0 } else { cells.random() };
                cells.bytes[position] &= byte | noise;
            }
            if !complete {
                return Err("the power failed");
            }
        }
        Ok(())
    }
}
