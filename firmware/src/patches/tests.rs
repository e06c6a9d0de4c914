//! Whatever is taught, asked and read: no panic, and numbers that mean something.

extern crate std;

use std::boxed::Box;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use super::*;
use crate::decision::Rate;

/// A generator of numbers that is enough for tests (Marsaglia 2003).
pub(super) struct Random(pub(super) u32);

impl Random {
    fn next(&mut self) -> u32 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 17;
        self.0 ^= self.0 << 5;
        self.0
    }

    /// About normal, with a deviation of 1.
    pub(super) fn normal(&mut self) -> f32 {
        let sum: u32 = (0..12).map(|_| self.next() >> 16).sum();
        sum as f32 / 65_536.0 - 6.0
    }
}

/// A frame and what it owns.
#[derive(Debug, Clone)]
struct Frame {
    shape: Shape,
    values: Vec<i8>,
    embedding: Vec<i8>,
    light: Light,
}

impl Frame {
    /// A frame whose descriptors depend on the place as `place` says, with noise.
    fn new(shape: Shape, random: &mut Random, place: impl Fn(usize, usize) -> f32) -> Self {
        let values = (0..shape.places() * shape.channels())
            .map(|i| {
                let mean = place(i / shape.channels(), i % shape.channels());
                (mean + 4.0 * random.normal()) as i8
            })
            .collect();
        Self {
            shape,
            values,
            embedding: (0..16)
                .map(|i| (i as f32 + 3.0 * random.normal()) as i8)
                .collect(),
            light: Light {
                mean: 100.0 + random.normal(),
                deviation: 20.0 + random.normal(),
                darkest: (30.0 + random.normal()) as u8,
                brightest: (200.0 + random.normal()) as u8,
            },
        }
    }

    fn sight(&self) -> Sight<'_> {
        Sight {
            map: Map::new(self.shape, &self.values).unwrap(),
            embedding: &self.embedding,
            light: self.light,
        }
    }

    /// With a flaw at a place.
    fn flawed(mut self, place: usize) -> Self {
        let channels = self.shape.channels();
        for value in &mut self.values[place * channels..(place + 1) * channels] {
            *value = value.wrapping_neg().saturating_add(40);
        }
        self
    }
}

fn shape() -> Shape {
    Shape::new(10, 9, 16).unwrap()
}

/// The same everywhere.
fn texture(random: &mut Random) -> Frame {
    Frame::new(shape(), random, |_, channel| 10.0 * (channel as f32).sin())
}

/// Different at each place.
fn part(random: &mut Random) -> Frame {
    Frame::new(shape(), random, |place, channel| {
        ((place * 7919 + channel * 104_729) * (place + 3 * channel) % 97) as f32 - 48.0
    })
}

fn memory() -> Box<Memory> {
    Box::new(Memory::new())
}

fn taught(frames: usize, frame: impl Fn(&mut Random) -> Frame, random: &mut Random) -> Box<Memory> {
    let mut memory = memory();
    for _ in 0..frames {
        memory.teach(&frame(random).sight()).unwrap();
    }
    memory
}

fn inspect(memory: &Memory, frame: &Frame) -> (Finding, Vec<u32>) {
    let mut heat = vec![0; frame.shape.places()];
    let finding = memory
        .inspect(&frame.sight(), Rate::default(), &mut heat)
        .unwrap();
    (finding, heat)
}

#[test]
fn a_flaw_is_found_where_it_is() {
    for kind in [texture, part] {
        let mut random = Random(7);
        let memory = taught(4, kind, &mut random);
        for place in [0, 43, 89] {
            let good = kind(&mut random);
            let (finding, _) = inspect(&memory, &good);
            assert!(finding.is_good(), "{finding:?}");
            let (finding, heat) = inspect(&memory, &good.flawed(place));
            assert!(!finding.is_good(), "{finding:?}");
            assert_eq!(usize::from(finding.worst), place);
            assert!(heat[place] > finding.limit);
            assert_eq!(heat.iter().filter(|&&heat| heat > finding.limit).count(), 1);
        }
    }
}

#[test]
fn parts_that_lie_the_same_way_are_compared_place_by_place_and_textures_are_not() {
    let mut random = Random(3);
    let (finding, _) = inspect(&taught(3, part, &mut random), &part(&mut random));
    assert_eq!(finding.search, Search::Place);
    let (finding, _) = inspect(&taught(3, texture, &mut random), &texture(&mut random));
    assert_eq!(finding.search, Search::Free);
}

#[test]
fn a_patch_at_the_wrong_place_is_a_flaw_of_a_part() {
    let mut random = Random(5);
    let memory = taught(4, part, &mut random);
    let mut frame = part(&mut random);
    let channels = shape().channels();
    // The first place looks like the last.
    let last = 89 * channels..90 * channels;
    frame.values.copy_within(last, 0);
    let (finding, _) = inspect(&memory, &frame);
    assert!(!finding.is_good() && finding.worst == 0, "{finding:?}");
}

