//! A power supply that fails.

use std::cell::RefCell;
use std::rc::Rc;

use sudal_firmware::store::nor::{Medium, SECTOR, WORD};

/// The power of a board, which fails at a chosen word that is programmed or sector that is erased, in
/// whichever of its flashes.
#[derive(Debug, Clone, Default)]
pub struct Power(Rc<RefCell<Supply>>);

#[derive(Debug, Default)]
struct Supply {
    /// Words and sectors until it fails.
    left: Option<usize>,
    off: bool,
    /// Words programmed and sectors erased.
    work: usize,
    /// Decides how the word or sector ends up at which it fails.
    noise: u32,
}

impl Power {
    /// Switches it on; it fails after so much work, if that is given.
    pub fn on(&self, left: Option<usize>) {
        let mut supply = self.0.borrow_mut();
        supply.left = left;
        supply.off = false;
    }

    /// Whether it failed.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.0.borrow().off
    }

    /// Words programmed and sectors erased so far.
    #[must_use]
    pub fn work(&self) -> usize {
        self.0.borrow().work
    }
}

impl Supply {
    fn draw(&mut self) -> bool {
        self.work += 1;
        match &mut self.left {
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

    fn random(&mut self) -> u8 {
        self.noise = self
            .noise
            .wrapping_mul(1_664_525)
            .wrapping_add(1_013_904_223);
        (self.noise >> 24) as u8
    }
}

/// What a flash keeps while the power is off.
#[derive(Debug, Clone)]
pub struct Flash {
    power: Power,
    /// The contents.
    pub bytes: Rc<RefCell<Vec<u8>>>,
}

impl Flash {
    /// An erased flash of n sectors.
    #[must_use]
    pub fn new(power: &Power, sectors: usize) -> Self {
        Self {
            power: power.clone(),
            bytes: Rc::new(RefCell::new(vec![0xff; sectors * SECTOR])),
        }
    }
}

impl Medium for Flash {
    type Error = &'static str;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.copy_from_slice(&self.bytes.borrow()[offset as usize..][..bytes.len()]);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
        let (mut supply, mut kept) = (self.power.0.borrow_mut(), self.bytes.borrow_mut());
        if supply.off {
            return Err("no power");
        }
        let kept = &mut kept[offset as usize..][..bytes.len()];
        // Programming never sets a whole sector to ones; only an erase writes that.
        if bytes.len() == SECTOR && bytes.iter().all(|&byte| byte == 0xff) {
            if supply.draw() {
                kept.fill(0xff);
                return Ok(());
            }
            // An erase that is cut short leaves anything.
            for byte in kept {
                *byte |= supply.random();
            }
            return Err("no power");
        }
        for (kept, new) in kept.chunks_mut(WORD).zip(bytes.chunks(WORD)) {
            if !supply.draw() {
                // A word that is cut short has some of its bits cleared.
                for (kept, new) in kept.iter_mut().zip(new) {
                    *kept &= new | supply.random();
                }
                return Err("no power");
            }
            kept.copy_from_slice(new);
        }
        Ok(())
    }
}
