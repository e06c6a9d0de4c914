//! The external memory: content-addressed reads, least-recently-used writes.

use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor, TensorData};

/// Added to squared lengths, so that an empty slot has a direction and a finite gradient.
const EPSILON: f32 = 1e-6;

/// The memories of several sequences, each `slots` rows of `width` numbers, with what the next write
/// needs of the past.
#[derive(Clone, Debug)]
pub struct Memory {
    /// Content, `[sequences, slots, width]`.
    pub content: Tensor<3>,
    /// Weights of the last read, `[sequences, heads, slots]`.
    pub read: Tensor<3>,
    /// How much each slot was used of late, `sequences * slots`; no gradient flows through it.
    usage: Vec<f32>,
}

impl Memory {
    /// Empty memories, never used.
    pub fn empty(
        sequences: usize,
        heads: usize,
        [slots, width]: [usize; 2],
        device: &Device,
    ) -> Self {
        Self {
            content: Tensor::zeros([sequences, slots, width], device),
            read: Tensor::zeros([sequences, heads, slots], device),
            usage: vec![0.0; sequences * slots],
        }
    }

    /// The same single memory for `sequences` sequences.
    ///
    /// # Panics
    /// When this is not a single one.
    pub fn repeat(&self, sequences: usize) -> Self {
        assert_eq!(self.content.dims()[0], 1, "one memory to copy");
        Self {
            content: self.content.clone().repeat_dim(0, sequences),
            read: self.read.clone().repeat_dim(0, sequences),
            usage: self.usage.repeat(sequences),
        }
    }

    /// One write and then one read of each head, in the paper's order.
    ///
    /// A head writes its row of `vectors`, `[sequences, heads, width]`, with the weights
    /// `gate * (its last read) + (1 - gate) * (the `least` least used slots)`, after the least used
    /// slot of all was emptied; `gate` is `[sequences, heads, 1]`, 0..=1. It then reads by the cosine
    /// between its row of `keys` and each slot, times `strength`, `[sequences, heads, 1]`, softmaxed.
    /// The usage decays by `decay` and grows by all the weights. Returns what was read,
    /// `[sequences, heads, width]`.
    pub fn step(&mut self, access: Access, least: usize, decay: f32) -> Tensor<3> {
        let Access {
            gate,
            vectors,
            keys,
            strength,
        } = access;
        let (keep, unused) = self.least_used(least);
        let write = unused.clone() + (self.read.clone() - unused) * gate;
        self.content = self.content.clone() * keep + write.clone().swap_dims(1, 2).matmul(vectors);
        let lengths = (self.content.clone() * self.content.clone()).sum_dim(2);
        let lengths = (lengths + EPSILON).sqrt().swap_dims(1, 2);
        let key_lengths = ((keys.clone() * keys.clone()).sum_dim(2) + EPSILON).sqrt();
        let dots = (keys * (strength / key_lengths)).matmul(self.content.clone().swap_dims(1, 2));
        self.read = softmax(dots / lengths, 2);
        self.used(&write, decay);
        self.read.clone().matmul(self.content.clone())
    }

    /// Masks from the usage so far: 0 at the least used slot and 1 elsewhere, `[sequences, slots, 1]`;
    /// 1 at the `least` least used slots and 0 elsewhere, `[sequences, 1, slots]`. Of equals the first
    /// counts as less used.
    fn least_used(&self, least: usize) -> (Tensor<3>, Tensor<3>) {
        let [sequences, slots, _] = self.content.dims();
        let mut keep = vec![1.0f32; sequences * slots];
        let mut unused = vec![0.0f32; sequences * slots];
        let mut order: Vec<usize> = Vec::with_capacity(slots);
        let masks = keep.chunks_mut(slots).zip(unused.chunks_mut(slots));
        for (usage, (keep, unused)) in self.usage.chunks(slots).zip(masks) {
            order.clear();
            order.extend(0..slots);
            let least = least.clamp(1, slots);
            let rank = |a: &usize, b: &usize| usage[*a].total_cmp(&usage[*b]).then(a.cmp(b));
            order.select_nth_unstable_by(least - 1, rank);
            order[..least].sort_unstable_by(rank);
            keep[order[0]] = 0.0;
            order[..least].iter().for_each(|&slot| unused[slot] = 1.0);
        }
        let device = self.content.device();
        (
            Tensor::from_data(TensorData::new(keep, [sequences, slots, 1]), &device),
            Tensor::from_data(TensorData::new(unused, [sequences, 1, slots]), &device),
        )
    }

