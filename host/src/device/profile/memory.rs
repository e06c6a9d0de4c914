//! How much of the arena each operation uses.

use std::ops::Range;

use sudal_firmware::image::{Model, OpRecord, Tensor};

/// Bytes of the arena that hold something while each operation runs: what it reads and writes, its
/// scratch, and what a later operation reads; patches stay to the end. Operations that are computed by rows run at one time.
pub(super) fn in_use(model: &Model<'_>) -> Vec<usize> {
    // What is written, and the first and the last chain in whose time it is there.
    let start = model.header().input_offset as usize;
    let mut values: Vec<(Range<usize>, usize, usize)> = Vec::new();
    values.push((start..start + model.input_len(), 0, 0));
    let mut chains: Vec<&[OpRecord]> = Vec::new();
    let mut done = 0;
    while let Some(chain) = model.chain(done) {
        let time = chains.len();
        let first = chain.first();
        let second = first.filter(|op| !op.second.is_empty());
        let read = [first.map(|op| op.input), second.map(|op| op.second)];
        for range in read.iter().flatten().map(Tensor::range) {
            if let Some(value) = values.iter_mut().rev().find(|value| value.0 == range) {
                value.2 = value.2.max(time);
            }
        }
        for op in chain {
            let scratch = op.scratch as usize..op.scratch as usize + op.scratch_needed();
            values.push((scratch, time, time));
        }
        for pair in chain.windows(2) {
            values.push((pair[0].window(&pair[1]).range(), time, time));
        }
        if let Some(last) = chain.last() {
            values.push((last.output.range(), time, time));
        }
        done += chain.len();
        if model.header().patches_op as usize == done
            && let Some(value) = values.last_mut()
        {
            value.2 = usize::MAX;
        }
        chains.push(chain);
    }
    let bytes = |time: usize| {
        let mut ranges: Vec<&Range<usize>> = values
            .iter()
            .filter(|(_, first, last)| (*first..=*last).contains(&time))
            .map(|(range, ..)| range)
            .collect();
        ranges.sort_by_key(|range| range.start);
        let mut end = 0;
        ranges.iter().fold(0, |sum, range| {
            let from = range.start.max(end);
            end = end.max(range.end);
            sum + range.end.saturating_sub(from)
        })
    };
    let each = chains.iter().enumerate();
    each.flat_map(|(time, chain)| vec![bytes(time); chain.len()])
        .collect()
}
