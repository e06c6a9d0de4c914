//! The list of the methods.

use serde::{Deserialize, Serialize};

use super::distilled::Distilled;
use super::features::Features;
use super::maml::Maml;
use super::mann::Mann;
use super::meta_transfer::MetaTransfer;
use super::method::{Method, Recipe};
use super::patches::Patches;
use super::prototypical::Prototypical;
use super::reptile::Reptile;
use super::scratch::Scratch;
use super::siamese::Siamese;
use super::tempered::Tempered;
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
    /// What a teacher knows of a picture (Romero et al. 2015).
    Features(Features),
    /// Nearest class mean with a learned scale of distances (Oreshkin et al. 2018).
    Tempered(Tempered),
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
            Self::Features(m) => m,
            Self::Tempered(m) => m,
        }
    }

    /// What suits the method.
    pub fn recipe(&self) -> Recipe {
        self.method().recipe()
    }

    /// What people call it.
    pub fn name(&self) -> &'static str {
        self.method().name()
    }
}
