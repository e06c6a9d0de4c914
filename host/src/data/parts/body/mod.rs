//! The bodies of parts, each with its own proportions and counts.

mod flat;
mod long;
mod molded;
mod round;
mod toothed;

use rand::{RngExt, distr::uniform::SampleRange};
use rand_chacha::ChaCha8Rng;

use super::drawing::Drawing;

/// A kind of body: its name and what draws one.
type Kind = (&'static str, fn(&mut Drafter<'_>));

const KINDS: [Kind; 24] = [
    ("washer", round::washer),
    ("nut", round::nut),
    ("flange", round::flange),
    ("bearing", round::bearing),
    ("screwhead", round::screw_head),
    ("cover", round::cover),
    ("gear", toothed::gear),
    ("sprocket", toothed::sprocket),
    ("impeller", toothed::impeller),
    ("lockwasher", toothed::lock_washer),
    ("bracket", flat::bracket),
    ("plate", flat::plate),
    ("gusset", flat::gusset),
    ("lever", flat::lever),
    ("cam", flat::cam),
    ("terminal", flat::terminal),
    ("bolt", long::bolt),
    ("spring", long::spring),
    ("shaft", long::shaft),
    ("circlip", long::circlip),
    ("hairpin", long::hairpin),
    ("chip", molded::chip),
    ("connector", molded::connector),
    ("profile", molded::profile),
];

/// A random body and its kind; `twist` changes one of its counts and nothing else.
pub(super) fn random(rng: &mut ChaCha8Rng, twist: bool) -> (&'static str, Drawing) {
    let (name, draw) = KINDS[rng.random_range(0..KINDS.len())];
    let mut drafter = Drafter {
        rng,
        twist,
        drawing: Drawing::new(),
    };
    draw(&mut drafter);
    (name, drafter.drawing)
}

/// Draws the random numbers of a design and collects its layers.
struct Drafter<'r> {
    rng: &'r mut ChaCha8Rng,
    twist: bool,
    drawing: Drawing,
}

impl Drafter<'_> {
    /// A length in part units, or another real number.
    fn size(&mut self, range: impl SampleRange<f32>) -> f32 {
        self.rng.random_range(range)
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.rng.random_bool(probability)
    }

    fn pick<T: Copy>(&mut self, of: &[T]) -> T {
        of[self.rng.random_range(0..of.len())]
    }

    /// A number of features; the first one of a design is another if it is twisted, by a sixth.
    fn count(&mut self, least: usize, most: usize) -> usize {
        let count = self.rng.random_range(least..=most);
        if !std::mem::take(&mut self.twist) {
            return count;
        }
        let step = (count / 6).max(1);
        if count + step <= most {
            count + step
        } else {
            count - step
        }
    }
}
