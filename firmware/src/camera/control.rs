//! The control bus of a sensor: each transfer is tried several times.

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::{Error as _, ErrorKind, I2c};

use super::CameraError;

/// How often a transfer is tried, and the pause in between, in milliseconds.
pub(super) const ATTEMPTS: u32 = 3;
pub(super) const PAUSE: u32 = 2;

/// Why the sensor could not be set up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SensorError {
    /// Nothing acknowledges the address.
    #[error(
        "nothing answers at address {address:#x}: is the camera module seated, does it have power and a clock?"
    )]
    NoAnswer {
        /// The sensor's address.
        address: u8,
    },
    /// The bus is held or disturbed.
    #[error(
        "the bus to the sensor is stuck: look for a short of SCL or SDA, and for their pull-ups"
    )]
    Bus,
    /// Another sensor answers.
    #[error("the sensor says {found:#06x}: this firmware is for the {expected}")]
    Other {
        /// What it says that it is.
        found: u16,
        /// The sensor that the firmware is for.
        expected: &'static str,
    },
}

impl From<SensorError> for CameraError {
    fn from(error: SensorError) -> Self {
        match error {
            SensorError::NoAnswer { .. } => Self::NoSensor,
            SensorError::Bus => Self::Hardware,
            SensorError::Other { found, .. } => Self::OtherSensor { found },
        }
    }
}

/// A sensor's bus and address.
pub(super) struct Control<I, D> {
    bus: I,
    pub(super) delay: D,
    address: u8,
}

impl<I: I2c, D: DelayNs> Control<I, D> {
    pub(super) const fn new(bus: I, delay: D, address: u8) -> Self {
        Self {
            bus,
            delay,
            address,
        }
    }

    /// Gives bus and delay back.
    pub(super) fn release(self) -> (I, D) {
        (self.bus, self.delay)
    }

    pub(super) fn write(&mut self, bytes: &[u8]) -> Result<(), SensorError> {
        self.try_often(|bus, address| bus.write(address, bytes))
    }

    /// Reads behind the number of a register, without a repeated start, which not all sensors take.
    pub(super) fn read(&mut self, register: &[u8]) -> Result<u8, SensorError> {
        let mut value = [0];
        self.try_often(|bus, address| {
            bus.write(address, register)?;
            bus.read(address, &mut value)
        })?;
        Ok(value[0])
    }

    fn try_often(
        &mut self,
        mut transfer: impl FnMut(&mut I, u8) -> Result<(), I::Error>,
    ) -> Result<(), SensorError> {
        let mut attempt = 1;
        loop {
            let Err(error) = transfer(&mut self.bus, self.address) else {
                return Ok(());
            };
            if attempt == ATTEMPTS {
                return Err(match error.kind() {
                    ErrorKind::NoAcknowledge(_) => SensorError::NoAnswer {
                        address: self.address,
                    },
                    _ => SensorError::Bus,
                });
            }
            attempt += 1;
            self.delay.delay_ms(PAUSE);
        }
    }
}
