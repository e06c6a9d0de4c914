//! The int8 engine: runs a [`Model`] over one picture, in the memory that it is given.
//!
//! [`run`] takes the operations one by one and hands each to the kernel of its kind:
//! `conv` (fully connected layers too), `depthwise`, `pool`, `upsample` and `elementwise`; `rows` has operations
//! that follow one another take turns, so that little stands between them. The loops that take the time stand in `kernels`, once in portable Rust and once for the DSP instructions
//! of the Cortex-M4, M7 and their kin; the target chooses, and the results are the same to the bit.
//! What the kernels must compute is written down once more, without regard to speed, in
//! [`mod@reference`].

mod concat;
mod conv;
mod depthwise;
mod elementwise;
mod gather;
pub(crate) mod kernels;
mod multiply;
mod place;
mod pool;
pub mod reference;
mod requantize;
mod rows;
mod step;
#[cfg(test)]
mod tests;
mod upsample;

pub use requantize::requantize;

use crate::image::{Model, crc};
#[cfg(feature = "any-colour")]
use crate::preprocess::balance::Balance;
use crate::preprocess::contrast;
use crate::preprocess::view::View;
use step::step;

/// Why a picture was not run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EngineError {
    /// The picture has not as many bytes as the model's input.
    #[error("picture of {have} bytes for an input of {need}")]
    Frame {
        /// Bytes given.
        have: usize,
        /// Bytes of the model's input: height x width x channels.
        need: usize,
    },
    /// The arena is too small.
    #[error("arena of {have} bytes, the model needs {need}")]
    Arena {
        /// Bytes given.
        have: usize,
        /// Bytes needed, see [`Model::arena_len`].
        need: usize,
    },
    /// A record points outside the memory; cannot happen with a model out of [`Model::parse`].
    #[error("operation {0} points outside its memory")]
    Record(usize),
}

/// Computes the embedding of a picture.
///
/// `frame` is height x width x channels as the model's input wants it, one byte a value. `arena` is
/// working memory of at least [`Model::arena_words`] words; what was in it does not matter. The
/// embedding, [`Model::embedding_len`] int8 values, lies in the arena.
///
/// # Errors
/// [`EngineError::Frame`] and [`EngineError::Arena`] when a length does not fit the model.
pub fn run<'a>(
    model: &Model<'_>,
    frame: &[u8],
    arena: &'a mut [u64],
) -> Result<&'a [i8], EngineError> {
    run_view(model, frame, None, arena)
}

/// Brings a picture's embedding to what a shot is kept as: the mean of it and of the embeddings of the
/// [model's views](Model::views), each value rounded to the nearest, halves up. A model without views leaves
/// it.
///
/// `frame` and `arena` are as for [`run`], which gave the `embedding`; `sums` has as many values
/// as the embedding. `alive` is called before each run: all of them may take longer than a watchdog waits.
///
/// # Errors
/// As [`run`].
pub fn shot(
    model: &Model<'_>,
    frame: &[u8],
    arena: &mut [u64],
    embedding: &mut [i8],
    sums: &mut [i16],
    mut alive: impl FnMut(),
) -> Result<(), EngineError> {
    let views = model.views();
    if views.is_empty() {
        return Ok(());
    }
    for (sum, &value) in sums.iter_mut().zip(&*embedding) {
        *sum = value.into();
    }
    for view in views {
        alive();
        let values = run_view(model, frame, Some(view), arena)?;
        // Few int8 values.
        for (sum, &value) in sums.iter_mut().zip(values) {
            *sum = sum.saturating_add(value.into());
        }
    }
    let count = 1 + views.len() as i32;
    for (value, &sum) in embedding.iter_mut().zip(&*sums) {
        *value = (2 * i32::from(sum) + count).div_euclid(2 * count) as i8;
    }
    Ok(())
}

/// As [`run`], of a view of the picture.
fn run_view<'a>(
    model: &Model<'_>,
    frame: &[u8],
    view: Option<&View>,
    arena: &'a mut [u64],
) -> Result<&'a [i8], EngineError> {
    run_all(model, frame, view, arena, |_, _| {})
}

/// The patches of the picture that [`run`] ran last in this arena, height x width x channels; `None` if
/// the model gives none or the arena is too small.
#[must_use]
pub fn patches<'a>(model: &Model<'_>, arena: &'a [u64]) -> Option<&'a [i8]> {
    bytemuck::cast_slice(arena).get(model.patches()?.range())
}

