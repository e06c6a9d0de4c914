//! Gradients of a network as tensors that can be differentiated in turn: what a step of gradient
//! descent inside a loss needs, without autodiff of autodiff.

use burn::tensor::{Int, Tensor};

use super::block::{self, BlockShape, BlockWeights, Norm, Statistics};
use super::network::{End, Pass, Plan, Weights};
use super::shape::EPSILON;
use super::{after, backend, fused, second};

/// A forward pass with batch norm over its batch that remembers what the gradient reads.
#[derive(Clone, Debug)]
pub struct Trace {
    embedding: Tensor<2>,
    blocks: Vec<Kept>,
    /// What the last block gave, after what is added to it.
    last: Tensor<4>,
}

/// What the gradient of a block reads.
#[derive(Clone, Debug)]
struct Kept {
    x: Tensor<4>,
    statistics: Statistics,
    /// The convolution, where the block was a fused one.
    convolved: Option<Tensor<4>>,
    /// What the block gave with what was added to it, where something follows that.
    sum: Option<Tensor<4>>,
}

impl Plan {
    /// Embeds pictures as [`Plan::embed`] does, ready for [`Trace::gradient`].
    pub fn trace(&self, weights: &Weights, mut x: Tensor<4>) -> Trace {
        let mut blocks = Vec::with_capacity(self.blocks.len());
        let mut pass = Pass::new(self);
        for (i, (shape, weights)) in self.blocks.iter().zip(&weights.0).enumerate() {
            x = pass.before(i, x);
            let input = x.clone();
            let (out, statistics, convolved) = if backend::is_processor(&x.device()) {
                let (out, statistics, convolved) = fused::block(shape, weights, x);
                (out, statistics, Some(convolved))
            } else {
                let (out, statistics) = block::composed(shape, weights, x, Norm::Batch);
                (out, statistics, None)
            };
            blocks.push(Kept {
                x: input,
                statistics,
                convolved,
                sum: pass.sum(i, &out),
            });
            x = pass.after(i, out);
        }
        Trace {
            embedding: self.end(x.clone()),
            blocks,
            last: x,
        }
    }
}

impl Trace {
    /// The embeddings, `[n, embedding]`.
    pub fn embedding(&self) -> Tensor<2> {
        self.embedding.clone()
    }

    /// The statistics that batch norm used in each block, without gradient.
    pub fn statistics(&self) -> Vec<Statistics> {
        self.blocks.iter().map(|b| b.statistics.clone()).collect()
    }

    /// The gradient of some loss by `weights`, those of the forward pass, given its gradient by the
    /// embeddings, `[n, embedding]`.
    ///
    /// What comes out can be differentiated once more, by the weights, the pictures and `by`, and
    /// so a loss of `weights - rate * gradient` has an exact gradient.
    pub fn gradient(&self, plan: &Plan, weights: &Weights, by: Tensor<2>) -> Weights {
        let mut all = Vec::with_capacity(self.blocks.len());
        let mut by = back_from_end(plan, &self.last, by);
        let blocks = plan.blocks.iter().zip(&weights.0).zip(&self.blocks);
        // What reaches the input of a block by the way around it.
        let mut around: Vec<Option<Tensor<4>>> = vec![None; self.blocks.len()];
        for (i, ((shape, weights), kept)) in blocks.enumerate().rev() {
            if let Some(sum) = &kept.sum {
                by = after::backward(plan.after[i], sum, by);
            }
            if let Some(from) = plan.skips[i] {
                around[from] = Some(by.clone());
            }
            let x = kept.x.clone();
            let first = plan.reads[i].unwrap_or(i) == 0;
            let (dx, dw) = match &kept.convolved {
                Some(y) => {
                    let known = (y.clone(), kept.statistics.clone());
                    second::block_gradient(shape, weights, x, by, known, !first)
                }
                None => composed(shape, weights, x, by, !first),
            };
            by = match (plan.reads[i], around[i].take()) {
                // What it reads came around the blocks between.
                (Some(from), skipped) => {
                    if !first {
                        around[from] = Some(dx);
                    }
                    skipped.expect("what the block before gives is added")
                }
                (None, Some(skipped)) if !first => dx + skipped,
                _ => dx,
            };
            all.push(dw);
        }
        all.reverse();
        Weights(all)
    }
}

