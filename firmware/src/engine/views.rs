//! A shot as it is taught: the mean of the embeddings of its picture and of the model's views of it.

use super::{EngineError, run_view};
use crate::image::Model;
#[cfg(feature = "colour")]
use crate::preprocess::balance::Balance;
use crate::preprocess::contrast;
use crate::preprocess::view::View;

/// Brings a picture's embedding to what a shot is kept as: the mean of it and of the embeddings of the
/// [model's views](Model::views), each value rounded to the nearest, halves up. A model without views leaves
/// it.
///
/// `frame` and `arena` are as for [`run`](super::run), which gave the `embedding`; `sums` has as many values
/// as the embedding. `alive` is called before each run: all of them may take longer than a watchdog waits.
///
/// # Errors
/// As [`run`](super::run).
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

/// Writes the quantised view of a picture into the arena. Contrast and white balance are those of the picture.
#[inline(never)]
pub(super) fn quantize(
    model: &Model<'_>,
    frame: &[u8],
    view: &View,
    arena: &mut [i8],
) -> Option<()> {
    let header = model.header();
    let start = header.input_offset as usize;
    let input = arena.get_mut(start..)?.get_mut(..frame.len())?;
    view.fill(frame, model.input_shape(), bytemuck::cast_slice_mut(input));
    let (tables, _) = model.input_lut().as_chunks::<256>();
    #[cfg(feature = "colour")]
    if header.balance != 0 {
        let balance = Balance::of(frame);
        let levels = contrast::table_of(balance.levels(frame), header.contrast);
        let places = input.iter_mut().enumerate();
        for ((place, value), table) in places.zip(tables.iter().cycle()) {
            let level = balance.level(place, *value as u8);
            *value = table[usize::from(levels[usize::from(level)])];
        }
        return Some(());
    }
    let levels = contrast::table(frame, header.contrast);
    for (value, table) in input.iter_mut().zip(tables.iter().cycle()) {
        *value = table[usize::from(levels[usize::from(*value as u8)])];
    }
    Some(())
}
