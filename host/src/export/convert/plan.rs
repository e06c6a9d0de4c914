//! Where each tensor lies in the arena: computed once at conversion, so that the board needs no heap.

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// What a step of the network needs, in bytes; steps and values count as in
/// [`Network`](super::network::Network).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Step {
    /// The values read.
    pub(super) inputs: Vec<usize>,
    /// Bytes of the value written.
    pub(super) output: usize,
    /// Bytes of working memory.
    pub(super) scratch: usize,
    /// Whether the output may take the place of an input of its size.
    pub(super) in_place: bool,
    /// Where the output may lie over the only input because that is read bit by bit: by how many
    /// bytes the output then must start before it, at least.
    pub(super) offset: Option<usize>,
    /// Whether the output is needed when all is done.
    pub(super) kept: bool,
}

/// Offsets in the arena.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Plan {
    /// Of each value, the picture first.
    pub(super) values: Vec<usize>,
    /// Of each step's working memory.
    pub(super) scratch: Vec<usize>,
    /// Bytes in all, a multiple of [`ALIGN`].
    pub(super) arena: usize,
    /// Bytes that are in use while each step runs.
    pub(super) in_use: Vec<usize>,
}

/// Everything starts at a multiple of this.
const ALIGN: usize = 8;
/// Orders tried in addition to the one by size, for a few blocks; for many as many as take the same time.
const TRIES: usize = 2000;

/// A stretch of memory over a stretch of time, both ends of which are in use.
#[derive(Clone, Debug)]
struct Block {
    size: usize,
    first: usize,
    last: usize,
    /// The block that this one may lie over if it starts n bytes before it.
    over: Option<(usize, usize)>,
}

impl Block {
    fn new(size: usize, first: usize, last: usize) -> Self {
        Self {
            size,
            first,
            last,
            over: None,
        }
    }

    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }

    /// Bytes of this block that no byte of another may take, which starts behind its start.
    fn taken(&self, other: usize) -> usize {
        match self.over {
            Some((over, offset)) if over == other => offset,
            _ => self.size,
        }
    }
}

/// Bytes that at least are in use while each step runs.
pub(super) fn in_use(input: usize, steps: &[Step]) -> Vec<usize> {
    let (blocks, _) = blocks(input, steps);
    (1..=steps.len())
        .map(|time| in_use_at(&blocks, time))
        .collect()
}

/// Plans a picture of `input` bytes through steps of which the last gives the embedding.
///
/// No two things in use at the same time overlap, but for a step in place. The arena is the
/// smallest found over many orders of placing; where it equals the most that is in use at once, no
/// plan is smaller.
pub(super) fn plan(input: usize, steps: &[Step]) -> Plan {
    let (blocks, block_of) = blocks(input, steps);
    let first_scratch = blocks.len() - steps.len();
    let in_use: Vec<usize> = (1..=steps.len())
        .map(|time| in_use_at(&blocks, time))
        .collect();
    let most = in_use
        .iter()
        .copied()
        .max()
        .unwrap_or(input)
        .max(input.next_multiple_of(ALIGN));

    let mut order: Vec<usize> = (0..blocks.len()).collect();
    order.sort_by_key(|&block| {
        let block = &blocks[block];
        (std::cmp::Reverse(block.size), block.first)
    });
    let (mut arena, mut offsets) = place(&blocks, &order);
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let tries = TRIES.min(4_000_000 / (blocks.len() * blocks.len()));
    for _ in 0..tries {
        if arena == most {
            break;
        }
        order.shuffle(&mut rng);
        let (other, other_offsets) = place(&blocks, &order);
        if other < arena {
            (arena, offsets) = (other, other_offsets);
        }
    }
    Plan {
        values: block_of.iter().map(|&block| offsets[block]).collect(),
        scratch: offsets[first_scratch..].to_vec(),
        arena,
        in_use,
    }
}

/// The blocks of all values and behind them those of each step's working memory, and which block
/// each value has.
fn blocks(input: usize, steps: &[Step]) -> (Vec<Block>, Vec<usize>) {
    // At time 0 the picture is written, at time i + 1 step i runs.
    let mut last = vec![0; steps.len() + 1];
    for (index, step) in steps.iter().enumerate() {
        for &value in &step.inputs {
            last[value] = index + 1;
        }
    }
    last[steps.len()] = steps.len();
    for (index, _) in steps.iter().enumerate().filter(|(_, step)| step.kept) {
        last[index + 1] = steps.len() + 1;
    }

    let mut blocks = vec![Block::new(input, 0, last[0])];
    let mut block_of = vec![0];
    for (index, step) in steps.iter().enumerate() {
        let (time, value) = (index + 1, index + 1);
        let free = |input: usize| {
            let block: &Block = &blocks[block_of[input]];
            step.in_place && block.last == time && step.output == block.size
        };
        match step.inputs.iter().find(|&&input| free(input)) {
            Some(&input) => {
                let block = block_of[input];
                blocks[block].last = last[value];
                block_of.push(block);
            }
            None => {
                let mut block = Block::new(step.output, time, last[value]);
                if let (Some(offset), &[input]) = (step.offset, &step.inputs[..]) {
                    let over = block_of[input];
                    let free = blocks[over].last == time;
                    block.over = free.then_some((over, offset.next_multiple_of(ALIGN)));
                }
                block_of.push(blocks.len());
                blocks.push(block);
            }
        }
    }
    let scratch = |(index, step): (usize, &Step)| Block::new(step.scratch, index + 1, index + 1);
    blocks.extend(steps.iter().enumerate().map(scratch));
    (blocks, block_of)
}

