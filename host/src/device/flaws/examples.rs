//! Some pictures of a product as the device finds them.

use sudal_firmware::decision::Rate;

use super::error::FlawsError;
use super::looked::{Looked, Seen, Tested};

/// Some pictures of a product as the device finds them.
#[derive(Debug, Clone)]
pub struct Examples {
    /// The good pictures that were taught, as numbers of `train`.
    pub shots: Vec<usize>,
    /// Those that were shown.
    pub shown: Vec<Example>,
    /// Rows and columns of their heat maps.
    pub size: [usize; 2],
}

/// A picture of the test as the device finds it.
#[derive(Debug, Clone)]
pub struct Example {
    /// Its number in `test`.
    pub test: usize,
    /// Whether it is flawed.
    pub flawed: bool,
    /// 0 like the average good one, 1 at the threshold.
    pub score: f32,
    /// Of each place, row by row: above 1 of a flaw.
    pub heat: Vec<f32>,
}

impl Looked {
    /// Pictures of the test as the device finds them after n shots of the first draw, good ones and
    /// flawed ones spread over all, at most n of each.
    ///
    /// # Errors
    /// As [`measure`](Self::measure).
    pub fn examples(
        &self,
        shot: usize,
        seed: u64,
        most: [usize; 2],
    ) -> Result<Examples, FlawsError> {
        let mut shots = self.order(0, seed);
        shots.truncate(shot);
        let seen: Vec<&Seen> = shots.iter().map(|&i| &self.train[i]).collect();
        let memory = self.taught(&seen)?;
        let of = |flawed: bool| {
            let tests = self.test.iter().enumerate();
            let all = tests.filter(move |(_, tested)| tested.flawed == flawed);
            let all: Vec<usize> = all.map(|(test, _)| test).collect();
            let count = all.len().min(most[usize::from(flawed)]);
            let spread = move |i: usize| all[i * all.len() / count];
            (0..count).map(spread).collect::<Vec<_>>()
        };
        let chosen = of(false).into_iter().chain(of(true));
        let shown = chosen.map(|test| {
            let Tested { seen, flawed, .. } = &self.test[test];
            let mut heat = vec![0; self.shape.places()];
            let finding = memory.inspect(&seen.sight(self.shape)?, Rate::default(), &mut heat)?;
            let limit = finding.limit.max(1) as f32;
            Ok(Example {
                test,
                flawed: *flawed,
                score: finding.score,
                heat: heat.iter().map(|&heat| heat as f32 / limit).collect(),
            })
        });
        Ok(Examples {
            shown: shown.collect::<Result<_, FlawsError>>()?,
            size: [self.shape.height(), self.shape.width()],
            shots,
        })
    }
}
