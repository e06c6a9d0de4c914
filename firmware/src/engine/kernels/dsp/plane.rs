//! Rows of four channels under their filters; 3 x 3 in steps of one or two has loops of its own.
//!
//! Those compute two outputs at a time. The weights `a b c` of each row of the window are held as
//! the pairs `a b` and `b c`; with four values `0 1 2 3` of the row, also in pairs, the first
//! output is `01 * ab + 2 * c`, the second, one step further, `1 * a + 23 * bc`.
//!
//! | registers | content |
//! |---|---|
//! | r0 to r2 | next values of the three rows |
//! | r3 to r8 | weights |
//! | r9, r10 | values, and whatever the end needs |
//! | r11, r12 | sums |
//! | lr | next output |

use core::arch::{asm, naked_asm};
use core::ops::Range;

use super::super::{Filters, Rows};
use super::instructions::{sxtb16, sxtb16_ror8};
use crate::image::PLANES;

/// A 3 x 3 filter.
#[derive(Clone, Copy, Default)]
#[repr(C)]
struct Three {
    /// The first and the last two weights of each row.
    pairs: [u32; 6],
    bias: i32,
    multiplier: i32,
}

/// The filters if they are 3 x 3.
#[derive(Clone, Copy)]
pub(crate) struct Packed([Three; PLANES]);

impl Packed {
    pub(crate) fn of(filters: &Filters<'_>) -> Option<Self> {
        let mut packed = [Three::default(); PLANES];
        if filters.kernel == [3, 3] {
            match filters.channels.len() {
                PLANES => Self::weights_of_four(filters, &mut packed)?,
                _ => Self::weights(filters, &mut packed)?,
            }
            for (packed, channel) in packed.iter_mut().zip(filters.channels) {
                (packed.bias, packed.multiplier) = (channel.bias, channel.multiplier);
            }
        }
        Some(Self(packed))
    }

    fn weights(filters: &Filters<'_>, packed: &mut [Three; PLANES]) -> Option<()> {
        for (i, packed) in packed.iter_mut().enumerate().take(filters.channels.len()) {
            let weights = filters.weights.get(i..)?.get(..8 * filters.step + 1)?;
            // SAFETY: the last of the nine taps is the last of the slice.
            let taps: [u32; 9] = core::array::from_fn(|tap| unsafe {
                u32::from(i16::from(*weights.as_ptr().add(tap * filters.step)) as u16)
            });
            packed.pairs = FIRSTS.map(|tap| taps[tap] | taps[tap + 1] << 16);
        }
        Some(())
    }

    /// The same for four channels, whose weights are read together.
    fn weights_of_four(filters: &Filters<'_>, packed: &mut [Three; PLANES]) -> Option<()> {
        let weights = filters.weights.get(..8 * filters.step + 4)?.as_ptr();
        // SAFETY: the word of the last of the nine taps ends the slice.
        let taps: [u32; 9] = core::array::from_fn(|tap| unsafe {
            weights
                .add(tap * filters.step)
                .cast::<u32>()
                .read_unaligned()
        });
        // Channels 0 and 2, then 1 and 3.
        let even = taps.map(sxtb16);
        let odd = taps.map(sxtb16_ror8);
        let low = |halves: &[u32; 9], tap: usize| halves[tap] & 0xffff | halves[tap + 1] << 16;
        let high = |halves: &[u32; 9], tap: usize| halves[tap] >> 16 | halves[tap + 1] & !0xffff;
        let [a, b, c, d] = packed;
        a.pairs = FIRSTS.map(|tap| low(&even, tap));
        b.pairs = FIRSTS.map(|tap| low(&odd, tap));
        c.pairs = FIRSTS.map(|tap| high(&even, tap));
        d.pairs = FIRSTS.map(|tap| high(&odd, tap));
        Some(())
    }
}

/// The first tap of each pair of weights.
const FIRSTS: [usize; 6] = [0, 1, 3, 4, 6, 7];

