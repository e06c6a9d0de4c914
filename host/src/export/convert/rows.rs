//! Which operations are computed by rows, as the ones behind them ask, and where everything lies.
//!
//! What stands between two operations of such a chain needs a few rows of memory instead of a whole
//! tensor, and the output of the last may follow the input of the first in its place. That is what
//! the patches of MCUNetV2 (Lin et al. 2021) do for the first layers of a network, where tensors are
//! largest, but with rows kept instead of computed twice. Every turn costs a little time, so the
//! network is cut into the fewest chains with which it needs about the least memory, and they
//! compute as many rows a turn as that leaves room for.

use std::ops::Range;

use sudal_firmware::image::{Kind, MAX_CHAIN, OpRecord, SCRATCH_ALIGN, overlap_offset};

use super::{
    network::Network,
    plan::{self, Plan, Step},
    records::records,
};

/// Most rows that an operation computes at a time; more save next to nothing.
const ROWS: u8 = 6;
/// The part of the least arena that saving time may add to it.
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

/// Lays a network out in about the least memory that is found.
pub(super) fn layout(network: &Network) -> Layout {
    let whole = records(network);
    let costs = Costs::of(network, &whole);
    let most = costs.least() + costs.least() / SLACK;
    let mut records = whole.clone();
    for chain in costs.fewest_chained(most) {
        chained(&mut records, &chain);
    }
    let whole_plan = plan::plan(network.input.len(), &steps(network, &whole));
    let mut best = plan::plan(network.input.len(), &steps(network, &records));
    if best.arena >= whole_plan.arena {
        return place(whole_plan, whole);
    }
    let most = most.max(best.arena);
    for rows in 2..=ROWS {
        for index in 0..records.len() {
            if records[index].by_rows != rows - 1 {
                continue;
            }
            records[index].by_rows = rows;
            let steps = steps(network, &records);
            let more = plan::plan(network.input.len(), &steps);
            if more.arena > most {
                records[index].by_rows = rows - 1;
            } else {
                best = more;
            }
        }
    }
    place(best, records)
}

/// Has operations computed by rows, one at a time.
fn chained(records: &mut [OpRecord], chain: &Range<usize>) {
    for record in &mut records[chain.start..chain.end - 1] {
        record.by_rows = 1;
    }
}

/// What each operation and each possible chain needs while it runs.
struct Costs {
    /// For each operation the chains that end behind it: their start and bytes. The one of a single
    /// operation is among them.
    chains: Vec<Vec<(usize, usize)>>,
}

impl Costs {
    fn of(network: &Network, whole: &[OpRecord]) -> Self {
        let in_use = |records: &[OpRecord], index: usize| {
            plan::in_use(network.input.len(), &steps(network, records))[index]
        };
        let chains = (0..whole.len()).map(|last| {
            let mut chains = vec![(last, in_use(whole, last))];
            let starts = (0..last).rev().take(MAX_CHAIN - 1);
            for start in starts.take_while(|&index| is_linked(network, whole, index)) {
                let mut records = whole.to_vec();
                chained(&mut records, &(start..last + 1));
                chains.push((start, in_use(&records, last)));
            }
            chains
        });
        Self {
            chains: chains.collect(),
        }
    }

    /// The least memory that a cut into chains needs.
    fn least(&self) -> usize {
        let mut least = vec![0];
        for chains in &self.chains {
            let most = chains.iter().map(|&(start, bytes)| bytes.max(least[start]));
            least.push(most.min().unwrap_or(usize::MAX));
        }
        least[self.chains.len()]
    }

    /// The cut with the fewest operations computed by rows that needs at most `most` bytes, and of
    /// those the one that needs least.
    fn fewest_chained(&self, most: usize) -> Vec<Range<usize>> {
        // Up to each operation: operations by rows, bytes, start of the last chain.
        let mut best = vec![Some((0, 0, 0))];
        for (last, chains) in self.chains.iter().enumerate() {
            let fitting = chains.iter().filter(|&&(_, bytes)| bytes <= most);
            let cuts = fitting.filter_map(|&(start, bytes)| {
                let (by_rows, before, _) = best[start]?;
                Some((by_rows + last - start, bytes.max(before), start))
            });
            best.push(cuts.min());
        }
        let mut chains = Vec::new();
        let mut end = self.chains.len();
        while let Some((_, _, start)) = best[end].filter(|_| end > 0) {
            chains.push(start..end);
            end = start;
        }
        chains
    }
}

/// Whether only the next operation reads what an operation writes, and both can be in one chain.
fn is_linked(network: &Network, records: &[OpRecord], index: usize) -> bool {
    let value = index + 1;
    let readers = network.layers.iter().enumerate();
    let mut readers = readers.filter(|(_, layer)| layer.inputs.contains(&value));
    records[index].has_rows()
        && !network.is_output(value)
        && records.get(value).is_some_and(OpRecord::has_rows)
        && readers.next().is_some_and(|(reader, _)| reader == value)
        && readers.next().is_none()
}

/// What the operations need. A chain is one step, whose working memory holds the windows too; the
/// steps of its operations but the last are empty.
fn steps(network: &Network, records: &[OpRecord]) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::with_capacity(records.len());
    let mut first = None;
    for (index, (record, layer)) in records.iter().zip(&network.layers).enumerate() {
        if record.by_rows != 0 {
            first.get_or_insert(index);
            steps.push(Step::default());
            continue;
        }
        let start = first.take().unwrap_or(index);
        let chain = &records[start..=index];
        let (windows, scratch) = working_memory(chain);
        let alone = chain.len() == 1;
        steps.push(Step {
            inputs: network.layers[start].inputs.clone(),
            output: layer.shape.len(),
            scratch: windows + scratch,
            in_place: alone
                && record.kind().is_some_and(Kind::in_place)
                && record.input.same_shape(&record.output),
            offset: (!alone).then(|| overlap_offset(chain)),
            kept: network.patches == Some(index + 1),
        });
    }
    steps
}

/// Bytes of the windows between the operations of a chain, such that scratch may follow, and of the
/// scratch that they share.
fn working_memory(chain: &[OpRecord]) -> (usize, usize) {
    let windows = chain.windows(2).map(|pair| window_len(&pair[0], &pair[1]));
    let scratch = chain.iter().map(OpRecord::scratch_needed).max();
    (windows.sum(), scratch.unwrap_or(0))
}

fn window_len(op: &OpRecord, next: &OpRecord) -> usize {
    op.window(next).len().next_multiple_of(SCRATCH_ALIGN)
}

/// Puts the windows and the working memory of each chain where the plan has its step's.
fn place(plan: Plan, records: Vec<OpRecord>) -> Layout {
    let Plan {
        mut values,
        mut scratch,
        arena,
        mut in_use,
    } = plan;
    let mut start = 0;
    while start < records.len() {
        let by_rows = records[start..].iter().take_while(|op| op.by_rows != 0);
        let last = start + by_rows.count();
        let mut offset = scratch[last];
        for index in start..last {
            values[index + 1] = offset;
            offset += window_len(&records[index], &records[index + 1]);
            in_use[index] = in_use[last];
        }
        scratch[start..=last].fill(offset);
        start = last + 1;
    }
    Layout {
        records,
        values,
        scratch,
        arena,
        in_use,
    }
}
