//! All three colours of a region at another size: the frame is read once for them.

use core::ops::Range;

use super::luma::{LOW, Rgb888};
#[cfg(feature = "rgb565")]
use super::luma::{Rgb565, of_565};
use super::region::Region;
use super::resize::{COLUMNS, NARROWEST, ROOM, Room, Sides, Source, Strip, add_rows};
#[cfg(feature = "yuyv")]
use super::{luma::Yuyv, yuyv};
use crate::frame::Frame;

/// Pixels whose colours are read together, and words that hold them.
const PIXELS: usize = 4;
const WORDS: usize = PIXELS * 3 / 2;

/// How all three colours of [`PIXELS`] pixels are read from their bytes.
pub(super) trait Colors {
    /// Bytes of a pixel.
    const BYTES: usize;

    /// The bytes of a row's pixels, as they are read: those of the frame, or what is put into the room.
    #[inline(always)]
    fn row<'b>(
        source: &Source<'b>,
        row: u32,
        columns: Range<u32>,
        _room: &'b mut Room,
    ) -> &'b [u8] {
        source.bytes(Self::BYTES, row, columns)
    }

    /// The levels, two in the halves of a word, in any order.
    fn read(pixels: &[u8]) -> [u32; WORDS];

    /// Red, green and blue of each from sums of such words.
    fn levels(sums: [u32; WORDS]) -> [[u32; 3]; PIXELS];
}

/// A word of a pixel's bytes, 0 where there is none.
#[inline(always)]
fn word(bytes: &[u8], number: usize) -> u32 {
    let (words, _) = bytes.as_chunks();
    words.get(number).copied().map_or(0, u32::from_le_bytes)
}

#[cfg(feature = "rgb565")]
impl Colors for Rgb565 {
    const BYTES: usize = 2;

    #[inline(always)]
    fn read(pixels: &[u8]) -> [u32; WORDS] {
        let [a, b] = [word(pixels, 0), word(pixels, 1)];
        let of = |color| [of_565(a, color), of_565(b, color)];
        let ([r, s], [g, h], [b, c]) = (of(0), of(1), of(2));
        [r, g, b, s, h, c]
    }

    #[inline(always)]
    fn levels([r, g, b, s, h, c]: [u32; WORDS]) -> [[u32; 3]; PIXELS] {
        let (low, high) = (|word| word & 0xffff, |word| word >> 16);
        [
            [r, g, b].map(low),
            [r, g, b].map(high),
            [s, h, c].map(low),
            [s, h, c].map(high),
        ]
    }
}

impl Colors for Rgb888 {
    const BYTES: usize = 3;

    /// Of each word the even bytes and the odd ones.
    #[inline(always)]
    fn read(pixels: &[u8]) -> [u32; WORDS] {
        let [a, b, c] = [0, 1, 2].map(|number| word(pixels, number));
        [
            a & LOW,
            (a >> 8) & LOW,
            b & LOW,
            (b >> 8) & LOW,
            c & LOW,
            (c >> 8) & LOW,
        ]
    }

    #[inline(always)]
    fn levels([a, b, c, d, e, f]: [u32; WORDS]) -> [[u32; 3]; PIXELS] {
        let (low, high) = (|word: u32| word & 0xffff, |word: u32| word >> 16);
        [
            [low(a), low(b), high(a)],
            [high(b), low(c), low(d)],
            [high(c), high(d), low(e)],
            [low(f), high(e), high(f)],
        ]
    }
}

/// As three bytes a pixel.
#[cfg(feature = "yuyv")]
impl Colors for Yuyv {
    const BYTES: usize = 3;

    #[inline(always)]
    fn row<'b>(source: &Source<'b>, row: u32, columns: Range<u32>, room: &'b mut Room) -> &'b [u8] {
        yuyv::colors(source, row, columns, room)
    }

    #[inline(always)]
    fn read(pixels: &[u8]) -> [u32; WORDS] {
        Rgb888::read(pixels)
    }

    #[inline(always)]
    fn levels(sums: [u32; WORDS]) -> [[u32; 3]; PIXELS] {
        Rgb888::levels(sums)
    }
}

/// Fills `input` with the three colours of a region that lies in the frame, all of which are read at once.
/// False, and nothing done, where sums could grow too great for that.
pub(super) fn run<C: Colors>(
    frame: &Frame<'_>,
    region: Region,
    width: usize,
    input: &mut [u8],
) -> bool {
    let (lines, _) = input.as_chunks_mut::<3>();
    let source = Source { frame, region };
    let sides = Sides::of(Sides::axes(region, width, lines.len() / width), width);
    let Some(sides) = sides.filter(|sides| sides.rows.whole() <= NARROWEST) else {
        return false;
    };
    let mut strip = Strip::<3>::new(&sides);
    let mut sums = [[0; WORDS]; COLUMNS / PIXELS];
    let mut room = ROOM;
    let mut start = 0;
    while start < width {
        let bytes = strip.begin(sides.columns, start as u32..width as u32);
        for (y, line) in lines.chunks_mut(width).enumerate() {
            let span = sides.rows.span(y as u32);
            let mut begun = false;
            add_rows(span, sides.rows.middle(), |row, weight| {
                let bytes = C::row(&source, row, bytes.clone(), &mut room);
                if core::mem::replace(&mut begun, true) {
                    each_colors::<C>(bytes, &mut sums, |sum, pair| *sum += weight * pair);
                } else {
                    each_colors::<C>(bytes, &mut sums, |sum, pair| *sum = weight * pair);
                }
            });
            strip.sum_colors::<C>(&sums);
            strip.fill(line.get_mut(start..).unwrap_or_default());
        }
        start += strip.spans.len();
    }
    true
}

/// Shows the colours of a row, two in a word, with their sums.
#[inline(always)]
fn each_colors<C: Colors>(bytes: &[u8], sums: &mut [[u32; WORDS]], show: impl Fn(&mut u32, u32)) {
    let add = |sums: &mut [u32; WORDS], pixels: &[u8]| {
        for (sum, pair) in sums.iter_mut().zip(C::read(pixels)) {
            show(sum, pair);
        }
    };
    let chunks = bytes.chunks_exact(C::BYTES * PIXELS);
    let rest = chunks.remainder();
    let mut places = sums.iter_mut();
    for (pixels, sums) in chunks.zip(&mut places) {
        add(sums, pixels);
    }
    if let Some(sums) = places.next()
        && !rest.is_empty()
    {
        let mut last = [0; 3 * PIXELS];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        add(sums, &last);
    }
}

impl Strip<3> {
    /// Takes the sums of the colours of the old columns.
    #[inline(always)]
    fn sum_colors<C: Colors>(&mut self, sums: &[[u32; WORDS]]) {
        let mut total = [0_u32; 3];
        let (places, _) = self.before[1..].as_chunks_mut::<PIXELS>();
        for (places, &words) in places.iter_mut().zip(sums) {
            for (place, colors) in places.iter_mut().zip(C::levels(words)) {
                for (total, level) in total.iter_mut().zip(colors) {
                    *total = total.wrapping_add(level);
                }
                *place = total;
            }
        }
    }
}