#[test]
fn the_heat_is_the_squared_distance_to_the_nearest_stored_patch() {
    let mut random = Random(11);
    let frames: Vec<Frame> = (0..3).map(|_| texture(&mut random)).collect();
    let mut memory = memory();
    frames
        .iter()
        .for_each(|frame| memory.teach(&frame.sight()).unwrap());
    let query = texture(&mut random).flawed(4);
    let (_, heat) = inspect(&memory, &query);
    for (own, &heat) in query.values.chunks(16).zip(&heat) {
        let patches = frames.iter().flat_map(|frame| frame.values.chunks(16));
        let distance = |patch: &[i8]| -> u32 {
            let pairs = own.iter().zip(patch);
            pairs.map(|(a, b)| u32::from(a.abs_diff(*b)).pow(2)).sum()
        };
        assert_eq!(heat, patches.map(distance).min().unwrap());
    }
}

#[test]
fn where_there_is_no_room_the_most_different_patches_stay() {
    let shape = Shape::new(16, 16, 64).unwrap();
    let mut random = Random(9);
    let mut memory = memory();
    // Few kinds of patches, each with little noise, and one that is seen once.
    let kind = |place: usize, channel: usize| 40.0 * ((place % 5 * 31 + channel) as f32).sin();
    let mut odd = Frame::new(shape, &mut random, kind);
    odd.values[..64].fill(100);
    memory.teach(&odd.sight()).unwrap();
    for _ in 0..7 {
        memory
            .teach(&Frame::new(shape, &mut random, kind).sight())
            .unwrap();
    }
    assert_eq!(memory.patches(), memory.room());
    assert_eq!(memory.room(), MAX_PATCHES);
    let (finding, heat) = inspect(&memory, &odd);
    assert_eq!(heat[0], 0);
    assert!(finding.is_good(), "{finding:?}");
    // What is left covers what was taught.
    let (finding, _) = inspect(&memory, &Frame::new(shape, &mut random, kind));
    assert!(finding.is_good(), "{finding:?}");
    // The same from a memory that was read from bytes in between.
    let mut bytes = vec![0; MAX_BYTES];
    let len = memory.to_bytes(&mut bytes).unwrap();
    let mut other = Box::new(Memory::new());
    other.from_bytes(&bytes[..len]).unwrap();
    let more = Frame::new(shape, &mut random, kind);
    memory.teach(&more.sight()).unwrap();
    other.teach(&more.sight()).unwrap();
    assert_eq!(memory.body(), other.body());
    assert_eq!(memory.head(), other.head());
}

#[test]
fn a_plain_ground_stays_known_at_every_place_of_parts_that_lie_the_same_way() {
    let shape = Shape::new(16, 16, 64).unwrap();
    let mut random = Random(4);
    // A part in the upper half, with a ground that is the same everywhere.
    let part = |place: usize, channel: usize| match place {
        0..128 => ((place * 7919 + channel * 104_729) * (place + 3 * channel) % 97) as f32 - 48.0,
        _ => 10.0 * (channel as f32).sin(),
    };
    let mut memory = memory();
    for _ in 0..10 {
        let frame = Frame::new(shape, &mut random, part);
        memory.teach(&frame.sight()).unwrap();
    }
    assert_eq!(memory.patches(), memory.room());
    for place in 0..shape.places() {
        let mut marks = memory.entries.marks().iter();
        let near = |mark: &super::entries::Mark| shape.are_near(mark.place.into(), place);
        assert!(marks.any(near), "{place}");
    }
    let (finding, _) = inspect(&memory, &Frame::new(shape, &mut random, part));
    assert!(finding.is_good(), "{finding:?}");
}

#[test]
fn what_is_nearer_to_a_flaw_is_more_suspicious() {
    let mut random = Random(21);
    let mut memory = taught(4, texture, &mut random);
    let bad = texture(&mut random).flawed(8);
    assert!(memory.reject(&bad.sight()).unwrap() >= 1);
    let again = texture(&mut random).flawed(20);
    let before = inspect(&taught(4, texture, &mut Random(21)), &again).0;
    let after = inspect(&memory, &again).0;
    assert!(after.patches > before.patches, "{before:?} {after:?}");
    // Good frames are as before.
    for _ in 0..20 {
        assert!(inspect(&memory, &texture(&mut random)).0.is_good());
    }
}

/// A texture with a speck of this size in one place.
fn speck(size: f32, random: &mut Random) -> Frame {
    let at = random.next() as usize % shape().places();
    Frame::new(shape(), random, |place, channel| {
        let speck = if place == at && channel % 2 == 0 {
            size
        } else {
            0.0
        };
        10.0 * (channel as f32).sin() + speck
    })
}

