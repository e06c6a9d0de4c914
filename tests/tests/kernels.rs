//! The engine's kernels on the emulated processors.

use sudal::device::{self, Machine};

fn step(text: &str) {
    println!("{text}");
}

/// The same trials as on this computer, see `firmware/src/engine/reference/trial.rs`.
#[test]
fn kernels_agree_with_their_scalar_twins_on_every_processor() {
    for machine in Machine::ALL {
        match device::try_kernels(machine, &mut step) {
            Ok(count) => assert!(count >= 10_000, "{count} on {}", machine.name()),
            Err(error) => panic!("{error}"),
        }
    }
}

/// The program links only if no panic can be reached from reading a model image and running it.
#[test]
fn no_panic_can_be_reached_from_inference() {
    for machine in [Machine::An500, Machine::An505] {
        if let Err(error) = device::build_bench("inference", machine, &mut step) {
            panic!("{error}");
        }
    }
}
