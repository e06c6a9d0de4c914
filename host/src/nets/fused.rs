//! A whole block as one differentiable operation of burn's CPU back end.

use burn::backend::AutodiffBackend as _;
use burn::backend::autodiff::NodeId;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::CheckpointStrategy;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::flex::FlexTensor;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Autodiff, Backend, Dispatch, ExtensionType, Flex, backend_extension};
use burn::tensor::{Tensor, TensorData};

use super::cpu::{self, norm};
use super::shape::{BlockShape, BlockWeights, Statistics};

/// What a block computes.
#[derive(ExtensionType, Clone, Debug)]
pub(super) struct FusedOutput<B: Backend> {
    /// The block's output, `[n, height, width, outputs]`.
    pub(super) out: FloatTensor<B>,
    /// Mean of each channel of the convolution, `[1, outputs]`.
    pub(super) mean: FloatTensor<B>,
    /// Its biased variance, `[1, outputs]`.
    pub(super) variance: FloatTensor<B>,
    /// The convolution itself, without gradient, `[n, out_height, out_width, outputs]`.
    pub(super) convolved: FloatTensor<B>,
}

/// The block as an operation of a back end.
#[backend_extension(Autodiff, Flex)]
pub(super) trait FusedBlock: Backend {
    /// Convolution, batch norm over this batch, ReLU, pool.
    fn block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        shape: BlockShape,
    ) -> FusedOutput<Self>;

    /// Convolution, `y * scale + shift` per channel, ReLU, pool.
    fn affine_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        shape: BlockShape,
    ) -> FloatTensor<Self>;
}

/// The block on tensors of any kind; gradients flow to `x` and `weights`. The third is what the
/// convolution gave, without gradient.
pub(super) fn block(
    shape: &BlockShape,
    weights: &BlockWeights,
    x: Tensor<4>,
) -> (Tensor<4>, Statistics, Tensor<4>) {
    let w = weights.clone();
    let o = <Dispatch as FusedBlock>::block(
        x.into_dispatch(),
        w.weight.into_dispatch(),
        w.gamma.into_dispatch(),
        w.beta.into_dispatch(),
        *shape,
    );
    let stats = Statistics {
        mean: Tensor::from_dispatch(o.mean),
        variance: Tensor::from_dispatch(o.variance),
    };
    let convolved = Tensor::from_dispatch(o.convolved);
    (Tensor::from_dispatch(o.out), stats, convolved)
}

/// The block with known statistics folded into `scale` and `shift`, `[1, outputs]` each; gradients
/// flow to all four.
pub(super) fn affine_block(
    shape: &BlockShape,
    weight: Tensor<2>,
    scale: Tensor<2>,
    shift: Tensor<2>,
    x: Tensor<4>,
) -> Tensor<4> {
    Tensor::from_dispatch(<Dispatch as FusedBlock>::affine_block(
        x.into_dispatch(),
        weight.into_dispatch(),
        scale.into_dispatch(),
        shift.into_dispatch(),
        *shape,
    ))
}

pub(super) fn tensor(data: Vec<f32>, shape: &[usize]) -> FlexTensor {
    FlexTensor::from_data(TensorData::new(data, shape.to_vec()))
}

/// The same numbers in row-major order from the start of the storage.
pub(super) fn contiguous(tensor: FlexTensor) -> FlexTensor {
    if tensor.is_contiguous() && tensor.layout().start_offset() == 0 {
        tensor
    } else {
        tensor.to_contiguous()
    }
}

/// What the backward pass reads.
#[derive(Clone, Debug)]
struct Saved {
    shape: BlockShape,
    x: FlexTensor,
    weight: FlexTensor,
    gamma: FlexTensor,
    beta: FlexTensor,
    convolved: FlexTensor,
    mean: FlexTensor,
    variance: FlexTensor,
}

