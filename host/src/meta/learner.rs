//! The methods by name.

use serde::{Deserialize, Serialize};

use super::distilled::Distilled;
use super::maml::Maml;
use super::mann::Mann;
use super::meta_transfer::MetaTransfer;
use super::method::Method;
use super::patches::Patches;
use super::prototypical::Prototypical;
use super::reptile::Reptile;
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
    /// An external memory (Santoro et al. 2016).
    Mann(Mann),
    /// Nothing but the task's own pictures.
    Scratch(Scratch),
    /// A start for gradient descent (Finn et al. 2017), with its kin.
    Maml(Maml),
    /// A start near to where many tasks end (Nichol et al. 2018).
    Reptile(Reptile),
    /// Scales and shifts of a trained network (Sun et al. 2019).
    MetaTransfer(MetaTransfer),
    /// Neighbours as a teacher finds them (Park et al. 2019).
    Distilled(Distilled),
    /// Patches that tell flaws from sound surface, from a teacher and from drawn flaws (Roth et al. 2022,
    /// Bergmann et al. 2020).
    Patches(Patches),
}

/// Settings of a run that suit a method on Omniglot with the Conv-4-64 network.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Classes of a training episode.
    pub way: usize,
    /// Support pictures of a class.
    pub support: usize,
    /// Query pictures of a class.
    pub query: usize,
    /// Episodes of an optimiser step.
    pub tasks: usize,
    /// Optimiser steps.
    pub episodes: u64,
    /// Greatest learning rate of Adam.
    pub learning_rate: f64,
}

impl Learner {
    /// Every method that is trained from labels, with its usual settings.
    pub fn all() -> Vec<Self> {
        vec![
            Self::Transfer(Transfer::Frozen),
            Self::Siamese(Siamese::CONTRASTIVE),
            Self::Siamese(Siamese::Logistic),
            Self::Prototypical(Prototypical { shots: vec![1, 3] }),
            Self::Mann(Mann::default()),
            Self::Maml(Maml::exact()),
            Self::Maml(Maml::first_order()),
            Self::Maml(Maml::plus_plus()),
            Self::Maml(Maml::anil()),
            Self::Reptile(Reptile::default()),
            Self::MetaTransfer(MetaTransfer::default()),
        ]
    }

    /// What suits the method.
    pub fn recipe(&self) -> Recipe {
        let plain = Recipe {
            way: 60,
            support: 2,
            query: 2,
            tasks: 1,
            episodes: 6000,
            learning_rate: 3e-3,
        };
        match self {
            Self::Prototypical(p) => Recipe {
                support: p.shots.iter().copied().max().unwrap_or(0),
                query: 3,
                episodes: 12_000,
                ..plain
            },
            // Many neighbours, few of them of one class.
            Self::Distilled(d) => Recipe {
                way: 120,
                support: d.shots.iter().copied().max().unwrap_or(0),
                query: 1,
                ..plain
            },
            // As many pictures as two cores hold of a large one.
            Self::Patches(p) => Recipe {
                way: 30,
                support: p.shots.iter().copied().max().unwrap_or(0),
                query: 1,
                ..plain
            },
            Self::Maml(m) => Recipe {
                way: 20,
                support: m.shots.iter().copied().max().unwrap_or(0),
                query: 5,
                tasks: 2,
                learning_rate: 1e-3,
                ..plain
            },
            Self::Reptile(_) => Recipe {
                way: 20,
                support: 10,
                query: 2,
                tasks: 2,
                learning_rate: 3e-4,
                ..plain
            },
            Self::MetaTransfer(m) => Recipe {
                way: 5 * m.way,
                support: 1,
                query: 3,
                learning_rate: 1e-3,
                ..plain
            },
            // Every pair of the episode's pictures counts.
            Self::Siamese(_) => plain,
            // Ten pictures of a class as in the paper; sixteen sequences in all.
            Self::Mann(m) => Recipe {
                way: 8 * m.classes,
                support: 1,
                query: 9,
                ..plain
            },
            // The classes are a batch of labelled pictures.
            Self::Transfer(_) | Self::Scratch(_) => Recipe {
                way: 120,
                support: 1,
                query: 1,
                ..plain
            },
        }
    }

    /// The method.
    pub fn method(&self) -> &dyn Method {
        match self {
            Self::Prototypical(m) => m,
            Self::Siamese(m) => m,
            Self::Transfer(m) => m,
            Self::Mann(m) => m,
            Self::Scratch(m) => m,
            Self::Maml(m) => m,
            Self::Reptile(m) => m,
            Self::MetaTransfer(m) => m,
            Self::Distilled(m) => m,
            Self::Patches(m) => m,
        }
    }

    /// What people call it.
    pub fn name(&self) -> &'static str {
        match self {
            Self::Prototypical(_) => "prototypical",
            Self::Siamese(s) => s.name(),
            Self::Transfer(t) => t.name(),
            Self::Mann(m) => m.name(),
            Self::Scratch(_) => "from scratch",
            Self::Maml(m) => m.name(),
            Self::Reptile(_) => "reptile",
            Self::MetaTransfer(_) => "meta-transfer",
            Self::Distilled(_) => "distilled",
            Self::Patches(_) => "patches",
        }
    }
}
