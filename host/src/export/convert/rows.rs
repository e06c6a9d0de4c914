//! Which pointwise convolutions are computed by rows, as the depthwise ones behind them ask.
//!
//! What stands between the two then needs a few rows of memory instead of a whole tensor (as in
//! the patches of MCUNetV2, Lin et al. 2021, but with nothing computed twice), and the output may
//! follow the input in its place. Every turn costs a little time, so it is done only where the arena
//! gets smaller by it, and with as many rows of output a turn as add little to the least arena.

use sudal_firmware::image::{Kind, OpRecord, SCRATCH_ALIGN};

use super::{
    image,
    network::Network,
    plan::{self, Plan, Step},
};

/// Most rows that a depthwise convolution computes at a time; more save next to nothing.
const ROWS: u8 = 6;
/// The part of the least arena that more than one row at a time may add to it.
const SLACK: usize = 10;

/// The operations of a network and where everything lies.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Layout {
    /// The records as far as the shapes say, with [`OpRecord::by_rows`].
    pub(super) records: Vec<OpRecord>,
    /// Offset in the arena of each value, the picture first.
    pub(super) values: Vec<usize>,
    /// Offset in the arena of each operation's working memory.
    pub(super) scratch: Vec<usize>,
    /// Bytes in all.
    pub(super) arena: usize,
    /// Bytes in use while each operation runs.
    pub(super) in_use: Vec<usize>,
}

/// Lays a network out in the least memory that is found.
pub(super) fn layout(network: &Network) -> Layout {
    let mut records = image::records(network);
    let whole = run(network, &records);
    let pairs: Vec<usize> = (0..records.len())
        .filter(|&index| is_pair(network, &records, index))
        .collect();
    for &index in &pairs {
        records[index].by_rows = 1;
    }
    // Those that need less memory themselves, then only those without which the arena would grow.
    let mut best = run(network, &records);
    for &index in &pairs {
        if best.in_use[index + 1] >= whole.in_use[index].max(whole.in_use[index + 1]) {
            records[index].by_rows = 0;
        }
    }
    best = run(network, &records);
    for &index in pairs.iter().rev() {
        if records[index].by_rows == 0 {
            continue;
        }
        records[index].by_rows = 0;
        let without = run(network, &records);
        if without.arena > best.arena {
            records[index].by_rows = 1;
        } else {
            best = without;
        }
    }
    if best.arena >= whole.arena {
        return place(whole, image::records(network));
    }
    let most = (best.arena + best.arena / SLACK).min(whole.arena);
    for &index in &pairs {
        for rows in 2..=ROWS {
            if records[index].by_rows + 1 == rows {
                records[index].by_rows = rows;
                let more = run(network, &records);
                if more.arena > most {
                    records[index].by_rows = rows - 1;
                } else {
                    best = more;
                }
            }
        }
    }
    place(best, records)
}

/// Whether an operation is a pointwise convolution that only the next one reads, a depthwise one.
fn is_pair(network: &Network, records: &[OpRecord], index: usize) -> bool {
    let (record, value) = (&records[index], index + 1);
    let mut readers = network
        .layers
        .iter()
        .enumerate()
        .filter(|(_, layer)| layer.inputs.contains(&value));
    record.kind() == Some(Kind::Conv2d)
        && (record.kernel, record.stride, record.pads, record.pool) == ([1; 2], [1; 2], [0; 4], 0)
        && readers.next().is_some_and(|(reader, _)| reader == value)
        && readers.next().is_none()
        && records[value].kind() == Some(Kind::Depthwise)
}

/// Plans the memory; a pair is one step, whose working memory holds the window too.
fn run(network: &Network, records: &[OpRecord]) -> Plan {
    let mut steps: Vec<Step> = Vec::with_capacity(records.len());
    let mut before: Option<usize> = None;
    for (index, (record, layer)) in records.iter().zip(&network.layers).enumerate() {
        let mut step = Step {
            inputs: layer.inputs.clone(),
            output: layer.shape.len(),
            scratch: record.scratch_needed(),
            in_place: match record.kind() {
                Some(Kind::Add | Kind::Clamp) => true,
                Some(Kind::Depthwise) => record.input.same_shape(&record.output),
                _ => false,
            },
        };
        if record.by_rows != 0 {
            before = Some(index);
            step = Step {
                inputs: Vec::new(),
                output: 0,
                scratch: 0,
                in_place: false,
            };
        } else if let Some(first) = before.take() {
            let pointwise = &records[first];
            step.inputs.clone_from(&network.layers[first].inputs);
            step.scratch = window_len(pointwise, record)
                + pointwise.scratch_needed().max(record.scratch_needed());
            step.in_place = pointwise.rows_in_place(record);
        }
        steps.push(step);
    }
    plan::plan(network.input.len(), &steps)
}

/// Bytes of the window between two operations, such that working memory may follow.
fn window_len(pointwise: &OpRecord, depthwise: &OpRecord) -> usize {
    let window = pointwise.window(depthwise);
    window.len().next_multiple_of(SCRATCH_ALIGN)
}

/// Puts the window and the working memory of each pair where the plan has its step's.
fn place(plan: Plan, records: Vec<OpRecord>) -> Layout {
    let Plan {
        mut values,
        mut scratch,
        arena,
        mut in_use,
    } = plan;
    for (index, pair) in records.windows(2).enumerate() {
        if pair[0].by_rows != 0 {
            values[index + 1] = scratch[index + 1];
            scratch[index + 1] += window_len(&pair[0], &pair[1]);
            scratch[index] = scratch[index + 1];
            in_use[index] = in_use[index + 1];
        }
    }
    Layout {
        records,
        values,
        scratch,
        arena,
        in_use,
    }
}