/// The convolution of every picture.
fn convolved(s: &BlockShape, x: &FlexTensor, weight: &FlexTensor) -> Vec<f32> {
    cpu::memory::retain();
    let x: &[f32] = x.storage();
    let mut y = vec![0.0; x.len() / s.in_len() * s.out_pixels() * s.outputs];
    cpu::convolve(s, x, weight.storage(), &mut y);
    y
}

/// What follows the convolution.
fn normalized(s: &BlockShape, affine: &norm::Affine, y: &[f32]) -> FlexTensor {
    let pictures = y.len() / (s.out_pixels() * s.outputs);
    let mut out = vec![0.0; pictures * s.result_len()];
    norm::forward(s, affine, y, &mut out);
    let (height, width) = s.result();
    tensor(out, &[pictures, height, width, s.outputs])
}

/// Forward pass on `[x, weight, gamma, beta]`.
fn run(inputs: [FlexTensor; 4], shape: BlockShape) -> (FlexTensor, Saved) {
    let [x, weight, gamma, beta] = inputs.map(contiguous);
    let s = &shape;
    let y = convolved(s, &x, &weight);
    let (mean, variance) = norm::statistics(s, &y);
    let affine = norm::Affine::new(gamma.storage(), beta.storage(), &mean, &variance);
    let out = normalized(s, &affine, &y);
    let pictures = y.len() / (s.out_pixels() * s.outputs);
    let saved = Saved {
        shape,
        x,
        weight,
        gamma,
        beta,
        convolved: tensor(y, &[pictures, s.out_height(), s.out_width(), s.outputs]),
        mean: tensor(mean, &[1, s.outputs]),
        variance: tensor(variance, &[1, s.outputs]),
    };
    (out, saved)
}

impl FusedBlock for Flex {
    fn block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        shape: BlockShape,
    ) -> FusedOutput<Self> {
        let (out, saved) = run([x, weight, gamma, beta], shape);
        FusedOutput {
            out,
            mean: saved.mean,
            variance: saved.variance,
            convolved: saved.convolved,
        }
    }

    fn affine_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        shape: BlockShape,
    ) -> FloatTensor<Self> {
        run_affine([x, weight, scale, shift], shape).0
    }
}

/// What the backward pass of a block with a known affine map reads.
#[derive(Clone, Debug)]
struct SavedAffine {
    shape: BlockShape,
    x: FlexTensor,
    weight: FlexTensor,
    scale: FlexTensor,
    shift: FlexTensor,
    convolved: FlexTensor,
}

impl SavedAffine {
    fn affine(&self) -> norm::Affine {
        norm::Affine {
            scale: self.scale.storage().to_vec(),
            shift: self.shift.storage().to_vec(),
        }
    }
}

/// Forward pass on `[x, weight, scale, shift]`.
fn run_affine(inputs: [FlexTensor; 4], shape: BlockShape) -> (FlexTensor, SavedAffine) {
    let [x, weight, scale, shift] = inputs.map(contiguous);
    let s = &shape;
    let y = convolved(s, &x, &weight);
    let pictures = y.len() / (s.out_pixels() * s.outputs);
    let saved = SavedAffine {
        shape,
        x,
        weight,
        scale,
        shift,
        convolved: tensor(y, &[pictures, s.out_height(), s.out_width(), s.outputs]),
    };
    let out = normalized(s, &saved.affine(), saved.convolved.storage());
    (out, saved)
}

