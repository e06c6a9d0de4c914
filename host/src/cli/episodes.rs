//! Episodes of a command's data; where there can be none, what to do in the words of its options.

use std::fmt::Write as _;

use anyhow::anyhow;
use sudal::data::Loaded;
use sudal::episodes::{EpisodeError, EpisodeShape, Sampler};

/// Options that an episode's shape comes from.
#[derive(Clone, Copy)]
pub(crate) struct Options {
    /// How many classes there are.
    pub(crate) way: &'static str,
    /// How many support pictures.
    pub(crate) shot: &'static str,
}

impl Options {
    /// Of most commands.
    pub(crate) const USUAL: Self = Self {
        way: "--way",
        shot: "--shot",
    };
    /// Where some classes are known and some are not.
    pub(crate) const KNOWN: Self = Self {
        way: "--known and --unknown",
        shot: "--shot",
    };
    /// Of a training.
    #[cfg(feature = "train")]
    pub(crate) const TRAINING: Self = Self {
        way: "--way",
        shot: "--support",
    };

    /// Draws episodes of `data`, of families of so many classes.
    pub(crate) fn sampler(
        self,
        data: &Loaded,
        shape: EpisodeShape,
        family: usize,
        seed: u64,
    ) -> anyhow::Result<Sampler> {
        let sampler = Sampler::new(&data.class_sizes(), shape, seed);
        let sampler = sampler.and_then(|sampler| sampler.of_families(family));
        sampler.map_err(|error| self.explain(&error, |class| Some(data.class_name(class))))
    }

    /// An error in the words of the options; `name` gives the name of a class.
    pub(crate) fn explain<'a>(
        self,
        error: &EpisodeError,
        name: impl Fn(usize) -> Option<&'a str>,
    ) -> anyhow::Error {
        let Self {
            way: way_option,
            shot: shot_option,
        } = self;
        match *error {
            EpisodeError::TooFewClasses { way, have } => anyhow!(
                "{way} classes are asked for ({way_option}), the data has {have}: lower {way_option}, or add classes"
            ),
            EpisodeError::TooFewPictures {
                shot,
                query,
                class,
                have,
                short,
            } => {
                let mut text = format!(
                    "{} pictures of each class are asked for ({shot_option} {shot}, --query {query}), {} has {have}",
                    shot.saturating_add(query),
                    name(class).unwrap_or("a class"),
                );
                if short > 1 {
                    // A string takes whatever is written to it.
                    let _ = write!(text, ", the fewest of {short} that have too few");
                }
                match have.saturating_sub(shot) {
                    0 => {
                        anyhow!("{text}: lower {shot_option}, add pictures or leave the class out")
                    }
                    left => {
                        anyhow!("{text}: give --query {left}, add pictures or leave the class out")
                    }
                }
            }
            other => anyhow!(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_class_and_the_option_that_helps() {
        let says = |sizes: &[usize], (way, shot, query)| {
            let shape = EpisodeShape { way, shot, query };
            let error = Sampler::new(sizes, shape, 0).unwrap_err();
            let names = ["cam", "nut", "chip"];
            Options::USUAL
                .explain(&error, |class| names.get(class).copied())
                .to_string()
        };
        let text = says(&[8, 20, 9], (3, 1, 15));
        assert!(
            text.contains("cam has 8, the fewest of 2") && text.contains("give --query 7"),
            "{text}"
        );
        let text = says(&[8, 20, 9], (3, 8, 1));
        assert!(text.contains("lower --shot, add pictures"), "{text}");
        let text = says(&[8, 20, 9], (5, 1, 1));
        assert!(text.contains("the data has 3: lower --way"), "{text}");
    }
}
