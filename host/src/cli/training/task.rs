//! The options of learning inside a task.

use anyhow::bail;
use sudal::meta::Learner;

/// Learning inside a task, for the methods that do so by gradient descent.
#[derive(clap::Args)]
pub(super) struct TaskArgs {
    /// Steps inside a task in training [default: what suits the method].
    #[arg(long)]
    steps: Option<usize>,
    /// Steps on a new task [default: the method's own, at least --steps].
    #[arg(long)]
    test_steps: Option<usize>,
    /// Size of the network's steps inside a task [default: what suits the method].
    #[arg(long)]
    rate: Option<f32>,
    /// Size of the head's steps inside a task [default: what suits the method].
    #[arg(long)]
    head_rate: Option<f32>,
}

impl TaskArgs {
    /// Changes what was given, in a method that has it.
    pub(super) fn apply(&self, learner: &mut Learner) -> anyhow::Result<()> {
        let mut unused = 0.0;
        let (steps, test_steps, rate, head_rate) = match learner {
            Learner::Maml(m) => (
                &mut m.steps,
                &mut m.test_steps,
                &mut m.rate,
                &mut m.head_rate,
            ),
            Learner::Reptile(r) => (
                &mut r.steps,
                &mut r.test_steps,
                &mut r.rate,
                &mut r.head_rate,
            ),
            Learner::MetaTransfer(m) => {
                if self.rate.is_some() {
                    bail!("--rate: {} leaves the network as it is", learner.name());
                }
                (
                    &mut m.steps,
                    &mut m.test_steps,
                    &mut unused,
                    &mut m.head_rate,
                )
            }
            other => {
                if self.steps.is_some()
                    || self.test_steps.is_some()
                    || self.rate.is_some()
                    || self.head_rate.is_some()
                {
                    bail!(
                        "--steps, --test-steps, --rate and --head-rate say how gradient descent learns a task; {} does not",
                        other.name()
                    );
                }
                return Ok(());
            }
        };
        *steps = self.steps.unwrap_or(*steps);
        *test_steps = self.test_steps.unwrap_or((*test_steps).max(*steps));
        *rate = self.rate.unwrap_or(*rate);
        *head_rate = self.head_rate.unwrap_or(*head_rate);
        Ok(())
    }
}
