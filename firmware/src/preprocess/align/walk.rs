//! The way from sample to sample, which ends on the pixels that hold them.

use super::levels::Levels;
#[cfg(dsp)]
use super::samples::ONE;
use super::samples::{BITS, Place};

/// A place among pixels.
#[cfg(dsp)]
#[derive(Clone, Copy)]
pub(super) struct At {
    /// The pixel that holds it.
    address: *const u8,
    /// How far to the right and down it is in the pixel, in two halves, whose carries lead to the next.
    parts: u32,
}

/// From a place to another.
#[cfg(dsp)]
#[derive(Clone, Copy)]
pub(super) struct Step {
    parts: u32,
    /// Whole pixels to the right and down, without a carry and with one.
    whole: u32,
    carried: u32,
}

/// Bytes from a pixel to the next and to the one below it.
#[cfg(dsp)]
#[derive(Clone, Copy)]
pub(super) struct Scale(u32);

#[cfg(dsp)]
fn parts((x, y): Place) -> u32 {
    let of = |place: i32| (place & (ONE - 1)) as u32 * (0x1_0000 / ONE as u32);
    of(x) | of(y) << 16
}

#[cfg(dsp)]
impl Scale {
    pub(super) fn of(bytes: usize, pitch: usize) -> Self {
        Self(bytes as u32 | ((pitch * bytes) as u32) << 16)
    }

    /// Whether pixels of so many bytes, and steps, are small enough.
    pub(super) fn fits(bytes: usize, pitch: usize, steps: &[Place]) -> bool {
        let most = i16::MAX as usize;
        let whole = |step: i32| (step >> BITS).unsigned_abs() as usize;
        pitch * bytes <= most && steps.iter().all(|&(x, y)| whole(x).max(whole(y)) < most)
    }
}

#[cfg(dsp)]
impl Step {
    pub(super) fn of(step: Place) -> Self {
        let whole = |carry: i32| {
            let of = |step: i32| u32::from(((step >> BITS) + carry) as u16);
            of(step.0) | of(step.1) << 16
        };
        Self {
            parts: parts(step),
            whole: whole(0),
            carried: whole(1),
        }
    }
}

#[cfg(dsp)]
impl At {
    #[inline(always)]
    pub(super) fn of(bytes: &[u8], bytes_per_pixel: usize, pitch: usize, at: Place) -> Self {
        let pixel = (at.1 >> BITS) as usize * pitch + (at.0 >> BITS) as usize;
        Self {
            address: bytes.as_ptr().wrapping_add(pixel * bytes_per_pixel),
            parts: parts(at),
        }
    }

    #[inline(always)]
    pub(super) fn go(&mut self, step: Step, scale: Scale) {
        // SAFETY: works on registers only.
        unsafe {
            core::arch::asm!(
                "uadd16 {parts}, {parts}, {part}",
                "sel {pixels}, {carried}, {whole}",
                "smlad {address}, {pixels}, {scale}, {address}",
                parts = inout(reg) self.parts,
                address = inout(reg) self.address,
                pixels = out(reg) _,
                whole = in(reg) step.whole,
                part = in(reg) step.parts,
                carried = in(reg) step.carried,
                scale = in(reg) scale.0,
                options(pure, nomem, nostack),
            );
        }
    }

    /// The bytes of the pixel as a number, of three with one more.
    ///
    /// # Safety
    /// It is there, of three bytes with the one behind it.
    #[inline(always)]
    pub(super) unsafe fn read<P: Levels<N>, const N: usize>(self, _: &[u8]) -> u32 {
        // SAFETY: as the caller says.
        unsafe {
            match P::BYTES {
                1 => (*self.address).into(),
                2 => self.address.cast::<u16>().read_unaligned().into(),
                _ => self.address.cast::<u32>().read_unaligned(),
            }
        }
    }
}

/// A place among pixels, whose rows are so far apart.
#[cfg(not(dsp))]
#[derive(Clone, Copy)]
pub(super) struct At {
    place: Place,
    pitch: usize,
}

/// From a place to another.
#[cfg(not(dsp))]
#[derive(Clone, Copy)]
pub(super) struct Step(Place);

/// See above.
#[cfg(not(dsp))]
#[derive(Clone, Copy)]
pub(super) struct Scale;

#[cfg(not(dsp))]
impl Scale {
    pub(super) const fn of(_: usize, _: usize) -> Self {
        Self
    }

    pub(super) fn fits(_: usize, _: usize, _: &[Place]) -> bool {
        true
    }
}

#[cfg(not(dsp))]
impl Step {
    pub(super) fn of(step: Place) -> Self {
        Self(step)
    }
}

#[cfg(not(dsp))]
impl At {
    #[inline(always)]
    pub(super) fn of(_: &[u8], _: usize, pitch: usize, place: Place) -> Self {
        Self { place, pitch }
    }

    #[inline(always)]
    pub(super) fn go(&mut self, Step(step): Step, _: Scale) {
        self.place = (self.place.0 + step.0, self.place.1 + step.1);
    }

    /// The bytes of the pixel as a number.
    ///
    /// # Safety
    /// None is needed here.
    #[inline(always)]
    pub(super) unsafe fn read<P: Levels<N>, const N: usize>(self, bytes: &[u8]) -> u32 {
        let (x, y) = self.place;
        P::read(
            bytes,
            (y >> BITS) as usize * self.pitch + (x >> BITS) as usize,
        )
    }
}
