//! The bodies of parts, each with its own proportions and counts.

mod drafter;
mod flat;
mod long;
mod molded;
mod round;
mod toothed;

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::drawing::Drawing;
use drafter::Drafter;

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
