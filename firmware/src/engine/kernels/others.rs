//! What only Helium has kernels of its own for, for all other cores: [`super`] says what each does.

use super::super::place::Place;
use super::{Addition, Filter, Pool, Ring, Rows, Shape};
#[cfg(not(dsp))]
use super::{Block, Filters, Pixels, gemm_x4, widen};
#[cfg(not(dsp))]
use crate::image::COLUMNS;

/// Copies values, as many as both have.
#[cfg(not(dsp))]
pub(crate) fn copy(to: &mut [i8], from: &[i8]) {
    for (to, &from) in to.iter_mut().zip(from) {
        *to = from;
    }
}

/// See above.
pub(crate) fn add(addition: &Addition, sum: &mut [i8], other: &[i8]) {
    let [a, b] = addition.coefficients;
    for (sum, &other) in sum.iter_mut().zip(other) {
        let acc = addition.start + i32::from(*sum) * a + i32::from(other) * b;
        *sum = addition.requantize.apply(acc, addition.multiplier);
    }
}

/// See above.
pub(crate) const fn average(_pool: &Pool, _window: &[i8], _output: &mut [i8]) -> bool {
    false
}

/// Replaces levels by what a table has for them, as many as there is room for.
pub(crate) fn look_up(table: &[i8; 256], levels: &[u8], to: &mut [i8]) {
    for (to, &level) in to.iter_mut().zip(levels) {
        *to = table[usize::from(level)];
    }
}

/// See above.
pub(crate) const fn rows(
    _filter: &Filter<'_>,
    _rows: &Rows,
    _place: &mut Place<'_>,
    _first: usize,
    _planes: &mut [i16],
    _ring: &Ring,
) -> Option<bool> {
    Some(false)
}

/// See above.
#[cfg(not(dsp))]
pub(crate) const fn many(
    _filters: &Filters<'_>,
    _rows: &Rows,
    _place: &mut Place<'_>,
    _scratch: &mut [i16],
    _ring: &Ring,
    _packed: &mut [u32],
) -> Option<usize> {
    Some(0)
}

/// What `Windows` has room for.
pub(crate) struct Taps;

impl Taps {
    pub(crate) const NONE: Self = Self;
}

/// Only Helium has gather loads.
pub(crate) enum Windows<'a> {
    #[expect(dead_code, reason = "there are none")]
    None(core::convert::Infallible, &'a ()),
}

impl Windows<'_> {
    pub(crate) const fn of(_: Shape<'_>, _: usize, _: &mut Taps) -> Option<Self> {
        None
    }

    pub(crate) const fn gather<const N: usize>(
        &self,
        _: [[usize; 2]; N],
        _: &mut [i16],
    ) -> Option<()> {
        match *self {
            Self::None(never, _) => match never {},
        }
    }
}

/// See above.
#[cfg(not(dsp))]
pub(crate) fn pointwise(
    block: &Block<'_>,
    pixels: &Pixels<'_>,
    output: &mut [i8],
    stride: usize,
    scratch: &mut [i16],
) -> Option<usize> {
    let whole = pixels.count / COLUMNS * COLUMNS;
    if whole == 0 {
        return Some(0);
    }
    let taps = pixels.taps;
    let scratch = scratch.get_mut(..COLUMNS * block.row_len)?;
    for first in (0..whole).step_by(COLUMNS) {
        let mut rest = pixels.input.get(first * pixels.step..)?;
        let mut runs = [&[][..]; COLUMNS];
        for run in &mut runs {
            *run = rest.get(..taps)?;
            rest = rest.get(pixels.step..).unwrap_or_default();
        }
        widen(runs, 0, taps, scratch)?;
        let columns = &*scratch;
        let output = output.get_mut(first * stride..)?;
        gemm_x4(&Block { columns, ..*block }, output, stride)?;
    }
    Some(whole)
}
