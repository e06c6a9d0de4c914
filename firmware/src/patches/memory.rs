//! Good frames and flaws of a product, and what they say of a new frame.

use super::commission::Commission;
use super::distance::{
    LANES, WORST, apart, hottest, lanes, mean, mean_of_worst, near, push_max, suspicion,
};
use super::entries::{Entries, FLAW, Mark};
use super::finding::{Finding, MemoryError, Search, Sight};
use super::length::Length;
use super::number::{exp, ln};
use super::whole::Whole;
use super::witness::{self, Moments, Prior, Spread, Together, beyond};
use super::{Light, MAX_PLACES, Map, Shape};
use crate::decision::{Rate, root};

/// Frames whose patches are told apart; later ones share the numbers of earlier ones.
pub(super) const FRAMES: u32 = 64;

/// The good frames of a product, and its known flaws.
///
/// [`teach`](Self::teach) takes good frames, [`reject`](Self::reject) bad ones,
/// [`inspect`](Self::inspect) tells which a new one is. All maps have the shape of the first.
#[derive(Debug, Clone)]
pub struct Memory {
    pub(super) shape: Option<Shape>,
    pub(super) frames: u32,
    /// Bad frames of which something was kept.
    pub(super) bad: u32,
    pub(super) entries: Entries,
    pub(super) whole: Whole,
    pub(super) light: [Moments; 4],
    pub(super) commission: Commission,
    /// Checksum of the body that is being read.
    pub(super) check: u32,
}

/// The logarithm of a good frame's patch score, as on drawn surfaces and parts. Scores of frames that
/// are compared with each other hang together, so that their mean is known less well.
const PATCHES: Prior = Prior {
    deviation: 0.22,
    weight: 8.0,
    error: 2.0,
};
/// The levels of a good frame's brightness, as there.
const LEVELS: Prior = Prior {
    deviation: 16.0,
    weight: 2.0,
    error: 1.0,
};
/// How much less the logarithm of a score is among all frames than among all but one, times the frames.
const MORE_FRAMES: f32 = 0.3;
/// The weight of the whole embedding beside the patches, and how much the two go together in good frames.
const WHOLE: f32 = 0.5;
const TOGETHER: f32 = 0.45;
/// The weight of brightness, and of the embedding alone, beside both.
const ASIDE: f32 = 0.05;

impl Default for Memory {
    fn default() -> Self {
        Self::new()
    }
}

