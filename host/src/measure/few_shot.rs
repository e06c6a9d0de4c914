//! The one loop over episodes: learn from the support, answer the queries.

use rayon::prelude::*;

use super::Accuracy;
use crate::episodes::{Episode, Sampler};

/// A picture of a data set: its class, and its number in that class.
pub type Picture = (usize, usize);

/// What learns classes from a few pictures of each and says of which class others are: embeddings,
/// trained methods, the firmware's heads, a board.
pub trait FewShot {
    /// What it says of a picture.
    type Answer;
    /// Why it can't.
    type Error;

    /// Learns the pictures of each class, in place of all that it had learned.
    ///
    /// # Errors
    /// When it has no room for them, or can't be reached.
    fn learn(&mut self, support: &[Vec<Picture>]) -> Result<(), Self::Error>;

    /// What it says of each picture, in their order.
    ///
    /// # Errors
    /// When it can't be reached.
    fn answer(&mut self, queries: &[Picture]) -> Result<Vec<Self::Answer>, Self::Error>;

    /// The place of the class that an answer names, among those that were learned.
    fn place(answer: &Self::Answer) -> Option<usize>;
}

/// The place of the class of each query, and what was said of it.
pub type Answered<A> = Vec<(usize, A)>;

/// What answers whole episodes: each [`FewShot`] model one after the other, others several at a time.
pub trait Episodic {
    /// What it says of a picture.
    type Answer;
    /// Why it can't.
    type Error;
    /// Episodes that it takes at a time.
    const BATCH: u64;

    /// What it says in each of these episodes, of which the first is the n-th of a run.
    ///
    /// # Errors
    /// Those of [`FewShot`].
    fn episodes(
        &mut self,
        n: u64,
        episodes: &[Episode],
    ) -> Result<Vec<Answered<Self::Answer>>, Self::Error>;

    /// The place of the class that an answer names, among those of the episode.
    fn named(answer: &Self::Answer) -> Option<usize>;
}

impl<M: FewShot> Episodic for M {
    type Answer = M::Answer;
    type Error = M::Error;
    const BATCH: u64 = 1;

    fn episodes(
        &mut self,
        _: u64,
        episodes: &[Episode],
    ) -> Result<Vec<Answered<M::Answer>>, M::Error> {
        episodes.iter().map(|episode| run(self, episode)).collect()
    }

    fn named(answer: &M::Answer) -> Option<usize> {
        M::place(answer)
    }
}

/// Teaches the support of an episode and asks for its queries, class by class.
///
/// # Errors
/// Those of the model.
pub fn run<M: FewShot>(model: &mut M, episode: &Episode) -> Result<Answered<M::Answer>, M::Error> {
    let pictures = |of: &[Vec<usize>]| -> Vec<Vec<Picture>> {
        let classes = episode.classes.iter().zip(of);
        classes
            .map(|(&class, of)| of.iter().map(|&index| (class, index)).collect())
            .collect()
    };
    model.learn(&pictures(&episode.support))?;
    let queries = pictures(&episode.query);
    let truths = queries.iter().enumerate();
    let truths = truths.flat_map(|(place, of)| of.iter().map(move |_| place));
    Ok(truths.zip(model.answer(&queries.concat())?).collect())
}

/// Part of the queries whose class was named, 0..=1.
pub fn accuracy<M: Episodic>(answered: &[(usize, M::Answer)]) -> f64 {
    let correct = answered
        .iter()
        .filter(|(truth, answer)| M::named(answer) == Some(*truth));
    correct.count() as f64 / answered.len() as f64
}

/// Episodes to be measured.
pub struct Run<'a> {
    draw: Box<dyn Fn(u64) -> Episode + Sync + 'a>,
    episodes: u64,
    done: &'a (dyn Fn() + Sync),
}

impl<'a> Run<'a> {
    /// A sampler's first episodes.
    #[must_use]
    pub fn new(sampler: &'a Sampler, episodes: u64) -> Self {
        Self {
            draw: Box::new(|n| sampler.episode(n)),
            episodes,
            done: &|| (),
        }
    }

    /// These episodes.
    #[must_use]
    pub fn of(episodes: &'a [Episode]) -> Self {
        Self {
            draw: Box::new(|n| episodes[n as usize].clone()),
            episodes: episodes.len() as u64,
            done: &|| (),
        }
    }

    /// Calls `done` after each episode.
    #[must_use]
    pub fn done(self, done: &'a (dyn Fn() + Sync)) -> Self {
        Self { done, ..self }
    }

    /// What is made of each episode, one after the other.
    ///
    /// # Errors
    /// Those of the model.
    pub fn each<M: Episodic, T>(
        &self,
        model: &mut M,
        of: impl Fn(Answered<M::Answer>) -> T,
    ) -> Result<Vec<T>, M::Error> {
        let each: Result<Vec<_>, _> = (0..self.batches::<M>())
            .map(|n| self.batch(model, n, &of))
            .collect();
        Ok(each?.into_iter().flatten().collect())
    }

