//! The way from sample to sample, which ends on the pixels that hold them.

use super::levels::Levels;

/// Bits behind the point of a place in the region.
pub(super) const BITS: u32 = 14;
pub(super) const ONE: i32 = 1 << BITS;

/// A place in the region, or a step from one to another: to the right and down.
pub(super) type Place = (i32, i32);

/// A place among pixels.
#[cfg(dsp)]
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct At {
    /// The pixel that holds it.
    address: *const u8,
    /// How far to the right and down it is in the pixel, in two halves, whose carries lead to the next.
    parts: u32,
}

/// From a place to another.
#[cfg(dsp)]
#[derive(Clone, Copy)]
#[repr(C)]
pub(super) struct Step {
    parts: u32,
    /// Whole pixels to the right and down, without a carry and with one.
    whole: u32,
    carried: u32,
}

/// Bytes from a pixel to the next and to the one below it.
#[cfg(dsp)]
#[derive(Clone, Copy)]
#[repr(C)]
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
    pub(super) fn of<P: Levels<N>, const N: usize>(
        frame: &[u8],
        corner: usize,
        pitch: usize,
        at: Place,
    ) -> Self {
        let pixel = corner + (at.1 >> BITS) as usize * pitch + (at.0 >> BITS) as usize;
        Self {
            address: frame.as_ptr().wrapping_add(pixel * P::BYTES),
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

    /// The pixel of a frame as a number.
    ///
    /// # Safety
    /// It is there, with [`Levels::BEHIND`] bytes behind it.
    #[inline(always)]
    pub(super) unsafe fn read<P: Levels<N>, const N: usize>(self, frame: &[u8]) -> u32 {
        // SAFETY: as the caller says.
        unsafe { P::load(self.address, frame.as_ptr()) }
    }
}

/// Pixels of four samples a row each, of which the first byte is the level.
#[cfg(dsp)]
#[repr(C)]
pub(super) struct Fours {
    /// To the next sample of a row, and from the last to the next row.
    pub(super) right: Step,
    pub(super) scale: Scale,
    pub(super) back: Step,
    /// To the next pixel.
    pub(super) next: Step,
    /// The first sample.
    pub(super) at: At,
    /// Rows of samples, and all samples.
    pub(super) rows: u32,
    pub(super) count: u32,
    /// The pixels, which are one at least.
    pub(super) pixels: *mut u8,
    pub(super) end: *const u8,
}

/// Fills the pixels with the means of their samples.
///
/// | registers | content |
/// |---|---|
/// | r0, r1, r2 | where a sample is, the sum |
/// | r5 to r7, r8, r9 to r11 | to the next in the row, the scale, to the next row |
/// | r12, lr | rows to come, what there is to do |
///
/// # Safety
/// There are all samples and all pixels, and neither rows nor count is 0.
#[cfg(dsp)]
#[unsafe(naked)]
pub(super) unsafe extern "C" fn fours(fours: *mut Fours) {
    core::arch::naked_asm!(
        processor!(),
        "
        push {{r4-r11, lr}}
        mov lr, r0
        ldm r0, {{r5-r11}}
    1:  ldrd r0, r1, [lr, #{AT}]
        ldrd r12, r2, [lr, #{ROWS}]     // and count
        lsr r2, r2, #1
        .p2align 2
    2:
        .rept 3
        ldrb r3, [r0]
        uadd16 r1, r1, r5
        sel r4, r7, r6
        smlad r0, r4, r8, r0
        add r2, r2, r3
        .endr
        ldrb r3, [r0]
        uadd16 r1, r1, r9
        sel r4, r11, r10
        smlad r0, r4, r8, r0
        add r2, r2, r3
        subs r12, r12, #1
        bne 2b
        ldrd r3, r4, [lr, #{COUNT}]     // and pixels
        udiv r2, r2, r3
        strb r2, [r4], #1
        str r4, [lr, #{PIXELS}]
        ldrd r0, r1, [lr, #{AT}]
        ldr r2, [lr, #{NEXT}]
        uadd16 r1, r1, r2
        ldrd r2, r3, [lr, #{NEXT} + 4]
        sel r2, r3, r2
        smlad r0, r2, r8, r0
        strd r0, r1, [lr, #{AT}]
        ldr r2, [lr, #{END}]
        cmp r4, r2
        bne 1b
        pop {{r4-r11, pc}}
        ",
        AT = const core::mem::offset_of!(Fours, at),
        NEXT = const core::mem::offset_of!(Fours, next),
        ROWS = const core::mem::offset_of!(Fours, rows),
        COUNT = const core::mem::offset_of!(Fours, count),
        PIXELS = const core::mem::offset_of!(Fours, pixels),
        END = const core::mem::offset_of!(Fours, end),
    )
}

/// A place among pixels from a corner on, whose rows are so far apart.
#[cfg(not(dsp))]
#[derive(Clone, Copy)]
pub(super) struct At {
    place: Place,
    corner: usize,
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

    pub(super) const fn fits(_: usize, _: usize, _: &[Place]) -> bool {
        true
    }
}

#[cfg(not(dsp))]
impl Step {
    pub(super) const fn of(step: Place) -> Self {
        Self(step)
    }
}

#[cfg(not(dsp))]
impl At {
    #[inline(always)]
    pub(super) const fn of<P: Levels<N>, const N: usize>(
        _: &[u8],
        corner: usize,
        pitch: usize,
        place: Place,
    ) -> Self {
        Self {
            place,
            corner,
            pitch,
        }
    }

    #[inline(always)]
    pub(super) fn go(&mut self, Step(step): Step, _: Scale) {
        self.place = (self.place.0 + step.0, self.place.1 + step.1);
    }

    /// The pixel of a frame as a number.
    ///
    /// # Safety
    /// None is needed here.
    #[inline(always)]
    pub(super) unsafe fn read<P: Levels<N>, const N: usize>(self, frame: &[u8]) -> u32 {
        let (x, y) = self.place;
        P::read(
            frame,
            self.corner + (y >> BITS) as usize * self.pitch + (x >> BITS) as usize,
        )
    }
}
