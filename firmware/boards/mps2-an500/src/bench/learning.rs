//! Learning, classifying and deciding alone: enrolment in RAM, every classifier head, and what the
//! open-set decision takes.
//!
//! As `inference`, this program links only if the optimised code can reach no panic.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::panic::PanicInfo;

use cortex_m::singleton;
use cortex_m_rt::entry;
use sudal_firmware::decision::{Drift, Filter, LeaveOneOut, NoveltyModel, Rate, Vote};
use sudal_firmware::heads::{Head, MAX_DIM, Quantization};
use sudal_firmware::store::Known;

#[entry]
fn main() -> ! {
    let quantization = Quantization {
        scale: black_box(0.01),
        zero_point: black_box(-3),
    };
    if let Some(known) = singleton!(: Known = Known::new()) {
        let embedding = black_box([0; MAX_DIM]);
        let embedding = embedding.get(..black_box(MAX_DIM)).unwrap_or(&[]);
        let _ = black_box(known.enroll(black_box("a"), black_box(1), embedding));
        for head in Head::ALL {
            let _ = black_box(known.classify(black_box(head), embedding, 1, quantization));
        }
        let rate = Rate::new(black_box(100)).unwrap_or_default();
        let novelty_model = NoveltyModel::new(black_box(None), known.of_model(1), rate);
        let (mut vote, mut drift) = (Vote::new(black_box(Filter::default())), Drift::default());
        for class in known.classes() {
            let outcome = novelty_model.outcome(embedding, class, known.classes().first());
            black_box(vote.push(outcome));
            black_box(LeaveOneOut::of(
                class,
                known.classes().iter(),
                &novelty_model,
            ));
            if let (Some(spread), Some(threshold)) = (
                novelty_model.spread(class),
                novelty_model.threshold(class.shots()),
            ) {
                drift.push(embedding, class, spread, threshold);
            }
        }
        black_box((
            drift.is_warning(),
            drift.displacement().map(Iterator::count),
        ));
    }
    loop {
        cortex_m::asm::wfi();
    }
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    unsafe extern "C" {
        safe fn a_panic_can_be_reached_from_learning() -> !;
    }
    a_panic_can_be_reached_from_learning()
}
