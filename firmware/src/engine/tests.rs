//! Every kernel against its scalar twin over shapes, steps, paddings, zero points and extremes.

extern crate std;

use std::boxed::Box;
use std::vec::Vec;

use bytemuck::Zeroable;
use proptest::prelude::*;

use super::reference::{Layout, Random, Trial, Values, random_chain};
use super::{requantize, run_observed};
use crate::image::{Kind, Model, OpRecord, Tensor};

fn tensor([height, width, channels]: [u16; 3], zero_point: i8) -> Tensor {
    Tensor {
        height,
        width,
        channels,
        zero_point,
        ..Tensor::default()
    }
}

/// Height, width and channels after a window.
fn after(op: &OpRecord, channels: u16) -> [u16; 3] {
    let [top, left, bottom, right] = op.pads.map(u16::from);
    let side = |len: u16, pad: u16, i: usize| {
        (len + pad - u16::from(op.kernel[i])) / u16::from(op.stride[i]) + 1
    };
    [
        side(op.input.height, top + bottom, 0),
        side(op.input.width, left + right, 1),
        channels,
    ]
}

/// A window that fits into an input of up to 12 x 12 pixels.
fn windowed(kind: Kind, channels: impl Strategy<Value = u16>) -> impl Strategy<Value = OpRecord> {
    let sides = (1..=5u8, 1..=5u8, 0..=8u16, 0..=8u16, channels);
    sides
        .prop_flat_map(move |(kh, kw, more_h, more_w, channels)| {
            let pads = (0..kh, 0..kw, 0..kh, 0..kw);
            (pads, 1..=3u8, 1..=3u8, any::<i8>(), any::<i8>()).prop_map(
                move |(pads, down, right, zero_in, zero_out)| OpRecord {
                    kind: kind as u8,
                    kernel: [kh, kw],
                    stride: [down, right],
                    pads: pads.into(),
                    groups: 1,
                    input: tensor(
                        [u16::from(kh) + more_h, u16::from(kw) + more_w, channels],
                        zero_in,
                    ),
                    output: tensor([0; 3], zero_out),
                    ..OpRecord::zeroed()
                },
            )
        })
        .prop_map(|op| {
            let zero_point = op.output.zero_point;
            OpRecord {
                output: tensor(after(&op, op.input.channels), zero_point),
                ..op
            }
        })
}

fn conv() -> impl Strategy<Value = OpRecord> {
    let channels = prop_oneof![1..=9u16, Just(12), Just(16)];
    let groups = (1..=3u16, 1..=9u16, any::<bool>());
    (windowed(Kind::Conv2d, channels), groups).prop_map(|(mut op, (groups, outputs, pool))| {
        op.input.channels *= groups;
        op.groups = groups;
        op.output.channels = groups * outputs;
        if pool && op.output.height > 1 && op.output.width > 1 {
            op.pool = 2;
            (op.output.height, op.output.width) = (op.output.height / 2, op.output.width / 2);
        }
        op
    })
}

/// Kernels that have a path of their own: 3 x 3 on one channel or many, and pointwise.
fn usual_conv() -> impl Strategy<Value = OpRecord> {
    let channels = prop_oneof![Just(1u16), Just(4), Just(8), Just(3)];
    let shape = (
        4..=9u16,
        4..=9u16,
        channels,
        1..=8u16,
        any::<bool>(),
        1..=2u8,
        any::<bool>(),
    );
    (shape, any::<i8>(), any::<i8>()).prop_map(
        |((height, width, inputs, outputs, pointwise, stride, pool), zero_in, zero_out)| {
            let (kernel, pad) = if pointwise { (1, 0) } else { (3, 1) };
            let mut op = OpRecord {
                kind: Kind::Conv2d as u8,
                kernel: [kernel; 2],
                stride: [stride; 2],
                pads: [pad; 4],
                groups: 1,
                input: tensor([height, width, inputs], zero_in),
                ..OpRecord::zeroed()
            };
            op.output = tensor(after(&op, outputs), zero_out);
            if pool {
                op.pool = 2;
                (op.output.height, op.output.width) = (op.output.height / 2, op.output.width / 2);
            }
            op
        },
    )
}

/// Square windows, of which some have a path of their own, over maps from the least that they fit.
fn square() -> impl Strategy<Value = OpRecord> {
    let side = prop_oneof![Just(3u8), Just(5), Just(7)];
    let pads = |side: u8| prop_oneof![Just([side / 2; 4]), [0..side, 0..side, 0..side, 0..side]];
    side.prop_flat_map(move |side| (Just(side), pads(side)))
        .prop_flat_map(|(side, pads)| {
            let least = |pads: u8| u16::from(side.saturating_sub(pads).max(1));
            let (height, width) = (least(pads[0] + pads[2]), least(pads[1] + pads[3]));
            let shape = (height..=height + 11, width..=width + 11, 1..=9u16);
            let rest = (1..=2u8, 1..=2u8, any::<i8>(), any::<i8>());
            (Just((side, pads)), shape, rest)
        })
        .prop_map(|((side, pads), shape, (down, right, zero_in, zero_out))| {
            let (height, width, channels): (u16, u16, u16) = shape;
            let mut op = OpRecord {
                kind: Kind::Depthwise as u8,
                kernel: [side; 2],
                stride: [down, right],
                pads,
                input: tensor([height, width, channels], zero_in),
                ..OpRecord::zeroed()
            };
            op.output = tensor(after(&op, channels), zero_out);
            op
        })
}

