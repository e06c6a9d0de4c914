//! Random networks of all operators, in any order, through the whole chain: ONNX, layers, image,
//! engine, against ONNX Runtime.
//!
//! How far int8 may be off is computed for each network by itself: every value and weight of its
//! layers rounded, and nothing else, in float32. What the engine is off by may hardly be more.
//! `SUDAL_NETWORKS` says how many networks there are, 200 unless told otherwise.

use std::collections::BTreeMap;

use super::*;
use crate::export::{
    float::normalize,
    runtime,
    verify::{VerifyError, run_onnx_runtime},
};

/// Most that the engine may be off by, in what rounding alone costs.
const BOUND: f64 = 2.0;
/// What it may be off by as well, in steps of the embedding.
const STEPS: f64 = 1.0;

/// A tensor of a network in the making.
#[derive(Clone, Debug, PartialEq)]
struct Now {
    name: String,
    /// Channels, height and width, or the length of a vector.
    dims: Vec<i64>,
}

/// A network in the making.
struct Making {
    file: File,
    now: Now,
    /// What can be read again.
    before: Vec<Now>,
}

impl Making {
    /// Between two limits, both included.
    fn pick(&mut self, least: i64, most: i64) -> i64 {
        self.file.rng.random_range(least..=most.max(least))
    }

    /// One time in n.
    fn once_in(&mut self, times: i64) -> bool {
        self.pick(1, times) == 1
    }

    /// The last node's output is the tensor now.
    fn becomes(&mut self, dims: Vec<i64>) {
        self.before.push(self.now.clone());
        self.now = Now {
            name: self.file.last(),
            dims,
        };
    }

    /// A node that reads the tensor and constants and keeps the shape.
    fn node(&mut self, op: &str, constants: &[&str], attributes: Vec<AttributeProto>) {
        let inputs = [&[self.now.name.as_str()], constants].concat();
        self.file.node_of(op, &inputs, attributes);
        self.becomes(self.now.dims.clone());
    }

    /// A name that no constant has yet.
    fn fresh(&self, name: &str) -> String {
        format!("{name}{}", self.file.constants.len())
    }

    fn number(&mut self, least: f32, greatest: f32) -> String {
        let name = self.fresh("number");
        self.file.random(&name, &[], least, greatest);
        name
    }

