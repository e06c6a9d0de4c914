//! Whatever is enrolled, asked and read from flash: no panic, and numbers that mean something.

extern crate std;

use std::vec::Vec;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::heads::Class;

const DIM: usize = 16;

fn embedding() -> impl Strategy<Value = Vec<i8>> {
    vec(
        prop_oneof![any::<i8>(), Just(i8::MIN), Just(i8::MAX), Just(0)],
        DIM,
    )
}

fn class() -> impl Strategy<Value = Class> {
    vec(embedding(), 1..=20)
        .prop_map(|shots| Class::of(shots.iter().map(Vec::as_slice)).expect("it fits"))
}

/// Any bytes, most of them made nearly sound.
fn calibration() -> impl Strategy<Value = Calibration> {
    let bytes = vec(any::<u8>(), size_of::<Calibration>());
    (bytes, any::<bool>(), 0..7_u32).prop_map(|(bytes, tame, rows)| {
        let mut calibration: Calibration = bytemuck::pod_read_unaligned(&bytes);
        if tame {
            calibration.rows = rows;
            calibration.shots = [1, 2, 5, 10, 20];
            calibration.variance = calibration.variance.abs();
            calibration.weight = calibration.weight.abs();
            for row in &mut calibration.quantiles {
                row.iter_mut().for_each(|value| *value = value.abs());
                row.sort_by(|a, b| b.total_cmp(a));
            }
        }
        calibration
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_sound_calibration_gives_thresholds_that_fall_with_the_rate(
        calibration in calibration(), shots in any::<u8>(), parts in 10..2000_u16,
    ) {
        if !calibration.is_sound() {
            return Ok(());
        }
        let at = |parts| calibration.threshold(Rate::new(parts).unwrap(), shots);
        prop_assert!(at(parts) >= 0.0);
        prop_assert!(at(parts) * 1.0001 >= at(parts + 1), "{} {}", at(parts), at(parts + 1));
    }

    #[test]
    fn a_decision_of_anything_is_a_decision(
        calibration in calibration(), classes in vec(class(), 1..4),
        queries in vec(embedding(), 1..40), parts in 10..=2000_u16, with in any::<bool>(),
    ) {
        let calibration = Some(&calibration).filter(|c| with && c.is_sound());
        let novelty_model = NoveltyModel::new(calibration, classes.iter(), Rate::new(parts).unwrap());
        let (mut vote, mut drift) = (Vote::default(), Drift::default());
        for query in &queries {
            for (place, class) in classes.iter().enumerate() {
                let novelty = novelty_model.novelty(query, class);
                let threshold = novelty_model.threshold(class.shots());
                prop_assert!(novelty.is_none_or(|novelty| novelty >= 0.0));
                prop_assert!(threshold.is_none_or(|threshold| threshold >= 0.0));
                let outcome = novelty_model.outcome(query, class, classes.get(place + 1));
                prop_assert_eq!(outcome == Outcome::Unknown, !novelty_model.accepts(query, class));
                let stable = vote.push(outcome);
                prop_assert!(stable.votes <= stable.frames);
                if let (Some(_), Some(spread), Some(threshold)) =
                    (outcome.class(), novelty_model.spread(class), threshold)
                {
                    drift.push(query, class, spread, threshold);
                }
            }
        }
        prop_assert!(drift.score().is_none_or(|score| score >= 0.0 || calibration.is_some()));
        if let Some(shift) = drift.displacement() {
            prop_assert_eq!(shift.count(), DIM);
        }
    }
}
