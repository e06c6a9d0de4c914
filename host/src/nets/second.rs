//! The gradient of a fused block as a differentiable operation of its own, so that a step of
//! gradient descent can be differentiated in turn.

use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::AutodiffBackend as _;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, ExtensionType, Flex, backend_extension};
use burn::tensor::Tensor;

use super::block::{BlockShape, BlockWeights, Statistics};
use super::cpu::{self, norm, second};
use super::fused::{contiguous, tensor};

/// The gradients by all inputs of a block.
#[derive(ExtensionType, Clone, Debug)]
pub(super) struct GradientOutput<B: Backend> {
    /// By the pictures; empty where they were not asked for.
    pub(super) x: FloatTensor<B>,
    /// By the kernel.
    pub(super) weight: FloatTensor<B>,
    /// By the scale of batch norm, `[1, outputs]`.
    pub(super) gamma: FloatTensor<B>,
    /// By its shift, `[1, outputs]`.
    pub(super) beta: FloatTensor<B>,
}

/// A block's gradient as an operation of a back end.
#[backend_extension(Autodiff, Flex)]
pub(super) trait BlockGradient: Backend {
    /// Gradients by `x` (if `pictures`), `weight`, `gamma` and `beta`, from `gradient`, that by the
    /// block's output.
    #[allow(clippy::too_many_arguments)]
    fn block_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        convolved: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        shape: BlockShape,
        pictures: bool,
    ) -> GradientOutput<Self>;
}

/// The gradients by the pictures (where `pictures`, else empty) and by the weights of a block whose
/// forward pass gave `convolved` and `stats`; themselves differentiable by `x`, `weights` and
/// `gradient`.
pub(super) fn block_gradient(
    shape: &BlockShape,
    weights: &BlockWeights,
    x: Tensor<4>,
    gradient: Tensor<4>,
    (convolved, stats): (Tensor<4>, Statistics),
    pictures: bool,
) -> (Tensor<4>, BlockWeights) {
    let w = weights.clone();
    let o = <Dispatch as BlockGradient>::block_gradient(
        x.into_dispatch(),
        w.weight.into_dispatch(),
        w.gamma.into_dispatch(),
        w.beta.into_dispatch(),
        gradient.into_dispatch(),
        convolved.into_dispatch(),
        stats.mean.into_dispatch(),
        stats.variance.into_dispatch(),
        *shape,
        pictures,
    );
    let weights = BlockWeights {
        weight: Tensor::from_dispatch(o.weight),
        gamma: Tensor::from_dispatch(o.gamma),
        beta: Tensor::from_dispatch(o.beta),
    };
    (Tensor::from_dispatch(o.x), weights)
}

/// What the second backward pass reads.
#[derive(Clone, Debug)]
struct Saved {
    shape: BlockShape,
    x: FlexTensor,
    weight: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    gradient: FlexTensor,
    convolved: FlexTensor,
    mean: FlexTensor,
    variance: FlexTensor,
    /// The gradients by gamma and beta.
    sums: [FlexTensor; 2],
}

/// The four gradients `[x, weight, gamma, beta]`, from `[x, weight, gamma, beta, gradient,
/// convolved, mean, variance]`.
fn run(inputs: [FlexTensor; 8], shape: BlockShape, pictures: bool) -> ([FlexTensor; 4], Saved) {
    let [x, weight, gamma, beta, gradient, convolved, mean, variance] = inputs.map(contiguous);
    let s = &shape;
    let back = norm::Backward::new(
        s,
        (gamma.storage(), beta.storage()),
        (mean.storage(), variance.storage()),
        convolved.storage(),
        gradient.storage(),
    );
    let (dx, dw) = convolution(s, x.storage(), weight.storage(), pictures, |i, dy| {
        back.output_gradient(i, dy);
    });
    let sums = [back.gamma, back.beta].map(|sum| tensor(sum, &[1, s.outputs]));
    let out = [
        pictures_of(s, dx.unwrap_or_default()),
        tensor(dw, &s.weight_shape()),
        sums[0].clone(),
        sums[1].clone(),
    ];
    let saved = Saved {
        shape,
        x,
        weight,
        gamma,
        beta,
        gradient,
        convolved,
        mean,
        variance,
        sums,
    };
    (out, saved)
}