/// Runs the model's self-test: whether embedding and patches are what they should be, `None` where
/// the image has none.
pub fn self_test(model: &Model<'_>, arena: &mut [u64]) -> Option<bool> {
    let golden = model.golden()?;
    let embedding = run(model, golden.frame, arena);
    Some(embedding == Ok(golden.embedding) && golden.patches == patches(model, arena).map(sum))
}

fn sum(values: &[i8]) -> u32 {
    crc(bytemuck::cast_slice(values))
}

/// Like [`run`], and calls `observe` with the number of each operation and its output right after
/// it was computed: for profiles and for comparing layer by layer. Operations that are computed by
/// rows (see [`OpRecord::by_rows`](crate::image::OpRecord::by_rows)) are observed after each of their turns, with an empty output; the
/// last of them is observed once more with the whole.
///
/// # Errors
/// As [`run`].
pub fn run_observed<'a>(
    model: &Model<'_>,
    frame: &[u8],
    arena: &'a mut [u64],
    observe: impl FnMut(usize, &[i8]),
) -> Result<&'a [i8], EngineError> {
    run_all(model, frame, None, arena, observe)
}

fn run_all<'a>(
    model: &Model<'_>,
    frame: &[u8],
    view: Option<&View>,
    arena: &'a mut [u64],
    mut observe: impl FnMut(usize, &[i8]),
) -> Result<&'a [i8], EngineError> {
    if frame.len() != model.input_len() {
        return Err(EngineError::Frame {
            have: frame.len(),
            need: model.input_len(),
        });
    }
    let too_small = EngineError::Arena {
        have: size_of_val(arena),
        need: model.arena_len(),
    };
    let arena = arena.get_mut(..model.arena_words()).ok_or(too_small)?;
    // Nothing of the last picture shows, whatever a model reads.
    arena.fill(0);
    let arena: &mut [i8] = bytemuck::cast_slice_mut(arena);
    quantize(model, frame, view, arena).ok_or(EngineError::Record(0))?;
    let mut start = 0;
    while let Some(chain) = model.chain(start) {
        let record = EngineError::Record(start);
        match chain {
            [op] => step(model, op, arena),
            _ => rows::run(model, chain, arena, |index| observe(start + index, &[])),
        }
        .ok_or(record)?;
        start += chain.len();
        let output = chain.last().and_then(|op| arena.get(op.output.range()));
        observe(start - 1, output.ok_or(record)?);
    }
    let start = model.header().output_offset as usize;
    let embedding = arena
        .get(start..)
        .and_then(|rest| rest.get(..model.embedding_len()));
    embedding.ok_or(EngineError::Record(model.ops().len()))
}

/// Writes the quantised picture, or a view of it, into the arena. Contrast and white balance are those of the picture.
///
/// Not inlined: its table is off the stack while the operations run.
#[inline(never)]
fn quantize(model: &Model<'_>, frame: &[u8], view: Option<&View>, arena: &mut [i8]) -> Option<()> {
    let start = model.header().input_offset as usize;
    let input = arena.get_mut(start..)?.get_mut(..frame.len())?;
    look_up(model, frame, input)?;
    if let Some(view) = view {
        view.shift(input, model.input_shape());
    }
    Some(())
}

/// Quantises a picture by the model's tables.
#[inline(always)]
fn look_up(model: &Model<'_>, frame: &[u8], input: &mut [i8]) -> Option<()> {
    let (tables, _) = model.input_lut().as_chunks::<256>();
    let contrast = model.header().contrast;
    if let ([table], 0) = (tables, contrast) {
        kernels::look_up(table, frame, input);
        return Some(());
    }
    if tables.is_empty() {
        return None;
    }
    #[cfg(feature = "any-colour")]
    if model.header().balance != 0 {
        let balance = Balance::of(frame);
        let levels = contrast::table_of(balance.levels(frame), contrast);
        let tables = tables.iter().cycle();
        for ((out, level), table) in input.iter_mut().zip(balance.levels(frame)).zip(tables) {
            *out = table[usize::from(levels[usize::from(level)])];
        }
        return Some(());
    }
    let levels = contrast::table(frame, contrast);
    let pixels = input
        .chunks_exact_mut(tables.len())
        .zip(frame.chunks_exact(tables.len()));
    for (out, pixel) in pixels {
        for ((out, &level), table) in out.iter_mut().zip(pixel).zip(tables) {
            *out = table[usize::from(levels[usize::from(level)])];
        }
    }
    Some(())
}