/// Bytes that at least are in use at a time.
fn in_use_at(blocks: &[Block], time: usize) -> usize {
    let bytes = |block: &Block| block.size.next_multiple_of(ALIGN);
    let alive = blocks
        .iter()
        .filter(|block| block.first <= time && time <= block.last);
    alive
        .map(|block| match block.over {
            // What it needs in addition to the block that it lies over.
            Some((over, offset)) if block.first == time => {
                let below = bytes(&blocks[over]);
                (offset + below).max(bytes(block)) - below
            }
            _ => bytes(block),
        })
        .sum()
}

/// Puts each block, in this order, at the lowest free offset; returns the end of the highest too.
fn place(blocks: &[Block], order: &[usize]) -> (usize, Vec<usize>) {
    let mut offsets = vec![0; blocks.len()];
    let mut placed: Vec<usize> = Vec::with_capacity(blocks.len());
    let mut arena = 0;
    for &block in order {
        let new = &blocks[block];
        let size = new.size;
        if size == 0 {
            continue;
        }
        // Start and end of what is there, and the bytes of the block that must not lie over it.
        let taken: Vec<(usize, usize, usize)> = placed
            .iter()
            .filter(|&&other| blocks[other].meets(new))
            .map(|&other| {
                let start = offsets[other];
                let end = start + blocks[other].taken(block);
                (start, end, new.taken(other))
            })
            .collect();
        let mut offset: usize = 0;
        let clash = |offset: usize| {
            let mut taken = taken.iter();
            taken.find(|(start, end, size)| offset < *end && *start < offset + size)
        };
        while let Some((_, end, _)) = clash(offset) {
            offset = end.next_multiple_of(ALIGN);
        }
        offsets[block] = offset;
        arena = arena.max((offset + size).next_multiple_of(ALIGN));
        placed.push(block);
    }
    (arena, offsets)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn step(inputs: &[usize], output: usize, scratch: usize, in_place: bool) -> Step {
        Step {
            inputs: inputs.to_vec(),
            output,
            scratch,
            in_place,
            offset: None,
            kept: false,
        }
    }

    #[test]
    fn a_chain_needs_its_largest_neighbours() {
        let steps = [
            step(&[0], 400, 16, false),
            step(&[1], 80, 0, false),
            step(&[2], 8, 0, false),
        ];
        let plan = plan(104, &steps);
        assert_eq!(plan.in_use, [520, 480, 88]);
        assert_eq!(plan.arena, 520);
    }

    #[test]
    fn a_step_in_place_needs_no_second_tensor() {
        let steps = [
            step(&[0], 800, 0, true),
            step(&[1], 800, 40, true),
            step(&[2], 8, 0, false),
        ];
        let plan = plan(800, &steps);
        assert_eq!(plan.values[..3], [0, 0, 0]);
        assert_eq!(plan.arena, 840);
    }

    #[test]
    fn an_output_with_a_lead_lies_over_its_input() {
        let over = |output, offset| Step {
            offset: Some(offset),
            ..step(&[0], output, 80, false)
        };
        let last = step(&[1], 8, 0, false);
        // Smaller than the input and from its start; larger, and the input at its end; and with
        // so great an offset that they hardly share anything.
        for (output, offset, most) in [(400, 0, 880), (1000, 200, 1080), (1000, 801, 1688)] {
            let plan = plan(800, &[over(output, offset), last.clone()]);
            assert_eq!(plan.in_use[0], most);
            assert_eq!(plan.arena, most);
            assert!(plan.values[0] >= plan.values[1] + offset);
        }
        // Not where the input is read again.
        let again = [over(400, 0), step(&[0, 1], 8, 0, false)];
        assert_eq!(plan(800, &again).in_use, [1280, 1208]);
    }

    #[test]
    fn a_residual_keeps_what_is_read_again() {
        // The sum may lie over the second value but not over the first, which step 2 still reads.
        let steps = [
            step(&[0], 64, 0, true),
            step(&[1], 64, 0, true),
            step(&[1, 2], 64, 0, true),
        ];
        let plan = plan(64, &steps);
        assert_ne!(plan.values[1], plan.values[2]);
        assert!(plan.values[3] == plan.values[1] || plan.values[3] == plan.values[2]);
        assert_eq!(plan.arena, 128);
    }

    #[test]
    fn what_is_in_use_together_never_overlaps() {
        use rand::RngExt;
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        for _ in 0..200 {
            let count = rng.random_range(1..12);
            let steps: Vec<Step> = (0..count)
                .map(|index| {
                    let inputs = vec![rng.random_range(0..=index), index];
                    step(
                        &inputs,
                        rng.random_range(1..300),
                        rng.random_range(0..50),
                        false,
                    )
                })
                .collect();
            let input = rng.random_range(1..300);
            let plan = plan(input, &steps);
            let size = |value: usize| {
                if value == 0 {
                    input
                } else {
                    steps[value - 1].output
                }
            };
            for (index, step) in steps.iter().enumerate() {
                // What is alive: values written before that this or a later step reads.
                let later = |value: &usize| {
                    steps[index..]
                        .iter()
                        .any(|step| step.inputs.contains(value))
                };
                let mut spans: Vec<(usize, usize)> = (0..=index)
                    .filter(later)
                    .chain([index + 1])
                    .map(|value| (plan.values[value], size(value)))
                    .chain([(plan.scratch[index], step.scratch)])
                    .filter(|span| span.1 > 0)
                    .collect();
                spans.sort_unstable();
                for pair in spans.windows(2) {
                    assert!(
                        pair[0].0 + pair[0].1 <= pair[1].0,
                        "step {index}: {spans:?}"
                    );
                }
                assert!(
                    spans
                        .iter()
                        .all(|span| span.0 % ALIGN == 0 && span.0 + span.1 <= plan.arena)
                );
            }
        }
    }
}