    /// A window with its padding, and the height and width that come out.
    fn window(&mut self, most: i64, dilated: bool) -> (Vec<AttributeProto>, [i64; 2]) {
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
    fn of(attributes: &[AttributeProto], name: &str) -> Vec<i64> {
        let found = attributes.iter().find(|attribute| attribute.name == name);
        found
            .map(|attribute| attribute.ints.clone())
            .unwrap_or_default()
    }

    fn conv(&mut self) {
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
    fn weighted(&mut self, dims: [i64; 4], attributes: Vec<AttributeProto>) {
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

    fn same_conv(&mut self) {
        let (channels, out) = (self.now.dims[0], self.pick(1, 8));
        let (kernel, stride) = (self.pick(1, 4), self.pick(1, 2));
        let mode = ["SAME_UPPER", "SAME_LOWER"][self.pick(0, 1) as usize];
        let attributes = vec![text("auto_pad", mode), ints("strides", &[stride, stride])];
        self.weighted([out, channels, kernel, kernel], attributes);
        let side = |size: i64| (size + stride - 1) / stride;
        self.becomes(vec![out, side(self.now.dims[1]), side(self.now.dims[2])]);
    }

    fn padded_conv(&mut self) {
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

    fn pool(&mut self, op: &str) {
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

    fn clip(&mut self) {
        let (low, high) = (self.number(-1.5, 0.3), self.number(0.35, 2.0));
        match self.pick(0, 2) {
            0 => self.node("Clip", &[&low, &high], vec![]),
            1 => self.node("Clip", &[&low], vec![]),
            _ => self.node("Clip", &["", &high], vec![]),
        }
    }

    fn batch_normalization(&mut self) {
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

    fn arithmetic(&mut self) {
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

    fn add(&mut self) {
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
    fn unit(&mut self) {
        let of = self.now.clone();
        let guard = self.fresh("guard");
        self.file.floats(&guard, &[], vec![1e-7]);
        let axes = self.fresh("axes");
        self.file.ints(&axes, &[1], vec![1]);
        let length = |making: &mut Self| {
            making
                .file
                .node_of("ReduceL2", &[&of.name], vec![ints("axes", &[1])]);
            making.file.node("Clip", &[&guard], vec![]);
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
    fn upsample(&mut self) {
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

    /// To channels last and back, with something between that does not care.
    fn turned(&mut self) {
        self.node("Transpose", &[], vec![ints("perm", &[0, 2, 3, 1])]);
        if self.once_in(2) {
            self.node("Relu", &[], vec![]);
            self.before.pop();
        }
        self.before.pop();
        self.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])]);
        self.before.pop();
    }

    fn picture_step(&mut self) {
        match self.pick(0, 18) {
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
            16 if self.once_in(3) => self.unit(),
            16 => self.node("Identity", &[], vec![]),
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
fn network(seed: u64) -> (File, [i64; 3]) {
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
    let mut making = Making {
        file,
        now: Now {
            name: "x".to_owned(),
            dims: shape.to_vec(),
        },
        before: vec![],
    };
    if channels_last {
        making.node("Transpose", &[], vec![ints("perm", &[0, 3, 1, 2])]);
        making.before.clear();
    }
    for _ in 0..steps {
        making.picture_step();
    }
    let area = making.now.dims.iter().product::<i64>();
    if area > 400 || !making.once_in(5) {
        making.end_as_vector();
        for _ in 0..making.pick(0, 4) {
            making.vector_step();
        }
    }
    // Else the output could be the picture.
    if making.file.nodes.len() < 3 {
        making.node("Relu", &[], vec![]);
    }
    (making.file, shape)
}

/// What became of a network.
struct Trial {
    /// Noise of int8 as the report has it.
    noise: f64,
    /// What the engine is off by, over what rounding alone costs and may.
    off: f64,
}

/// The embeddings by ONNX Runtime, or by tract where it is not there.
fn exact(seed: u64, bytes: &[u8], signature: &Signature, frames: &[Vec<u8>]) -> Vec<Vec<f32>> {
    let pictures: Vec<f32> = frames
        .iter()
        .flat_map(|frame| normalize(frame, signature, NORMALIZATION).unwrap())
        .collect();
    match run_onnx_runtime(bytes, signature, &pictures) {
        Ok((_, values, _)) => {
            let length = values.len() / frames.len();
            values.chunks(length).map(<[f32]>::to_vec).collect()
        }
        Err(VerifyError::Runtime(runtime::RuntimeError::Missing { .. })) => {
            let float = FloatModel::new(bytes, Some(NORMALIZATION)).unwrap();
            float.embed(frames).unwrap()
        }
        Err(error) => panic!("network {seed}: {error}"),
    }
}

/// The network with the weights of each output channel rounded to 255 levels.
fn rounded(network: &Network) -> Network {
    let mut network = network.clone();
    for layer in &mut network.layers {
        if let Op::Conv(conv) = &mut layer.op {
            let taps = conv.taps();
            for row in conv.weight.chunks_exact_mut(taps) {
                let scale = row.iter().fold(0.0_f32, |most, w| most.max(w.abs())) / 127.0;
                let round = |w: &mut f32| *w = (*w / scale).round() * scale;
                row.iter_mut().filter(|_| scale > 0.0).for_each(round);
            }
        }
    }
    network
}

/// Root mean square of the difference.
fn distance(a: &[Vec<f32>], b: &[Vec<f32>]) -> f64 {
    let pairs = pairs(a, b);
    let count = pairs.len().max(1) as f64;
    let squares = pairs.iter().map(|(a, b)| f64::from(a - b).powi(2));
    (squares.sum::<f64>() / count).sqrt()
}

/// Two lists of embeddings, value by value.
fn pairs(a: &[Vec<f32>], b: &[Vec<f32>]) -> Vec<(f32, f32)> {
    assert_eq!(a.concat().len(), b.concat().len());
    a.concat().into_iter().zip(b.concat()).collect()
}

/// Takes a network through the chain.
fn through_the_chain(seed: u64) -> Result<Trial, ConvertError> {
    let (file, shape) = network(seed);
    let bytes = file.bytes();
    let frames = frames(&shape, 24);
    let (signature, model) = Signature::read(&bytes)?;
    let exact = exact(seed, &bytes, &signature, &frames);
    let peak = exact
        .iter()
        .flatten()
        .fold(0.0_f32, |most, v| most.max(v.abs()));

    let mut network = read::read(&signature, &model)?;
    simplify::simplify(&mut network)?;
    let table = lut(&network, NORMALIZATION);
    let mut pictures = pictures(&network, &signature, &frames, &table, 0)?;
    let (embeddings, _): (Vec<_>, Vec<_>) = outputs(&network, pictures.iter()).into_iter().unzip();
    for (got, exact) in pairs(&embeddings, &exact) {
        assert!(
            (got - exact).abs() <= 2e-4 * peak.max(1.0),
            "network {seed}: the layers give {got}, ONNX Runtime {exact}"
        );
    }

    let options = ConvertOptions {
        noise_limit: Some(f64::INFINITY),
        ..options()
    };
    let converted = convert(&bytes, &frames, &options)?;
    let image = QuantizedModel::new(&converted.image).unwrap();
    let header = *image.model().unwrap().header();
    let real = |&q: &i8| header.output_scale * (i32::from(q) - header.output_zero_point) as f32;
    let got: Vec<Vec<f32>> = image
        .embed(&frames)
        .unwrap()
        .iter()
        .map(|embedding| embedding.iter().map(real).collect())
        .collect();

    let brighter = light::Light::of(&frames).brighter(&frames);
    pictures.extend(super::pictures(&network, &signature, &brighter, &table, 0)?);
    let mut statistics = calibrate::observe(&network, &pictures);
    if converted.report.equalized {
        equalize::equalize(&mut network, &statistics);
        statistics = calibrate::observe(&network, &pictures);
    }
    statistics[0].cover(light::extent(&table));
    let ranges = quantize::ranges(&network, &statistics, converted.report.range);
    let rounded = rounded(&network);
    let evaluator = evaluate::Evaluator::new(&rounded);
    let round = |value: usize, values: &mut [f32]| {
        let range = ranges[value];
        for value in values {
            let q = i32::from(range.quantize(f64::from(*value))) - range.zero_point;
            *value = (range.scale * f64::from(q)) as f32;
        }
    };
    let simulated: Vec<Vec<f32>> = pictures[..frames.len()]
        .iter()
        .map(|picture| {
            let values = evaluator.run_with(picture.clone(), round);
            values.into_iter().next_back().unwrap_or_default()
        })
        .collect();
    let allowed = BOUND * distance(&simulated, &exact) + STEPS * f64::from(header.output_scale);
    Ok(Trial {
        noise: converted.report.relative_error,
        off: distance(&got, &exact) / allowed,
    })
}

#[test]
fn random_networks_are_on_the_engine_what_they_are_in_onnx_runtime() {
    let count = std::env::var("SUDAL_NETWORKS").map_or(200, |count| count.parse().unwrap());
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let (mut noises, mut worst, mut wrong) = (Vec::new(), (0.0, 0), Vec::new());
    for seed in 0..count {
        match through_the_chain(seed) {
            Ok(Trial { noise, off }) => {
                noises.push(noise);
                worst = if off > worst.0 { (off, seed) } else { worst };
                if off.is_nan() || off > 1.0 {
                    wrong.push((seed, off));
                }
            }
            Err(ConvertError::Node {
                operator, reason, ..
            }) => {
                let reason: String = reason
                    .chars()
                    .filter(|c| c.is_alphabetic() || *c == ' ')
                    .collect();
                *refused
                    .entry(format!("{operator}: {reason:.60}"))
                    .or_default() += 1;
            }
            Err(error) => *refused.entry(format!("{error:.60}")).or_default() += 1,
        }
    }
    noises.sort_by(f64::total_cmp);
    let part = |percent: usize| 100.0 * noises[(noises.len() - 1) * percent / 100];
    println!(
        "{count} networks, {} through the chain: int8 adds {:.2} % in the median, {:.1} % in 90 of 100, {:.1} % in \
         99, {:.0} % at most; off by {:.2} of what is allowed at most (network {})",
        noises.len(),
        part(50),
        part(90),
        part(99),
        part(100),
        worst.0,
        worst.1
    );
    for (reason, count) in &refused {
        println!("{count} refused: {reason}");
    }
    assert!(wrong.is_empty(), "off by more than rounding: {wrong:?}");
    assert!(
        noises.len() as u64 * 10 > count * 8,
        "too many were refused"
    );
}