impl Memory {
    /// Without frames.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            shape: None,
            frames: 0,
            bad: 0,
            entries: Entries::new(),
            whole: Whole::new(),
            light: [Moments::NONE; 4],
            commission: Commission::new(),
            check: 0,
        }
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        // Not a new one, which would be on the stack.
        self.shape = None;
        self.frames = 0;
        self.bad = 0;
        self.entries.start(None, 0);
        self.whole = Whole::new();
        self.light = [Moments::NONE; 4];
        self.commission = Commission::new();
    }

    /// The shape of the maps; `None` before the first frame.
    #[must_use]
    pub const fn shape(&self) -> Option<Shape> {
        self.shape
    }

    /// Good frames that were taught.
    #[must_use]
    pub const fn frames(&self) -> u32 {
        self.frames
    }

    /// Bad frames that were taught: those that had something to keep.
    #[must_use]
    pub const fn bad(&self) -> u32 {
        self.bad
    }

    /// Patches of good frames that are stored.
    #[must_use]
    pub fn patches(&self) -> usize {
        self.entries.len() - self.flaws()
    }

    /// Patches of flaws that are stored.
    #[must_use]
    pub fn flaws(&self) -> usize {
        let marks = self.entries.marks().iter();
        marks.filter(|mark| mark.frame == FLAW).count()
    }

    /// Patches that there is room for.
    #[must_use]
    pub fn room(&self) -> usize {
        self.entries.room()
    }

    /// Takes the score of a good frame into account for the threshold, without learning its patches:
    /// see [`Commission`].
    pub fn watch(&mut self, finding: &Finding) {
        self.commission.push(finding.deviations);
    }

    /// Forgets which frames were watched.
    pub fn unwatch(&mut self) {
        self.commission = Commission::new();
    }

    /// The scores of good frames that were watched.
    #[must_use]
    pub const fn commission(&self) -> &Commission {
        &self.commission
    }

    /// Learns a good frame.
    ///
    /// # Errors
    /// [`MemoryError::Shape`]; nothing has changed then.
    pub fn teach(&mut self, sight: &Sight<'_>) -> Result<(), MemoryError> {
        let shape = self.check(sight)?;
        if self.shape.is_none() {
            self.shape = Some(shape);
            self.entries.start(Some(shape), 0);
        }
        let frame = (self.frames % FRAMES) as u8;
        let mut lengths = [[Length::UNKNOWN; 2]; MAX_PLACES];
        if self.frames == 0 {
            // Alone it is compared with itself, away from the place.
            apart(sight.map, &mut lengths);
        } else {
            if self.frames == 1 {
                for mark in self.entries.marks_mut() {
                    (mark.free, mark.local) = (Length::UNKNOWN, Length::UNKNOWN);
                }
            }
            self.compare(sight.map, frame, &mut lengths);
        }
        for (place, (descriptor, &[free, local])) in
            sight.map.descriptors().zip(&lengths).enumerate()
        {
            let mark = Mark {
                place: place as u8,
                frame,
                free,
                local,
            };
            self.entries.insert(descriptor, mark);
        }
        self.frames = self.frames.saturating_add(1);
        self.whole.push(sight.embedding);
        for (moments, value) in self.light.iter_mut().zip(levels(sight.light)) {
            moments.push(value);
        }
        Ok(())
    }

    /// Learns a bad frame: keeps its most suspicious patches as flaws, if they are such. How many.
    ///
    /// After good frames were [watched](Self::watch) a flaw counts for a patch only where it is nearer by half:
    /// the scores of those frames, which the threshold comes from, were without it.
    ///
    /// # Errors
    /// [`MemoryError::Empty`] and [`MemoryError::Shape`]; nothing has changed then.
    pub fn reject(&mut self, sight: &Sight<'_>) -> Result<usize, MemoryError> {
        let mut heat = [0; MAX_PLACES];
        let heat = &mut heat[..sight.map.shape().places().min(MAX_PLACES)];
        self.look(sight, heat)?;
        let usual = self.usual(self.search());
        let local = match self.commission.frames() {
            ..Commission::FEWEST => Length::UNKNOWN,
            _ => Length::LATE,
        };
        let mut kept = 0;
        for _ in 0..WORST {
            let worst = hottest(heat);
            // What is as near as good frames are to each other is no flaw.
            if ln(heat[worst] as f32) <= usual.mean {
                break;
            }
            heat[worst] = 0;
            let mark = Mark {
                place: worst as u8,
                frame: FLAW,
                free: Length::UNKNOWN,
                local,
            };
            self.entries.insert_flaw(sight.map.descriptor(worst), mark);
            kept += 1;
        }
        self.bad = self.bad.saturating_add(u32::from(kept > 0));
        Ok(kept)
    }

    /// Compares a frame with the good ones.
    ///
    /// `heat`, as long as the map has places, becomes the squared distance of each patch to the
    /// nearest good one, more for what is nearer to a flaw. `rate` is the part of good frames that may
    /// be called bad.
    ///
    /// # Errors
    /// Any [`MemoryError`].
    pub fn inspect(
        &self,
        sight: &Sight<'_>,
        rate: Rate,
        heat: &mut [u32],
    ) -> Result<Finding, MemoryError> {
        let search = self.look(sight, heat)?;
        let usual = self.usual(search);
        let patches = usual.unusual(ln(mean_of_worst(heat.iter().copied())));
        let whole = self.whole.unusual(sight.embedding);
        let light = self.unusual_light(sight.light);
        let deviations = fuse(patches, whole, light);
        let threshold = self.threshold(rate);
        Ok(Finding {
            score: deviations / threshold,
            deviations,
            patches,
            whole: whole.unwrap_or(0.0),
            light: witness::deviations(light),
            limit: exp(usual.at(threshold)) as u32,
            worst: hottest(heat) as u8,
            search,
        })
    }

    /// The deviations that a part `rate` of good frames exceeds.
    #[must_use]
    pub fn threshold(&self, rate: Rate) -> f32 {
        let taught = witness::deviations(f32::from(rate.parts()) / 10_000.0);
        self.commission.threshold(rate, taught)
    }

    /// The shape of a frame that fits.
    fn check(&self, sight: &Sight<'_>) -> Result<Shape, MemoryError> {
        let have = sight.map.shape();
        match self.shape {
            Some(want) if want != have => Err(MemoryError::Shape { have, want }),
            _ => Ok(have),
        }
    }

    /// Notes how far the patches of a new frame and those of the other frames are from each other.
    fn compare(&mut self, map: Map<'_>, frame: u8, lengths: &mut [[Length; 2]; MAX_PLACES]) {
        let shape = map.shape();
        for first in (0..shape.places()).step_by(LANES) {
            let near = near(shape, first);
            let mut least = [[u32::MAX; 2]; LANES];
            let count = LANES.min(shape.places() - first);
            self.entries
                .visit_mut(lanes(map, first), |mark, distances| {
                    if mark.frame == FLAW || mark.frame == frame {
                        return;
                    }
                    let mut own = [u32::MAX; 2];
                    let both = distances.iter().zip(&mut least).zip(near(mark.place));
                    for ((&distance, [free, local]), near) in both.take(count) {
                        *free = distance.min(*free);
                        own[0] = distance.min(own[0]);
                        if near {
                            *local = distance.min(*local);
                            own[1] = distance.min(own[1]);
                        }
                    }
                    mark.free = mark.free.min(Length::of(own[0]));
                    mark.local = mark.local.min(Length::of(own[1]));
                });
            for (lengths, least) in lengths[first..].iter_mut().zip(&least).take(count) {
                *lengths = least.map(Length::of);
            }
        }
    }

    /// Fills the heat map.
    fn look(&self, sight: &Sight<'_>, heat: &mut [u32]) -> Result<Search, MemoryError> {
        let shape = self.check(sight)?;
        if self.frames == 0 {
            return Err(MemoryError::Empty);
        }
        let (have, need) = (heat.len(), shape.places());
        if have != need {
            return Err(MemoryError::Heat { have, need });
        }
        let search = self.search();
        for (block, heat) in heat.chunks_mut(LANES).enumerate() {
            let first = block * LANES;
            let near = near(shape, first);
            let mut good = [u32::MAX; LANES];
            let mut flaw = [u32::MAX; LANES];
            let wanted = |mark: &Mark| {
                search == Search::Free || mark.frame == FLAW || near(mark.place).contains(&true)
            };
            self.entries
                .visit(lanes(sight.map, first), wanted, |mark, distances| {
                    let best = if mark.frame == FLAW {
                        &mut flaw
                    } else {
                        &mut good
                    };
                    let all = search == Search::Free || mark.frame == FLAW;
                    let is_late = mark.frame == FLAW && mark.local == Length::LATE;
                    for ((best, distance), near) in
                        best.iter_mut().zip(distances).zip(near(mark.place))
                    {
                        if all || near {
                            let more = if is_late { distance / 2 } else { 0 };
                            *best = (distance + more).min(*best);
                        }
                    }
                });
            for ((heat, good), flaw) in heat.iter_mut().zip(good).zip(flaw) {
                *heat = suspicion(good, flaw);
            }
        }
        Ok(search)
    }

    /// What the good frames favour: their places, if two of three patches find the nearest of the other frames
    /// at their own place. Among places that do not matter few would.
    fn search(&self) -> Search {
        let (mut known, mut at_place) = (0, 0);
        for mark in self.entries.marks() {
            known += usize::from(mark.free != Length::UNKNOWN);
            at_place += usize::from(mark.free != Length::UNKNOWN && mark.local == mark.free);
        }
        if self.frames > 1 && 3 * at_place > 2 * known {
            Search::Place
        } else {
            Search::Free
        }
    }

    /// The distribution of the logarithm of good frames' patch scores, each compared with the others.
    fn usual(&self, search: Search) -> Spread {
        let mut worst = [[0_u32; WORST]; FRAMES as usize];
        let mut seen = [false; FRAMES as usize];
        for mark in self.entries.marks() {
            let length = match search {
                Search::Free => mark.free,
                Search::Place => mark.local,
            };
            let frame = usize::from(mark.frame);
            if let (Some(square), Some(worst)) = (length.square(), worst.get_mut(frame)) {
                seen[frame] = true;
                push_max(worst, square);
            }
        }
        let mut moments = Moments::NONE;
        for (worst, _) in worst.iter().zip(seen).filter(|(_, seen)| *seen) {
            moments.push(ln(mean(worst)));
        }
        let mut next = moments.next(PATCHES);
        if self.frames > 1 {
            next.mean -= MORE_FRAMES / self.frames as f32;
        }
        next
    }

    /// How rare a brightness this unusual is in good frames.
    fn unusual_light(&self, light: Light) -> f32 {
        let mut together = Together::default();
        for (moments, level) in self.light.iter().zip(levels(light)) {
            // To either side.
            let part = 2.0 * beyond(moments.next(LEVELS).unusual(level).abs());
            together.push(1.0, part);
        }
        together.part()
    }
}

/// The witnesses together, in deviations.
///
/// Patches and embedding are added, as both see a flaw somewhat. Brightness is something else, which
/// counts where it is rare, and so does an embedding that is very far off whatever the patches are.
fn fuse(patches: f32, whole: Option<f32>, light: f32) -> f32 {
    let seen = match whole {
        Some(whole) => {
            let variance = 1.0 + WHOLE * WHOLE + 2.0 * WHOLE * TOGETHER;
            (patches + WHOLE * whole) / root(variance)
        }
        None => patches,
    };
    let mut together = Together::default();
    together.push(1.0, beyond(seen));
    together.push(ASIDE, whole.map_or(0.5, beyond));
    together.push(ASIDE, light);
    witness::deviations(together.part())
}

fn levels(light: Light) -> [f32; 4] {
    [
        light.mean,
        light.deviation,
        light.darkest.into(),
        light.brightest.into(),
    ]
}
