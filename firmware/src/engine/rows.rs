//! Operations that follow one another, computed by rows in turns.
//!
//! Between two of them stands a window of the rows that the second reads for a few rows of its
//! output. The last operation that has the rows which it reads computes its next few; before an
//! operation computes, the rows that the next one still reads move to the start of its window.
//! Nothing is computed twice. In a turn an operation runs as it would over a picture that consists
//! of the rows that it reads. The output of the last may follow the input of the first in the same
//! memory.

use super::elementwise;
use super::step::step;
use crate::image::{MAX_CHAIN, Model, OpRecord, Tensor};

/// How far an operation is.
#[derive(Clone, Copy, Default)]
struct Progress {
    /// Rows of its output that were computed, or passed over because nobody reads them.
    done: usize,
    /// The row that lies first in its window.
    first: usize,
}

/// Calls `turn` with the number in the chain of the operation that just had its turn. `None` if a
/// record points outside the memory.
pub(crate) fn run(
    model: &Model<'_>,
    chain: &[OpRecord],
    arena: &mut [i8],
    mut turn: impl FnMut(usize),
) -> Option<()> {
    let mut progress = [Progress::default(); MAX_CHAIN];
    let progress = progress.get_mut(..chain.len())?;
    let height = usize::from(chain.last()?.output.height);
    while progress.last()?.done < height {
        let (index, end) = next(chain, progress, arena)?;
        step(model, &part(chain, progress, index, end)?, arena)?;
        progress.get_mut(index)?.done = end;
        turn(index);
    }
    Some(())
}

/// Which operation computes next, and up to which row of its output.
fn next(chain: &[OpRecord], progress: &mut [Progress], arena: &mut [i8]) -> Option<(usize, usize)> {
    let mut index = chain.len().checked_sub(1)?;
    let mut end = usize::from(chain.last()?.output.height);
    while let Some(before) = index.checked_sub(1) {
        let (op, asked) = (chain.get(index)?, chain.get(before)?);
        let done = progress.get(index)?.done;
        end = end.min(done + usize::from(asked.by_rows));
        let (from, until) = (op.rows_from(done), op.rows_until(end.saturating_sub(1)));
        let there = progress.get_mut(before)?;
        if there.done >= until {
            break;
        }
        let kept = there.done.saturating_sub(from);
        move_up(
            &asked.window(op),
            from.saturating_sub(there.first),
            kept,
            arena,
        )?;
        there.first = from;
        there.done = there.done.max(from);
        (index, end) = (before, until);
    }
    Some((index, end))
}

/// An operation as it computes the rows of its output up to `end`.
fn part(chain: &[OpRecord], progress: &[Progress], index: usize, end: usize) -> Option<OpRecord> {
    let op = chain.get(index)?;
    let Progress { done, first } = *progress.get(index)?;
    let input_first = match index.checked_sub(1) {
        Some(before) => progress.get(before)?.first,
        None => 0,
    };
    let (from, until) = (op.rows_from(done), op.rows_until(end.checked_sub(1)?));
    let above = (done * op.step_down()).min(op.pads[0].into());
    let mut part = *op;
    part.pads[0] = op.pads[0].checked_sub(above as u8)?;
    part.input = rows(
        &op.input,
        from.checked_sub(input_first)?,
        until.checked_sub(from)?,
    );
    part.output = rows(&op.output, done.checked_sub(first)?, end.checked_sub(done)?);
    Some(part)
}

/// `count` rows of a tensor from row `first` on.
fn rows(tensor: &Tensor, first: usize, count: usize) -> Tensor {
    Tensor {
        offset: tensor.offset.wrapping_add((first * pitch(tensor)) as u32),
        height: count as u16,
        ..*tensor
    }
}

fn pitch(tensor: &Tensor) -> usize {
    usize::from(tensor.width) * usize::from(tensor.channels)
}

/// Moves `count` rows of a window up by `by` rows, to its start.
fn move_up(window: &Tensor, by: usize, count: usize, arena: &mut [i8]) -> Option<()> {
    let pitch = pitch(window);
    if by == 0 || count == 0 {
        return Some(());
    }
    let rows = arena.get_mut(window.range())?;
    for row in 0..count {
        let (to, from) = rows.split_at_mut_checked((row + by) * pitch)?;
        elementwise::copy(
            to.get_mut(row * pitch..)?.get_mut(..pitch)?,
            from.get(..pitch)?,
        );
    }
    Some(())
}
