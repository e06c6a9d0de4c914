//! The map of patches, which a model may give beside its embedding.

use core::ops::Range;

use super::chain;
use super::check::overlap;
use super::error::ImageError;
use super::layout::{Header, OpRecord};

/// What stands for each place of a picture: a map of vectors, int8, the channel fastest.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Patches {
    /// Rows of the map.
    pub height: usize,
    /// Columns of the map.
    pub width: usize,
    /// Values of one patch.
    pub channels: usize,
    /// Real value of one step.
    pub scale: f32,
    /// Quantised value that stands for zero.
    pub zero_point: i8,
    /// Where they lie in the arena after a run.
    pub(crate) offset: usize,
}

impl Patches {
    /// Number of patches.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.height.saturating_mul(self.width)
    }

    /// Number of values, and of bytes in the arena.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "there is always one")]
    pub const fn len(&self) -> usize {
        self.count().saturating_mul(self.channels)
    }

    /// Its bytes in the arena.
    pub(crate) const fn range(&self) -> Range<usize> {
        self.offset..self.offset.saturating_add(self.len())
    }

    /// Reads what a header says of the patches; the operations are checked already.
    ///
    /// # Errors
    /// When there is no such operation, when its output does not exist as a whole, and when a later
    /// operation writes over it.
    pub(super) fn of(header: &Header, ops: &[OpRecord]) -> Result<Option<Self>, ImageError> {
        let Some(index) = (header.patches_op as usize).checked_sub(1) else {
            return Ok(None);
        };
        let wrong = ImageError::Header("patches");
        let op = ops.get(index).filter(|op| op.by_rows == 0).ok_or(wrong)?;
        let scale = header.patches_scale;
        let range = op.output.range();
        let mut start = index + 1;
        while let Some(later) = chain::starting_at(ops, start) {
            let written = later.iter().enumerate().any(|(number, op)| {
                let output = match later.get(number + 1) {
                    Some(next) => op.window(next),
                    None => op.output,
                };
                let scratch = op.scratch as usize;
                let scratch = scratch..scratch.saturating_add(op.scratch_needed());
                overlap(&range, &output.range()) || overlap(&range, &scratch)
            });
            if written {
                return Err(wrong);
            }
            start += later.len();
        }
        if !(scale.is_finite() && scale > 0.0) {
            return Err(ImageError::Header("quantisation of patches"));
        }
        Ok(Some(Self {
            height: op.output.height.into(),
            width: op.output.width.into(),
            channels: op.output.channels.into(),
            scale,
            zero_point: op.output.zero_point,
            offset: op.output.offset as usize,
        }))
    }
}
