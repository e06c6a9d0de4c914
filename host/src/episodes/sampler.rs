use rand::{SeedableRng, seq::index::sample};
use rand_chacha::ChaCha8Rng;

/// The size of an episode: N-way, K-shot, Q-query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EpisodeShape {
    /// Number of classes to tell apart.
    pub way: usize,
    /// Support pictures of each class.
    pub shot: usize,
    /// Query pictures of each class.
    pub query: usize,
}

/// One small classification task (Vinyals et al. 2016).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Episode {
    /// The classes, `way` of them, all different.
    pub classes: Vec<usize>,
    /// `support[c][k]`: the k-th support picture of `classes[c]`, as its number in that class.
    pub support: Vec<Vec<usize>>,
    /// `query[c][q]`: the q-th query picture of `classes[c]`, never one of its support.
    pub query: Vec<Vec<usize>>,
}

/// Why there can be no such episodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EpisodeError {
    /// A part of the shape is zero.
    #[error("an episode needs a way, shot and query of at least 1; {way}-way {shot}-shot with {query} queries was asked for", way = .0.way, shot = .0.shot, query = .0.query)]
    Empty(EpisodeShape),
    /// Too few classes.
    #[error(
        "{way}-way episodes need {way} classes; the data has {have}: lower the way or add classes"
    )]
    TooFewClasses {
        /// Classes of an episode.
        way: usize,
        /// Classes of the data.
        have: usize,
    },
    /// Too few pictures in a class.
    #[error(
        "{shot} shot + {query} query need {} pictures of each class; class {class} has {have} and is the smallest of {short} that fall short: lower them, add pictures or leave the class out",
        shot + query
    )]
    TooFewPictures {
        /// Support pictures of a class.
        shot: usize,
        /// Query pictures of a class.
        query: usize,
        /// The smallest class.
        class: usize,
        /// Its pictures.
        have: usize,
        /// Number of classes with too few pictures.
        short: usize,
    },
}

/// Draws episodes without replacement: the classes of an episode and the pictures of a class.
///
/// The same data sizes, shape and seed give the same episodes on every machine, and the n-th one
/// does not depend on which were drawn before, so a run can resume anywhere and draw in parallel.
#[derive(Clone, Debug)]
pub struct Sampler {
    class_sizes: Vec<usize>,
    shape: EpisodeShape,
    seed: u64,
    next: u64,
}

impl Sampler {
    /// A sampler over classes of the given numbers of pictures.
    ///
    /// # Errors
    /// When the data cannot fill an episode of that shape.
    pub fn new(
        class_sizes: &[usize],
        shape: EpisodeShape,
        seed: u64,
    ) -> Result<Self, EpisodeError> {
        let EpisodeShape { way, shot, query } = shape;
        if way == 0 || shot == 0 || query == 0 {
            return Err(EpisodeError::Empty(shape));
        }
        if class_sizes.len() < way {
            let have = class_sizes.len();
            return Err(EpisodeError::TooFewClasses { way, have });
        }
        let need = shot.saturating_add(query);
        let (class, &have) = class_sizes
            .iter()
            .enumerate()
            .min_by_key(|(_, size)| **size)
            .expect("there are at least `way` classes");
        if have < need {
            return Err(EpisodeError::TooFewPictures {
                shot,
                query,
                class,
                have,
                short: class_sizes.iter().filter(|size| **size < need).count(),
            });
        }
        Ok(Self {
            class_sizes: class_sizes.to_vec(),
            shape,
            seed,
            next: 0,
        })
    }

    /// The shape of the episodes.
    pub fn shape(&self) -> EpisodeShape {
        self.shape
    }

    /// The n-th episode of this seed.
    pub fn episode(&self, n: u64) -> Episode {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(n);
        let EpisodeShape { way, shot, query } = self.shape;
        let classes = sample(&mut rng, self.class_sizes.len(), way).into_vec();
        let (support, queries) = classes
            .iter()
            .map(|&class| {
                let mut drawn = sample(&mut rng, self.class_sizes[class], shot + query).into_vec();
                let queries = drawn.split_off(shot);
                (drawn, queries)
            })
            .unzip();
        Episode {
            classes,
            support,
            query: queries,
        }
    }
}

/// The episodes from the first on, without end.
impl Iterator for Sampler {
    type Item = Episode;

    fn next(&mut self) -> Option<Episode> {
        let episode = self.episode(self.next);
        self.next = self.next.wrapping_add(1);
        Some(episode)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const SHAPE: EpisodeShape = EpisodeShape {
        way: 5,
        shot: 2,
        query: 3,
    };

    #[test]
    fn draws_without_replacement_inside_the_bounds() {
        let sizes: Vec<usize> = (5..17).collect();
        for episode in Sampler::new(&sizes, SHAPE, 1).unwrap().take(500) {
            let classes: BTreeSet<_> = episode.classes.iter().collect();
            assert_eq!(classes.len(), 5);
            for (c, &class) in episode.classes.iter().enumerate() {
                assert_eq!((episode.support[c].len(), episode.query[c].len()), (2, 3));
                let pictures: BTreeSet<_> =
                    episode.support[c].iter().chain(&episode.query[c]).collect();
                assert_eq!(pictures.len(), 5);
                assert!(pictures.into_iter().all(|&p| p < sizes[class]));
            }
        }
    }

    #[test]
    fn every_class_and_picture_comes_up_about_equally_often() {
        let sampler = Sampler::new(&[8; 10], SHAPE, 3).unwrap();
        let mut support = [[0u32; 8]; 10];
        for episode in sampler.take(4000) {
            for (class, pictures) in episode.classes.iter().zip(&episode.support) {
                pictures.iter().for_each(|&p| support[*class][p] += 1);
            }
        }
        // 4,000 episodes x 1/2 of the classes x 1/4 of the pictures: 500, six sigma about 130.
        assert!(support.iter().flatten().all(|n| (370..630).contains(n)));
    }

    #[test]
    fn same_seed_same_episodes_in_any_order() {
        let sampler = Sampler::new(&[20; 50], SHAPE, 7).unwrap();
        let forwards: Vec<Episode> = sampler.clone().take(20).collect();
        let backwards: Vec<Episode> = (0..20).rev().map(|n| sampler.episode(n)).collect();
        assert!(forwards.iter().eq(backwards.iter().rev()));
        let other = Sampler::new(&[20; 50], SHAPE, 8).unwrap();
        assert_ne!(other.episode(0), forwards[0]);
        assert_ne!(forwards[0], forwards[1]);
    }

    #[test]
    fn the_impossible_is_refused_with_the_numbers() {
        let refused = |sizes: &[usize], shape| Sampler::new(sizes, shape, 0).unwrap_err();
        let error = refused(&[20; 4], SHAPE).to_string();
        assert_eq!(
            error,
            "5-way episodes need 5 classes; the data has 4: lower the way or add classes"
        );
        let error = refused(&[20, 20, 4, 3, 20, 20], SHAPE).to_string();
        assert!(
            error.starts_with(
                "2 shot + 3 query need 5 pictures of each class; class 3 has 3 and is the smallest of 2"
            ),
            "{error}"
        );
        let empty = EpisodeShape { shot: 0, ..SHAPE };
        assert_eq!(refused(&[20; 9], empty), EpisodeError::Empty(empty));
    }
}
