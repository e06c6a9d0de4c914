//! Trigger and outputs: a switch to ground, and one pin each for OK and NG, high for a fifth of a second.

use core::convert::Infallible;
use core::future::poll_fn;
use core::task::Poll;

use embassy_time::Instant;
use embedded_hal::digital::{InputPin, OutputPin};
use sudal_firmware::io::{OutcomePins, Polarity, Trigger};

/// Milliseconds for which the switch has to hold.
const DEBOUNCE: u32 = 20;
/// Milliseconds of a pulse.
const PULSE: u32 = 200;

pub(super) struct Station<I, O> {
    trigger: Trigger<I>,
    outcome: OutcomePins<O, O>,
}

impl<I, O> Station<I, O>
where
    I: InputPin<Error = Infallible>,
    O: OutputPin<Error = Infallible>,
{
    /// The trigger is high unless it is pulled, the outputs are low.
    pub(super) fn new(trigger: I, ok: O, ng: O) -> Self {
        let Ok(outcome) = OutcomePins::new(ok, ng, Polarity::ActiveHigh, PULSE);
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