/// The gradients of a convolution by `x` (if `pictures`) and by its weight; `gradient` writes that
/// by one picture's output.
fn convolution(
    s: &BlockShape,
    x: &[f32],
    weight: &[f32],
    pictures: bool,
    gradient: impl Fn(usize, &mut [f32]) + Sync,
) -> (Option<Vec<f32>>, Vec<f32>) {
    cpu::memory::retain();
    let mut dx = pictures.then(|| vec![0.0; x.len()]);
    let dw = cpu::backward(s, x, weight, dx.as_deref_mut(), gradient);
    (dx, dw)
}

fn pictures_of(s: &BlockShape, x: Vec<f32>) -> FlexTensor {
    let shape = [x.len() / s.in_len(), s.height, s.width, s.inputs];
    tensor(x, &shape)
}

fn add(to: &mut [f32], values: &[f32]) {
    for (to, value) in to.iter_mut().zip(values) {
        *to += value;
    }
}

impl Saved {
    /// The gradients by `[x, weight, gamma, gradient]` of a loss whose gradients by `[x, weight,
    /// gamma, beta]`'s gradients are `by`; that by `x` where `pictures`.
    fn backward(
        &self,
        by: [Option<FlexTensor>; 4],
        pictures: bool,
    ) -> (Option<FlexTensor>, [FlexTensor; 3]) {
        let s = &self.shape;
        let [hx, hw, by_gamma, by_beta] = by.map(|t| t.map(contiguous));
        let x: &[f32] = self.x.storage();
        let weight: &[f32] = self.weight.storage();
        let y: &[f32] = self.convolved.storage();
        let gradient: &[f32] = self.gradient.storage();
        // The gradient by `dy`: both products that it stands in.
        let mut hy = vec![0.0; y.len()];
        if let Some(hw) = &hw {
            cpu::convolve(s, x, hw.storage(), &mut hy);
        }
        if let Some(hx) = &hx {
            let mut more = vec![0.0; y.len()];
            cpu::convolve(s, hx.storage(), weight, &mut more);
            add(&mut hy, &more);
        }
        let zeros = vec![0.0; s.outputs];
        let or_zeros = |t: &Option<FlexTensor>| match t {
            Some(t) => t.storage::<f32>().to_vec(),
            None => zeros.clone(),
        };
        let gamma: &[f32] = self.gamma.storage();
        let beta: &[f32] = self.beta.storage();
        let mean: &[f32] = self.mean.storage();
        let variance: &[f32] = self.variance.storage();
        let first = second::First {
            shape: s,
            norm: [gamma, beta, mean, variance],
            y,
            gradient,
            sums: [self.sums[0].storage(), self.sums[1].storage()],
        };
        let second = second::Second::new(first, &hy, (&or_zeros(&by_gamma), &or_zeros(&by_beta)));
        let (mut dx, mut dw) = convolution(s, x, weight, pictures, |i, out| {
            second.by_convolved(i, out);
        });
        let back = norm::Backward::of_sums(
            s,
            (gamma, beta),
            (mean, variance),
            y,
            gradient,
            [0, 1].map(|i| self.sums[i].storage::<f32>().to_vec()),
        );
        let dy = |i: usize, out: &mut [f32]| back.output_gradient(i, out);
        match (hx, hw, &mut dx) {
            (Some(hx), hw, dx) => {
                let hw = hw.filter(|_| dx.is_some());
                // Without `hw` or `dx` only the weight's part is read.
                let kernel = hw.as_ref().map_or(weight, |hw| hw.storage());
                let (more_x, more_w) = convolution(s, hx.storage(), kernel, hw.is_some(), dy);
                add(&mut dw, &more_w);
                if let (Some(dx), Some(more)) = (dx, more_x) {
                    add(dx, &more);
                }
            }
            (None, Some(hw), Some(dx)) => {
                let (more, _) = convolution(s, x, hw.storage(), true, dy);
                add(dx, &more.unwrap_or_default());
            }
            (None, _, _) => {}
        }
        let by_gradient = second.by_gradient();
        let (height, width) = s.result();
        let pictures = by_gradient.len() / s.result_len();
        (
            dx.map(|dx| pictures_of(s, dx)),
            [
                tensor(dw, &s.weight_shape()),
                tensor(second.gamma, &[1, s.outputs]),
                tensor(by_gradient, &[pictures, height, width, s.outputs]),
            ],
        )
    }
}