#[test]
fn the_rate_of_a_watched_line_holds_with_flaws_that_good_parts_resemble() {
    const FRAMES: usize = 1000;
    // Good parts have specks, most of them small; a flaw is a larger one.
    let good = |random: &mut Random| speck(9.0 * random.normal().abs(), random);
    for taught_late in [false, true] {
        let mut random = Random(77);
        let mut memory = taught(8, good, &mut random);
        let bad: Vec<Frame> = (0..4).map(|_| speck(14.0, &mut random)).collect();
        let reject = |memory: &mut Memory| {
            let kept = bad.iter().map(|bad| memory.reject(&bad.sight()).unwrap());
            assert!(kept.sum::<usize>() > 0);
        };
        if !taught_late {
            reject(&mut memory);
        }
        for _ in 0..FRAMES {
            let finding = inspect(&memory, &good(&mut random)).0;
            memory.watch(&finding);
        }
        let again: Vec<Frame> = (0..FRAMES / 4).map(|_| speck(14.0, &mut random)).collect();
        let found = |memory: &Memory| {
            let alarms = again
                .iter()
                .filter(|again| !inspect(memory, again).0.is_good());
            alarms.count()
        };
        let before = found(&memory);
        if taught_late {
            reject(&mut memory);
            assert!(found(&memory) > before, "{} {before}", found(&memory));
        }
        let shown = (0..FRAMES).filter(|_| !inspect(&memory, &good(&mut random)).0.is_good());
        let alarms = shown.count();
        assert!(alarms <= 3 * FRAMES / 100, "{alarms} of {FRAMES}");
    }
}

#[test]
fn a_good_frame_that_was_called_bad_leaves_no_flaw() {
    let mut random = Random(33);
    let frame = texture(&mut random);
    let mut memory = memory();
    memory.teach(&frame.sight()).unwrap();
    memory.teach(&texture(&mut random).sight()).unwrap();
    assert_eq!(memory.reject(&frame.sight()), Ok(0));
}

#[test]
fn flaws_are_bounded_and_find_room_where_there_is_none() {
    let shape = Shape::new(16, 16, 64).unwrap();
    let mut random = Random(2);
    let mut memory = memory();
    for _ in 0..4 {
        let frame = Frame::new(shape, &mut random, |place, channel| {
            ((place * channel) as f32).sin() * 9.0
        });
        memory.teach(&frame.sight()).unwrap();
    }
    for place in 0..60 {
        let bad = Frame::new(shape, &mut random, |_, _| 0.0).flawed(place);
        memory.reject(&bad.sight()).unwrap();
    }
    assert!((1..=60).contains(&memory.flaws()));
    assert_eq!(memory.flaws() + memory.patches(), memory.room());
}

#[test]
fn an_unusual_brightness_or_embedding_is_not_good() {
    let mut random = Random(17);
    let memory = taught(5, texture, &mut random);
    let mut dark = texture(&mut random);
    dark.light = Light {
        mean: 10.0,
        deviation: 3.0,
        darkest: 0,
        brightest: 20,
    };
    let (finding, _) = inspect(&memory, &dark);
    assert!(
        !finding.is_good() && finding.light > 1.0 && finding.patches < 2.5,
        "{finding:?}"
    );
    let mut other = texture(&mut random);
    other
        .embedding
        .iter_mut()
        .for_each(|value| *value = -*value);
    let (finding, _) = inspect(&memory, &other);
    assert!(!finding.is_good() && finding.whole > 3.0, "{finding:?}");
}

#[test]
fn what_does_not_fit_is_refused_and_changes_nothing() {
    let mut random = Random(1);
    let mut memory = memory();
    let frame = texture(&mut random);
    let mut heat = vec![0; shape().places()];
    let rate = Rate::default();
    assert_eq!(
        memory.inspect(&frame.sight(), rate, &mut heat),
        Err(MemoryError::Empty)
    );
    assert_eq!(memory.reject(&frame.sight()), Err(MemoryError::Empty));
    memory.teach(&frame.sight()).unwrap();
    let other = Shape::new(9, 10, 16).unwrap();
    let other = Frame::new(other, &mut random, |_, _| 0.0);
    let error = MemoryError::Shape {
        have: other.shape,
        want: shape(),
    };
    assert_eq!(memory.teach(&other.sight()), Err(error));
    assert_eq!(memory.frames(), 1);
    let (have, need) = (3, 90);
    let short = memory.inspect(&frame.sight(), rate, &mut heat[..3]);
    assert_eq!(short, Err(MemoryError::Heat { have, need }));
}