fn depthwise() -> impl Strategy<Value = OpRecord> {
    prop_oneof![windowed(Kind::Depthwise, 1..=9u16), square()]
}

fn elementwise(kind: Kind) -> impl Strategy<Value = OpRecord> {
    let shape = (1..=5u16, 1..=5u16, 1..=5u16);
    (shape, any::<[i8; 3]>()).prop_map(move |((height, width, fours), zero_points)| {
        let shape = [height, width, fours * 4];
        OpRecord {
            kind: kind as u8,
            input: tensor(shape, zero_points[0]),
            second: tensor(shape, zero_points[1]),
            output: tensor(shape, zero_points[2]),
            ..OpRecord::zeroed()
        }
    })
}

fn to_vector(kind: Kind) -> impl Strategy<Value = OpRecord> {
    let shape = (1..=6u16, 1..=6u16, 1..=9u16, 1..=11u16);
    (shape, any::<i8>(), any::<i8>()).prop_map(
        move |((height, width, channels, outputs), zero_in, zero_out)| {
            let len = height * width * channels;
            let outputs = if kind == Kind::Flatten { len } else { outputs };
            OpRecord {
                kind: kind as u8,
                input: tensor([height, width, channels], zero_in),
                output: tensor([1, 1, outputs], zero_out),
                ..OpRecord::zeroed()
            }
        },
    )
}

fn upsample() -> impl Strategy<Value = OpRecord> {
    let shape = (1..=7u16, 1..=7u16, 1..=19u16);
    (shape, 1..=5u8, 1..=5u8, any::<i8>()).prop_map(
        |((height, width, channels), down, right, zero_point)| OpRecord {
            kind: Kind::Upsample as u8,
            stride: [down, right],
            input: tensor([height, width, channels], zero_point),
            output: tensor(
                [height * u16::from(down), width * u16::from(right), channels],
                zero_point,
            ),
            ..OpRecord::zeroed()
        },
    )
}

fn concat() -> impl Strategy<Value = OpRecord> {
    let shape = (1..=7u16, 1..=7u16, 1..=5u16, 1..=19u16);
    (shape, any::<i8>()).prop_map(|((height, width, first, second), zero_point)| OpRecord {
        kind: Kind::Concat as u8,
        input: tensor([height, width, 4 * first], zero_point),
        second: tensor([height, width, second], zero_point),
        output: tensor([height, width, 4 * first + second], zero_point),
        ..OpRecord::zeroed()
    })
}

fn table() -> impl Strategy<Value = OpRecord> {
    let shape = (1..=7u16, 1..=7u16, 1..=19u16);
    (shape, any::<i8>(), any::<i8>()).prop_map(|((height, width, channels), zero_in, zero_out)| {
        OpRecord {
            kind: Kind::Table as u8,
            input: tensor([height, width, channels], zero_in),
            output: tensor([height, width, channels], zero_out),
            ..OpRecord::zeroed()
        }
    })
}

fn multiply() -> impl Strategy<Value = OpRecord> {
    let shape = (1..=7u16, 1..=7u16, 1..=5u16, any::<bool>());
    let zeros = (any::<i8>(), any::<i8>(), any::<i8>());
    (shape, zeros).prop_map(|((height, width, channels, each), (a, b, out))| OpRecord {
        kind: Kind::Multiply as u8,
        input: tensor([height, width, 4 * channels], a),
        second: match each {
            true => tensor([1, 1, 4 * channels], b),
            false => tensor([height, width, 4 * channels], b),
        },
        output: tensor([height, width, 4 * channels], out),
        ..OpRecord::zeroed()
    })
}

fn gather() -> impl Strategy<Value = OpRecord> {
    let shape = (1..=7u16, 1..=7u16, 1..=19u16, 1..=300u16);
    (shape, any::<i8>()).prop_map(|((height, width, read, written), zero_point)| OpRecord {
        kind: Kind::Gather as u8,
        input: tensor([height, width, read], zero_point),
        output: tensor([height, width, written], zero_point),
        ..OpRecord::zeroed()
    })
}

fn extreme() -> impl Strategy<Value = Values> {
    prop_oneof![Just(Values::Even), Just(Values::Extreme)]
}

