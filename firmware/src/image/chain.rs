//! Operations that are computed by rows together: which rows they read of each other, and where in
//! the arena their tensors may lie.

use core::ops::Range;

use super::check::{OpFault, overlap};
use super::layout::{Kind, OpRecord, Tensor};

/// Most operations that are computed by rows together.
pub const MAX_CHAIN: usize = 8;

/// The operations from `start` on that run together: one, or as many as are computed by rows and
/// the one behind them. `None` at the end.
pub(super) fn starting_at(ops: &[OpRecord], start: usize) -> Option<&[OpRecord]> {
    let rest = ops.get(start..).filter(|rest| !rest.is_empty())?;
    let by_rows = rest.iter().take_while(|op| op.by_rows != 0).count();
    rest.get(..=by_rows).or(Some(rest))
}

impl OpRecord {
    /// Whether it can be one of a chain: each row of its output comes from a few of its input.
    #[must_use]
    pub const fn has_rows(&self) -> bool {
        matches!(
            self.kind(),
            Some(Kind::Conv2d | Kind::Depthwise | Kind::MaxPool | Kind::AveragePool)
        )
    }

    /// What exists at a time of the output of an operation that `next` asks for rows.
    #[must_use]
    pub fn window(&self, next: &Self) -> Tensor {
        let rows = next.span(self.by_rows.max(1).into());
        let height = rows.min(self.output.height.into()) as u16;
        Tensor {
            height,
            ..self.output
        }
    }

    /// Rows of the input, padding counted in, from one row of the output to the next.
    pub(crate) fn step_down(&self) -> usize {
        usize::from(self.stride[0]) * usize::from(self.pool.max(1))
    }

    /// Rows of the input, padding counted in, that n neighbouring rows of the output read.
    fn span(&self, rows: usize) -> usize {
        let windows = rows * usize::from(self.pool.max(1));
        windows.saturating_sub(1) * usize::from(self.stride[0]) + usize::from(self.kernel[0])
    }

    /// The first row of the input that row `y` of the output and those behind it read.
    pub(crate) fn rows_from(&self, y: usize) -> usize {
        (y * self.step_down()).saturating_sub(self.pads[0].into())
    }

    /// The row of the input behind all that row `y` of the output and those before it read.
    pub(crate) fn rows_until(&self, y: usize) -> usize {
        (y * self.step_down() + self.span(1))
            .saturating_sub(self.pads[0].into())
            .min(self.input.height.into())
    }
}

/// The offset that the output of a chain needs over the input where both lie over each other: how many
/// bytes the input must start behind the output at least, for no row of the output to reach into
/// rows that are still to be read.
#[must_use]
pub fn overlap_offset(chain: &[OpRecord]) -> usize {
    let (Some(first), Some(last)) = (chain.first(), chain.last()) else {
        return 0;
    };
    let row = |tensor: &Tensor| usize::from(tensor.width) * usize::from(tensor.channels);
    let (read, written) = (row(&first.input), row(&last.output));
    let needed = |y: usize| {
        // Rows of each operation's output that exist by then, from the last to the first.
        let later = chain.iter().skip(1).rev();
        let rows = later.fold(y + 1, |rows, op| op.rows_until(rows.saturating_sub(1)));
        let free = match rows < first.output.height.into() {
            true => first.rows_from(rows),
            false => first.input.height.into(),
        };
        ((y + 1) * written).saturating_sub(free * read)
    };
    // Nothing is read any more when the last row is written.
    let rows = usize::from(last.output.height).saturating_sub(1);
    (0..rows).map(needed).max().unwrap_or(0)
}

/// Checks a chain but for the content of the image behind its records; the number of the record
/// that is at fault, counted in the chain.
pub(super) fn check(chain: &[OpRecord], arena: usize) -> Result<(), (usize, OpFault)> {
    let before_last = chain.len().saturating_sub(1);
    let before = |index: usize| chain.get(index.wrapping_sub(1));
    // The input, what exists between the operations, the output.
    let tensor = |index: usize| match (before(index), chain.get(index)) {
        (Some(op), Some(next)) => op.window(next),
        (None, Some(first)) => first.input,
        (op, None) => op.map_or(Tensor::default(), |last| last.output),
    };
    for (index, op) in chain.iter().enumerate() {
        check_one(op, before(index), index == before_last).map_err(|fault| (index, fault))?;
        let fault = |fault| (index, fault);
        tensor(index).check(arena).map_err(fault)?;
        tensor(index + 1).check(arena).map_err(fault)?;
        let scratch = op.check_scratch(arena).map_err(fault)?;
        if (0..=chain.len()).any(|other| overlap(&tensor(other).range(), &scratch)) {
            return Err((index, OpFault::Overlap));
        }
    }
    let apart = |(a, b): (usize, usize)| {
        let (first, second) = (tensor(a).range(), tensor(b).range());
        !overlap(&first, &second) || (a == 0 && b == chain.len() && behind(chain, first, second))
    };
    let mut pairs = (0..=chain.len()).flat_map(|b| (0..b).map(move |a| (a, b)));
    match pairs.find(|&pair| !apart(pair)) {
        None => Ok(()),
        Some((_, second)) => Err((second.saturating_sub(1), OpFault::Overlap)),
    }
}

/// Whether the input starts far enough behind the output that lies over it.
fn behind(chain: &[OpRecord], input: Range<usize>, output: Range<usize>) -> bool {
    let ahead = input.start.checked_sub(output.start);
    ahead.is_some_and(|ahead| ahead >= overlap_offset(chain))
}

fn check_one(op: &OpRecord, before: Option<&OpRecord>, last: bool) -> Result<(), OpFault> {
    let kind = op.kind().ok_or(OpFault::Kind)?;
    let follows = before.is_none_or(|before| before.output == op.input);
    if !op.has_rows() || (op.by_rows == 0) != last || !follows {
        return Err(OpFault::Rows);
    }
    if op.input.is_empty() || op.output.is_empty() {
        return Err(OpFault::Empty);
    }
    op.check_shape(kind)?;
    op.check_numbers(kind)
}
