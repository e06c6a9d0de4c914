//! The methods, networks and augmentations by their names on the command line.

use clap::ValueEnum;
use sudal::meta::Learner;
use sudal::meta::augment::Augment;
use sudal::meta::distilled::Distilled;
use sudal::meta::features::Features;
use sudal::meta::maml::Maml;
use sudal::meta::mann::Mann;
use sudal::meta::meta_transfer::MetaTransfer;
use sudal::meta::patches::Patches;
use sudal::meta::prototypical::Prototypical;
use sudal::meta::reptile::Reptile;
use sudal::meta::siamese::Siamese;
use sudal::meta::tempered::Tempered;
use sudal::meta::transfer::Transfer;
use sudal::nets::network::{Architecture, Averaged};

/// A kind of network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Network {
    /// Four 3x3 convolutions with max pools, the reference of the papers.
    Conv4,
    /// The same with a fifth, for pictures of 32x32 to 63x63.
    Conv5,
    /// Depthwise-separable convolutions, for a microcontroller.
    Separable,
    /// The same with inverted residuals and a map of patches, to find flaws by.
    Residual,
    /// The first blocks of EfficientNet-Lite0, whose published weights --from takes; it has maps of
    /// patches too.
    Lite,
    /// ResNet-12, to teach smaller networks by --teacher: it is too large for a board.
    Resnet12,
}

/// A way to learn.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum MethodName {
    /// Nearest class mean (Snell et al. 2017).
    Prototypical,
    /// The same with a learned scale of distances (Oreshkin et al. 2018).
    Tempered,
    /// Pairs by distance (Koch et al. 2015, Hadsell et al. 2006).
    Siamese,
    /// Pairs by a weighted L1 distance and a logistic unit (Koch et al. 2015).
    SiameseL1,
    /// A classifier of the base classes, a new linear head for each task (Chen et al. 2019).
    Transfer,
    /// An external memory behind a feed-forward controller, on top of a trained network (Santoro et
    /// al. 2016).
    Mann,
    /// The same behind an LSTM.
    MannLstm,
    /// A start for gradient descent, by exact second order (Finn et al. 2017).
    Maml,
    /// The same by first order.
    FirstOrderMaml,
    /// With learned step sizes and the loss of every step (Antoniou et al. 2019).
    MamlPlusPlus,
    /// With the head alone moving in a task (Raghu et al. 2020).
    Anil,
    /// A start near to where many tasks end (Nichol et al. 2018).
    Reptile,
    /// Learned scales and shifts of a trained network, given by --from (Sun et al. 2019).
    MetaTransfer,
    /// Neighbours as a larger network finds them, given by --teacher (Park et al. 2019).
    Distilled,
    /// What a larger network knows of a picture, given by --teacher (Romero et al. 2015): its values by a linear map of
    /// the embedding, and its neighbours.
    Features,
    /// Patches that tell flaws from sound surface: as a larger network has them, given by --teacher
    /// (Bergmann et al. 2020), and from flaws drawn into the pictures, by --flaws.
    Patches,
}

/// How an embedding is made of the last map.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Pool {
    /// By the mean of each channel.
    Mean,
    /// By the sum of the mean and the greatest value of each channel.
    MeanMax,
}

/// Random changes of the training pictures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Augmentation {
    /// No changes.
    None,
    /// Of pen strokes.
    Strokes,
    /// Of a camera over parts.
    Camera,
    /// Those of the camera, and every second picture mirrored, every second one upside down.
    Surface,
}

impl MethodName {
    pub(super) fn learner(self, shots: Option<Vec<usize>>) -> Learner {
        let maml = |mut maml: Maml| {
            maml.shots = shots.clone().unwrap_or(maml.shots);
            Learner::Maml(maml)
        };
        match self {
            Self::Maml => maml(Maml::exact()),
            Self::FirstOrderMaml => maml(Maml::first_order()),
            Self::MamlPlusPlus => maml(Maml::plus_plus()),
            Self::Anil => maml(Maml::anil()),
            Self::Reptile => Learner::Reptile(Reptile::default()),
            Self::MetaTransfer => Learner::MetaTransfer(MetaTransfer::default()),
            Self::Distilled => Learner::Distilled(Distilled::of_shots(shots)),
            Self::Features => Learner::Features(Features::new(Distilled::of_shots(shots))),
            Self::Patches => {
                let usual = Patches::default();
                Learner::Patches(Patches {
                    shots: shots.unwrap_or(usual.shots),
                    ..usual
                })
            }
            Self::Prototypical | Self::Tempered => {
                let shots = shots.unwrap_or_else(|| vec![1, 3]);
                let prototypical = Prototypical { shots };
                match self {
                    Self::Tempered => Learner::Tempered(Tempered(prototypical)),
                    _ => Learner::Prototypical(prototypical),
                }
            }
            Self::Siamese => Learner::Siamese(Siamese::CONTRASTIVE),
            Self::SiameseL1 => Learner::Siamese(Siamese::Logistic),
            Self::Transfer => Learner::Transfer(Transfer::Frozen),
            Self::Mann => Learner::Mann(Mann::default()),
            Self::MannLstm => Learner::Mann(Mann::lstm()),
        }
    }
}

impl Network {
    /// Channels where nothing else is asked for.
    pub(super) fn channels(self) -> usize {
        match self {
            Self::Conv4 | Self::Resnet12 => 64,
            Self::Conv5 => 58,
            Self::Separable | Self::Residual => 16,
            Self::Lite => 32,
        }
    }

    pub(super) fn architecture(self, channels: usize) -> Architecture {
        match self {
            Self::Conv4 => Architecture::Conv4 { channels },
            Self::Conv5 => Architecture::Conv5 { channels },
            Self::Separable => Architecture::Separable { channels },
            Self::Residual => Architecture::Residual { channels },
            Self::Lite => Architecture::Lite { channels },
            Self::Resnet12 => Architecture::Resnet12 { channels },
        }
    }

    /// The same with the greatest value of each channel added to its mean; `None` where there is no mean.
    pub(super) fn peaked(self, channels: usize) -> Option<Architecture> {
        let of = match self {
            Self::Conv4 | Self::Conv5 | Self::Resnet12 => return None,
            Self::Separable => Averaged::Separable,
            Self::Residual => Averaged::Residual,
            Self::Lite => Averaged::Lite,
        };
        Some(Architecture::Peaked { of, channels })
    }
}

impl Augmentation {
    pub(super) fn augment(self) -> Augment {
        match self {
            Self::None => Augment::default(),
            Self::Strokes => Augment::STROKES,
            Self::Camera => Augment::CAMERA,
            Self::Surface => Augment::SURFACE,
        }
    }
}