    /// Counts the last write and read.
    fn used(&mut self, write: &Tensor<3>, decay: f32) {
        let [_, heads, slots] = write.dims();
        let numbers = |weights: &Tensor<3>| -> Vec<f32> {
            let data = weights.clone().detach().into_data();
            data.try_to_vec().expect("weights are float32")
        };
        let (write, read) = (numbers(write), numbers(&self.read));
        let weights = write.chunks(heads * slots).zip(read.chunks(heads * slots));
        for (usage, (write, read)) in self.usage.chunks_mut(slots).zip(weights) {
            usage.iter_mut().for_each(|u| *u *= decay);
            for (write, read) in write.chunks(slots).zip(read.chunks(slots)) {
                for (u, (w, r)) in usage.iter_mut().zip(write.iter().zip(read)) {
                    *u += w + r;
                }
            }
        }
    }
}

/// What the controller asks of the memory in one step, see [`Memory::step`].
#[derive(Clone, Debug)]
pub struct Access {
    /// How much a head writes where it read last, `[sequences, heads, 1]`.
    pub gate: Tensor<3>,
    /// What a head writes, `[sequences, heads, width]`.
    pub vectors: Tensor<3>,
    /// What a head looks for, `[sequences, heads, width]`.
    pub keys: Tensor<3>,
    /// How sharply, `[sequences, heads, 1]`.
    pub strength: Tensor<3>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tensor(data: &[f32], shape: [usize; 3]) -> Tensor<3> {
        Tensor::from_data(TensorData::new(data.to_vec(), shape), &Device::flex())
    }

    fn numbers(tensor: &Tensor<3>) -> Vec<f32> {
        tensor.clone().into_data().try_to_vec().unwrap()
    }

    fn close(got: &[f32], want: &[f32]) {
        assert_eq!(got.len(), want.len());
        let near = got.iter().zip(want).all(|(g, w)| (g - w).abs() < 1e-4);
        assert!(near, "{got:?} for {want:?}");
    }

    /// One head that writes `vector` and looks for `key`.
    fn access(gate: f32, vector: [f32; 2], key: [f32; 2], strength: f32) -> Access {
        Access {
            gate: tensor(&[gate], [1, 1, 1]),
            vectors: tensor(&vector, [1, 1, 2]),
            keys: tensor(&key, [1, 1, 2]),
            strength: tensor(&[strength], [1, 1, 1]),
        }
    }

    fn empty(slots: usize) -> Memory {
        Memory::empty(1, 1, [slots, 2], &Device::flex())
    }

    #[test]
    fn a_read_weighs_slots_by_the_cosine_of_the_definition() {
        let mut memory = empty(2);
        memory.content = tensor(&[0.0, 0.0, 3.0, 4.0], [1, 2, 2]);
        // The first slot is the least used: it gets (2, 0).
        let got = memory.step(access(0.0, [2.0, 0.0], [10.0, 0.0], 5.0), 1, 0.9);
        let (a, b) = (5f32.exp(), (5.0 * 0.6f32).exp());
        let (a, b) = (a / (a + b), b / (a + b));
        close(&numbers(&memory.read), &[a, b]);
        close(&numbers(&got), &[2.0 * a + 3.0 * b, 4.0 * b]);
    }

