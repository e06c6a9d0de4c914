//! Trigger and outputs: P7, a switch to ground, and P8 (OK) and P9 (NG), high for a fifth of a second.

use core::future::poll_fn;
use core::task::Poll;

use embassy_stm32::Peri;
use embassy_stm32::gpio::{Input, Level, Output, Pull, Speed};
use embassy_stm32::peripherals::{PD12, PD13, PD14};
use embassy_time::Instant;
use sudal_firmware::io::{Outcome, Polarity, Trigger};

/// Milliseconds for which the switch has to hold.
const DEBOUNCE: u32 = 20;
/// Milliseconds of a pulse.
const PULSE: u32 = 200;

pub(super) struct Station {
    trigger: Trigger<Input<'static>>,
    outcome: Outcome<Output<'static>, Output<'static>>,
}

impl Station {
    pub(super) fn new(
        trigger: Peri<'static, PD12>,
        ok: Peri<'static, PD13>,
        ng: Peri<'static, PD14>,
    ) -> Self {
        let trigger = Input::new(trigger, Pull::Up);
        let ok = Output::new(ok, Level::Low, Speed::Low);
        let ng = Output::new(ng, Level::Low, Speed::Low);
        let Ok(outcome) = Outcome::new(ok, ng, Polarity::ActiveHigh, PULSE);
        Self {
            trigger: Trigger::new(trigger, Polarity::ActiveLow, DEBOUNCE),
            outcome,
        }
    }

    /// Waits for the trigger, and ends the pulse meanwhile. It has to be polled all the time.
    pub(super) async fn triggered(&mut self) {
        poll_fn(|_| {
            let now = milliseconds();
            let Ok(()) = self.outcome.poll(now);
            match self.trigger.poll(now) {
                Ok(true) => Poll::Ready(()),
                Ok(false) => Poll::Pending,
            }
        })
        .await;
    }

    pub(super) fn show(&mut self, ok: bool) {
        let Ok(()) = self.outcome.show(ok, milliseconds());
    }
}

fn milliseconds() -> u32 {
    Instant::now().as_millis() as u32
}
