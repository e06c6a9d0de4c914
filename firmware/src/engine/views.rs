//! The input that a view of a picture gives.

use crate::image::Model;
#[cfg(feature = "colour")]
use crate::preprocess::balance::Balance;
use crate::preprocess::contrast;
use crate::preprocess::view::View;

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
