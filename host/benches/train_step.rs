//! Time of a training step (forward, backward, Adam) on 100 pictures: the figure that decides how
//! long meta-training takes. Then that of what MAML adds for a step inside a task: the gradient as a
//! tensor, and the way back through it. `cargo bench --bench train_step [NETWORK]`

use std::time::Instant;

use burn::optim::{AdamConfig, Optimizer};
use burn::tensor::{Device, Distribution, Tensor};
use sudal::nets::network::{Architecture, Plan};

fn main() {
    // cargo passes `--bench` too.
    let wanted = std::env::args().skip(1).find(|a| !a.starts_with("--"));
    let is_wanted = |architecture: &Architecture| {
        let name = format!("{architecture:?}").to_lowercase();
        wanted
            .as_ref()
            .is_none_or(|wanted| name.starts_with(wanted))
    };
    for (architecture, side, in_tasks) in [
        (Architecture::Conv4 { channels: 64 }, 28, true),
        (Architecture::Separable { channels: 16 }, 64, true),
        (Architecture::Residual { channels: 16 }, 96, false),
    ] {
        if !is_wanted(&architecture) {
            continue;
        }
        step(architecture, side);
        if in_tasks {
            second_order(architecture, side);
        }
    }
}

fn step(architecture: Architecture, side: usize) {
    let device = Device::flex().autodiff();
    let plan = Plan::new(architecture, (side, side)).expect("the picture is large enough");
    let mut weights = plan.init(0, &device);
    let x = Tensor::<4>::random([100, side, side, 1], Distribution::Default, &device);
    let adam = AdamConfig::new().build();
    let mut moments = vec![None; weights.tensors().count()];
    let mut times = Vec::new();
    for _ in 0..12 {
        let start = Instant::now();
        weights = weights.map(Tensor::require_grad);
        let (out, _) = plan.embed(&weights, x.clone());
        let forward = start.elapsed();
        let grads = out.powi_scalar(2).mean().backward();
        let mut moments = moments.iter_mut();
        weights = weights.map(|w| {
            let gradient = w.grad(&grads).expect("every weight has a gradient");
            let moment = moments.next().expect("a moment for each weight");
            let (next, state) = adam.step(1e-4, w.inner(), gradient, moment.take());
            *moment = state;
            next.autodiff()
        });
        times.push((start.elapsed(), forward));
    }
    times.sort();
    let (all, forward) = times[times.len() / 2];
    let flops = 6.0 * plan.macs() as f64 * 100.0;
    println!(
        "{architecture:?} {side}x{side}, 100 pictures: {:.1} ms a step (forward {:.1} ms), {:.0} GFLOP/s",
        all.as_secs_f64() * 1e3,
        forward.as_secs_f64() * 1e3,
        flops / all.as_secs_f64() / 1e9
    );
}

fn second_order(architecture: Architecture, side: usize) {
    let device = Device::flex().autodiff();
    let plan = Plan::new(architecture, (side, side)).expect("the picture is large enough");
    let weights = plan.init(0, &device).map(Tensor::require_grad);
    let x = Tensor::<4>::random([100, side, side, 1], Distribution::Default, &device);
    let mut times = Vec::new();
    for _ in 0..8 {
        let start = Instant::now();
        let trace = plan.trace(&weights, x.clone());
        let forward = start.elapsed();
        let gradient = trace.gradient(&plan, &weights, trace.embedding());
        let first = start.elapsed() - forward;
        let squares = gradient
            .0
            .into_iter()
            .map(|g| g.weight.powi_scalar(2).sum());
        let total = squares.reduce(|a, b| a + b).expect("a network has blocks");
        let _gradients = total.backward();
        let second = start.elapsed() - forward - first;
        times.push((second, first, forward));
    }
    times.sort();
    let (second, first, forward) = times[times.len() / 2];
    println!(
        "    a step inside a task: forward {:.1} ms, gradient {:.1} ms, back through both {:.1} ms",
        forward.as_secs_f64() * 1e3,
        first.as_secs_f64() * 1e3,
        second.as_secs_f64() * 1e3,
    );
}
