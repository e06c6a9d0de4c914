//! What a study searches, and between which bounds.

use anyhow::{Context, bail};
use sudal::meta::Learner;
use sudal::meta::tune::{Dimension, Halving, Params, Range, Setup, Space, Value};
use sudal::nets::network::Plan;

use super::super::bounds::Bounds;
use super::super::choices::Augmentation;
use super::super::options;
use super::TrialContext;
use super::names::{AVERAGING, CHANNELS, RATE, STRENGTH, SUPPORT, WAY};

impl TrialContext<'_> {
    /// The bounds of each number that is searched or fixed, in the order of the search.
    pub(super) fn setup(&self) -> anyhow::Result<Setup> {
        let recipe = self.learner.recipe();
        let mut about = self.about();
        let mut dimensions = Vec::new();
        let mut first = Vec::new();

        let peak = recipe.learning_rate;
        let usual = Bounds::new(short(peak / 3.0), short(peak * 3.0));
        let Bounds { low, high } = self.args.learning_rate.unwrap_or(usual);
        if low <= 0.0 || high > 10.0 {
            bail!("--learning-rate {low}..{high} is not above 0 and at most 10");
        }
        let usual = Value::Number(peak.clamp(low, high));
        let rate = (RATE, Range::LogUniform { low, high }, usual);
        let Bounds { low, high } = self.strengths();
        if low < 0.0 || high > 4.0 {
            bail!("--augment-strength {low}..{high} is not in 0..4");
        }
        let usual = Value::Number(1f64.clamp(low, high));
        let strength = (STRENGTH, Range::Uniform { low, high }, usual);
        let choice = self.args.averaging.iter().map(|a| Value::Number(*a));
        let mut of: Vec<Value> = choice.collect();
        of.dedup();
        let usual = Value::Number(options::AVERAGING);
        let usual = if of.contains(&usual) {
            usual
        } else {
            of[0].clone()
        };
        let averaging = (AVERAGING, Range::Choice { of }, usual);

        let (channels, step) = self.channels()?;
        let size = self.data.picture_size();
        let sides = (size.height as usize, size.width as usize);
        let widest = self.chosen.network.architecture(channels.high);
        Plan::with_channels(widest, sides, size.colors.channels())?;
        let channels = integer(CHANNELS, channels, step, self.chosen.network.channels())?;
        let way = integer(WAY, self.ways(), 5, recipe.way)?;
        let support = integer(SUPPORT, self.supports(), 1, recipe.support)?;
        for (name, range, usual) in [rate, channels, way, support, strength, averaging] {
            let fixed = match &range {
                Range::LogUniform { low, high } | Range::Uniform { low, high } => low == high,
                Range::Integer { low, high, step } => low + step > *high,
                Range::Choice { of } => of.len() == 1,
            };
            if fixed {
                about.insert(name.to_owned(), usual.to_string());
            } else {
                let name = name.to_owned();
                first.push((name.clone(), usual));
                dimensions.push(Dimension { name, range });
            }
        }
        let first: Params = first.into_iter().collect();
        self.config(&first)?.check()?;
        Ok(Setup {
            space: Space::new(dimensions)?,
            seed: self.args.seed,
            startup: Setup::STARTUP,
            first: Some(first),
            pruning: (!self.args.no_pruning).then(Halving::default),
            about,
        })
    }

    pub(super) fn channels(&self) -> anyhow::Result<(Bounds<usize>, usize)> {
        let usual = self.chosen.network.channels();
        let step = usual / 4;
        let bounds = match (self.args.channels, &self.start) {
            (Some(bounds), _) => bounds,
            // Those of the network to start from.
            (None, Some(_)) => Bounds::new(usual, usual),
            (None, None) => Bounds::new(step, 6 * step),
        };
        if self.start.is_some() && bounds.low < bounds.high {
            bail!(
                "--channels {bounds}: a network to start from has its channels, give their number"
            );
        }
        Ok((bounds, step))
    }

    pub(super) fn ways(&self) -> Bounds<usize> {
        let usual = || {
            let classes = self.data.classes();
            let whole = match self.chosen.family {
                0 | 1 => classes,
                family => classes / family * family,
            };
            let most = (2 * self.learner.recipe().way).min(whole);
            // A method may need all the classes of its greatest task.
            let least = self.learner.method().max_way().unwrap_or(0).max(5);
            Bounds::new(least.min(most), most)
        };
        self.args.way.unwrap_or_else(usual)
    }

    pub(super) fn supports(&self) -> Bounds<usize> {
        let usual = || {
            let pictures = self.data.class_sizes().into_iter().min().unwrap_or(0);
            // Other methods have shots of their own, which must find their pictures.
            let least = match &self.learner {
                Learner::Prototypical(_) => 1,
                other => other.recipe().support,
            };
            let most = pictures.saturating_sub(self.chosen.query).min(5).max(least);
            Bounds::new(least, most)
        };
        self.args.support.unwrap_or_else(usual)
    }

    pub(super) fn strengths(&self) -> Bounds<f64> {
        match self.chosen.augment {
            Augmentation::None => Bounds::new(1.0, 1.0),
            _ => self.args.augment_strength.unwrap_or(Bounds::new(0.0, 2.0)),
        }
    }
}

/// The range of a setting that is counted, and the usual value or the one next to it.
fn integer(
    name: &'static str,
    Bounds { low, high }: Bounds<usize>,
    step: usize,
    usual: usize,
) -> anyhow::Result<(&'static str, Range, Value)> {
    if low == 0 {
        bail!("--{name} 0 leaves nothing to learn: give at least 1");
    }
    let number = |n: usize| i64::try_from(n).with_context(|| format!("--{name} {n}"));
    let step = step.min(high - low).max(1);
    let usual = low + (usual.clamp(low, high) - low) / step * step;
    let range = Range::Integer {
        low: number(low)?,
        high: number(high)?,
        step: number(step)?,
    };
    Ok((name, range, Value::Integer(number(usual)?)))
}

/// Two digits of a number, for a bound that nobody gave.
fn short(x: f64) -> f64 {
    format!("{x:.1e}").parse().unwrap_or(x)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_usual_value_is_one_of_the_range() {
        let usual = |bounds, step, usual| integer(WAY, bounds, step, usual).unwrap().2;
        assert_eq!(usual(Bounds::new(5, 120), 5, 60), Value::Integer(60));
        assert_eq!(usual(Bounds::new(5, 30), 5, 60), Value::Integer(30));
        assert_eq!(usual(Bounds::new(16, 30), 16, 64), Value::Integer(30));
        assert_eq!(usual(Bounds::new(7, 30), 5, 60), Value::Integer(27));
        assert_eq!(usual(Bounds::new(80, 90), 5, 60), Value::Integer(80));
        assert!(integer(WAY, Bounds::new(0, 3), 1, 1).is_err());
    }
}
