//! Resize and Upsample, where they repeat each row and column a whole number of times.

use super::{
    constant::Constant,
    error::ConvertError,
    layers::Layers,
    network::{Op, Shape},
    node::{Activation, Node, from_front},
};

/// Greatest factor that the engine knows.
const MAX_FACTOR: usize = 255;

/// Reads a node that makes a picture larger.
pub(super) fn upsample(node: &Node<'_>, layers: &mut Layers) -> Result<Activation, ConvertError> {
    let input = node.picture(0)?;
    let mode = node.text("mode");
    if !["", "nearest"].contains(&mode) {
        return node.fail(format!(
            "its mode is {mode}: only the nearest neighbour is supported; export it with mode=\"nearest\""
        ));
    }
    let size = [input.shape.height, input.shape.width];
    let factors = factors(node, &input)?;
    for (size, factor) in size.into_iter().zip(factors) {
        check_rounding(node, size, factor)?;
    }
    let [down, right] = factors;
    if factors == [1, 1] {
        return Ok(input);
    }
    let shape = Shape {
        height: size[0] * down,
        width: size[1] * right,
        ..input.shape
    };
    let value = layers.push(&node.name, Op::Upsample(factors), vec![input.value], shape);
    Ok(Activation {
        value,
        shape,
        ..input
    })
}

/// What a node says of each axis that it resizes.
enum Wanted<'n> {
    Scales(&'n [f32]),
    Sizes(&'n [i64]),
}

impl Wanted<'_> {
    fn count(&self) -> usize {
        match self {
            Self::Scales(scales) => scales.len(),
            Self::Sizes(sizes) => sizes.len(),
        }
    }

    /// The whole factor of axis number `index`, which has `size` values, or 0 for the batch.
    fn factor(&self, index: usize, size: i64) -> Option<usize> {
        let factor = match self {
            Self::Scales(scales) => scales
                .get(index)
                .filter(|scale| scale.fract() == 0.0)
                .map(|&scale| scale as i64),
            Self::Sizes(sizes) => match (sizes.get(index)?, size) {
                (-1..=1, 0) => Some(1),
                (&wanted, size) => wanted
                    .checked_div(size)
                    .filter(|factor| factor * size == wanted),
            },
        };
        factor
            .and_then(|factor| usize::try_from(factor).ok())
            .filter(|factor| (1..=MAX_FACTOR).contains(factor))
    }
}

impl std::fmt::Display for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Scales(scales) => write!(f, "its scales are {scales:?}"),
            Self::Sizes(sizes) => write!(f, "its sizes are {sizes:?}"),
        }
    }
}

/// Scales or sizes, wherever the node has them.
fn wanted<'n>(node: &'n Node<'_>) -> Result<Wanted<'n>, ConvertError> {
    // Before opset 11 the scales are the second input, before opset 9 an attribute.
    let (at_scales, at_sizes) = match node.inputs.len() {
        0..=2 => (1, 2),
        _ => (2, 3),
    };
    let scales = match (node.optional_constant(at_scales)?, node.attribute("scales")) {
        (Some(constant), _) => constant.floats(),
        (None, attribute) => attribute.map(|attribute| &attribute.floats[..]),
    };
    let sizes = node.optional_constant(at_sizes)?.and_then(Constant::ints);
    match (scales, sizes) {
        (Some(scales @ [_, ..]), _) => Ok(Wanted::Scales(scales)),
        (_, Some(_)) if !["", "stretch"].contains(&node.text("keep_aspect_ratio_policy")) => {
            node.fail("it keeps the aspect ratio by itself: export it with scales")
        }
        (_, Some(sizes)) => Ok(Wanted::Sizes(sizes)),
        _ => {
            node.fail("it has neither scales, which must be floats, nor sizes: the file is damaged")
        }
    }
}

/// How often each row and each column stands in the output.
fn factors(node: &Node<'_>, input: &Activation) -> Result<[usize; 2], ConvertError> {
    let wanted = wanted(node)?;
    let axes = match node.attribute("axes") {
        None => (0..input.rank()).collect(),
        Some(axes) => from_front(&axes.ints, input.rank()),
    };
    let (count, dims) = (wanted.count(), input.dims());
    let mut factors = vec![1; dims.len()];
    if count != axes.len() {
        return node.fail(format!(
            "{wanted} for the axes {axes:?}: the file is damaged"
        ));
    }
    for (index, &axis) in axes.iter().enumerate() {
        let axis = usize::try_from(axis).ok().filter(|&axis| axis < dims.len());
        match axis.and_then(|axis| Some((axis, wanted.factor(index, dims[axis])?))) {
            Some((axis, factor)) => factors[axis] = factor,
            None => {
                return node.fail(format!(
                    "{wanted} for an input of {}: only whole factors from 1 to {MAX_FACTOR}, such as 2, are supported",
                    input.text()
                ));
            }
        }
    }
    let sides = input
        .spatial_axes()
        .map(|axis| std::mem::replace(&mut factors[axis as usize], 1));
    match factors.iter().all(|&factor| factor == 1) {
        true => Ok(sides),
        false => node.fail(format!("{wanted}: only height and width can be resized")),
    }
}

/// Refuses ways to find the nearest neighbour that do not repeat each of `size` values `factor` times.
fn check_rounding(node: &Node<'_>, size: usize, factor: usize) -> Result<(), ConvertError> {
    // Before opset 11 there is one way, which repeats.
    let old = node.proto.op_type == "Upsample" || node.inputs.len() <= 2;
    let given = |name: &str, default: &'static str, old_default: &'static str| match node.text(name)
    {
        "" if old => old_default.to_owned(),
        "" => default.to_owned(),
        text => text.to_owned(),
    };
    let coordinate = given("coordinate_transformation_mode", "half_pixel", "asymmetric");
    let rounding = given("nearest_mode", "round_prefer_floor", "floor");
    let repeats = (0..size * factor).all(|at| {
        let place = place(&coordinate, at, size, factor);
        let nearest = place.and_then(|place| round(&rounding, place));
        let inside = nearest.map(|nearest| nearest.clamp(0.0, size as f64 - 1.0));
        inside == Some((at / factor) as f64)
    });
    match repeats {
        true => Ok(()),
        false => node.fail(format!(
            "coordinate_transformation_mode {coordinate} with nearest_mode {rounding} does not repeat each value \
             {factor} times: use asymmetric with floor"
        )),
    }
}

/// Where output `at` lies in the input, for the modes that look at nothing else.
fn place(mode: &str, at: usize, size: usize, factor: usize) -> Option<f64> {
    let (at, size, factor) = (at as f64, size as f64, factor as f64);
    let half = (at + 0.5) / factor;
    Some(match mode {
        "asymmetric" => at / factor,
        "half_pixel" | "half_pixel_symmetric" => half - 0.5,
        "pytorch_half_pixel" if size * factor > 1.0 => half - 0.5,
        "pytorch_half_pixel" => 0.0,
        "tf_half_pixel_for_nn" => half,
        "align_corners" if size * factor > 1.0 => at * (size - 1.0) / (size * factor - 1.0),
        "align_corners" => 0.0,
        _ => return None,
    })
}

/// The whole number that is nearest by a mode.
fn round(mode: &str, place: f64) -> Option<f64> {
    Some(match mode {
        "floor" => place.floor(),
        "ceil" => place.ceil(),
        "round_prefer_floor" => (place - 0.5).ceil(),
        "round_prefer_ceil" => (place + 0.5).floor(),
        _ => return None,
    })
}
