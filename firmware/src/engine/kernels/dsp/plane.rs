//! Rows of one channel under a filter.

use super::super::{Filter, Rows};

pub(crate) fn filter(
    filter: &Filter<'_>,
    rows: &Rows<'_>,
    output: &mut [i8],
    step: usize,
) -> Option<()> {
    let [height, width] = filter.kernel;
    for (x, out) in output.iter_mut().step_by(step).enumerate() {
        let mut acc = filter.channel.bias;
        for ky in 0..height {
            let slot = (rows.first + ky) % height;
            let row = rows.ring.get(slot * rows.pitch..)?.get(..rows.width)?;
            for kx in 0..width {
                let weight = *filter.weights.get((ky * width + kx) * filter.step)?;
                let value = *row.get(x * filter.stride + kx)?;
                acc = acc.wrapping_add(i32::from(weight) * i32::from(value));
            }
        }
        *out = filter.requantize.apply(acc, filter.channel.multiplier);
    }
    Some(())
}
