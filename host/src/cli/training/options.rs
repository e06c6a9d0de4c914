//! What `sudal train` and `sudal tune` both take, and what suits data and method where it is not given.

use std::path::PathBuf;

use sudal::data::{Colors, Size, parts, surfaces};
use sudal::meta::Learner;

use super::choices::{Augmentation, MethodName, Network};
use super::data::Kind;

/// Decay of the running average of the weights.
pub(super) const AVERAGING: f64 = 0.999;
/// Episodes of rising learning rate.
pub(super) const WARMUP: u64 = 50;

/// The options of a training run that are not searched.
#[derive(clap::Args)]
pub(super) struct Options {
    /// How to learn.
    #[arg(long, default_value = "prototypical")]
    pub(super) method: MethodName,
    /// A trained network to start from: a finished checkpoint, or an ONNX file of `sudal export`. Give
    /// its --channels, too, where they are not the usual ones.
    #[arg(long, value_name = "FILE")]
    pub(super) from: Option<PathBuf>,
    /// The kind of network [default: residual for patches, conv4 for Omniglot, else separable].
    #[arg(long)]
    network: Option<Network>,
    /// Side of the square picture in pixels [default: 128 for patches, 28 for Omniglot, 96 for surfaces,
    /// else 64].
    #[arg(long, value_parser = clap::value_parser!(u32).range(16..=512))]
    pub(super) size: Option<u32>,
    /// Learn from pictures with their colours: the network then sees red, green and blue. Give it where
    /// colours tell what brightness and shape do not.
    #[arg(long)]
    pub(super) colour: bool,
    /// Bring the red, green and blue of each picture to one mean first, as boards then do too: white balance by
    /// grey world. The lamp's colour matters less, and so does that of a part which fills the picture
    /// [default: that of --from].
    #[arg(long, requires = "colour")]
    pub(super) balance: bool,
    /// Query pictures of a class [default: what suits the method].
    #[arg(long)]
    query: Option<usize>,
    /// Episodes of one optimiser step, their losses averaged [default: what suits the method].
    #[arg(long)]
    tasks: Option<usize>,
    /// Classes of a family, which follow each other in the data and are similar; every second episode
    /// then is of whole families, a task of small differences [default: 4 for parts, 8 for surfaces,
    /// else 1].
    #[arg(long)]
    family: Option<usize>,
    /// Bring every picture to this standard deviation, in levels of 0..=255, about a mean of 128, so that
    /// lamp and exposure do not matter; 0 leaves pictures as they are [default: that of --from, else
    /// 44 for patches and surfaces, else 0].
    #[arg(long, value_parser = clap::value_parser!(u32).range(0..=255))]
    pub(super) contrast: Option<u32>,
    /// Random changes of the training pictures [default: none for patches of a teacher, strokes for
    /// Omniglot, else camera].
    #[arg(long)]
    augment: Option<Augmentation>,
}

/// What a run takes of these options.
pub(super) struct Chosen {
    pub(super) network: Network,
    pub(super) size: Size,
    pub(super) family: usize,
    /// A network to start from brings its own.
    pub(super) contrast: u32,
    pub(super) augment: Augmentation,
    pub(super) query: usize,
    pub(super) tasks: usize,
}

impl Options {
    /// What was given, else what suits data and method.
    pub(super) fn choose(&self, data: &Kind, learner: &Learner) -> Chosen {
        let (usual, recipe) = (Usual::of(data, learner), learner.recipe());
        let side = self.size.unwrap_or(usual.side);
        Chosen {
            network: self.network.unwrap_or(usual.network),
            size: Size {
                width: side,
                height: side,
                colors: if self.colour {
                    Colors::Rgb
                } else {
                    Colors::Grey
                },
            },
            family: self.family.unwrap_or(usual.family),
            contrast: self.contrast.unwrap_or(usual.contrast),
            augment: self.augment.unwrap_or(usual.augment),
            query: self.query.unwrap_or(recipe.query),
            tasks: self.tasks.unwrap_or(recipe.tasks),
        }
    }
}

/// What suits data and method where nothing else is asked for; the rest is in the method's
/// [`Recipe`](sudal::meta::method::Recipe).
struct Usual {
    network: Network,
    side: u32,
    family: usize,
    contrast: u32,
    augment: Augmentation,
}

