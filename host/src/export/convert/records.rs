//! The records of an image as far as the shapes of the layers say.

use sudal_firmware::image::{Kind, OpRecord, Tensor};

use super::{
    network::{Network, Op, Shape, Window},
    quantize::depthwise,
};

/// The record of a layer as far as its shapes say.
fn shape_record(network: &Network, index: usize) -> OpRecord {
    let layer = &network.layers[index];
    let (input, output) = (network.shape(layer.inputs[0]), layer.shape);
    let mut record: OpRecord = bytemuck::Zeroable::zeroed();
    record.input = tensor(input);
    record.output = tensor(output);
    let mut set_window = |window: &Window| {
        record.kernel = window.kernel.map(|side| side as u8);
        record.stride = window.stride.map(|side| side as u8);
        record.pads = window.pads.map(|side| side as u8);
    };
    let kind = match &layer.op {
        Op::Conv(conv) if conv.groups == 1 && !conv.pool && conv.window == Window::whole(input) => {
            Kind::FullyConnected
        }
        Op::Conv(conv) => {
            set_window(&conv.window);
            if depthwise(network, index) {
                Kind::Depthwise
            } else {
                record.groups = conv.groups as u16;
                record.pool = if conv.pool { 2 } else { 0 };
                Kind::Conv2d
            }
        }
        Op::MaxPool(window) => {
            set_window(window);
            Kind::MaxPool
        }
        Op::AveragePool(window) => {
            set_window(window);
            Kind::AveragePool
        }
        Op::Add => {
            record.second = tensor(network.shape(layer.inputs[1]));
            Kind::Add
        }
        Op::Concat => {
            record.second = tensor(network.shape(layer.inputs[1]));
            Kind::Concat
        }
        Op::Multiply => {
            record.second = tensor(network.shape(layer.inputs[1]));
            Kind::Multiply
        }
        Op::Gather(_) => Kind::Gather,
        Op::Unary(_) => Kind::Table,
        Op::Flatten => Kind::Flatten,
        Op::Normalize => Kind::Normalize,
        Op::Upsample(factors) => {
            record.stride = factors.map(|factor| factor as u8);
            Kind::Upsample
        }
        Op::View => {
            record.input = tensor(output);
            Kind::Clamp
        }
        Op::Clamp | Op::Affine { .. } | Op::Pad(_) => Kind::Clamp,
    };
    record.kind = kind as u8;
    record
}

/// The records of all layers as far as their shapes say.
pub(super) fn records(network: &Network) -> Vec<OpRecord> {
    (0..network.layers.len())
        .map(|index| shape_record(network, index))
        .collect()
}

/// A tensor that lies nowhere yet.
fn tensor(shape: Shape) -> Tensor {
    Tensor {
        height: shape.height as u16,
        width: shape.width as u16,
        channels: shape.channels as u16,
        ..Tensor::default()
    }
}
