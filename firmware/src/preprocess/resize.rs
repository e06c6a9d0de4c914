//! A region of a frame at another size: first the rows that make a new row are summed, column by
//! column, then the columns that make a new pixel.
//!
//! All sums are exact, and each pixel is divided once: the order changes nothing.

use core::ops::Range;

use heapless::Vec;

use super::axis::{Axis, Span};
use super::luma::Luma;
use super::region::Region;
use crate::frame::Frame;

/// Old columns that are summed together.
pub(super) const COLUMNS: usize = 128;
/// Room for three bytes of each, and of one more at either side.
#[cfg(feature = "colour")]
pub(super) type Room = [u8; 3 * (COLUMNS + 2)];
#[cfg(feature = "colour")]
pub(super) const ROOM: Room = [0; 3 * (COLUMNS + 2)];
/// New columns that are made of them at most.
const OUTPUTS: usize = 64;

/// The largest sum of weights, and of those of the rows, with which sums fit 32 and 16 bits.
const WIDEST: u64 = (u32::MAX / 256) as u64;
pub(super) const NARROWEST: u32 = (u16::MAX / u8::MAX as u16) as u32;

/// Fills every `STEP`th byte of `input`, rows of `width` such bytes, with a region that lies in the frame.
pub(super) fn run<L: Luma, const STEP: usize>(
    frame: &Frame<'_>,
    region: Region,
    width: usize,
    input: &mut [u8],
) {
    let source = Source { frame, region };
    let axes = Sides::axes(region, width, input.len().div_ceil(width * STEP));
    let Some(sides) = Sides::of(axes, width) else {
        return one_by_one::<L, STEP>(&source, axes, width, input);
    };
    let Sides { rows, columns, .. } = sides;
    let mut strip = Strip::<1>::new(&sides);
    let mut sums = [0_u32; COLUMNS];
    let mut start = 0;
    while start < width {
        let bytes = strip.begin(columns, start as u32..width as u32);
        let count = strip.spans.len();
        for (y, line) in input.chunks_mut(width * STEP).enumerate() {
            let span = rows.span(y as u32);
            let bytes = |row| source.bytes(L::BYTES, row, bytes.clone());
            if L::PAIRS > 0 && rows.whole() <= NARROWEST {
                let mut begun = false;
                add_rows(span, rows.middle(), |row, weight| {
                    if core::mem::replace(&mut begun, true) {
                        each_pair::<L>(bytes(row), &mut sums, |sum, pair| *sum += weight * pair);
                    } else {
                        each_pair::<L>(bytes(row), &mut sums, |sum, pair| *sum = weight * pair);
                    }
                });
                strip.sum_pairs::<L>(&sums);
            } else {
                sums.fill(0);
                add_rows(span, rows.middle(), |row, weight| {
                    let pixels = bytes(row).chunks_exact(L::BYTES);
                    for (sum, pixel) in sums.iter_mut().zip(pixels) {
                        *sum += weight * u32::from(L::level(pixel));
                    }
                });
                strip.sum(&sums);
            }
            strip.put::<STEP>(line.get_mut(start * STEP..).unwrap_or(&mut []));
        }
        start += count;
    }
}

/// Shows each row of a span with its weight.
#[inline(always)]
pub(super) fn add_rows(span: Span, middle: u32, mut add: impl FnMut(u32, u32)) {
    add(span.first, span.head);
    for row in span.first + 1..span.last {
        add(row, middle);
    }
    if span.last > span.first {
        add(span.last, span.tail);
    }
}

/// Shows the levels of a row, two in a word, with their sums.
#[inline(always)]
fn each_pair<L: Luma>(bytes: &[u8], sums: &mut [u32], show: impl Fn(&mut u32, u32)) {
    let add = |sums: &mut [u32], [a, b, c, d, e, f, g, h]: [u8; 8]| {
        let words = [[a, b, c, d], [e, f, g, h]].map(u32::from_le_bytes);
        for (sums, word) in sums.chunks_exact_mut(L::PAIRS).zip(words) {
            for (sum, pair) in sums.iter_mut().zip(L::pairs(word)) {
                show(sum, pair);
            }
        }
    };
    let (chunks, rest) = bytes.as_chunks::<8>();
    let mut places = sums.chunks_exact_mut(2 * L::PAIRS);
    for (chunk, place) in chunks.iter().zip(&mut places) {
        add(place, *chunk);
    }
    if let Some(place) = places.next()
        && !rest.is_empty()
    {
        let mut last = [0; 8];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        add(place, last);
    }
}

/// Both sides of a region on their way to another length.
pub(super) struct Sides {
    pub(super) rows: Axis,
    pub(super) columns: Axis,
    /// What the weights of a new pixel add up to.
    whole: u32,
}

impl Sides {
    pub(super) fn axes(region: Region, width: usize, height: usize) -> [Axis; 2] {
        [
            Axis::new(region.height.into(), height as u32),
            Axis::new(region.width.into(), width as u32),
        ]
    }

    /// None if sums don't fit a word, or a new pixel is made of too many old columns.
    pub(super) fn of([rows, columns]: [Axis; 2], width: usize) -> Option<Self> {
        let whole = u64::from(rows.whole()) * u64::from(columns.whole());
        let is_wide = |span: Span| (span.last - span.first) as usize + 1 >= COLUMNS;
        let fits = whole <= WIDEST && !(0..width as u32).any(|x| is_wide(columns.span(x)));
        fits.then_some(Self {
            rows,
            columns,
            whole: whole as u32,
        })
    }
}

