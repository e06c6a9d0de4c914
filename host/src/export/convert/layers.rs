//! The layers of a network in the making.

use super::network::{Layer, NO_LIMITS, Op, Shape};

/// The layers so far.
pub(super) struct Layers(pub(super) Vec<Layer>);

impl Layers {
    /// Adds a layer without limits and returns the value that it computes.
    pub(super) fn push(&mut self, name: &str, op: Op, inputs: Vec<usize>, shape: Shape) -> usize {
        self.push_limited(name, op, inputs, shape, NO_LIMITS)
    }

    /// Adds a layer with limits and returns the value that it computes.
    pub(super) fn push_limited(
        &mut self,
        name: &str,
        op: Op,
        inputs: Vec<usize>,
        shape: Shape,
        limits: [f32; 2],
    ) -> usize {
        self.0.push(Layer {
            name: name.to_owned(),
            op,
            inputs,
            shape,
            limits,
            given: None,
        });
        self.0.len()
    }
}

impl Layers {
    /// Drops what a value does not depend on: layers of which only the shape was read.
    pub(super) fn keep_needed(&mut self, value: usize, patches: Option<usize>) -> Option<usize> {
        self.0.truncate(value);
        let mut needed = vec![false; value + 1];
        [Some(value), patches]
            .into_iter()
            .flatten()
            .for_each(|value| needed[value] = true);
        for (index, layer) in self.0.iter().enumerate().rev() {
            if needed[index + 1] {
                layer.inputs.iter().for_each(|&input| needed[input] = true);
            }
        }
        // The picture stays the first value, whoever reads it.
        needed[0] = true;
        let place: Vec<usize> = needed
            .iter()
            .scan(0, |next, &kept| {
                *next += usize::from(kept);
                Some(*next - 1)
            })
            .collect();
        let mut kept = needed[1..].iter();
        self.0.retain(|_| kept.next() == Some(&true));
        for input in self.0.iter_mut().flat_map(|layer| &mut layer.inputs) {
            *input = place[*input];
        }
        patches.map(|value| place[value])
    }
}