/// The gradient by what the last block gave, `[n, height, width, channels]`, from that by the
/// embedding.
fn back_from_end(plan: &Plan, last: &Tensor<4>, by: Tensor<2>) -> Tensor<4> {
    let [n, height, width, channels] = last.dims();
    let pixels = height * width;
    if plan.end == End::Flat {
        return by
            .reshape([n, channels, height, width])
            .permute([0, 2, 3, 1]);
    }
    let by = by.reshape([n, 1, channels]);
    let by = match plan.end {
        End::MeanAndMaximum => by * (greatest(last) + 1.0 / pixels as f32),
        _ => by.repeat(&[1, pixels, 1]) / pixels as f32,
    };
    by.reshape([n, height, width, channels])
}

/// 1 for the first greatest of a channel's pixels, else 0, `[n, pixels, channels]`.
fn greatest(x: &Tensor<4>) -> Tensor<3> {
    let [n, height, width, channels] = x.dims();
    let pixels = height * width;
    let place = x.clone().reshape([n, pixels, channels]).argmax(1);
    let places = Tensor::<1, Int>::arange(0..pixels as i64, &x.device());
    let places = places.reshape([1, pixels, 1]).repeat(&[n, 1, channels]);
    places.equal(place.repeat(&[1, pixels, 1])).float()
}

/// A block's gradient by burn's own operations, for back ends other than the CPU's and as the test
/// oracle: by `x` (if `pictures`, else as it came) and by the weights.
fn composed(
    shape: &BlockShape,
    weights: &BlockWeights,
    x: Tensor<4>,
    by: Tensor<4>,
    pictures: bool,
) -> (Tensor<4>, BlockWeights) {
    let s = shape;
    let taps = taps(s, &x);
    let n = x.dims()[0];
    let rows = n * s.out_pixels();
    let kernel = |tap: usize| {
        let each = s.weight_shape()[0] / s.taps();
        let rows = tap * each..(tap + 1) * each;
        weights.weight.clone().slice([rows, 0..s.outputs])
    };
    let mut y: Option<Tensor<2>> = None;
    for (tap, x) in taps.iter().enumerate() {
        let part = if s.depthwise {
            x.clone() * kernel(tap)
        } else {
            x.clone().matmul(kernel(tap))
        };
        y = Some(match y {
            Some(y) => y + part,
            None => part,
        });
    }
    let y = y.expect("a kernel has at least one pixel");
    let centred = y.clone() - y.mean_dim(0);
    let inverse = (centred.clone().powi_scalar(2).mean_dim(0) + EPSILON)
        .sqrt()
        .recip();
    let normal = centred * inverse.clone();
    let d = led_back(s, normal.clone(), weights, by);
    let beta = d.clone().sum_dim(0);
    let gamma = (d.clone() * normal.clone()).sum_dim(0);
    let dy = (d - beta.clone() / rows as f32 - normal * (gamma.clone() / rows as f32))
        * (weights.gamma.clone() * inverse);
    let each = taps.iter().map(|x| {
        if s.depthwise {
            (x.clone() * dy.clone()).sum_dim(0)
        } else {
            x.clone().transpose().matmul(dy.clone())
        }
    });
    let weight = Tensor::cat(each.collect(), 0);
    let dx = if pictures {
        let each = (0..s.taps()).map(|tap| {
            if s.depthwise {
                dy.clone() * kernel(tap)
            } else {
                dy.clone().matmul(kernel(tap).transpose())
            }
        });
        untap(s, each.collect(), n)
    } else {
        x
    };
    let gradient = BlockWeights {
        weight,
        gamma,
        beta,
    };
    (dx, gradient)
}

/// Height and width of the padded picture of which [`taps`] cuts whole steps.
fn padded(s: &BlockShape) -> (usize, usize) {
    let side = |out: usize| out * s.stride + s.kernel;
    let (height, width) = (side(s.out_height()), side(s.out_width()));
    (
        height.max(s.height + s.padding),
        width.max(s.width + s.padding),
    )
}