    #[test]
    fn new_content_goes_to_the_least_used_slot_after_it_was_emptied() {
        let mut memory = empty(3);
        for (i, vector) in [[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]]
            .into_iter()
            .enumerate()
        {
            memory.step(access(0.0, vector, vector, 60.0), 1, 0.5);
            close(&numbers(&memory.content)[2 * i..][..2], &vector);
        }
        // Every slot was written and read once; the first decayed most, so it is taken again.
        memory.step(access(0.0, [0.0, -2.0], [0.0, 1.0], 60.0), 1, 0.5);
        close(&numbers(&memory.content), &[0.0, -2.0, 0.0, 1.0, -1.0, 0.0]);
        // Reading (0, 1) used the second, so that the third is the least used now.
        memory.step(access(0.0, [5.0, 5.0], [1.0, 1.0], 60.0), 1, 0.5);
        close(&numbers(&memory.content), &[0.0, -2.0, 0.0, 1.0, 5.0, 5.0]);
    }

    #[test]
    fn an_open_gate_writes_where_the_head_read_last() {
        let mut memory = empty(3);
        memory.step(access(0.0, [1.0, 0.0], [1.0, 0.0], 60.0), 1, 0.9);
        memory.step(access(0.0, [0.0, 1.0], [1.0, 0.0], 60.0), 1, 0.9);
        close(&numbers(&memory.content), &[1.0, 0.0, 0.0, 1.0, 0.0, 0.0]);
        // The last read was of the first slot; a fourth of the write goes to the least used third.
        memory.step(access(0.75, [0.0, 4.0], [1.0, 0.0], 60.0), 1, 0.9);
        close(&numbers(&memory.content), &[1.0, 3.0, 0.0, 1.0, 0.0, 1.0]);
    }

    #[test]
    fn several_least_used_slots_are_written_but_only_the_least_is_emptied() {
        let mut memory = empty(3);
        memory.content = tensor(&[1.0, 1.0, 2.0, 2.0, 3.0, 3.0], [1, 3, 2]);
        memory.usage = vec![0.3, 0.1, 0.2];
        memory.step(access(0.0, [10.0, 0.0], [1.0, 0.0], 1.0), 2, 0.9);
        close(&numbers(&memory.content), &[1.0, 1.0, 10.0, 0.0, 13.0, 3.0]);
        // Decay, the write's weight of one on two slots, and the read's weights.
        let read = numbers(&memory.read);
        close(
            &memory.usage,
            &[0.27 + read[0], 1.09 + read[1], 1.18 + read[2]],
        );
    }

    #[test]
    fn sequences_do_not_meet() {
        let single = |vector, key| {
            let mut memory = empty(4);
            memory.step(access(0.0, [1.0, 2.0], [1.0, 1.0], 3.0), 1, 0.9);
            let got = memory.step(access(0.3, vector, key, 2.0), 1, 0.9);
            [numbers(&memory.content), numbers(&got)].concat()
        };
        let (a, b) = (
            single([1.0, -1.0], [0.5, 1.0]),
            single([3.0, 0.0], [-1.0, 1.0]),
        );
        let mut memory = empty(4);
        memory.step(access(0.0, [1.0, 2.0], [1.0, 1.0], 3.0), 1, 0.9);
        let mut memory = memory.repeat(2);
        let both = Access {
            gate: tensor(&[0.3, 0.3], [2, 1, 1]),
            vectors: tensor(&[1.0, -1.0, 3.0, 0.0], [2, 1, 2]),
            keys: tensor(&[0.5, 1.0, -1.0, 1.0], [2, 1, 2]),
            strength: tensor(&[2.0, 2.0], [2, 1, 1]),
        };
        let got = numbers(&memory.step(both, 1, 0.9));
        let content = numbers(&memory.content);
        close(&[&content[..8], &got[..2]].concat(), &a);
        close(&[&content[8..], &got[2..]].concat(), &b);
    }
}
