//! Pixels that are means of places in a region.

use core::slice::from_mut;

use super::levels::Levels;
use super::walk::{At, BITS, ONE, Place, Scale, Step};
#[cfg(dsp)]
use super::walk::{Fours, fours};
use crate::frame::Frame;
use crate::preprocess::Region;

/// Pixels of a row that are taken together.
pub(super) const RUN: usize = 8;

/// Which places make a pixel.
pub(super) struct Samples<'a> {
    frame: &'a [u8],
    /// The number of the region's first pixel.
    corner: usize,
    /// From a row of the frame to the next, in pixels.
    pitch: usize,
    /// Columns and rows of the region.
    side: (i32, i32),
    /// Rows of it that the frame holds, with [`Levels::BEHIND`] bytes more; 0 where its samples are not for [`At`].
    whole: i32,
    /// What stands where the region has no pixel.
    level: u8,
    /// Samples along the sides of a pixel; one alone lies between four pixels of the region.
    count: (u32, u32),
    steps: Steps,
    /// To the next sample in a row, from the last one to the next row, and to the next pixel.
    right: Step,
    back: Step,
    next: Step,
    scale: Scale,
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
    pub(super) fn new<P: Levels<N>, const N: usize>(
        frame: &Frame<'a>,
        region: Region,
        level: u8,
        count: (u32, u32),
        steps: Steps,
    ) -> Self {
        let pitch = usize::from(frame.geometry.width);
        let corner = usize::from(region.top) * pitch + usize::from(region.left);
        let (width, height) = (usize::from(region.width), usize::from(region.height));
        let end = |rows: usize| (corner + rows.saturating_sub(1) * pitch + width) * P::BYTES;
        let whole = [height, height.saturating_sub(1)]
            .into_iter()
            .find(|&rows| end(rows) + P::BEHIND <= frame.pixels.len());
        let Steps { right, next, .. } = steps;
        let back = back(count.0, &steps);
        let fits = Scale::fits(P::BYTES, pitch, &[right, next, back]);
        Self {
            frame: frame.pixels,
            corner,
            pitch,
            side: (width as i32, height as i32),
            whole: whole.filter(|_| fits).unwrap_or(0) as i32,
            level,
            count,
            steps,
            right: Step::of(right),
            back: Step::of(back),
            next: Step::of(next),
            scale: Scale::of(P::BYTES, pitch),
            run: Reach::of(RUN, count, &steps),
            one: Reach::of(1, count, &steps),
        }
    }

    /// Fills neighbouring pixels of a row, at most [`RUN`], the first sample of which is `at`, and gives that of the
    /// pixel behind them.
    #[inline(always)]
    pub(super) fn fill<P: Levels<N>, const N: usize>(
        &self,
        at: Place,
        pixels: &mut [[u8; N]],
    ) -> Place {
        let count = pixels.len() as i32;
        match self.lie(at, &self.run) {
            Lie::Outside => pixels.fill([self.level; N]),
            Lie::Inside if self.count != (1, 1) => self.inside::<P, N>(at, pixels),
            _ => {
                let mut at = at;
                for pixel in pixels {
                    match self.lie(at, &self.one) {
                        Lie::Outside => *pixel = [self.level; N],
                        _ if self.count == (1, 1) => *pixel = self.between::<P, N>(at),
                        Lie::Inside => self.inside::<P, N>(at, from_mut(pixel)),
                        Lie::Across => *pixel = self.mean::<P, N>(at),
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
    fn mean<P: Levels<N>, const N: usize>(&self, at: Place) -> [u8; N] {
        let (across, along) = self.count;
        let Steps { right, down, .. } = self.steps;
        let mut sums = [0; N];
        let mut start = at;
        for _ in 0..along {
            let mut sample = start;
            for _ in 0..across {
                let pixel = self.pixel::<P, N>(sample.0 >> BITS, sample.1 >> BITS);
                sums.iter_mut()
                    .zip(pixel)
                    .for_each(|(sum, level)| *sum += level);
                sample = (sample.0 + right.0, sample.1 + right.1);
            }
            start = (start.0 + down.0, start.1 + down.1);
        }
        self.means(sums)
    }

    #[inline(always)]
    fn means<const N: usize>(&self, sums: [u32; N]) -> [u8; N] {
        let count = self.count.0 * self.count.1;
        sums.map(|sum| ((sum + count / 2) / count) as u8)
    }

    /// The means of the samples of pixels that lie [`Lie::Inside`].
    #[inline(always)]
    fn inside<P: Levels<N>, const N: usize>(&self, at: Place, pixels: &mut [[u8; N]]) {
        #[cfg(dsp)]
        if P::FIRST && N == 1 && self.count.0 == 4 && !pixels.is_empty() {
            let pixels = pixels.as_flattened_mut().as_mut_ptr_range();
            let mut job = Fours {
                right: self.right,
                scale: self.scale,
                back: self.back,
                next: self.next,
                at: At::of::<P, N>(self.frame, self.corner, self.pitch, at),
                rows: self.count.1,
                count: self.count.0 * self.count.1,
                pixels: pixels.start,
                end: pixels.end,
            };
            // SAFETY: `lie` found that there are the samples.
            return unsafe { fours(&mut job) };
        }
        match self.count.0 {
            4 => self.unrolled::<P, N, 4>(at, pixels),
            _ => self.unrolled::<P, N, 0>(at, pixels),
        }
    }

    /// As [`inside`](Self::inside), where `ACROSS` is 0 or the number of samples in a row.
    #[inline(never)]
    fn unrolled<P: Levels<N>, const N: usize, const ACROSS: u32>(
        &self,
        at: Place,
        pixels: &mut [[u8; N]],
    ) {
        let along = self.count.1;
        let across = if ACROSS == 0 { self.count.0 } else { ACROSS };
        let (right, back, scale) = (self.right, self.back, self.scale);
        let mut start = At::of::<P, N>(self.frame, self.corner, self.pitch, at);
        for pixel in pixels {
            let (mut sums, mut sample) = ([0; 2], start);
            // SAFETY: it lies between the corners, which `lie` found to be at least 0, and of which the last
            // has its bytes and those behind it.
            let take = |sums: &mut _, at: At| P::add(sums, unsafe { at.read::<P, N>(self.frame) });
            for _ in 0..along {
                for _ in 1..across {
                    take(&mut sums, sample);
                    sample.go(right, scale);
                }
                take(&mut sums, sample);
                sample.go(back, scale);
            }
            *pixel = self.means(P::of(sums));
            start.go(self.next, scale);
        }
    }

    /// The level at a place, between those of the four pixels whose middles are about it.
    #[inline(never)]
    fn between<P: Levels<N>, const N: usize>(&self, (x, y): Place) -> [u8; N] {
        let (x, y) = (x - ONE / 2, y - ONE / 2);
        let (column, row) = (x >> BITS, y >> BITS);
        // In 256ths.
        let part = |place: i32| (place & (ONE - 1)) as u32 >> (BITS - 8);
        let (right, down) = (part(x), part(y));
        let [a, b, c, d] =
            [(0, 0), (1, 0), (0, 1), (1, 1)].map(|(x, y)| self.pixel::<P, N>(column + x, row + y));
        core::array::from_fn(|n| {
            let above = a[n] * (256 - right) + b[n] * right;
            let below = c[n] * (256 - right) + d[n] * right;
            ((above * (256 - down) + below * down + (1 << 15)) >> 16) as u8
        })
    }

    #[inline(never)]
    fn pixel<P: Levels<N>, const N: usize>(&self, column: i32, row: i32) -> [u32; N] {
        let within = |place: i32, side: i32| (place as u32) < side as u32;
        if within(column, self.side.0) && within(row, self.side.1) {
            let pixel = self.corner + row as usize * self.pitch + column as usize;
            P::at(self.frame, pixel)
        } else {
            [self.level.into(); N]
        }
    }
}

/// From the last of so many samples in a row to the first of the next row.
fn back(across: u32, steps: &Steps) -> Place {
    let of = |down: i32, right: i32| down.wrapping_sub((across as i32 - 1).wrapping_mul(right));
    (
        of(steps.down.0, steps.right.0),
        of(steps.down.1, steps.right.1),
    )
}