/// Runs a trial, in place where `in_place` asks and the operation allows it.
fn agree(op: &OpRecord, in_place: bool, values: Values, seed: u64) -> Result<(), TestCaseError> {
    let in_place =
        in_place && op.kind().is_some_and(Kind::in_place) && op.input.same_shape(&op.output);
    let mut trial = Box::new(Trial::<32768>::new());
    let result = trial.run(op, in_place, values, seed);
    prop_assert_eq!(result, Ok(()), "{:?}", op);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn conv_is_its_twin(op in conv(), values in extreme(), seed: u64) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn usual_conv_is_its_twin(op in usual_conv(), values in extreme(), seed: u64) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn depthwise_is_its_twin(op in depthwise(), place: bool, values in extreme(), seed: u64) {
        agree(&op, place, values, seed)?;
    }

    #[test]
    fn fully_connected_is_its_twin(
        op in to_vector(Kind::FullyConnected),
        values in extreme(),
        seed: u64,
    ) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn max_pool_is_its_twin(op in windowed(Kind::MaxPool, 1..=9u16), values in extreme(), seed: u64) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn average_pool_is_its_twin(
        op in windowed(Kind::AveragePool, 1..=19u16),
        values in extreme(),
        seed: u64,
    ) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn add_is_its_twin(op in elementwise(Kind::Add), place: bool, values in extreme(), seed: u64) {
        agree(&op, place, values, seed)?;
    }

    #[test]
    fn clamp_is_its_twin(op in elementwise(Kind::Clamp), place: bool, seed: u64) {
        agree(&op, place, Values::Even, seed)?;
    }

    #[test]
    fn normalize_is_its_twin(op in elementwise(Kind::Normalize), place: bool, values in extreme(), seed: u64) {
        agree(&op, place, values, seed)?;
    }

    #[test]
    fn flatten_is_its_twin(op in to_vector(Kind::Flatten), seed: u64) {
        agree(&op, false, Values::Even, seed)?;
    }

    #[test]
    fn upsample_is_its_twin(op in upsample(), values in extreme(), seed: u64) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn concat_is_its_twin(op in concat(), values in extreme(), seed: u64) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn table_is_its_twin(op in table(), place: bool, values in extreme(), seed: u64) {
        agree(&op, place, values, seed)?;
    }

    #[test]
    fn multiply_is_its_twin(op in multiply(), place: bool, values in extreme(), seed: u64) {
        agree(&op, place, values, seed)?;
    }

    #[test]
    fn gather_is_its_twin(op in gather(), values in extreme(), seed: u64) {
        agree(&op, false, values, seed)?;
    }

    #[test]
    fn requantize_rounds_to_nearest(acc in -(1 << 20)..1 << 20, shift in 0..8u32, m in 0..i32::MAX) {
        let exact = f64::from(acc) * f64::from(1 << shift) * f64::from(m) / 4294967296.0;
        let error = f64::from(requantize(acc, shift, m)) - exact;
        prop_assert!(error > -0.5 - 1e-9 && error <= 0.5 + 1e-9);
    }
}

#[test]
fn chains_by_rows_compute_what_the_operations_compute_apart() {
    let mut trial = Box::new(Trial::<32768>::new());
    assert_eq!(trial.run_chains(20_000, 5), Ok(()));
}

/// By rows everything is observed that is computed, and the whole at the end.
#[test]
fn each_turn_is_observed() {
    let random = &mut Random::new(3);
    let mut trial = Box::new(Trial::<32768>::new());
    for seed in 0..200 {
        let chain = random_chain(random);
        let (last, output) = (chain.len() - 1, chain[chain.len() - 1].output);
        let len = trial.write_chain(&chain, Layout::Rows, &mut Random::new(seed));
        let image = &trial.image()[..len.expect("a small chain")];
        let model = Model::parse(image).expect("a valid chain");
        let mut arena = std::vec![0; model.arena_words()];
        let mut seen = Vec::new();
        let frame = std::vec![0; model.input_len()];
        run_observed(&model, &frame, &mut arena, |index, values| {
            seen.push((index, values.len()));
        })
        .expect("a valid chain");
        assert_eq!(seen.pop(), Some((last, output.len())));
        assert!(seen.iter().all(|&(_, len)| len == 0));
        let turns = |op| seen.iter().filter(|&&(index, _)| index == op).count();
        let by = usize::from(chain[last - 1].by_rows);
        assert_eq!(turns(last), usize::from(output.height).div_ceil(by));
        assert!((0..last).all(|op| turns(op) > 0));
    }
}

#[test]
fn random_operations_are_their_twins() {
    let mut trial = Box::new(Trial::<32768>::new());
    assert_eq!(trial.run_random(20_000, 1), Ok(()));
}

#[test]
fn halves_round_upwards() {
    assert_eq!(requantize(1, 0, 1 << 30), 0);
    assert_eq!(requantize(2, 0, 1 << 30), 1);
    assert_eq!(requantize(-2, 0, 1 << 30), 0);
    assert_eq!(requantize(-6, 0, 1 << 30), -1);
    assert_eq!(requantize(i32::MIN, 0, i32::MAX), -(1 << 30) + 1);
}