pub(crate) fn spread(
    input: &[i8],
    step: usize,
    planes: &mut [i16],
    plane: usize,
    start: usize,
    width: usize,
) -> Option<()> {
    let pairs = width / 2;
    let mut done = 0;
    if planes.len() == 4 * plane && pairs > 0 {
        let pixels = input.get(..(2 * pairs - 1) * step + 4)?;
        let to = planes.get_mut(start..)?.get_mut(..3 * plane + 2 * pairs)?;
        // SAFETY: reads four bytes at each of `2 * pairs` pixels, writes `2 * pairs` values in each
        // of four planes; the slices are that long. Words need not be aligned for `ldr` and `str`.
        unsafe {
            asm!("
                2:
                ldr {a}, [{from}]
                ldr {b}, [{from}, {step}]
                add {from}, {from}, {step}, lsl #1
                sxtb16 {c}, {a}
                sxtb16 {d}, {b}
                sxtb16 {a}, {a}, ror #8
                sxtb16 {b}, {b}, ror #8
                pkhbt {e}, {c}, {d}, lsl #16
                pkhtb {d}, {d}, {c}, asr #16
                str {d}, [{to}, {plane}, lsl #2]
                str {e}, [{to}], #4
                pkhbt {e}, {a}, {b}, lsl #16
                pkhtb {b}, {b}, {a}, asr #16
                str {b}, [{odd}, {plane}, lsl #2]
                str {e}, [{odd}], #4
                cmp {to}, {end}
                bne 2b
                ",
                from = inout(reg) pixels.as_ptr() => _,
                step = in(reg) step,
                to = inout(reg) to.as_mut_ptr() => _,
                odd = inout(reg) to.as_mut_ptr().add(plane) => _,
                plane = in(reg) plane,
                end = in(reg) to.as_ptr().add(2 * pairs),
                a = out(reg) _, b = out(reg) _, c = out(reg) _, d = out(reg) _, e = out(reg) _,
                options(nostack),
            );
        }
        done = 2 * pairs;
    }
    for x in done..width {
        let pixel = input.get(x * step..)?;
        for (plane, &value) in planes.chunks_exact_mut(plane).zip(pixel) {
            *plane.get_mut(start + x)? = value.into();
        }
    }
    Some(())
}

pub(crate) fn filter(
    filters: &Filters<'_>,
    packed: &Packed,
    rows: &Rows<'_>,
    output: &mut [i8],
    outputs: usize,
) -> Option<()> {
    let done = match filters.stride {
        1 | 2 if filters.kernel == [3, 3] => three(filters, packed, rows, output, outputs)?,
        _ => 0,
    };
    if done < outputs {
        any(filters, rows, output, done..outputs)?;
    }
    if filters.requantize.narrow() {
        for pixel in output.chunks_mut(filters.step).take(outputs) {
            let values = pixel.iter_mut().take(filters.channels.len());
            filters.requantize.clamp(values);
        }
    }
    Some(())
}

/// Any window and step.
fn any(
    filters: &Filters<'_>,
    rows: &Rows<'_>,
    output: &mut [i8],
    outputs: Range<usize>,
) -> Option<()> {
    let [height, width] = filters.kernel;
    let planes = rows.planes.chunks_exact(rows.plane);
    for (i, (channel, plane)) in filters.channels.iter().zip(planes).enumerate() {
        for x in outputs.clone() {
            let mut acc = channel.bias;
            let mut slot = rows.first;
            for ky in 0..height {
                let row = plane.get(slot * rows.pitch..)?.get(..rows.pitch)?;
                for kx in 0..width {
                    let tap = (ky * width + kx) * filters.step + i;
                    let weight = i32::from(*filters.weights.get(tap)?);
                    let value = i32::from(*row.get(x * filters.stride + kx)?);
                    acc = acc.wrapping_add(weight * value);
                }
                slot = if slot + 1 == height { 0 } else { slot + 1 };
            }
            let out = output.get_mut(x * filters.step + i)?;
            *out = filters.requantize.apply(acc, channel.multiplier);
        }
    }
    Some(())
}

/// 3 x 3 in steps of one or two, the limits those of int8; the number of outputs computed.
fn three(
    filters: &Filters<'_>,
    packed: &Packed,
    rows: &Rows<'_>,
    output: &mut [i8],
    outputs: usize,
) -> Option<usize> {
    let step = filters.step;
    let packed = packed.0.get(..filters.channels.len())?;
    let pairs = outputs / 2;
    // A single output at the end is computed here in steps of one only, where the second of its
    // pair, which is dropped, reads no value beyond the row.
    let (kernel, odd): (Kernel, _) = match filters.stride {
        1 => (steps_of_one, outputs % 2),
        _ => (steps_of_two, 0),
    };
    let done = 2 * pairs + odd;
    if done == 0 || packed.is_empty() {
        return Some(0);
    }
    // Values of a row that are read.
    let reach = (pairs + odd) * 2 * filters.stride + 2;
    if !rows.pitch.is_multiple_of(2)
        || !rows.plane.is_multiple_of(2)
        || !rows.planes.as_ptr().cast::<u32>().is_aligned()
    {
        return Some(0);
    }
    let span = (packed.len() - 1) * rows.plane + reach;
    let row = |i: usize| {
        let slot = rows.first + i;
        let slot = if slot < 3 { slot } else { slot - 3 };
        Some(rows.planes.get(slot * rows.pitch..)?.get(..span)?.as_ptr())
    };
    let output = output
        .get_mut(..(done - 1) * step + packed.len())?
        .as_mut_ptr();
    let packed = packed.as_ptr_range();
    // SAFETY: in each plane each row has as many values as the kernel reads, at addresses that are
    // multiples of four; the output has all places that it writes. `end` is at most a step beyond
    // the output and neither read nor written.
    unsafe {
        kernel(
            row(0)?,
            row(1)?,
            row(2)?,
            packed.start,
            output,
            step,
            output.wrapping_add(2 * pairs * step),
            odd * step,
            rows.plane * 2,
            packed.end,
            filters.requantize.pre_shift,
            // Bias and multiplier: the kernel keeps each filter's own in their place.
            0,
            0,
            filters.requantize.zero_point,
        );
    }
    Some(done)
}

type Kernel = unsafe extern "C" fn(
    row0: *const i16,
    row1: *const i16,
    row2: *const i16,
    filters: *const Three,
    output: *mut i8,
    step: usize,
    end: *const i8,
    odd: usize,
    plane: usize,
    filters_end: *const Three,
    pre_shift: u32,
    bias: i32,
    multiplier: i32,
    zero_point: i32,
);

/// Where the arguments lie once the registers are saved, and the next channel: its rows, weights,
/// bias and multiplier.
macro_rules! enter {
    () => {
        "
        push {{r0-r11, lr}}
        .equ rows, 0            // and filters behind them
        .equ output, 52
        .equ step, 56           // 0 for the odd output
        .equ end, 60
        .equ odd, 64            // the step if there is an odd output, else 0
        .equ plane, 68
        .equ filters_end, 72
        .equ pre_shift, 76
        .equ bias, 80
        .equ multiplier, 84     // and zero point behind it
    1:  ldm sp, {{r0-r3}}
        ldr r12, [sp, #plane]
        add r9, r0, r12
        add r10, r1, r12
        add r11, r2, r12
        add r12, r3, #32
        stm sp, {{r9-r12}}
        ldrd r9, r10, [r3, #24]
        strd r9, r10, [sp, #bias]
        ldm r3, {{r3-r8}}
        ldr lr, [sp, #output]
        ldr r9, [sp, #end]
        cmp lr, r9
        beq 3f
        .p2align 2
    2:  ldr r11, [sp, #bias]
        mov r12, r11
        "
    };
}

/// Sums to outputs; after the pairs the odd one, a pair whose second falls on the first and is
/// overwritten; then the next channel.
macro_rules! leave {
    () => {
        "
        ldr r9, [sp, #pre_shift]
        lsl r11, r11, r9
        lsl r12, r12, r9
        ldrd r9, r10, [sp, #multiplier]
        smmlar r11, r11, r9, r10
        smmlar r12, r12, r9, r10
        ssat r11, #8, r11
        ssat r12, #8, r12
        ldrd r9, r10, [sp, #step]
        strb r12, [lr, r9]
        strb r11, [lr]
        add lr, lr, r9, lsl #1
        cmp lr, r10
        bne 2b
    3:  ldr r9, [sp, #odd]
        cmp r9, #0
        beq 4f
        ldr r10, [sp, #step]
        cmp r10, #0
        beq 5f
        mov r10, #0
        str r10, [sp, #step]
        b 2b
    5:  str r9, [sp, #step]
    4:  ldr r9, [sp, #12]
        ldr r10, [sp, #filters_end]
        cmp r9, r10
        beq 6f
        ldr r11, [sp, #output]
        ldr r12, [sp, #end]
        add r11, r11, #1
        add r12, r12, #1
        str r11, [sp, #output]
        str r12, [sp, #end]
        b 1b
    6:  add sp, sp, #16
        pop {{r4-r11, pc}}
        "
    };
}

#[unsafe(naked)]
unsafe extern "C" fn steps_of_one(
    row0: *const i16,
    row1: *const i16,
    row2: *const i16,
    filters: *const Three,
    output: *mut i8,
    step: usize,
    end: *const i8,
    odd: usize,
    plane: usize,
    filters_end: *const Three,
    pre_shift: u32,
    bias: i32,
    multiplier: i32,
    zero_point: i32,
) {
    naked_asm!(
        processor!(),
        enter!(),
        "
        ldrd r9, r10, [r0], #4
        smlad r11, r9, r3, r11
        smlatb r12, r9, r3, r12
        smlabt r11, r10, r4, r11
        smlad r12, r10, r4, r12
        ldrd r9, r10, [r1], #4
        smlad r11, r9, r5, r11
        smlatb r12, r9, r5, r12
        smlabt r11, r10, r6, r11
        smlad r12, r10, r6, r12
        ldrd r9, r10, [r2], #4
        smlad r11, r9, r7, r11
        smlatb r12, r9, r7, r12
        smlabt r11, r10, r8, r11
        smlad r12, r10, r8, r12
        ",
        leave!(),
    )
}

#[unsafe(naked)]
unsafe extern "C" fn steps_of_two(
    row0: *const i16,
    row1: *const i16,
    row2: *const i16,
    filters: *const Three,
    output: *mut i8,
    step: usize,
    end: *const i8,
    odd: usize,
    plane: usize,
    filters_end: *const Three,
    pre_shift: u32,
    bias: i32,
    multiplier: i32,
    zero_point: i32,
) {
    naked_asm!(
        processor!(),
        enter!(),
        "
        ldrd r9, r10, [r0], #8
        smlad r11, r9, r3, r11
        smlabt r11, r10, r4, r11
        smlad r12, r10, r3, r12
        ldr r9, [r0]
        smlabt r12, r9, r4, r12
        ldrd r9, r10, [r1], #8
        smlad r11, r9, r5, r11
        smlabt r11, r10, r6, r11
        smlad r12, r10, r5, r12
        ldr r9, [r1]
        smlabt r12, r9, r6, r12
        ldrd r9, r10, [r2], #8
        smlad r11, r9, r7, r11
        smlabt r11, r10, r8, r11
        smlad r12, r10, r7, r12
        ldr r9, [r2]
        smlabt r12, r9, r8, r12
        ",
        leave!(),
    )
}