/// What each pixel of the kernel sees, `[n * out_pixels, inputs]` for each.
fn taps(s: &BlockShape, x: &Tensor<4>) -> Vec<Tensor<2>> {
    let [n, _, _, c] = x.dims();
    let (height, width) = padded(s);
    let p = s.padding;
    let canvas = Tensor::<4>::zeros([n, height, width, c], &x.device())
        .slice_assign([0..n, p..p + s.height, p..p + s.width, 0..c], x.clone());
    let (oh, ow, step) = (s.out_height(), s.out_width(), s.stride);
    let cut = |tap: usize| {
        let (ky, kx) = (tap / s.kernel, tap % s.kernel);
        canvas
            .clone()
            .slice([0..n, ky..ky + oh * step, kx..kx + ow * step, 0..c])
            .reshape([n, oh, step, ow, step, c])
            .slice([0..n, 0..oh, 0..1, 0..ow, 0..1, 0..c])
            .reshape([n * oh * ow, c])
    };
    (0..s.taps()).map(cut).collect()
}

/// The reverse: adds each pixel's part to where it was seen.
fn untap(s: &BlockShape, parts: Vec<Tensor<2>>, n: usize) -> Tensor<4> {
    let c = s.inputs;
    let (height, width) = padded(s);
    let (oh, ow, step) = (s.out_height(), s.out_width(), s.stride);
    let mut canvas = Tensor::<4>::zeros([n, height, width, c], &parts[0].device());
    for (tap, part) in parts.into_iter().enumerate() {
        let (ky, kx) = (tap / s.kernel, tap % s.kernel);
        let spread = Tensor::<6>::zeros([n, oh, step, ow, step, c], &part.device())
            .slice_assign(
                [0..n, 0..oh, 0..1, 0..ow, 0..1, 0..c],
                part.reshape([n, oh, 1, ow, 1, c]),
            )
            .reshape([n, oh * step, ow * step, c]);
        let at = [0..n, ky..ky + oh * step, kx..kx + ow * step, 0..c];
        let sum = canvas.clone().slice(at.clone()) + spread;
        canvas = canvas.slice_assign(at, sum);
    }
    let p = s.padding;
    canvas.slice([0..n, p..p + s.height, p..p + s.width, 0..c])
}

/// The gradient by `gamma * normal + beta`, `[rows, outputs]`, from that by the block's output: ReLU
/// and pool only choose.
fn led_back(s: &BlockShape, normal: Tensor<2>, weights: &BlockWeights, by: Tensor<4>) -> Tensor<2> {
    let z = (normal * weights.gamma.clone() + weights.beta.clone()).detach();
    let [rows, c] = z.dims();
    let n = by.dims()[0];
    let (height, width) = (s.out_height(), s.out_width());
    let (low, high) = s.activation.limits();
    let passes = z.clone().greater_elem(low).float() * z.clone().lower_elem(high).float();
    if !s.pool {
        return by.reshape([rows, c]) * passes;
    }
    let (h, w) = (height / 2, width / 2);
    let area = [0..n, 0..2 * h, 0..2 * w, 0..c];
    // A window's four pixels beside each other.
    let windows = |t: Tensor<2>| {
        t.reshape([n, height, width, c])
            .slice(area.clone())
            .reshape([n, h, 2, w, 2, c])
            .permute([0, 1, 3, 5, 2, 4])
            .reshape([n * h * w * c, 4])
    };
    let chosen = windows(z)
        .argmax(1)
        .reshape([n * h * w * c])
        .one_hot::<2>(4)
        .float();
    let chosen = chosen * windows(passes);
    let d = (chosen * by.reshape([n * h * w * c, 1]))
        .reshape([n, h, w, c, 2, 2])
        .permute([0, 1, 4, 2, 5, 3])
        .reshape([n, 2 * h, 2 * w, c]);
    Tensor::<4>::zeros([n, height, width, c], &d.device())
        .slice_assign(area, d)
        .reshape([rows, c])
}

#[cfg(test)]
mod tests;
