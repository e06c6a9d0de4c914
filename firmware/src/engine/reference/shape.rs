//! Random operations for trials.

use super::Random;
use crate::image::{Kind, OpRecord, Tensor};

impl OpRecord {
    /// An operation of a kind with a random window and random shapes of up to some 14 x 14 pixels,
    /// as [`super::Trial::run`] takes it. Half of the windows are the usual ones, 3 x 3 with its
    /// padding and 1 x 1.
    #[must_use]
    pub fn random(kind: Kind, random: &mut Random) -> Self {
        let mut op = Self {
            kind: kind as u8,
            ..bytemuck::Zeroable::zeroed()
        };
        match kind {
            Kind::Conv2d | Kind::Depthwise | Kind::MaxPool | Kind::AveragePool => {
                op.draw_window(random);
            }
            _ => {
                op.input = tensor([6, 6, 9], random);
                op.output = op.input;
            }
        }
        match kind {
            Kind::Conv2d => {
                op.groups = random.between(1, 3) as u16;
                op.input.channels = match random.between(0, 2) {
                    0 => op.groups,
                    1 => op.groups * 4 * random.between(1, 4) as u16,
                    _ => op.groups * op.input.channels,
                };
                op.output.channels = op.groups * random.between(1, 10) as u16;
                if op.output.height > 1 && op.output.width > 1 && random.bits() & 1 == 0 {
                    op.pool = 2;
                    (op.output.height, op.output.width) =
                        (op.output.height / 2, op.output.width / 2);
                }
            }
            Kind::Add | Kind::Clamp | Kind::Concat | Kind::Multiply => {
                // Trials keep both addends in one piece, at multiples of four.
                op.input.channels *= 4;
                op.output.channels = op.input.channels;
                op.second = Tensor {
                    zero_point: random.between(-128, 127) as i8,
                    ..op.input
                };
                if kind == Kind::Concat {
                    op.second.channels = random.between(1, 9) as u16;
                    op.output.channels += op.second.channels;
                }
                if kind == Kind::Multiply && random.bits() & 1 == 0 {
                    (op.second.height, op.second.width) = (1, 1);
                }
            }
            Kind::Gather => op.output.channels = random.between(1, 12) as u16,
            Kind::FullyConnected => op.output = tensor([1, 1, 12], random),
            Kind::Flatten => {
                let len = op.input.len() as u16;
                (op.output.height, op.output.width, op.output.channels) = (1, 1, len);
            }
            Kind::Upsample => {
                op.stride = [random.between(1, 4) as u8, random.between(1, 4) as u8];
                op.output.height *= u16::from(op.stride[0]);
                op.output.width *= u16::from(op.stride[1]);
            }
            Kind::Depthwise | Kind::MaxPool | Kind::AveragePool | Kind::Normalize | Kind::Table => {
            }
        }
        op.output.zero_point = random.between(-128, 127) as i8;
        op
    }

    fn draw_window(&mut self, random: &mut Random) {
        let mut draw = |low: i64, high: i64| random.between(low, high) as u8;
        let squares = self.kind() == Some(Kind::Depthwise) && draw(0, 1) == 0;
        match draw(0, 3) {
            _ if squares => {
                let side = 3 + 2 * draw(0, 2);
                (self.kernel, self.stride) = ([side; 2], [draw(1, 2), draw(1, 2)]);
                self.pads = match draw(0, 1) {
                    0 => [side / 2; 4],
                    _ => [(); 4].map(|()| draw(0, i64::from(side) - 1)),
                };
            }
            0 => {
                (self.kernel, self.pads) = ([3; 2], [1; 4]);
                self.stride = [draw(1, 2); 2];
            }
            1 => (self.kernel, self.stride) = ([1; 2], [1; 2]),
            _ => {
                self.kernel = [draw(1, 5), draw(1, 5)];
                self.stride = [draw(1, 3), draw(1, 3)];
                let [height, width] = self.kernel.map(|side| i64::from(side) - 1);
                self.pads = [
                    draw(0, height),
                    draw(0, width),
                    draw(0, height),
                    draw(0, width),
                ];
            }
        }
        self.input = tensor([9, 9, 9], random);
        let [top, left, bottom, right] = self.pads.map(u16::from);
        let [height, width] = self.kernel.map(u16::from);
        if squares {
            // Smaller than the window, too.
            let least = |kernel: u16, pads: u16| kernel.saturating_sub(pads + 1);
            self.input.height += least(height, top + bottom);
            self.input.width += least(width, left + right);
        } else {
            self.input.height += height;
            self.input.width += width;
        }
        let side = |len: u16, pad: u16, i: usize| {
            (len + pad - u16::from(self.kernel[i])) / u16::from(self.stride[i]) + 1
        };
        self.output = Tensor {
            height: side(self.input.height, top + bottom, 0),
            width: side(self.input.width, left + right, 1),
            ..self.input
        };
    }
}

/// A tensor with sides from 1 to `most`.
fn tensor(most: [i64; 3], random: &mut Random) -> Tensor {
    let [height, width, channels] = most.map(|most| random.between(1, most) as u16);
    Tensor {
        height,
        width,
        channels,
        zero_point: random.between(-128, 127) as i8,
        ..Tensor::default()
    }
}
