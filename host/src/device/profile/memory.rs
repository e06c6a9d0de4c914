use std::ops::Range;

use sudal_firmware::image::{Model, OpRecord};

/// Bytes of the arena that hold something while each operation runs: what it reads and writes, its
/// scratch, and what a later operation reads.
pub(super) fn in_use(model: &Model<'_>) -> Vec<usize> {
    let ops = model.ops();
    let second = |op: &OpRecord| (!op.second.is_empty()).then(|| op.second.range());
    // What each operation leaves behind, and the last operation that reads it.
    let mut values: Vec<(usize, Range<usize>, usize)> = Vec::new();
    let start = model.header().input_offset as usize;
    values.push((0, start..start + model.input_len(), 0));
    for (index, op) in ops.iter().enumerate() {
        // Computed by rows, an operation reads, and its window stands, while the next one runs.
        let next = ops.get(index + 1).filter(|_| op.by_rows != 0);
        let last = index + usize::from(next.is_some());
        for read in [Some(op.input.range()), second(op)].into_iter().flatten() {
            if let Some(value) = values.iter_mut().rev().find(|value| value.1 == read) {
                value.2 = last;
            }
        }
        let output = next.map_or(op.output, |next| op.window(next));
        values.push((index, output.range(), last));
    }
    let bytes = |(index, op): (usize, &OpRecord)| {
        let own = scratch(op);
        let before = index.checked_sub(1).map(|before| &ops[before]);
        let before = before.filter(|before| before.by_rows != 0).map(scratch);
        let mut ranges: Vec<Range<usize>> = values
            .iter()
            .filter(|(first, _, last)| (*first..=*last).contains(&index))
            .map(|(_, range, _)| range.clone())
            .chain([own])
            .chain(before)
            .collect();
        ranges.sort_by_key(|range| range.start);
        let mut end = 0;
        ranges.iter().fold(0, |sum, range| {
            let from = range.start.max(end);
            end = end.max(range.end);
            sum + range.end.saturating_sub(from)
        })
    };
    ops.iter().enumerate().map(bytes).collect()
}

fn scratch(op: &OpRecord) -> Range<usize> {
    op.scratch as usize..op.scratch as usize + op.scratch_needed()
}
