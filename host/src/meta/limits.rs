//! What settings can be, as far as several methods have them.

use std::fmt::Debug;

use super::error::TrainError;

/// Most steps inside a task: each is kept until the gradient is known.
pub(super) const STEPS: usize = 1000;
/// Greatest step of gradient descent inside a task.
const RATE: f32 = 1000.0;

/// Shots that are usable with that many support pictures.
pub(super) fn check_shots(shots: &[usize], support: usize) -> Result<(), TrainError> {
    if shots.is_empty() || shots.iter().any(|&shot| shot == 0 || shot > support) {
        return Err(TrainError::Shots(support));
    }
    Ok(())
}

/// What gradient descent inside a task can have.
pub(super) fn check_task(
    (steps, test_steps): (usize, usize),
    (rate, head_rate): (f32, f32),
) -> Result<(), TrainError> {
    within("the number of steps inside a task", steps, 1, STEPS)?;
    within("the number of steps on a new task", test_steps, 1, STEPS)?;
    within("the size of a step inside a task", rate, 0.0, RATE)?;
    within("the size of a head's step", head_rate, 0.0, RATE)
}

/// What is not a number is never within.
pub(super) fn within<T: PartialOrd + Debug>(
    what: &'static str,
    value: T,
    low: T,
    high: T,
) -> Result<(), TrainError> {
    if low <= value && value <= high {
        return Ok(());
    }
    Err(TrainError::Setting {
        what,
        value: format!("{value:?}"),
        low: format!("{low:?}"),
        high: format!("{high:?}"),
    })
}
