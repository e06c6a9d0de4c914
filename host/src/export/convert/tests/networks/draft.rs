//! A random network in the making: what comes next, and what came of it so far.

use super::*;

/// A tensor of a network in the making.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Now {
    pub(super) name: String,
    /// Channels, height and width, or the length of a vector.
    pub(super) dims: Vec<i64>,
}

/// A network in the making.
pub(super) struct Draft {
    pub(super) file: File,
    pub(super) now: Now,
    /// What can be read again.
    pub(super) before: Vec<Now>,
}

impl Draft {
    /// Between two limits, both included.
    pub(super) fn pick(&mut self, least: i64, most: i64) -> i64 {
        self.file.rng.random_range(least..=most.max(least))
    }

    /// One time in n.
    pub(super) fn once_in(&mut self, times: i64) -> bool {
        self.pick(1, times) == 1
    }

    /// The last node's output is the tensor now.
    pub(super) fn becomes(&mut self, dims: Vec<i64>) {
        self.before.push(self.now.clone());
        self.now = Now {
            name: self.file.last(),
            dims,
        };
    }

    /// A node that reads the tensor and constants and keeps the shape.
    pub(super) fn node(&mut self, op: &str, constants: &[&str], attributes: Vec<AttributeProto>) {
        let inputs = [&[self.now.name.as_str()], constants].concat();
        self.file.node_of(op, &inputs, attributes);
        self.becomes(self.now.dims.clone());
    }

    /// A name that no constant has yet.
    pub(super) fn fresh(&self, name: &str) -> String {
        format!("{name}{}", self.file.constants.len())
    }

    pub(super) fn number(&mut self, least: f32, greatest: f32) -> String {
        let name = self.fresh("number");
        self.file.random(&name, &[], least, greatest);
        name
    }

    /// A window with its padding, and the height and width that come out.
    pub(super) fn window(&mut self, most: i64, dilated: bool) -> (Vec<AttributeProto>, [i64; 2]) {
        let mut kernel = [1; 2];
        let (mut pads, mut strides, mut dilations) = ([0; 4], [1; 2], [1; 2]);
        let usual = self.once_in(2);
        let mut out = [0; 2];
        for side in 0..2 {
            let size = self.now.dims[1 + side];
            kernel[side] = if usual {
                3.min(most)
            } else {
                self.pick(1, most)
            };
            dilations[side] = if dilated && self.once_in(5) { 2 } else { 1 };
            let reach = (kernel[side] - 1) * dilations[side] + 1;
            pads[side] = if usual {
                reach / 2
            } else {
                self.pick(0, reach - 1)
            };
            pads[side + 2] = if usual {
                reach / 2
            } else {
                self.pick(0, reach - 1)
            };
            if reach > size + pads[side] + pads[side + 2] {
                (kernel[side], dilations[side]) = (1, 1);
                (pads[side], pads[side + 2]) = (0, 0);
            }
            strides[side] = if size > 6 { self.pick(1, 3) } else { 1 };
            let reach = (kernel[side] - 1) * dilations[side] + 1;
            out[side] = (size + pads[side] + pads[side + 2] - reach) / strides[side] + 1;
        }
        let mut attributes = vec![
            ints("kernel_shape", &kernel),
            ints("strides", &strides),
            ints("pads", &pads),
        ];
        if dilated {
            attributes.push(ints("dilations", &dilations));
        }
        (attributes, out)
    }

    /// Kernel and padding out of a window's attributes.
    pub(super) fn of(attributes: &[AttributeProto], name: &str) -> Vec<i64> {
        let found = attributes.iter().find(|attribute| attribute.name == name);
        found
            .map(|attribute| attribute.ints.clone())
            .unwrap_or_default()
    }

    fn picture_step(&mut self) {
        match self.pick(0, 26) {
            0..=3 => self.conv(),
            4 => self.same_conv(),
            5 => self.padded_conv(),
            6..=8 => self.node("Relu", &[], vec![]),
            9 => self.clip(),
            10 | 11 => self.pool("MaxPool"),
            12 => self.pool("AveragePool"),
            13 => self.batch_normalization(),
            14 => self.add(),
            15 => self.arithmetic(),
            17 => self.upsample(),
            18 => self.concat(),
            19 | 20 => self.unary(),
            16 if self.once_in(3) => self.unit(),
            16 => self.node("Identity", &[], vec![]),
            21 => self.excite(),
            22 => self.product(),
            23 => self.shuffle(),
            24 | 25 => self.part(),
            _ => self.turned(),
        }
    }