/// Gives the parents `[x, weight, .., ..]` of a block their gradients.
fn register(
    s: &BlockShape,
    [x, weight]: [&FlexTensor; 2],
    back: norm::Backward<'_>,
    parents: [Option<NodeId>; 4],
    grads: &mut Gradients,
) {
    let [parent_x, parent_weight, parent_gamma, parent_beta] = parents;
    let x: &[f32] = x.storage();
    let mut dx = parent_x.as_ref().map(|_| vec![0.0; x.len()]);
    let dw = cpu::backward(s, x, weight.storage(), dx.as_deref_mut(), |i, dy| {
        back.output_gradient(i, dy);
    });
    let norm::Backward { gamma, beta, .. } = back;
    if let (Some(parent), Some(dx)) = (parent_x, dx) {
        let shape = [x.len() / s.in_len(), s.height, s.width, s.inputs];
        grads.register::<Flex>(parent, tensor(dx, &shape));
    }
    if let Some(parent) = parent_weight {
        grads.register::<Flex>(parent, tensor(dw, &s.weight_shape()));
    }
    if let Some(parent) = parent_gamma {
        grads.register::<Flex>(parent, tensor(gamma, &[1, s.outputs]));
    }
    if let Some(parent) = parent_beta {
        grads.register::<Flex>(parent, tensor(beta, &[1, s.outputs]));
    }
}

#[derive(Debug)]
struct AffineStep;

impl Backward<Flex, 4> for AffineStep {
    type State = SavedAffine;

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let saved = ops.state;
        let s = &saved.shape;
        let y = saved.convolved.storage();
        let back = norm::Backward::of_affine(s, saved.affine(), y, gradient.storage());
        let parents = ops.parents.map(|p| p.map(|p| p.id));
        register(s, [&saved.x, &saved.weight], back, parents, grads);
    }
}

#[derive(Debug)]
struct BlockStep;

impl Backward<Flex, 4> for BlockStep {
    type State = Saved;

    fn backward(
        self,
        ops: Ops<Self::State, 4>,
        grads: &mut Gradients,
        _checkpointer: &mut Checkpointer,
    ) {
        let gradient = contiguous(grads.consume::<Flex>(&ops.node));
        let saved = ops.state;
        let s = &saved.shape;
        let back = norm::Backward::new(
            s,
            (saved.gamma.storage(), saved.beta.storage()),
            (saved.mean.storage(), saved.variance.storage()),
            saved.convolved.storage(),
            gradient.storage(),
        );
        let parents = ops.parents.map(|p| p.map(|p| p.id));
        register(s, [&saved.x, &saved.weight], back, parents, grads);
    }
}

impl<C: CheckpointStrategy> FusedBlock for Autodiff<Flex, C> {
    fn block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        gamma: FloatTensor<Self>,
        beta: FloatTensor<Self>,
        shape: BlockShape,
    ) -> FusedOutput<Self> {
        let (x, node_x) = x.into_parts();
        let (weight, node_weight) = weight.into_parts();
        let (gamma, node_gamma) = gamma.into_parts();
        let (beta, node_beta) = beta.into_parts();
        let (out, saved) = run([x, weight, gamma, beta], shape);
        let (mean, variance) = (saved.mean.clone(), saved.variance.clone());
        let convolved = saved.convolved.clone();
        let step = BlockStep
            .prepare::<C>([node_x, node_weight, node_gamma, node_beta])
            .compute_bound()
            .stateful();
        FusedOutput {
            out: match step {
                OpsKind::Tracked(step) => step.finish(saved, out),
                OpsKind::UnTracked(step) => step.finish(out),
            },
            mean: Self::from_inner(mean),
            variance: Self::from_inner(variance),
            convolved: Self::from_inner(convolved),
        }
    }

    fn affine_block(
        x: FloatTensor<Self>,
        weight: FloatTensor<Self>,
        scale: FloatTensor<Self>,
        shift: FloatTensor<Self>,
        shape: BlockShape,
    ) -> FloatTensor<Self> {
        let (x, node_x) = x.into_parts();
        let (weight, node_weight) = weight.into_parts();
        let (scale, node_scale) = scale.into_parts();
        let (shift, node_shift) = shift.into_parts();
        let (out, saved) = run_affine([x, weight, scale, shift], shape);
        let step = AffineStep
            .prepare::<C>([node_x, node_weight, node_scale, node_shift])
            .compute_bound()
            .stateful();
        match step {
            OpsKind::Tracked(step) => step.finish(saved, out),
            OpsKind::UnTracked(step) => step.finish(out),
        }
    }
}
