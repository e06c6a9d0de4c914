//! The pins of an inspection station: a trigger that says "look now", and two outputs that say what
//! was found.
//!
//! Time is a counter of milliseconds that wraps around; whoever calls says what it is. Both want to be
//! polled about once a millisecond.

use embedded_hal::digital::{InputPin, OutputPin, PinState};

/// Which level of a pin means on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Polarity {
    /// High is on.
    ActiveHigh,
    /// Low is on, as of a switch to ground with a pull-up.
    ActiveLow,
}

impl Polarity {
    fn level(self, on: bool) -> PinState {
        PinState::from(on == (self == Self::ActiveHigh))
    }
}

/// An input that bounces: a switch, a light barrier.
pub struct Trigger<P> {
    pin: P,
    polarity: Polarity,
    /// Milliseconds for which a level has to hold to count.
    debounce: u32,
    /// The level that counts, and when the pin was first seen to differ from it.
    on: bool,
    differs_since: Option<u32>,
}

impl<P: InputPin> Trigger<P> {
    /// A trigger that is off. With a debounce of 0 each level counts at once.
    pub const fn new(pin: P, polarity: Polarity, debounce: u32) -> Self {
        Self {
            pin,
            polarity,
            debounce,
            on: false,
            differs_since: None,
        }
    }

    /// Looks at the pin: whether it has just been switched on. Each time counts once, however long it
    /// stays on.
    ///
    /// # Errors
    /// When the pin can't be read; it then is where it was.
    pub fn poll(&mut self, now: u32) -> Result<bool, P::Error> {
        let high = self.pin.is_high()?;
        let on = high == (self.polarity == Polarity::ActiveHigh);
        if on == self.on {
            self.differs_since = None;
            return Ok(false);
        }
        let since = *self.differs_since.get_or_insert(now);
        if now.wrapping_sub(since) < self.debounce {
            return Ok(false);
        }
        self.on = on;
        self.differs_since = None;
        Ok(on)
    }
}

/// The outputs OK and NG ("not good"), of which one at most is on.
pub struct OutcomePins<K, N> {
    ok: K,
    ng: N,
    polarity: Polarity,
    /// Milliseconds for which an output stays on; 0 until the next outcome.
    pulse: u32,
    /// When the one that is on was switched on.
    since: Option<u32>,
}

impl<E, K: OutputPin<Error = E>, N: OutputPin<Error = E>> OutcomePins<K, N> {
    /// Outputs that are both switched off.
    ///
    /// # Errors
    /// When a pin can't be set.
    pub fn new(ok: K, ng: N, polarity: Polarity, pulse: u32) -> Result<Self, E> {
        let mut outcome = Self {
            ok,
            ng,
            polarity,
            pulse,
            since: None,
        };
        outcome.clear()?;
        Ok(outcome)
    }

    /// Switches one on and the other off. The other goes off first, so that they never are on at once.
    ///
    /// # Errors
    /// When a pin can't be set.
    pub fn show(&mut self, ok: bool, now: u32) -> Result<(), E> {
        self.clear()?;
        let on = self.polarity.level(true);
        if ok {
            self.ok.set_state(on)?;
        } else {
            self.ng.set_state(on)?;
        }
        self.since = Some(now);
        Ok(())
    }

    /// Ends a pulse that lasted long enough.
    ///
    /// # Errors
    /// When a pin can't be set; the next call tries again.
    pub fn poll(&mut self, now: u32) -> Result<(), E> {
        match self.since {
            Some(since) if self.pulse > 0 && now.wrapping_sub(since) >= self.pulse => self.clear(),
            _ => Ok(()),
        }
    }

