//! Drawing episodes.

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
        shot.saturating_add(*query)
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
    /// Classes of a family; 1 draws each class for itself.
    family: usize,
    /// The last classes, which every episode takes in.
    guests: usize,
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
            family: 1,
            guests: 0,
            next: 0,
        })
    }

    /// Draws whole families instead of single classes: `family` classes that follow each other in
    /// the data and are similar, such as the variants of one part. An episode then is a task of small
    /// differences.
    ///
    /// # Errors
    /// When the data has too few families for the way.
    pub fn of_families(self, family: usize) -> Result<Self, EpisodeError> {
        Self {
            family: family.max(1),
            ..self
        }
        .checked()
    }

    /// Takes the last `count` classes, which come from other data than the rest, into every episode:
    /// all of them, or as many as make half of it. The rest of the episode is drawn as before, and
    /// comes first.
    ///
    /// # Errors
    /// When the rest has too few classes.
    pub fn with_guests(self, count: usize) -> Result<Self, EpisodeError> {
        let guests = count.min(self.class_sizes.len());
        Self { guests, ..self }.checked()
    }

    /// Classes of an episode that are guests.
    fn seats(&self) -> usize {
        self.guests.min(self.shape.way / 2)
    }

    /// Classes that are not guests, in whole families.
    fn families(&self) -> usize {
        (self.class_sizes.len() - self.guests) / self.family
    }

    fn checked(self) -> Result<Self, EpisodeError> {
        let way = self.shape.way - self.seats();
        if way.div_ceil(self.family) > self.families() {
            let have = self.families() * self.family;
            return Err(EpisodeError::TooFewClasses { way, have });
        }
        Ok(self)
    }

    /// The shape of the episodes.
    pub fn shape(&self) -> EpisodeShape {
        self.shape
    }

    /// Classes of a family, which follow each other in an episode; 1 where each class is drawn for itself.
    pub fn family(&self) -> usize {
        self.family
    }

    /// The n-th episode of this seed.
    pub fn episode(&self, n: u64) -> Episode {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(n);
        let EpisodeShape { way, shot, query } = self.shape;
        let hosts = way - self.seats();
        let mut classes: Vec<usize> =
            sample(&mut rng, self.families(), hosts.div_ceil(self.family))
                .into_iter()
                .flat_map(|f| f * self.family..(f + 1) * self.family)
                .take(hosts)
                .collect();
        let first = self.class_sizes.len() - self.guests;
        let guests = sample(&mut rng, self.guests, self.seats());
        classes.extend(guests.into_iter().map(|guest| first + guest));
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
    fn families_stay_together() {
        let shape = EpisodeShape { way: 6, ..SHAPE };
        let sampler = Sampler::new(&[8; 22], shape, 2).unwrap();
        let sampler = sampler.of_families(4).unwrap();
        let mut whole = BTreeSet::new();
        for episode in sampler.take(200) {
            assert_eq!(episode.classes.len(), 6);
            let first = episode.classes[0];
            assert_eq!(first % 4, 0);
            assert_eq!(
                episode.classes[..4],
                [first, first + 1, first + 2, first + 3]
            );
            assert_eq!(episode.classes[5], episode.classes[4] + 1);
            assert_ne!(episode.classes[4], first);
            whole.insert(first);
        }
        assert_eq!(whole.into_iter().collect::<Vec<_>>(), [0, 4, 8, 12, 16]);
        let wide = EpisodeShape { way: 21, ..SHAPE };
        let refused = Sampler::new(&[8; 22], wide, 2).unwrap().of_families(4);
        let short = EpisodeError::TooFewClasses { way: 21, have: 20 };
        assert_eq!(refused.err(), Some(short));
    }

    #[test]
    fn guests_sit_in_every_episode() {
        let sampler = Sampler::new(&[8; 22], SHAPE, 4).unwrap();
        let two = sampler.clone().with_guests(2).unwrap();
        for episode in two.take(100) {
            assert_eq!(episode.classes.len(), 5);
            assert!(episode.classes[..3].iter().all(|&class| class < 20));
            let guests: BTreeSet<_> = episode.classes[3..].iter().copied().collect();
            assert_eq!(guests, [20, 21].into());
        }
        // Half of the episode at most, each in turn.
        let many = sampler.clone().of_families(4).unwrap();
        let mut seen = BTreeSet::new();
        for episode in many.with_guests(10).unwrap().take(100) {
            let first = episode.classes[0];
            assert_eq!(first % 4, 0);
            assert_eq!(episode.classes[..3], [first, first + 1, first + 2]);
            assert!(first + 3 < 12);
            assert!(episode.classes[3..].iter().all(|&class| class >= 12));
            seen.extend(episode.classes[3..].iter().copied());
        }
        assert_eq!(seen.len(), 10);
        // No guests, no change.
        let none = sampler.clone().with_guests(0).unwrap();
        assert_eq!(none.episode(7), sampler.episode(7));
        let refused = sampler.with_guests(20).err();
        assert_eq!(
            refused,
            Some(EpisodeError::TooFewClasses { way: 3, have: 2 })
        );
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