    /// From a picture to a vector.
    fn end_as_vector(&mut self) {
        let [channels, height, width] = [self.now.dims[0], self.now.dims[1], self.now.dims[2]];
        let mut length = channels;
        match self.pick(0, 6) {
            0 => {
                self.node("GlobalAveragePool", &[], vec![]);
                self.node("Flatten", &[], vec![]);
            }
            1 => {
                self.node("GlobalAveragePool", &[], vec![]);
                let axes = self.fresh("axes");
                self.file.ints(&axes, &[2], vec![2, 3]);
                self.node("Squeeze", &[&axes], vec![]);
            }
            2 => {
                let attributes = vec![ints("axes", &[2, 3]), int("keepdims", 0)];
                self.node("ReduceMean", &[], attributes);
            }
            3 => {
                let shape = self.fresh("shape");
                self.file.ints(&shape, &[2], vec![0, -1]);
                self.node("Reshape", &[&shape], vec![]);
                length *= height * width;
            }
            4 => {
                let of = self.now.name.clone();
                let (first, rest) = (self.fresh("first"), self.fresh("rest"));
                self.file
                    .ints(&first, &[], vec![0])
                    .ints(&rest, &[1], vec![-1]);
                self.file.node_of("Shape", &[&of], vec![]);
                self.file.node("Gather", &[&first], vec![]);
                let batch = self.file.last();
                let zero = self.fresh("zero");
                self.file.ints(&zero, &[1], vec![0]);
                self.file.node_of("Unsqueeze", &[&batch, &zero], vec![]);
                self.file.node("Concat", &[&rest], vec![int("axis", 0)]);
                let shape = self.file.last();
                self.file.node_of("Reshape", &[&of, &shape], vec![]);
                length *= height * width;
            }
            5 => {
                self.node("Transpose", &[], vec![ints("perm", &[0, 2, 3, 1])]);
                self.node("Flatten", &[], vec![]);
                length *= height * width;
            }
            _ => {
                self.node("Flatten", &[], vec![]);
                length *= height * width;
            }
        }
        self.becomes(vec![length]);
        self.before.clear();
    }

    fn linear(&mut self) {
        let (length, out) = (self.now.dims[0], self.pick(2, 24));
        let limit = (4.0 / length as f32).sqrt();
        let (matrix, bias) = (self.fresh("matrix"), self.fresh("bias"));
        let transposed = self.once_in(2);
        let dims = if transposed {
            [out, length]
        } else {
            [length, out]
        };
        self.file.random(&matrix, &dims, -limit, limit);
        self.file.random(&bias, &[out], -0.5, 0.5);
        if transposed || self.once_in(2) {
            let attributes = vec![
                int("transB", i64::from(transposed)),
                float("alpha", 0.8),
                float("beta", 1.5),
            ];
            self.node("Gemm", &[&matrix, &bias], attributes);
        } else {
            self.node("MatMul", &[&matrix], vec![]);
            self.node("Add", &[&bias], vec![]);
        }
        self.becomes(vec![out]);
        self.before.clear();
    }

    /// A vector as a picture of one pixel, and back.
    fn one_pixel(&mut self) {
        let axes = self.fresh("axes");
        self.file.ints(&axes, &[2], vec![2, 3]);
        let (length, out) = (self.now.dims[0], self.pick(2, 12));
        self.node("Unsqueeze", &[&axes], vec![]);
        let (kernel, pad) = if self.once_in(2) { (3, 1) } else { (1, 0) };
        self.weighted([out, length, kernel, kernel], vec![ints("pads", &[pad; 4])]);
        self.becomes(vec![out]);
        self.node("Flatten", &[], vec![]);
        self.before.clear();
    }

    fn vector_step(&mut self) {
        match self.pick(0, 9) {
            0..=2 => self.linear(),
            3 => self.node("Relu", &[], vec![]),
            4 => self.clip(),
            5 => self.batch_normalization(),
            6 => self.arithmetic(),
            7 => self.unit(),
            8 => self.one_pixel(),
            _ => self.add(),
        }
    }
}

/// A network, and the shape of its pictures: channels, height, width.
pub(super) fn network(seed: u64) -> (File, [i64; 3]) {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let channels = [1, 1, 1, 3, 2][rng.random_range(0..5)];
    let shape = [channels, rng.random_range(6..=18), rng.random_range(6..=18)];
    let channels_last = channels != 2 && rng.random_range(0..6) == 0;
    let [_, height, width] = shape;
    let mut file = match channels_last {
        true => File::new(height, width, channels),
        false => File::new(channels, height, width),
    };
    let steps = rng.random_range(1..=9);
    file.rng = rng;
    let mut draft = Draft {
        file,
        now: Now {
            name: "x".to_owned(),
            dims: shape.to_vec(),
        },
        before: vec![],
    };
    if channels_last {
        draft.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])]);
        draft.before.clear();
    }
    for _ in 0..steps {
        draft.picture_step();
    }
    let area = draft.now.dims.iter().product::<i64>();
    if area > 400 || !draft.once_in(5) {
        draft.end_as_vector();
        for _ in 0..draft.pick(0, 4) {
            draft.vector_step();
        }
    }
    // Else the output could be the picture.
    if draft.file.nodes.len() < 3 {
        draft.node("Relu", &[], vec![]);
    }
    (draft.file, shape)
}