/// Neighbouring new columns, of `N` levels each.
pub(super) struct Strip<const N: usize> {
    /// Of what old columns they are made, from the first of all on; two each at least. All are below
    /// [`COLUMNS`].
    pub(super) spans: Vec<Span, OUTPUTS>,
    middle: u32,
    whole: u32,
    /// Sums of all old columns before each.
    pub(super) before: [[u32; N]; COLUMNS + 1],
}

impl<const N: usize> Strip<N> {
    pub(super) fn new(sides: &Sides) -> Self {
        Self {
            spans: Vec::new(),
            middle: sides.columns.middle(),
            whole: sides.whole,
            before: [[0; N]; COLUMNS + 1],
        }
    }

    /// Takes as many of the new columns as there is room for, and gives the old ones.
    pub(super) fn begin(&mut self, columns: Axis, outputs: Range<u32>) -> Range<u32> {
        let first = columns.span(outputs.start).first;
        let mut end = first;
        self.spans.clear();
        for span in outputs.map(|x| columns.span(x)) {
            let here = Span {
                first: span.first - first,
                last: span.last.max(span.first + 1) - first,
                ..span
            };
            if here.last as usize >= COLUMNS || self.spans.push(here).is_err() {
                break;
            }
            end = span.last + 1;
        }
        first..end
    }

    /// New pixels from the sums.
    #[inline(always)]
    pub(super) fn fill(&self, line: &mut [[u8; N]]) {
        let two = |at: u32| {
            let at = at as usize & (COLUMNS - 1);
            (&self.before[at], &self.before[at + 1])
        };
        for (pixel, span) in line.iter_mut().zip(&self.spans) {
            let (first, second) = two(span.first);
            let (last, end) = two(span.last);
            for (channel, level) in pixel.iter_mut().enumerate() {
                let sum = span.head * second[channel].wrapping_sub(first[channel])
                    + self.middle * last[channel].wrapping_sub(second[channel])
                    + span.tail * end[channel].wrapping_sub(last[channel]);
                *level = ((sum + self.whole / 2) / self.whole) as u8;
            }
        }
    }
}

impl Strip<1> {
    /// Takes the sums of the old columns, which stand two in a word.
    #[inline(always)]
    fn sum_pairs<L: Luma>(&mut self, sums: &[u32]) {
        let mut total = 0;
        let places = self.before.as_flattened_mut()[1..].chunks_exact_mut(2 * L::PAIRS);
        for (place, pairs) in places.zip(sums.chunks_exact(L::PAIRS)) {
            let (low, high) = place.split_at_mut(L::PAIRS);
            for (place, pair) in low.iter_mut().zip(pairs) {
                total += pair & 0xffff;
                *place = total;
            }
            for (place, pair) in high.iter_mut().zip(pairs) {
                total += pair >> 16;
                *place = total;
            }
        }
    }

    /// Takes the sums of the old columns.
    fn sum(&mut self, sums: &[u32]) {
        let mut total = 0_u32;
        for ([place], sum) in self.before[1..].iter_mut().zip(sums) {
            total = total.wrapping_add(*sum);
            *place = total;
        }
    }

    /// Puts new pixels from the sums into every `STEP`th byte.
    #[inline(always)]
    fn put<const STEP: usize>(&self, line: &mut [u8]) {
        if STEP == 1 {
            return self.fill(line.as_chunks_mut().0);
        }
        let mut pixels = [[0]; OUTPUTS];
        self.fill(&mut pixels);
        let places = line.iter_mut().step_by(STEP).zip(&self.spans);
        for ((to, _), [from]) in places.zip(pixels) {
            *to = from;
        }
    }
}

/// What is resized.
pub(super) struct Source<'a> {
    pub(super) frame: &'a Frame<'a>,
    pub(super) region: Region,
}

impl<'a> Source<'a> {
    /// The number of a row's first pixel in the frame.
    #[inline(always)]
    pub(super) fn first(&self, row: u32) -> usize {
        self.region.pixel(self.frame, 0, row as usize)
    }

    /// The bytes of a row's pixels, the row and the pixels counted from the region's first.
    #[inline(always)]
    pub(super) fn bytes(&self, of_pixel: usize, row: u32, columns: Range<u32>) -> &'a [u8] {
        let first = self.first(row);
        let place = |column: u32| (first + column as usize) * of_pixel;
        let bytes = place(columns.start)..place(columns.end);
        self.frame.pixels.get(bytes).unwrap_or(&[])
    }
}

/// Pixel by pixel, whatever the sizes.
fn one_by_one<L: Luma, const STEP: usize>(
    source: &Source<'_>,
    [rows, columns]: [Axis; 2],
    width: usize,
    input: &mut [u8],
) {
    let whole = u64::from(rows.whole()) * u64::from(columns.whole());
    for (y, line) in input.chunks_mut(width * STEP).enumerate() {
        for (x, pixel) in line.iter_mut().step_by(STEP).enumerate() {
            let span = columns.span(x as u32);
            let mut sum = whole / 2;
            add_rows(rows.span(y as u32), rows.middle(), |row, weight| {
                let bytes = source.bytes(L::BYTES, row, 0..source.region.width.into());
                // At most 2 * MAX_SIDE * 255.
                let mut of_row = 0;
                add_rows(span, columns.middle(), |column, weight| {
                    of_row += weight * L::at(bytes, column as usize);
                });
                sum += u64::from(weight) * u64::from(of_row);
            });
            *pixel = (sum / whole) as u8;
        }
    }
}
