//! Random networks of all operators, in any order, through the whole chain: ONNX, layers, image,
//! engine, against ONNX Runtime.
//!
//! How far int8 may be off is computed for each network by itself: every value and weight of its
//! layers rounded, and nothing else, in float32. What the engine is off by may hardly be more.
//! Where a network gives nearly the same for all pictures, all of them are off by the same, so that
//! one way to round tells little of another: it is the mean over several, of steps a little wider than
//! the engine's, in which nothing is cut off.
//! `SUDAL_NETWORKS` says how many networks there are, 200 by default.

mod draft;
mod layers;

use std::collections::BTreeMap;

use super::*;
use crate::export::{
    float::normalize,
    runtime,
    verify::{VerifyError, run_onnx_runtime},
};

use draft::network;

/// Most that the engine may be off by, in what rounding alone costs.
const BOUND: f64 = 2.0;
/// What it may be off by as well, in steps of the embedding.
const STEPS: f64 = 1.0;

/// What became of a network.
pub(super) struct Trial {
    pub(super) report: Report,
    pub(super) image: Vec<u8>,
    /// What the engine is off by, over what rounding alone costs and may.
    pub(super) off: f64,
}

/// The embeddings by ONNX Runtime, or by tract where it is not there.
pub(super) fn exact(
    name: &str,
    bytes: &[u8],
    signature: &Signature,
    frames: &[Vec<u8>],
) -> Vec<Vec<f32>> {
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
        Err(error) => panic!("{name}: {error}"),
    }
}

/// Widths of the steps, in the engine's.
const WIDTHS: [f64; 5] = [1.0, 1.02, 1.04, 1.06, 1.08];

/// The network with the weights of each output channel rounded to 255 levels, in steps of such a width.
fn rounded(network: &Network, width: f64) -> Network {
    let mut network = network.clone();
    for layer in &mut network.layers {
        if let Op::Conv(conv) = &mut layer.op {
            let taps = conv.taps();
            for row in conv.weight.chunks_exact_mut(taps) {
                let scale =
                    row.iter().fold(0.0_f32, |most, w| most.max(w.abs())) * width as f32 / 127.0;
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

/// Takes a random network through the chain.
fn through_the_chain(seed: u64) -> Result<Trial, ConvertError> {
    let (file, shape) = network(seed);
    let bytes = file.bytes();
    let frames = frames(&shape, 24);
    let (signature, _) = Signature::read(&bytes)?;
    let operators = file.nodes.iter().map(|node| node.op_type.as_str());
    let operators: Vec<&str> = operators.collect();
    let name = format!("network {seed} ({})", operators.join(" "));
    let exact = exact(&name, &bytes, &signature, &frames);
    let trial = compare(&name, &bytes, &frames, &exact)?;
    if trial.off > 1.0 {
        println!("{name}: off by {:.2} of what is allowed", trial.off);
    }
    Ok(trial)
}

/// What the engine is off by with a network's file, over what rounding alone costs and may.
pub(in crate::export) fn off(name: &str, bytes: &[u8], frames: &[Vec<u8>]) -> f64 {
    let float = FloatModel::new(bytes, Some(NORMALIZATION)).unwrap();
    let exact = float.embed(frames).unwrap();
    compare(name, bytes, frames, &exact).unwrap().off
}

/// Takes a network through the chain: its layers give `exact`, the engine no worse than rounding alone.
pub(super) fn compare(
    name: &str,
    bytes: &[u8],
    frames: &[Vec<u8>],
    exact: &[Vec<f32>],
) -> Result<Trial, ConvertError> {
    let (signature, model) = Signature::read(bytes)?;
    let peak = exact
        .iter()
        .flatten()
        .fold(0.0_f32, |most, v| most.max(v.abs()));

    let mut network = read::read(&signature, &model)?;
    simplify::simplify(&mut network)?;
    let input = Input::new(&network, &signature, NORMALIZATION);
    let mut pictures = input.pictures(frames)?;
    let (embeddings, _): (Vec<_>, Vec<_>) = choice::outputs(&network, pictures.iter())
        .into_iter()
        .unzip();
    for (got, exact) in pairs(&embeddings, exact) {
        assert!(
            (got - exact).abs() <= 2e-4 * peak.max(1.0),
            "{name}: the layers give {got}, ONNX Runtime {exact}"
        );
    }

    let options = ConvertOptions {
        noise_limit: Some(f64::INFINITY),
        ..options()
    };
    let converted = convert(bytes, frames, &options)?;
    let image = QuantizedModel::new(&converted.image).unwrap();
    let header = *image.model().unwrap().header();
    let real = |&q: &i8| header.output_scale * (i32::from(q) - header.output_zero_point) as f32;
    let got: Vec<Vec<f32>> = image
        .embed(frames)
        .unwrap()
        .iter()
        .map(|embedding| embedding.iter().map(real).collect())
        .collect();

    let brighter = light::Light::of(frames).brighter(frames);
    pictures.extend(input.pictures(&brighter)?);
    let mut statistics = calibrate::observe(&network, &pictures);
    if converted.report.equalized {
        equalize::equalize(&mut network, &statistics);
        statistics = calibrate::observe(&network, &pictures);
    }
    statistics[0].cover(light::extent(&input.lut));
    let ranges = quantize::ranges(&network, &statistics, converted.report.range);
    let simulated = |width: f64| {
        let rounded = rounded(&network, width);
        let evaluator = evaluate::Evaluator::new(&rounded);
        let round = |value: usize, values: &mut [f32]| {
            let range = Quantization {
                scale: ranges[value].scale * width,
                ..ranges[value]
            };
            for value in values {
                let q = i32::from(range.quantize(f64::from(*value))) - range.zero_point;
                *value = (range.scale * f64::from(q)) as f32;
            }
        };
        let embeddings: Vec<Vec<f32>> = pictures[..frames.len()]
            .iter()
            .map(|picture| {
                let values = evaluator.run_with(picture.clone(), round);
                values.into_iter().next_back().unwrap_or_default()
            })
            .collect();
        distance(&embeddings, exact).powi(2)
    };
    let rounding = WIDTHS.map(simulated).iter().sum::<f64>() / WIDTHS.len() as f64;
    let allowed = BOUND * rounding.sqrt() + STEPS * f64::from(header.output_scale);
    Ok(Trial {
        off: distance(&got, exact) / allowed,
        report: converted.report,
        image: converted.image,
    })
}

#[test]
fn random_networks_are_on_the_engine_what_they_are_in_onnx_runtime() {
    let count = std::env::var("SUDAL_NETWORKS").map_or(200, |count| count.parse().unwrap());
    let mut refused: BTreeMap<String, usize> = BTreeMap::new();
    let (mut noises, mut worst, mut wrong) = (Vec::new(), (0.0, 0), Vec::new());
    for seed in 0..count {
        match through_the_chain(seed) {
            Ok(Trial { report, off, .. }) => {
                noises.push(report.relative_error);
                worst = if off > worst.0 { (off, seed) } else { worst };
                // What is allowed is a rule of thumb.
                if off.is_nan() || off > 1.1 {
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
