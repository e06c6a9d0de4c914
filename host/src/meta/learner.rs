//! The methods by name.

use serde::{Deserialize, Serialize};

use super::method::Method;
use super::prototypical::Prototypical;
use super::scratch::Scratch;
use super::siamese::Siamese;
use super::transfer::Transfer;

/// A method with its settings.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Learner {
    /// Nearest class mean (Snell et al. 2017).
    Prototypical(Prototypical),
    /// Pairs (Koch et al. 2015).
    Siamese(Siamese),
    /// A classifier of the base classes, a new head for a new task.
    Transfer(Transfer),
    /// Nothing but the task's own pictures.
    Scratch(Scratch),
}

impl Learner {
    /// The method.
    pub fn method(&self) -> &dyn Method {
        match self {
            Self::Prototypical(m) => m,
            Self::Siamese(m) => m,
            Self::Transfer(m) => m,
            Self::Scratch(m) => m,
        }
    }

    /// What people call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Prototypical(_) => "prototypical",
            Self::Siamese(s) => s.name(),
            Self::Transfer(t) => t.name(),
            Self::Scratch(_) => "from scratch",
        }
    }
}
