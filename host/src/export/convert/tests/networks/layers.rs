//! The layers of a random network, each in the forms that exporters write.

use super::draft::{Draft, Now};
use super::*;

impl Draft {
    pub(super) fn conv(&mut self) {
        let channels = self.now.dims[0];
        let (mut attributes, [height, width]) = self.window(4, true);
        let divisors: Vec<i64> = (1..=channels).filter(|n| channels % n == 0).collect();
        let group = divisors[self.pick(0, divisors.len() as i64 - 1) as usize];
        let out = match self.once_in(3) {
            true => channels,
            false => group * self.pick(1, (16 / group).max(1)),
        };
        attributes.push(int("group", group));
        let kernel = Self::of(&attributes, "kernel_shape");
        self.weighted([out, channels / group, kernel[0], kernel[1]], attributes);
        self.becomes(vec![out, height, width]);
    }

    /// A convolution with these weights, with a bias or without.
    pub(super) fn weighted(&mut self, dims: [i64; 4], attributes: Vec<AttributeProto>) {
        let limit = (4.0 / (dims[1] * dims[2] * dims[3]) as f32).sqrt();
        let (weight, bias) = (self.fresh("weight"), self.fresh("bias"));
        self.file.random(&weight, &dims, -limit, limit);
        let mut inputs = vec![self.now.name.clone(), weight];
        if !self.once_in(4) {
            self.file.random(&bias, &dims[..1], -0.4, 0.4);
            inputs.push(bias);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        self.file.node_of("Conv", &inputs, attributes);
    }

    pub(super) fn same_conv(&mut self) {
        let (channels, out) = (self.now.dims[0], self.pick(1, 8));
        let (kernel, stride) = (self.pick(1, 4), self.pick(1, 2));
        let mode = ["SAME_UPPER", "SAME_LOWER"][self.pick(0, 1) as usize];
        let attributes = vec![text("auto_pad", mode), ints("strides", &[stride, stride])];
        self.weighted([out, channels, kernel, kernel], attributes);
        let side = |size: i64| (size + stride - 1) / stride;
        self.becomes(vec![out, side(self.now.dims[1]), side(self.now.dims[2])]);
    }

    pub(super) fn padded_conv(&mut self) {
        let (channels, out) = (self.now.dims[0], self.pick(1, 8));
        let ends: Vec<i64> = (0..4).map(|_| self.pick(0, 2)).collect();
        let pads = self.fresh("pads");
        self.file.ints(
            &pads,
            &[8],
            [&[0, 0], &ends[..2], &[0, 0], &ends[2..]].concat(),
        );
        let (height, width) = (self.now.dims[1], self.now.dims[2]);
        self.node("Pad", &[&pads], vec![]);
        self.weighted([out, channels, 3, 3], vec![ints("pads", &[0, 0, 0, 0])]);
        let dims = vec![
            out,
            height + ends[0] + ends[2] - 2,
            width + ends[1] + ends[3] - 2,
        ];
        if dims[1] < 1 || dims[2] < 1 {
            self.file.nodes.truncate(self.file.nodes.len() - 2);
            self.now = self.before.pop().unwrap();
            return;
        }
        // Nothing but the convolution may read what is padded.
        self.becomes(dims);
        self.before.pop();
    }

    pub(super) fn pool(&mut self, op: &str) {
        let (mut attributes, mut out) = self.window(4, false);
        let padded = Self::of(&attributes, "pads") != [0; 4];
        if op == "AveragePool" {
            attributes.push(int("count_include_pad", i64::from(padded)));
        } else if self.once_in(4) {
            let [kernel, strides, pads] =
                ["kernel_shape", "strides", "pads"].map(|name| Self::of(&attributes, name));
            let up: Vec<i64> = (0..2)
                .map(|side| {
                    let size = self.now.dims[1 + side] + pads[side];
                    let room = size + pads[side + 2] - kernel[side];
                    let out = (room + strides[side] - 1) / strides[side] + 1;
                    // Where the last window starts in the padding, ONNX Runtime contradicts itself.
                    if (out - 1) * strides[side] < size {
                        out
                    } else {
                        0
                    }
                })
                .collect();
            if !up.contains(&0) {
                attributes.push(int("ceil_mode", 1));
                out = [up[0], up[1]];
            }
        }
        self.file.node_of(op, &[self.now.name.as_str()], attributes);
        self.becomes(vec![self.now.dims[0], out[0], out[1]]);
    }

    pub(super) fn clip(&mut self) {
        let (low, high) = (self.number(-1.5, 0.3), self.number(0.35, 2.0));
        match self.pick(0, 2) {
            0 => self.node("Clip", &[&low, &high], vec![]),
            1 => self.node("Clip", &[&low], vec![]),
            _ => self.node("Clip", &["", &high], vec![]),
        }
    }

    pub(super) fn batch_normalization(&mut self) {
        let channels = self.now.dims[0];
        let names = ["gamma", "beta", "mean", "variance"].map(|name| self.fresh(name));
        for (name, [least, greatest]) in
            names
                .iter()
                .zip([[-1.5, 1.5], [-0.5, 0.5], [-0.5, 0.5], [0.3, 2.0]])
        {
            self.file.random(name, &[channels], least, greatest);
        }
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        self.node("BatchNormalization", &names, vec![]);
    }

    pub(super) fn arithmetic(&mut self) {
        let op = ["Add", "Sub", "Mul", "Div"][self.pick(0, 3) as usize];
        let dims = match (self.now.dims.len(), self.once_in(2)) {
            (_, true) => vec![],
            (1, _) => vec![self.now.dims[0]],
            _ => vec![self.now.dims[0], 1, 1],
        };
        let constant = self.fresh("constant");
        self.file.random(&constant, &dims, 0.4, 1.6);
        if op != "Div" && self.once_in(3) {
            self.file.node_of(op, &[&constant, &self.now.name], vec![]);
            self.becomes(self.now.dims.clone());
        } else {
            self.node(op, &[&constant], vec![]);
        }
    }

    pub(super) fn add(&mut self) {
        let same: Vec<Now> = [&self.now]
            .into_iter()
            .chain(&self.before)
            .filter(|other| other.dims == self.now.dims)
            .cloned()
            .collect();
        let other = &same[self.pick(0, same.len() as i64 - 1) as usize];
        self.node("Add", &[&other.name], vec![]);
    }

    /// To unit length, in one of the forms that exporters write.
    pub(super) fn unit(&mut self) {
        let last = self.file.nodes.last().map(|node| node.op_type.as_str());
        if [Some("AveragePool"), Some("Sub")].contains(&last) {
            // Means and differences may cancel out to what is but rounding.
            return self.node("Identity", &[], vec![]);
        }
        let of = self.now.clone();
        let guard = self.fresh("guard");
        self.file.floats(&guard, &[], vec![1e-7]);
        let axes = self.fresh("axes");
        self.file.ints(&axes, &[1], vec![1]);
        let length = |draft: &mut Self| {
            draft
                .file
                .node_of("ReduceL2", &[&of.name], vec![ints("axes", &[1])]);
            draft.file.node("Clip", &[&guard], vec![]);
        };
        match self.pick(0, 3) {
            0 => return self.node("LpNormalization", &[], vec![int("axis", 1)]),
            1 => length(self),
            2 => {
                length(self);
                let length = self.file.last();
                self.file.node_of("Shape", &[&of.name], vec![]);
                let shape = self.file.last();
                self.file.node_of("Expand", &[&length, &shape], vec![]);
            }
            _ => {
                self.file.node_of("Mul", &[&of.name, &of.name], vec![]);
                self.file.node("ReduceSum", &[&axes], vec![]);
                self.file
                    .node("Sqrt", &[], vec![])
                    .node("Add", &[&guard], vec![]);
            }
        }
        let length = self.file.last();
        self.file.node_of("Div", &[&of.name, &length], vec![]);
        self.becomes(of.dims);
    }

    /// To the nearest neighbour in a larger picture, where there is room for one.
    pub(super) fn upsample(&mut self) {
        let [channels, height, width] = [self.now.dims[0], self.now.dims[1], self.now.dims[2]];
        let (down, right) = (self.pick(1, 3), self.pick(1, 3));
        if height * down > 24 || width * right > 24 {
            return self.node("Identity", &[], vec![]);
        }
        let ways = [
            ("asymmetric", "floor"),
            ("half_pixel", "round_prefer_floor"),
            ("tf_half_pixel_for_nn", "floor"),
        ];
        let (coordinate, rounding) = ways[self.pick(0, 2) as usize];
        let attributes = vec![
            text("mode", "nearest"),
            text("coordinate_transformation_mode", coordinate),
            text("nearest_mode", rounding),
        ];
        let to = self.fresh("to");
        if self.once_in(2) {
            self.file
                .floats(&to, &[4], vec![1.0, 1.0, down as f32, right as f32]);
            self.node("Resize", &["", &to], attributes);
        } else {
            let of = self.now.name.clone();
            let (first, one) = (self.fresh("first"), self.fresh("one"));
            self.file
                .ints(&first, &[1], vec![0])
                .ints(&one, &[1], vec![1]);
            self.file
                .ints(&to, &[3], vec![channels, height * down, width * right]);
            self.file.node_of("Shape", &[&of], vec![]);
            self.file.node("Slice", &[&first, &one], vec![]);
            self.file.node("Concat", &[&to], vec![int("axis", 0)]);
            let sizes = self.file.last();
            self.file
                .node_of("Resize", &[&of, "", "", &sizes], attributes);
        }
        self.becomes(vec![channels, height * down, width * right]);
    }

    /// A function of each value.
    pub(super) fn unary(&mut self) {
        let alpha = self.pick(1, 9) as f32 / 10.0;
        match self.pick(0, 9) {
            0 => self.node("Sigmoid", &[], vec![]),
            1 => self.node("Tanh", &[], vec![]),
            2 => self.node("Softplus", &[], vec![]),
            3 => self.node("HardSigmoid", &[], vec![float("alpha", alpha)]),
            4 => self.node("HardSwish", &[], vec![]),
            5 => self.node("LeakyRelu", &[], vec![float("alpha", alpha)]),
            6 => self.node("Elu", &[], vec![float("alpha", alpha)]),
            7 => {
                let slopes = self.fresh("slopes");
                let dims = vec![self.now.dims[0], 1, 1];
                self.file.random(&slopes, &dims, -0.3, 0.6);
                self.node("PRelu", &[&slopes], vec![]);
            }
            8 => {
                let of = self.now.name.clone();
                self.file.node_of("Sigmoid", &[&of], vec![]);
                let gate = self.file.last();
                self.file.node_of("Mul", &[&gate, &of], vec![]);
                self.becomes(self.now.dims.clone());
            }
            _ => {
                // Hard swish before it had an operator.
                let of = self.now.name.clone();
                let names = ["three", "zero", "six"].map(|name| self.fresh(name));
                for (name, value) in names.iter().zip([3.0, 0.0, 6.0]) {
                    self.file.floats(name, &[], vec![value]);
                }
                self.file.node_of("Add", &[&of, &names[0]], vec![]);
                self.file.node("Clip", &[&names[1], &names[2]], vec![]);
                let gate = self.file.last();
                self.file.node_of("Mul", &[&of, &gate], vec![]);
                self.file.node("Div", &[&names[2]], vec![]);
                self.becomes(self.now.dims.clone());
            }
        }
    }

    /// Channels of this and of earlier tensors of its size behind one another.
    pub(super) fn concat(&mut self) {
        let same: Vec<Now> = [&self.now]
            .into_iter()
            .chain(&self.before)
            .filter(|other| other.dims[1..] == self.now.dims[1..])
            .cloned()
            .collect();
        let mut parts = vec![self.now.clone()];
        for _ in 0..self.pick(1, 2) {
            parts.push(same[self.pick(0, same.len() as i64 - 1) as usize].clone());
        }
        let channels: i64 = parts.iter().map(|part| part.dims[0]).sum();
        if channels > 32 {
            return self.node("Identity", &[], vec![]);
        }
        let names: Vec<&str> = parts.iter().map(|part| part.name.as_str()).collect();
        self.file.node_of("Concat", &names, vec![int("axis", 1)]);
        let dims = [&[channels], &self.now.dims[1..]].concat();
        self.becomes(dims);
    }

    /// Each channel by a factor that follows from the means of all.
    pub(super) fn excite(&mut self) {
        let of = self.now.clone();
        let (channels, narrow) = (of.dims[0], self.pick(1, 6));
        self.file.node_of("GlobalAveragePool", &[&of.name], vec![]);
        let step = |draft: &mut Self, dims: [i64; 2], op: &str| {
            draft.now.name = draft.file.last();
            draft.weighted([dims[0], dims[1], 1, 1], vec![]);
            draft.file.node(op, &[], vec![]);
        };
        step(self, [narrow, channels], "Relu");
        let gate = ["Sigmoid", "HardSigmoid", "Tanh"][self.pick(0, 2) as usize];
        step(self, [channels, narrow], gate);
        let gate = self.file.last();
        let pair = match self.once_in(2) {
            true => [&of.name, &gate],
            false => [&gate, &of.name],
        };
        self.file.node_of("Mul", &pair.map(String::as_str), vec![]);
        self.now = of;
        self.becomes(self.now.dims.clone());
    }

    /// The product or the difference of this and an earlier tensor of its shape.
    pub(super) fn product(&mut self) {
        let other = |other: &&Now| other.dims == self.now.dims && other.name != self.now.name;
        match self.before.iter().find(other).cloned() {
            Some(other) if self.once_in(3) => self.node("Sub", &[&other.name], vec![]),
            Some(other) => self.node("Mul", &[&other.name], vec![]),
            None => self.node("Identity", &[], vec![]),
        }
    }

    /// The channels of groups mixed.
    pub(super) fn shuffle(&mut self) {
        let [channels, height, width] = [self.now.dims[0], self.now.dims[1], self.now.dims[2]];
        let divisors: Vec<i64> = (1..=channels).filter(|n| channels % n == 0).collect();
        let groups = divisors[self.pick(0, divisors.len() as i64 - 1) as usize];
        let (apart, whole) = (self.fresh("apart"), self.fresh("whole"));
        let batch = -self.pick(0, 1);
        self.file.ints(
            &apart,
            &[5],
            vec![batch, groups, channels / groups, height, width],
        );
        let whole_dims = vec![batch, channels, height, width];
        self.file.ints(&whole, &[4], whole_dims);
        let of = self.now.name.clone();
        self.file.node_of("Reshape", &[&of, &apart], vec![]);
        self.file
            .node("Transpose", &[], vec![ints("perm", &[0, 2, 1, 3, 4])]);
        self.file.node("Reshape", &[&whole], vec![]);
        self.becomes(self.now.dims.clone());
    }

    /// Some of the channels, and where they are split the others to be read later.
    pub(super) fn part(&mut self) {
        let [channels, height, width] = [self.now.dims[0], self.now.dims[1], self.now.dims[2]];
        if channels < 2 {
            return self.node("Identity", &[], vec![]);
        }
        let at = self.pick(1, channels - 1);
        let of = self.now.name.clone();
        match self.pick(0, 2) {
            0 => {
                let sizes = self.fresh("sizes");
                self.file.ints(&sizes, &[2], vec![at, channels - at]);
                self.file
                    .node_of("Split", &[&of, &sizes], vec![int("axis", 1)]);
                self.becomes(vec![at, height, width]);
                let second = format!("{}_second", self.now.name);
                let node = self.file.nodes.last_mut().unwrap();
                node.output.push(second.clone());
                let dims = vec![channels - at, height, width];
                self.before.push(Now { name: second, dims });
            }
            1 => {
                let names = ["starts", "ends", "axes"].map(|name| self.fresh(name));
                for (name, value) in names.iter().zip([-channels, at, 1]) {
                    self.file.ints(name, &[1], vec![value]);
                }
                let names = names.each_ref().map(String::as_str);
                self.file
                    .node_of("Slice", &[&[of.as_str()], &names[..]].concat(), vec![]);
                self.becomes(vec![at, height, width]);
            }
            _ => {
                let numbers: Vec<i64> = (0..at)
                    .map(|_| self.pick(-channels, channels - 1))
                    .collect();
                let name = self.fresh("numbers");
                self.file.ints(&name, &[at], numbers);
                self.file
                    .node_of("Gather", &[&of, &name], vec![int("axis", 1)]);
                self.becomes(vec![at, height, width]);
            }
        }
    }

    /// To channels last and back, with something between that does not care.
    pub(super) fn turned(&mut self) {
        self.node("Transpose", &[], vec![ints("perm", &[0, 2, 3, 1])]);
        if self.once_in(2) {
            self.node("Relu", &[], vec![]);
            self.before.pop();
        }
        self.before.pop();
        self.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])]);
        self.before.pop();
    }
}
