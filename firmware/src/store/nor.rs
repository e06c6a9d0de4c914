//! A NOR flash kept outside the chip, with the rules of a real one.
//!
//! Erasing sets a whole sector to ones, programming only clears bits. The contents are mirrored in
//! memory, as a memory-mapped flash would show them, and every change goes through to a
//! [`Medium`]: a file on the host, a file over semihosting on the emulated board.

use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read,
    check_write,
};

/// Bytes that are erased at once.
pub const SECTOR: usize = 4096;

/// Bytes that are programmed at once.
pub const WORD: usize = 4;

/// What keeps the bytes while the power is off.
pub trait Medium {
    /// Why it could not.
    type Error: core::fmt::Debug;

    /// Fills `bytes` from `offset`.
    ///
    /// # Errors
    /// When the medium fails.
    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error>;

    /// Replaces the bytes at `offset`.
    ///
    /// # Errors
    /// When the medium fails.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error>;
}

/// A medium that keeps nothing: the flash then is memory, and erased whenever it is switched on. For tests,
/// measurements and a board's first program.
#[derive(Debug, Clone, Copy, Default)]
pub struct Volatile;

impl Medium for Volatile {
    type Error = core::convert::Infallible;

    fn read(&mut self, _: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0xff);
        Ok(())
    }

    fn write(&mut self, _: u32, _: &[u8]) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// Why the flash refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NorError {
    /// Outside the flash, or not on a word or sector boundary.
    #[error("access outside the flash or not aligned")]
    Bounds,
    /// Programming would have to set a bit, which takes an erase.
    #[error("programming {address:#x} would set bits that are cleared")]
    NotErased {
        /// First byte that can't take its value.
        address: u32,
    },
    /// The medium failed.
    #[error("the medium of the flash failed")]
    Medium,
}

impl NorFlashError for NorError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Bounds => NorFlashErrorKind::OutOfBounds,
            Self::NotErased { .. } | Self::Medium => NorFlashErrorKind::Other,
        }
    }
}

impl From<NorFlashErrorKind> for NorError {
    fn from(_: NorFlashErrorKind) -> Self {
        Self::Bounds
    }
}

/// A NOR flash of [`SECTOR`]s and [`WORD`]s over a medium.
pub struct Nor<'a, M> {
    mirror: &'a mut [u8],
    medium: M,
}

impl<'a, M: Medium> Nor<'a, M> {
    /// Switches the flash on: reads what the medium kept into the mirror, whose length is that of
    /// the flash.
    ///
    /// # Errors
    /// [`NorError::Bounds`] when the length is no multiple of a sector, [`NorError::Medium`].
    pub fn new(mirror: &'a mut [u8], mut medium: M) -> Result<Self, NorError> {
        if !mirror.len().is_multiple_of(SECTOR) {
            return Err(NorError::Bounds);
        }
        medium.read(0, mirror).map_err(|_| NorError::Medium)?;
        Ok(Self { mirror, medium })
    }

    /// The whole flash as it reads now.
    #[must_use]
    pub fn contents(&self) -> &[u8] {
        self.mirror
    }

    /// Gives the flash up for its contents, which can't change any more.
    #[must_use]
    pub fn into_contents(self) -> &'a [u8] {
        self.mirror
    }
}

impl<M> ErrorType for Nor<'_, M> {
    type Error = NorError;
}

impl<M> ReadNorFlash for Nor<'_, M> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorError> {
        check_read(self, offset, bytes.len())?;
        let start = offset as usize;
        bytes.copy_from_slice(&self.mirror[start..start + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.mirror.len()
    }
}

impl<M: Medium> NorFlash for Nor<'_, M> {
    const WRITE_SIZE: usize = WORD;
    const ERASE_SIZE: usize = SECTOR;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorError> {
        check_erase(self, from, to)?;
        for sector in (from..to).step_by(SECTOR) {
            let range = sector as usize..sector as usize + SECTOR;
            self.mirror[range.clone()].fill(0xff);
            self.medium
                .write(sector, &self.mirror[range])
                .map_err(|_| NorError::Medium)?;
        }
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorError> {
        check_write(self, offset, bytes.len())?;
        let start = offset as usize;
        let target = &mut self.mirror[start..start + bytes.len()];
        if let Some(position) = target
            .iter()
            .zip(bytes)
            .position(|(old, new)| old & new != *new)
        {
            return Err(NorError::NotErased {
                address: offset + position as u32,
            });
        }
        target.copy_from_slice(bytes);
        self.medium
            .write(offset, bytes)
            .map_err(|_| NorError::Medium)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_clear_bits_and_erases_set_them() {
        let mut mirror = [0; 2 * SECTOR];
        let mut nor = Nor::new(&mut mirror, Volatile).unwrap();
        nor.write(4, &[0xf0, 0xff, 0xff, 0xff]).unwrap();
        nor.write(4, &[0x30, 0xff, 0xff, 0xff]).unwrap();
        assert_eq!(
            nor.write(4, &[0x31, 0xff, 0xff, 0xff]),
            Err(NorError::NotErased { address: 4 })
        );
        let mut word = [0; 4];
        nor.read(4, &mut word).unwrap();
        assert_eq!(word[0], 0x30);
        nor.erase(0, SECTOR as u32).unwrap();
        assert!(nor.contents().iter().all(|&b| b == 0xff));
    }

    #[test]
    fn refuses_bad_bounds() {
        let mut mirror = [0; SECTOR];
        let mut nor = Nor::new(&mut mirror, Volatile).unwrap();
        assert!(nor.write(2, &[0; 4]).is_err());
        assert!(nor.write(0, &[0; 3]).is_err());
        assert!(nor.write(SECTOR as u32, &[0; 4]).is_err());
        assert!(nor.erase(0, 100).is_err());
        assert!(nor.read(u32::MAX, &mut [0; 2]).is_err());
        assert!(Nor::new(&mut [0; 100], Volatile).is_err());
    }
}