impl BlockGradient for Flex {
    fn block_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        convolved: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        shape: BlockShape,
        pictures: bool,
    ) -> GradientOutput<Self> {
        let inputs = [x, weight, gamma, beta, gradient, convolved, mean, variance];
        let ([x, weight, gamma, beta], _) = run(inputs, shape, pictures);
        GradientOutput {
            x,
            weight,
            gamma,
            beta,
        }
    }
}

/// Where the gradients by an operation's several outputs wait for its backward step.
///
/// An operation of burn's autodiff has one output. Here that is an empty token; each real output is
/// an operation on the token, whose backward step leaves the gradient here.
type PendingGradients = Arc<Mutex<[Option<FlexTensor>; 4]>>;

#[derive(Debug)]
struct Take;

impl Backward<Flex, 1> for Take {
    type State = (PendingGradients, usize);

    fn backward(
        self,
        ops: Ops<Self::State, 1>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = grads.consume::<Flex>(&ops.node);
        let (slots, place) = ops.state;
        slots.lock().unwrap_or_else(PoisonError::into_inner)[place] = Some(gradient);
        if let [Some(parent)] = ops.parents {
            grads.register::<Flex>(parent.id, tensor(vec![0.0], &[1]));
        }
    }
}

#[derive(Debug)]
struct GradientStep;

impl Backward<Flex, 5> for GradientStep {
    type State = (Saved, PendingGradients);

    fn backward(
        self,
        ops: Ops<Self::State, 5>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        grads.consume::<Flex>(&ops.node);
        let (saved, slots) = ops.state;
        let by = std::mem::take(&mut *slots.lock().unwrap_or_else(PoisonError::into_inner));
        let [x, weight, gamma, beta, gradient] = ops.parents;
        let (dx, [dw, d_gamma, d_gradient]) = saved.backward(by, x.is_some());
        if let (Some(parent), Some(dx)) = (x, dx) {
            grads.register::<Flex>(parent.id, dx);
        }
        // Nothing goes to beta; its own backward step wants to read a gradient all the same.
        let none = tensor(vec![0.0; saved.shape.outputs], &[1, saved.shape.outputs]);
        for (parent, value) in [
            (weight, dw),
            (gamma, d_gamma),
            (beta, none),
            (gradient, d_gradient),
        ] {
            if let Some(parent) = parent {
                grads.register::<Flex>(parent.id, value);
            }
        }
    }
}

impl<C: CheckpointStrategy> BlockGradient for Autodiff<Flex, C> {
    fn block_gradient(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        gradient: FloatTensor<Self>,
        convolved: FloatTensor<Self>,
        mean: FloatTensor<Self>,
        variance: FloatTensor<Self>,
        shape: BlockShape,
        pictures: bool,
    ) -> GradientOutput<Self> {
        let (x, node_x) = x.into_parts();
        let (weight, node_weight) = weight.into_parts();
        let (gamma, node_gamma) = gamma.into_parts();
        let (beta, node_beta) = beta.into_parts();
        let (gradient, node_gradient) = gradient.into_parts();
        let [convolved, mean, variance] = [convolved, mean, variance].map(|t| t.into_parts().0);
        let inputs = [x, weight, gamma, beta, gradient, convolved, mean, variance];
        let (out, saved) = run(inputs, shape, pictures);
        let step = GradientStep
            .prepare::<C>([node_x, node_weight, node_gamma, node_beta, node_gradient])
            .compute_bound()
            .stateful();
        let out = match step {
            OpsKind::UnTracked(_) => out.map(Self::from_inner),
            OpsKind::Tracked(step) => {
                let slots = PendingGradients::default();
                let token = step.finish((saved, Arc::clone(&slots)), tensor(vec![0.0], &[1]));
                let mut place = 0..;
                out.map(|out| {
                    let (_, node) = token.clone().into_parts();
                    let state = (Arc::clone(&slots), place.next().unwrap_or_default());
                    match Take.prepare::<C>([node]).compute_bound().stateful() {
                        OpsKind::Tracked(step) => step.finish(state, out),
                        OpsKind::UnTracked(step) => step.finish(out),
                    }
                })
            }
        };
        let [x, weight, gamma, beta] = out;
        GradientOutput {
            x,
            weight,
            gamma,
            beta,
        }
    }
}
