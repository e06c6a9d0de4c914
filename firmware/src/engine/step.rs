//! One operation: its memory, cut out of the arena, and the kernel of its kind.

use core::ops::Range;

use super::elementwise;
use super::place::Place;
use super::{concat, conv, depthwise, gather, multiply, pool, upsample};
use crate::image::{Kind, Model, OpRecord};

/// Runs one operation; `None` if its record points outside the memory.
pub(super) fn step(model: &Model<'_>, op: &OpRecord, arena: &mut [i8]) -> Option<()> {
    let (input, output) = (op.input.range(), op.output.range());
    match op.kind()? {
        Kind::Conv2d | Kind::FullyConnected => {
            let (weights, channels) = (model.weights(op)?, model.channels(op)?);
            let [input, output, scratch] = split(arena, [input, output, scratch(op)])?;
            let scratch = bytemuck::try_cast_slice_mut(scratch).ok()?;
            conv::conv(op, input, weights, channels, output, scratch)
        }
        Kind::Depthwise => {
            let (weights, channels) = (model.weights(op)?, model.channels(op)?);
            let (place, scratch) = if input == output {
                let [place, scratch] = split(arena, [input, scratch(op)])?;
                (Place::Same(place), scratch)
            } else {
                let [input, output, scratch] = split(arena, [input, output, scratch(op)])?;
                (Place::Apart(input, output), scratch)
            };
            let scratch = bytemuck::try_cast_slice_mut(scratch).ok()?;
            depthwise::depthwise(op, place, weights, channels, scratch)
        }
        Kind::MaxPool => {
            let [input, output] = split(arena, [input, output])?;
            pool::max_pool(op, input, output)
        }
        Kind::AveragePool => {
            let [input, output] = split(arena, [input, output])?;
            pool::average_pool(op, input, output)
        }
        Kind::Flatten => {
            let [input, output] = split(arena, [input, output])?;
            elementwise::flatten(op, input, output)
        }
        Kind::Upsample => {
            let [input, output] = split(arena, [input, output])?;
            upsample::upsample(op, input, output)
        }
        Kind::Clamp => {
            elementwise::clamp(op, moved(op, arena)?);
            Some(())
        }
        Kind::Normalize => elementwise::normalize(op, moved(op, arena)?),
        Kind::Table => {
            let (table, _) = model.weights(op)?.split_first_chunk()?;
            elementwise::look_up(op, table, moved(op, arena)?);
            Some(())
        }
        Kind::Concat => {
            let parts = [(op.input, 0), (op.second, op.input.channels)];
            for (part, first) in parts {
                let [part, output] = split(arena, [part.range(), output.clone()])?;
                concat::put(op, part, first.into(), output)?;
            }
            Some(())
        }
        Kind::Gather => {
            let [input, output] = split(arena, [input, output])?;
            gather::gather(op, model.weights(op)?, input, output)
        }
        Kind::Add => add(op, arena),
        Kind::Multiply => product(op, arena),
    }
}

/// The output, with the input in it.
fn moved<'a>(op: &OpRecord, arena: &'a mut [i8]) -> Option<&'a mut [i8]> {
    let (input, output) = (op.input.range(), op.output.range());
    if input != output {
        let [output, input] = split(arena, [output.clone(), input])?;
        elementwise::copy(output, input);
    }
    arena.get_mut(output)
}

/// Adds in place: what is not there yet is first copied to where the sum shall stand.
fn add(op: &OpRecord, arena: &mut [i8]) -> Option<()> {
    let (first, second, output) = (op.input.range(), op.second.range(), op.output.range());
    let [a, b] = elementwise::addends(op);
    if first == second && first == output {
        elementwise::double(op, a, b, arena.get_mut(output)?);
    } else if second == output {
        let [output, first] = split(arena, [output, first])?;
        elementwise::add(op, b, a, output, first);
    } else {
        moved(op, arena)?;
        let [output, second] = split(arena, [output, second])?;
        elementwise::add(op, a, b, output, second);
    }
    Some(())
}

/// Multiplies in place: what is not there yet is first copied to where the product shall stand.
fn product(op: &OpRecord, arena: &mut [i8]) -> Option<()> {
    let (first, second, output) = (op.input.range(), op.second.range(), op.output.range());
    let zeros = [op.input.zero_point, op.second.zero_point];
    if first == second && first == output {
        multiply::square(op, zeros, arena.get_mut(output)?);
    } else if second == output {
        let [output, first] = split(arena, [output, first])?;
        let [a, b] = zeros;
        multiply::multiply(op, [b, a], output, first);
    } else {
        moved(op, arena)?;
        let [output, second] = split(arena, [output, second])?;
        multiply::multiply(op, zeros, output, second);
    }
    Some(())
}

/// Separate parts of the arena, `None` if they overlap or leave it.
fn split<const N: usize>(arena: &mut [i8], ranges: [Range<usize>; N]) -> Option<[&mut [i8]; N]> {
    arena.get_disjoint_mut(ranges).ok()
}

fn scratch(op: &OpRecord) -> Range<usize> {
    match op.scratch_needed() {
        0 => 0..0,
        len => op.scratch as usize..(op.scratch as usize).saturating_add(len),
    }
}
