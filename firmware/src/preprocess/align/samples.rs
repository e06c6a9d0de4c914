//! Pixels that are means of places in a region.

use core::slice::from_mut;

use crate::frame::Frame;
use crate::preprocess::Region;
use crate::preprocess::luma::Luma;

/// Bits behind the point of a place in the region.
pub(super) const BITS: u32 = 14;
pub(super) const ONE: i32 = 1 << BITS;

/// A place in the region, or a step from one to another: to the right and down.
type Place = (i32, i32);

/// Pixels of a row that are taken together.
pub(super) const RUN: usize = 8;

/// Which places make a pixel.
pub(super) struct Samples<'a> {
    /// From the region's first pixel on.
    bytes: &'a [u8],
    /// Pixels before the region's first that the bytes begin with.
    before: usize,
    /// From a row of the frame to the next, in pixels.
    pitch: usize,
    /// Columns and rows of the region.
    side: (i32, i32),
    /// Rows of it, if the bytes hold all of them.
    whole: i32,
    /// What stands where the region has no pixel.
    level: u8,
    /// Samples along the sides of a pixel; one alone lies between four pixels of the region.
    count: (u32, u32),
    steps: Steps,
    /// Of [`RUN`] pixels, and of one.
    run: Reach,
    one: Reach,
}

/// From each sample to the next.
#[derive(Clone, Copy)]
pub(super) struct Steps {
    /// In its row.
    pub(super) right: Place,
    /// In its column.
    pub(super) down: Place,
    /// In the next pixel.
    pub(super) next: Place,
}

/// Where samples lie.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Lie {
    Inside,
    Outside,
    Across,
}

/// How far the samples of pixels reach from their first, to the left and up, to the right and down.
struct Reach {
    back: Place,
    forth: Place,
}

impl Reach {
    fn of(pixels: usize, count: (u32, u32), steps: &Steps) -> Self {
        // One alone reaches half a pixel about it.
        let half = if count == (1, 1) { ONE / 2 } else { 0 };
        let along = |next: i32, right: i32, down: i32| {
            let steps = [
                (pixels as i32 - 1) * next,
                (count.0 as i32 - 1) * right,
                (count.1 as i32 - 1) * down,
            ];
            let reach = |of: fn(i32) -> i32| steps.into_iter().map(of).fold(0, i32::saturating_add);
            (
                reach(|step| step.min(0)) - half,
                reach(|step| step.max(0)) + half,
            )
        };
        let Steps { right, down, next } = *steps;
        let (x, y) = (
            along(next.0, right.0, down.0),
            along(next.1, right.1, down.1),
        );
        Self {
            back: (x.0, y.0),
            forth: (x.1, y.1),
        }
    }
}

impl<'a> Samples<'a> {
    /// N samples a pixel of a region that lies in the frame, and this level where it ends.
    pub(super) fn new<L: Luma>(
        frame: &Frame<'a>,
        region: Region,
        level: u8,
        count: (u32, u32),
        steps: Steps,
    ) -> Self {
        let pitch = usize::from(frame.geometry.width);
        let corner = usize::from(region.top) * pitch + usize::from(region.left);
        let before = if L::ALONE { 0 } else { corner % 2 };
        let first = (corner - before) * L::BYTES;
        let bytes = frame.pixels.get(first..).unwrap_or(&[]);
        let (width, height) = (usize::from(region.width), usize::from(region.height));
        let pixels = before + height.saturating_sub(1) * pitch + width;
        Self {
            bytes,
            before,
            pitch,
            side: (width as i32, height as i32),
            whole: if pixels * L::BYTES <= bytes.len() {
                height as i32
            } else {
                0
            },
            level,
            count,
            steps,
            run: Reach::of(RUN, count, &steps),
            one: Reach::of(1, count, &steps),
        }
    }

    /// Fills neighbouring pixels of a row, at most [`RUN`], the first sample of which is `at`, and gives that of the
    /// pixel behind them.
    #[inline(always)]
    pub(super) fn fill<L: Luma>(&self, at: Place, pixels: &mut [u8]) -> Place {
        let count = pixels.len() as i32;
        match self.lie(at, &self.run) {
            Lie::Outside => pixels.fill(self.level),
            Lie::Inside if self.count != (1, 1) => self.inside::<L>(at, pixels),
            _ => {
                let mut at = at;
                for pixel in pixels {
                    match self.lie(at, &self.one) {
                        Lie::Outside => *pixel = self.level,
                        _ if self.count == (1, 1) => *pixel = self.between::<L>(at),
                        Lie::Inside => self.inside::<L>(at, from_mut(pixel)),
                        Lie::Across => *pixel = self.mean::<L>(at),
                    }
                    at = (at.0 + self.steps.next.0, at.1 + self.steps.next.1);
                }
            }
        }
        (
            at.0 + count * self.steps.next.0,
            at.1 + count * self.steps.next.1,
        )
    }

    /// Where the samples of pixels lie that reach so far: where the corners of what they span do.
    #[inline(always)]
    fn lie(&self, at: Place, reach: &Reach) -> Lie {
        let far = |at: i32, step: i32| at.saturating_add(step) >> BITS;
        let x = (far(at.0, reach.back.0), far(at.0, reach.forth.0));
        let y = (far(at.1, reach.back.1), far(at.1, reach.forth.1));
        let (width, height) = self.side;
        if x.1 < 0 || x.0 >= width || y.1 < 0 || y.0 >= height {
            Lie::Outside
        } else if x.0 >= 0 && x.1 < width && y.0 >= 0 && y.1 < self.whole {
            Lie::Inside
        } else {
            Lie::Across
        }
    }