impl Usual {
    fn of(data: &Kind, learner: &Learner) -> Self {
        let (network, family, contrast, augment) = match data {
            Kind::Omniglot(_) => (Network::Conv4, 1, 0, Augmentation::Strokes),
            Kind::Parts => (Network::Separable, parts::FAMILY, 0, Augmentation::Camera),
            Kind::Surfaces => (
                Network::Separable,
                surfaces::FAMILY,
                44,
                Augmentation::Camera,
            ),
            Kind::Folder(_) => (Network::Separable, 1, 0, Augmentation::Camera),
        };
        let suits_data = Self {
            network,
            side: data.side(),
            family: family as usize,
            contrast,
            augment,
        };
        match learner {
            Learner::Patches(patches) => Self {
                network: Network::Residual,
                side: 128,
                contrast: 44,
                // What a teacher said of a place holds for that place alone.
                augment: match patches.teacher {
                    0 => suits_data.augment,
                    _ => Augmentation::None,
                },
                ..suits_data
            },
            _ => suits_data,
        }
    }
}

/// Parses how strong something is, 1 being usual.
pub(super) fn strength(text: &str) -> Result<f32, String> {
    match text.parse() {
        Ok(x) if (0.0..=4.0).contains(&x) => Ok(x),
        _ => Err("give a number of 0 to 4".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use clap::{Command, ValueEnum};
    use sudal::meta::patches::Patches;
    use sudal::meta::prototypical::Prototypical;

    use super::*;

    /// Patches of a teacher, then each kind of data, with what the help calls them.
    fn cases() -> [(&'static str, Usual); 5] {
        let plain = Learner::Prototypical(Prototypical { shots: vec![1] });
        let patches = Learner::Patches(Patches {
            teacher: 1,
            ..Patches::default()
        });
        [
            ("patches", Usual::of(&Kind::Parts, &patches)),
            (
                "Omniglot",
                Usual::of(&Kind::Omniglot(PathBuf::new()), &plain),
            ),
            ("surfaces", Usual::of(&Kind::Surfaces, &plain)),
            ("parts", Usual::of(&Kind::Parts, &plain)),
            ("", Usual::of(&Kind::Folder(PathBuf::new()), &plain)),
        ]
    }

    /// How the help says what is usual: "28 for Omniglot, else 64".
    fn stated(value: impl Fn(&Usual) -> String) -> String {
        let cases = cases().map(|(name, usual)| (name, value(&usual)));
        let other = &cases[4].1;
        let mut said: Vec<(&str, Vec<&str>)> = Vec::new();
        for (name, value) in &cases[..4] {
            match said.iter_mut().find(|(known, _)| known == value) {
                _ if value == other => {}
                Some((_, names)) => names.push(name),
                None => said.push((value, vec![name])),
            }
        }
        let said = said.iter();
        let mut said: Vec<_> = said
            .map(|(value, names)| format!("{value} for {}", names.join(" and ")))
            .collect();
        said.push(format!("else {other}]"));
        said.join(", ")
    }

    fn word(value: impl ValueEnum) -> String {
        value.to_possible_value().unwrap().get_name().to_owned()
    }

    #[test]
    fn the_help_of_train_and_tune_says_what_is_taken() {
        // Patches have the family of their data.
        let family = stated(|usual| usual.family.to_string()).replace("patches and parts", "parts");
        let expected = [
            ("network", stated(|usual| word(usual.network))),
            ("size", stated(|usual| usual.side.to_string())),
            ("family", family),
            ("contrast", stated(|usual| usual.contrast.to_string())),
            (
                "augment",
                stated(|usual| word(usual.augment)).replace("patches", "patches of a teacher"),
            ),
        ];
        let commands = [
            <super::super::train::Args as clap::Args>::augment_args(Command::new("train")),
            <super::super::tune::Args as clap::Args>::augment_args(Command::new("tune")),
        ];
        for command in commands {
            for (option, expected) in &expected {
                let name = command.get_name();
                let argument = command.get_arguments().find(|a| a.get_id() == *option);
                let help = argument.unwrap().get_help().unwrap().to_string();
                assert!(
                    help.contains(expected),
                    "{name} --{option}: {expected} is not in {help}"
                );
            }
        }
    }
}
