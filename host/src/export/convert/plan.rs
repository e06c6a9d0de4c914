//! Where each tensor lies in the arena: computed once at conversion, so that the board needs no heap.

use rand::{SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;

/// What a step of the network needs, in bytes; steps and values count as in
/// [`Network`](super::network::Network).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Step {
    /// The values read.
    pub(super) inputs: Vec<usize>,
    /// Bytes of the value written.
    pub(super) output: usize,
    /// Bytes of working memory.
    pub(super) scratch: usize,
    /// Whether the output may take the place of an input that is at least as large.
    pub(super) in_place: bool,
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
/// Orders tried besides the one by size, for a few blocks; for many as many as take the same time.
const TRIES: usize = 2000;

/// A stretch of memory over a stretch of time, both ends of which are in use.
#[derive(Clone, Debug)]
struct Block {
    /// Bytes from a time on; the times grow, the bytes do not.
    sizes: Vec<(usize, usize)>,
    first: usize,
    last: usize,
}

impl Block {
    fn new(size: usize, first: usize, last: usize) -> Self {
        Self {
            sizes: vec![(first, size)],
            first,
            last,
        }
    }

    fn size(&self, time: usize) -> usize {
        let then = self.sizes.iter().rfind(|(from, _)| *from <= time);
        then.map_or(0, |(_, size)| *size)
    }

    fn meets(&self, other: &Self) -> bool {
        self.first <= other.last && other.first <= self.last
    }
}

/// Plans a picture of `input` bytes through steps of which the last gives the embedding.
///
/// No two things in use at the same time overlap, but for a step in place. The arena is the
/// smallest found over many orders of placing; where it equals the most that is in use at once, no
/// plan is smaller.
pub(super) fn plan(input: usize, steps: &[Step]) -> Plan {
    // At time 0 the picture is written, at time i + 1 step i runs.
    let mut last = vec![0; steps.len() + 1];
    for (index, step) in steps.iter().enumerate() {
        for &value in &step.inputs {
            last[value] = index + 1;
        }
    }
    last[steps.len()] = steps.len();

    let mut blocks = vec![Block::new(input, 0, last[0])];
    let mut block_of = vec![0];
    for (index, step) in steps.iter().enumerate() {
        let (time, value) = (index + 1, index + 1);
        let free = |input: usize| {
            let block: &Block = &blocks[block_of[input]];
            step.in_place && block.last == time && step.output <= block.size(time)
        };
        match step.inputs.iter().find(|&&input| free(input)) {
            Some(&input) => {
                let block = block_of[input];
                blocks[block].last = last[value];
                blocks[block].sizes.push((time + 1, step.output));
                block_of.push(block);
            }
            None => {
                block_of.push(blocks.len());
                blocks.push(Block::new(step.output, time, last[value]));
            }
        }
    }
    let first_scratch = blocks.len();
    let scratch = |(index, step): (usize, &Step)| Block::new(step.scratch, index + 1, index + 1);
    blocks.extend(steps.iter().enumerate().map(scratch));

    let in_use: Vec<usize> = (1..=steps.len())
        .map(|time| {
            let alive = blocks
                .iter()
                .filter(|block| block.first <= time && time <= block.last);
            alive
                .map(|block| block.size(time).next_multiple_of(ALIGN))
                .sum()
        })
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
        (std::cmp::Reverse(block.size(block.first)), block.first)
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

/// Puts each block, in this order, at the lowest free offset; returns the end of the highest too.
fn place(blocks: &[Block], order: &[usize]) -> (usize, Vec<usize>) {
    let mut offsets = vec![0; blocks.len()];
    let mut placed: Vec<usize> = Vec::with_capacity(blocks.len());
    let mut arena = 0;
    for &block in order {
        let new = &blocks[block];
        let size = new.size(new.first);
        if size == 0 {
            continue;
        }
        // Start and end of what is there, and the bytes that the block has at the same time.
        let taken: Vec<(usize, usize, usize)> = placed
            .iter()
            .filter(|&&other| blocks[other].meets(new))
            .map(|&other| {
                let time = new.first.max(blocks[other].first);
                let start = offsets[other];
                (start, start + blocks[other].size(time), new.size(time))
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
    fn what_a_smaller_output_in_place_leaves_is_free() {
        let steps = [
            step(&[0], 400, 80, true),
            step(&[1], 480, 0, false),
            step(&[2], 8, 0, false),
        ];
        let plan = plan(800, &steps);
        assert_eq!(plan.values[..2], [0, 0]);
        assert_eq!(plan.in_use, [880, 880, 488]);
        assert_eq!(plan.arena, 880);
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