    /// The mean of the samples of a pixel.
    #[inline(never)]
    fn mean<L: Luma>(&self, at: Place) -> u8 {
        let (across, along) = self.count;
        let Steps { right, down, .. } = self.steps;
        let count = across * along;
        let mut sum = count / 2;
        let mut start = at;
        for _ in 0..along {
            let mut sample = start;
            for _ in 0..across {
                sum += self.pixel::<L>(sample.0 >> BITS, sample.1 >> BITS);
                sample = (sample.0 + right.0, sample.1 + right.1);
            }
            start = (start.0 + down.0, start.1 + down.1);
        }
        (sum / count) as u8
    }

    /// The means of the samples of pixels that lie [`Lie::Inside`].
    #[inline(always)]
    fn inside<L: Luma>(&self, at: Place, pixels: &mut [u8]) {
        match self.count.0 {
            4 => self.unrolled::<L, 4>(at, pixels),
            _ => self.unrolled::<L, 0>(at, pixels),
        }
    }

    /// As [`inside`](Self::inside), where `N` is 0 or the number of samples in a row.
    #[inline(never)]
    fn unrolled<L: Luma, const N: usize>(&self, mut at: Place, pixels: &mut [u8]) {
        let (bytes, before, pitch) = (self.bytes, self.before, self.pitch);
        let Steps { right, down, next } = self.steps;
        let along = self.count.1;
        let across = if N == 0 { self.count.0 } else { N as u32 };
        let count = across * along;
        // From behind the last sample of a row to the first of the next.
        let back = (
            down.0 - across as i32 * right.0,
            down.1 - across as i32 * right.1,
        );
        for pixel in pixels {
            let mut sum = count / 2;
            let mut sample = at;
            for _ in 0..along {
                for _ in 0..across {
                    // SAFETY: it lies between the corners, which `lie` found to be at least 0, and
                    // of which the last has its bytes.
                    sum += unsafe { take::<L>(bytes, before, pitch, &mut sample, right) };
                }
                sample = (sample.0 + back.0, sample.1 + back.1);
            }
            *pixel = (sum / count) as u8;
            at = (at.0 + next.0, at.1 + next.1);
        }
    }

    /// The level at a place, between those of the four pixels whose middles are about it.
    #[inline(never)]
    fn between<L: Luma>(&self, (x, y): Place) -> u8 {
        let (x, y) = (x - ONE / 2, y - ONE / 2);
        let (column, row) = (x >> BITS, y >> BITS);
        // In 256ths.
        let part = |place: i32| (place & (ONE - 1)) as u32 >> (BITS - 8);
        let (right, down) = (part(x), part(y));
        let across = |row: i32| {
            let (a, b) = (
                self.pixel::<L>(column, row),
                self.pixel::<L>(column + 1, row),
            );
            a * (256 - right) + b * right
        };
        ((across(row) * (256 - down) + across(row + 1) * down + (1 << 15)) >> 16) as u8
    }

    #[inline(never)]
    fn pixel<L: Luma>(&self, column: i32, row: i32) -> u32 {
        let within = |place: i32, side: i32| (place as u32) < side as u32;
        if within(column, self.side.0) && within(row, self.side.1) {
            let index = row as usize * self.pitch + column as usize;
            L::at(
                self.bytes,
                if L::ALONE { index } else { self.before + index },
            )
        } else {
            self.level.into()
        }
    }
}

/// The level at a place, which then is a step on.
///
/// # Safety
/// There is a pixel.
#[inline(always)]
unsafe fn take<L: Luma>(
    bytes: &[u8],
    before: usize,
    pitch: usize,
    at: &mut Place,
    step: Place,
) -> u32 {
    #[cfg(dsp)]
    if L::BYTES < 3 && L::ALONE {
        // As the compiler has it, it keeps multiples of the steps in memory, for which it has no
        // registers.
        macro_rules! load {
            ($load:literal) => {{
                let raw: u32;
                // SAFETY: reads the pixel.
                unsafe {
                    core::arch::asm!(
                        "asr {raw}, {y}, #14",
                        "mla {raw}, {raw}, {pitch}, {bytes}",
                        "asr {column}, {x}, #14",
                        $load,
                        "add {x}, {x}, {right}",
                        "add {y}, {y}, {down}",
                        raw = out(reg) raw,
                        column = out(reg) _,
                        x = inout(reg) at.0,
                        y = inout(reg) at.1,
                        pitch = in(reg) pitch * L::BYTES,
                        bytes = in(reg) bytes.as_ptr(),
                        right = in(reg) step.0,
                        down = in(reg) step.1,
                        options(pure, readonly, nostack, preserves_flags),
                    );
                }
                raw
            }};
        }
        return L::of(match L::BYTES {
            1 => load!("ldrb {raw}, [{raw}, {column}]"),
            _ => load!("ldrh {raw}, [{raw}, {column}, lsl #1]"),
        });
    }
    let index = (at.1 >> BITS) as usize * pitch + (at.0 >> BITS) as usize;
    *at = (at.0 + step.0, at.1 + step.1);
    L::at(bytes, if L::ALONE { index } else { before + index })
}