    /// Switches both off.
    ///
    /// # Errors
    /// When a pin can't be set.
    pub fn clear(&mut self) -> Result<(), E> {
        let off = self.polarity.level(false);
        self.ok.set_state(off)?;
        self.ng.set_state(off)?;
        self.since = None;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::io::ErrorKind;
    use std::vec::Vec;

    use embedded_hal_mock::eh1::MockError;
    use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

    use super::*;

    /// What a trigger says to these levels, one a millisecond from `start` on.
    fn polls(polarity: Polarity, debounce: u32, start: u32, levels: &[bool]) -> Vec<bool> {
        let transactions: Vec<_> = levels
            .iter()
            .map(|&high| Transaction::get(if high { State::High } else { State::Low }))
            .collect();
        let mut trigger = Trigger::new(Mock::new(&transactions), polarity, debounce);
        let said = (0..levels.len() as u32)
            .map(|time| trigger.poll(start.wrapping_add(time)).unwrap())
            .collect();
        trigger.pin.done();
        said
    }

    #[test]
    fn a_press_counts_once_when_it_has_held() {
        let levels = [false, true, true, true, true, true, false];
        let said = polls(Polarity::ActiveHigh, 3, 0, &levels);
        assert_eq!(said, [false, false, false, false, true, false, false]);
    }

    #[test]
    fn bouncing_counts_as_one_press() {
        let levels = [
            true, false, true, false, true, true, true, // on
            false, true, false, true, true, // not yet off
            false, false, false, true, true, true, true, // off, on again
        ];
        let said = polls(Polarity::ActiveHigh, 2, 0, &levels);
        let pressed: Vec<_> = (0..said.len()).filter(|&at| said[at]).collect();
        assert_eq!(pressed, [6, 17]);
    }

    #[test]
    fn a_switch_to_ground_is_on_when_low() {
        let said = polls(Polarity::ActiveLow, 1, 0, &[true, false, false, true, true]);
        assert_eq!(said, [false, false, true, false, false]);
    }

    #[test]
    fn without_a_debounce_a_level_counts_at_once() {
        let said = polls(Polarity::ActiveHigh, 0, 0, &[true, false, true]);
        assert_eq!(said, [true, false, true]);
    }

    #[test]
    fn the_counter_of_milliseconds_may_wrap() {
        let said = polls(Polarity::ActiveHigh, 3, u32::MAX - 1, &[true; 5]);
        assert_eq!(said, [false, false, false, true, false]);
    }

    #[test]
    fn a_pin_that_fails_is_told_and_changes_nothing() {
        let failed = Transaction::get(State::High).with_error(MockError::Io(ErrorKind::Other));
        let pin = Mock::new(&[failed, Transaction::get(State::High)]);
        let mut trigger = Trigger::new(pin, Polarity::ActiveHigh, 0);
        assert!(trigger.poll(0).is_err());
        assert_eq!(trigger.poll(1), Ok(true));
        trigger.pin.done();
    }

    fn output(levels: &[State]) -> Mock {
        let transactions: Vec<_> = levels
            .iter()
            .map(|&level| Transaction::set(level))
            .collect();
        Mock::new(&transactions)
    }

    #[test]
    fn an_outcome_is_a_pulse_on_one_pin() {
        use State::{High, Low};
        // Off at the start, off before OK, OK, the end of the pulse.
        let (ok, ng) = (output(&[Low, Low, High, Low]), output(&[Low, Low, Low]));
        let mut outcome = OutcomePins::new(ok, ng, Polarity::ActiveHigh, 50).unwrap();
        outcome.show(true, u32::MAX).unwrap();
        outcome.poll(48).unwrap();
        outcome.poll(49).unwrap();
        outcome.poll(50).unwrap();
        outcome.ok.done();
        outcome.ng.done();
    }

    #[test]
    fn a_new_outcome_switches_the_old_one_off_and_starts_its_own_pulse() {
        use State::{High, Low};
        let (ok, ng) = (
            output(&[Low, Low, High, Low, Low]),
            output(&[Low, Low, Low, High, Low]),
        );
        let mut outcome = OutcomePins::new(ok, ng, Polarity::ActiveHigh, 50).unwrap();
        outcome.show(true, 0).unwrap();
        outcome.show(false, 40).unwrap();
        outcome.poll(89).unwrap();
        outcome.poll(90).unwrap();
        outcome.ok.done();
        outcome.ng.done();
    }

    #[test]
    fn a_pulse_of_zero_holds_and_low_can_mean_on() {
        use State::{High, Low};
        let (ok, ng) = (output(&[High, High]), output(&[High, High, Low]));
        let mut outcome = OutcomePins::new(ok, ng, Polarity::ActiveLow, 0).unwrap();
        outcome.show(false, 0).unwrap();
        outcome.poll(u32::MAX).unwrap();
        outcome.ok.done();
        outcome.ng.done();
    }
}
