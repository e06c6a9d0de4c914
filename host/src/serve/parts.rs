//! Where one part ends and the next begins.

use super::Call;
use crate::data::Raster;

/// Rows and columns that pictures are compared in.
const SIDE: u32 = 16;
/// Two pictures show something else where their levels differ by so much (root of the mean square).
const DIFFERENT: f32 = 6.0;

/// What tells one part from the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cut {
    /// A change of what is seen.
    Change,
    /// Each picture shows another part.
    Picture,
    /// A signal from outside; the vote then takes n frames.
    Trigger,
}

/// Tells one part from the next.
#[derive(Debug)]
pub(super) struct Parts {
    cut: Cut,
    /// What the present part looked like when it began, and what was said of it then.
    first: Option<Vec<f32>>,
    told: Option<(Call, String)>,
    last: Option<Vec<f32>>,
    /// Whether something moved since the part began.
    moved: bool,
    /// After a trigger: whether a part begins, and frames that are still to come.
    begins: bool,
    left: u8,
}

/// Whether a frame is of a part, and whether that part is a new one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    New,
    Same,
    /// Of none.
    Nothing,
}

impl Parts {
    /// By a change of what is seen, or, where each picture shows another part, by the picture.
    pub(super) fn new(each_picture: bool) -> Self {
        Self {
            cut: if each_picture {
                Cut::Picture
            } else {
                Cut::Change
            },
            first: None,
            told: None,
            last: None,
            moved: false,
            begins: false,
            left: 0,
        }
    }

    /// From now on parts are told by triggers: one is in view now, and `frames` frames decide.
    pub(super) fn trigger(&mut self, frames: u8) {
        self.cut = Cut::Trigger;
        self.begins = true;
        self.left = frames.max(1);
    }

    /// A frame, and what the operator is told with it.
    pub(super) fn see(&mut self, frame: &Raster, told: Option<(Call, &str)>) -> Seen {
        match self.cut {
            Cut::Picture => Seen::New,
            Cut::Trigger if self.left == 0 => Seen::Nothing,
            Cut::Trigger => {
                self.left -= 1;
                if std::mem::take(&mut self.begins) {
                    Seen::New
                } else {
                    Seen::Same
                }
            }
            Cut::Change => self.compare(&levels(frame), told),
        }
    }

    /// The next frame begins a part.
    pub(super) fn forget(&mut self) {
        self.first = None;
        self.last = None;
    }

    fn compare(&mut self, levels: &[f32], told: Option<(Call, &str)>) -> Seen {
        let still = self.last.as_ref().is_none_or(|last| !differ(last, levels));
        self.last = Some(levels.to_vec());
        self.moved |= !still;
        let elsewhere = self
            .first
            .as_ref()
            .is_none_or(|first| differ(first, levels));
        let says = |known: &(Call, String)| {
            told.is_none_or(|(call, name)| (call, name) == (known.0, &known.1))
        };
        let contradicted = self.told.as_ref().is_some_and(|known| !says(known));
        let is_new = self.first.is_none() || (elsewhere && (contradicted || (still && self.moved)));
        if is_new {
            self.first = Some(levels.to_vec());
            self.told = None;
            self.moved = false;
        }
        if let Some((call, name)) = told {
            self.told = Some((call, name.to_owned()));
        }
        if is_new { Seen::New } else { Seen::Same }
    }
}

/// A small picture of a frame, without its brightness.
fn levels(frame: &Raster) -> Vec<f32> {
    let small = frame.resize(SIDE, SIDE);
    let mean = small
        .pixels
        .iter()
        .map(|&level| f32::from(level))
        .sum::<f32>()
        / small.pixels.len() as f32;
    small
        .pixels
        .iter()
        .map(|&level| f32::from(level) - mean)
        .collect()
}

fn differ(a: &[f32], b: &[f32]) -> bool {
    let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
    squares > DIFFERENT * DIFFERENT * a.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A square on a noisy ground.
    fn square(left: u32, noise: u32) -> Raster {
        let pixel = |i: u32| {
            let (x, y) = (i % 64, i / 64);
            let inside = (left..left + 24).contains(&x) && (20..44).contains(&y);
            let grain = (i.wrapping_mul(2_654_435_761).wrapping_add(noise * 97) >> 7) % 9;
            (if inside { 190 } else { 60 }) + grain as u8
        };
        Raster::new(64, 64, (0..64 * 64).map(pixel).collect()).unwrap()
    }

    #[test]
    fn a_part_that_lies_still_is_one_and_the_next_begins_when_it_has_come_to_rest() {
        let mut parts = Parts::new(false);
        let nut = Some((Call::Class, "nut"));
        let mut see = |frame: Raster, told| parts.see(&frame, told);
        assert_eq!(see(square(4, 0), None), Seen::New);
        for noise in 1..5 {
            assert_eq!(see(square(4, noise), nut), Seen::Same);
        }
        // A change of mind about the part that lies there is no other part.
        assert_eq!(see(square(4, 5), Some((Call::Unknown, ""))), Seen::Same);
        assert_eq!(see(square(4, 6), nut), Seen::Same);
        // It is moved, then lies elsewhere.
        assert_eq!(see(square(15, 7), nut), Seen::Same);
        assert_eq!(see(square(34, 8), nut), Seen::Same);
        assert_eq!(see(square(34, 9), nut), Seen::New);
        assert_eq!(see(square(34, 10), nut), Seen::Same);
        // Another class in a picture that never rests.
        assert_eq!(see(square(20, 11), Some((Call::Good, "bolt"))), Seen::New);
    }

    #[test]
    fn a_hand_that_comes_and_goes_makes_no_part() {
        let mut parts = Parts::new(false);
        let nut = Some((Call::Class, "nut"));
        assert_eq!(parts.see(&square(4, 0), nut), Seen::New);
        for (left, noise) in [(20, 1), (4, 2), (4, 3), (4, 4)] {
            assert_eq!(parts.see(&square(left, noise), nut), Seen::Same);
        }
    }

    #[test]
    fn after_a_trigger_only_its_frames_count() {
        let mut parts = Parts::new(false);
        let nut = Some((Call::Class, "nut"));
        parts.see(&square(4, 0), nut);
        parts.trigger(2);
        let seen: Vec<_> = (0..3).map(|n| parts.see(&square(4, n), nut)).collect();
        assert_eq!(seen, [Seen::New, Seen::Same, Seen::Nothing]);
        parts.trigger(1);
        assert_eq!(parts.see(&square(4, 9), nut), Seen::New);
        assert_eq!(Parts::new(true).see(&square(4, 0), None), Seen::New);
    }
}