#[test]
fn the_longest_head_fits() {
    let mut random = Random(1);
    let mut memory = memory();
    let shape = Shape::new(16, 16, 128).unwrap();
    let mut frame = Frame::new(shape, &mut random, |_, _| 0.0);
    frame.embedding = vec![i8::MIN; 128];
    for _ in 0..70 {
        memory.teach(&frame.sight()).unwrap();
    }
    let (mut finding, _) = inspect(&memory, &frame);
    for step in 0..100_000 {
        finding.deviations = (step % 160) as f32 / 8.0 - 4.0;
        memory.watch(&finding);
    }
    let mut bytes = vec![0; MAX_BYTES];
    let len = memory.to_bytes(&mut bytes).unwrap();
    let mut other = self::memory();
    other.from_bytes(&bytes[..len]).unwrap();
    assert_eq!(other.head(), memory.head());
    assert_eq!(inspect(&other, &frame), inspect(&memory, &frame));
}

#[test]
fn changed_bytes_are_no_memory() {
    let mut random = Random(1);
    let memory = taught(3, texture, &mut random);
    let mut bytes = vec![0; MAX_BYTES];
    let len = memory.to_bytes(&mut bytes).unwrap();
    bytes.truncate(len);
    let mut other = self::memory();
    for at in (0..len).step_by(7) {
        bytes[at] ^= 0x10;
        assert!(other.from_bytes(&bytes).is_err(), "{at}");
        assert_eq!(other.frames(), 0);
        bytes[at] ^= 0x10;
    }
    for cut in [0, 3, HEAD - 1, HEAD, len - 1] {
        assert!(other.from_bytes(&bytes[..cut]).is_err(), "{cut}");
    }
    bytes.push(0);
    assert!(other.from_bytes(&bytes).is_err());
    assert!(memory.to_bytes(&mut bytes[..len - 1]).is_err());
    bytes.pop();
    other.from_bytes(&bytes).unwrap();
    assert_eq!(other.frames(), 3);
}

fn any_shape() -> impl Strategy<Value = Shape> {
    (1..=9_usize, 1..=9_usize, 1..=5_usize).prop_filter_map("a shape", |(height, width, fours)| {
        Shape::new(height, width, 4 * fours)
    })
}

fn any_frame(shape: Shape) -> impl Strategy<Value = Frame> {
    let value = prop_oneof![any::<i8>(), Just(i8::MIN), Just(i8::MAX), Just(0)];
    let values = prop::collection::vec(value, shape.places() * shape.channels());
    let embedding = prop::collection::vec(any::<i8>(), 0..6);
    (values, embedding, prop::collection::vec(any::<u8>(), 0..20)).prop_map(
        move |(values, embedding, pixels)| Frame {
            shape,
            values,
            embedding,
            light: Light::of(&pixels),
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn anything_can_be_taught_rejected_and_inspected(
        (frames, acts) in any_shape().prop_flat_map(|shape| {
            (prop::collection::vec(any_frame(shape), 1..8), prop::collection::vec(0..4_u8, 8))
        }),
        parts in 10..=2000_u16,
    ) {
        let mut memory = memory();
        let rate = Rate::new(parts).unwrap();
        for (frame, act) in frames.iter().zip(&acts) {
            let mut heat = vec![0; frame.shape.places()];
            match act {
                0 | 1 => prop_assert!(memory.teach(&frame.sight()).is_ok()),
                2 => prop_assert_eq!(memory.reject(&frame.sight()).is_ok(), memory.frames() > 0),
                _ => if let Ok(finding) = memory.inspect(&frame.sight(), rate, &mut heat) {
                    memory.watch(&finding);
                },
            }
            if let Ok(finding) = memory.inspect(&frame.sight(), rate, &mut heat) {
                prop_assert!(finding.score.is_finite() && finding.deviations.is_finite());
                let mut bytes = vec![0; memory.bytes_len()];
                memory.to_bytes(&mut bytes).unwrap();
                let mut other = self::memory();
                prop_assert_eq!(other.from_bytes(&bytes), Ok(()));
                let again = other.inspect(&frame.sight(), rate, &mut heat);
                prop_assert_eq!(again, Ok(finding));
            }
        }
    }

    #[test]
    fn any_bytes_are_a_memory_or_none(mut bytes in prop::collection::vec(any::<u8>(), 0..HEAD + 99)) {
        prop_assert!(memory().from_bytes(&bytes).is_err());
        // With a head that passes for one.
        if bytes.len() > HEAD {
            bytes[..4].copy_from_slice(b"spm\x01");
            let check = super::bytes::check_of_head(&bytes[..HEAD]);
            bytes[HEAD - 4..HEAD].copy_from_slice(&check);
            let mut memory = memory();
            let _ = memory.from_bytes(&bytes);
            if let Ok(parts) = memory.start(&bytes[..HEAD]) {
                parts.into_iter().for_each(|part| part.fill(0x5a));
                let _ = memory.finish();
            }
        }
    }
}