    /// The same by all processors, each with a model of its own.
    ///
    /// # Errors
    /// Those of the models.
    pub fn in_parallel<M: Episodic, T: Send>(
        &self,
        model: impl Fn() -> M + Sync + Send,
        of: impl Fn(Answered<M::Answer>) -> T + Sync + Send,
    ) -> Result<Vec<T>, M::Error>
    where
        M::Error: Send,
    {
        let each: Result<Vec<_>, _> = (0..self.batches::<M>())
            .into_par_iter()
            .map_init(model, |model, n| self.batch(model, n, &of))
            .collect();
        Ok(each?.into_iter().flatten().collect())
    }

    /// Accuracy by all processors.
    ///
    /// # Errors
    /// Those of the models.
    pub fn accuracy<M: Episodic>(
        &self,
        model: impl Fn() -> M + Sync + Send,
    ) -> Result<Accuracy, M::Error>
    where
        M::Error: Send,
    {
        let each = self.in_parallel(model, |answered| accuracy::<M>(&answered))?;
        Ok(Accuracy::of(&each))
    }

    /// Accuracy of one model that takes an episode after the other.
    ///
    /// # Errors
    /// Those of the model.
    pub fn accuracy_of<M: Episodic>(&self, model: &mut M) -> Result<Accuracy, M::Error> {
        let each = self.each(model, |answered| accuracy::<M>(&answered))?;
        Ok(Accuracy::of(&each))
    }

    fn batches<M: Episodic>(&self) -> u64 {
        self.episodes.div_ceil(M::BATCH)
    }

    fn batch<M: Episodic, T>(
        &self,
        model: &mut M,
        number: u64,
        of: &impl Fn(Answered<M::Answer>) -> T,
    ) -> Result<Vec<T>, M::Error> {
        let first = number * M::BATCH;
        let last = self.episodes.min(first + M::BATCH);
        let episodes: Vec<Episode> = (first..last).map(&self.draw).collect();
        let answered = model.episodes(first, &episodes)?.into_iter();
        let made = answered.map(|answered| {
            (self.done)();
            of(answered)
        });
        Ok(made.collect())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::episodes::EpisodeShape;

    /// Names the place of the class that it was taught, but for the pictures past the first ten.
    struct Recalls(Vec<usize>);

    impl FewShot for Recalls {
        type Answer = Option<usize>;
        type Error = usize;

        fn learn(&mut self, support: &[Vec<Picture>]) -> Result<(), usize> {
            self.0 = support.iter().map(|of| of[0].0).collect();
            match self.0.contains(&7) {
                true => Err(7),
                false => Ok(()),
            }
        }

        fn answer(&mut self, queries: &[Picture]) -> Result<Vec<Option<usize>>, usize> {
            let place = |&(class, index): &Picture| {
                let place = self.0.iter().position(|&learned| learned == class);
                place.filter(|_| index < 10)
            };
            Ok(queries.iter().map(place).collect())
        }

        fn place(answer: &Option<usize>) -> Option<usize> {
            *answer
        }
    }

    #[test]
    fn all_processors_measure_what_one_does_and_an_error_ends_it() {
        let shape = EpisodeShape {
            way: 3,
            shot: 2,
            query: 5,
        };
        let sampler = Sampler::new(&[20; 6], shape, 1).unwrap();
        let count = AtomicUsize::new(0);
        let done = || {
            count.fetch_add(1, Ordering::Relaxed);
        };
        let run = Run::new(&sampler, 100).done(&done);
        let all = run.accuracy(|| Recalls(Vec::new())).unwrap();
        assert_eq!(run.accuracy_of(&mut Recalls(Vec::new())), Ok(all));
        // Half of the pictures are past the first ten.
        assert!((all.mean - 0.5).abs() < 0.1, "{all}");
        assert_eq!(count.load(Ordering::Relaxed), 200);
        let more = Sampler::new(&[20; 8], shape, 1).unwrap();
        let failed = Run::new(&more, 100).accuracy(|| Recalls(Vec::new()));
        assert_eq!(failed, Err(7));
    }

    /// Says of each query the number of its episode in the run.
    struct Numbers;

    impl Episodic for Numbers {
        type Answer = u64;
        type Error = ();
        const BATCH: u64 = 7;

        fn episodes(&mut self, n: u64, episodes: &[Episode]) -> Result<Vec<Answered<u64>>, ()> {
            assert!(episodes.len() <= 7);
            Ok((n..).zip(episodes).map(|(n, _)| vec![(0, n)]).collect())
        }

        fn named(_: &u64) -> Option<usize> {
            None
        }
    }

    #[test]
    fn episodes_that_are_taken_together_keep_their_numbers() {
        let shape = EpisodeShape {
            way: 2,
            shot: 1,
            query: 1,
        };
        let sampler = Sampler::new(&[5; 4], shape, 1).unwrap();
        let run = Run::new(&sampler, 24);
        let number = |answered: Answered<u64>| answered[0].1;
        let expected: Vec<u64> = (0..24).collect();
        assert_eq!(run.each(&mut Numbers, number), Ok(expected.clone()));
        assert_eq!(run.in_parallel(|| Numbers, number), Ok(expected));
    }
}
