//! OmniVision's OV7725 over its control bus (SCCB, which is I2C without repeated starts).
//!
//! The sensor is set to QVGA, luma first of each pair of bytes (YUYV). How the pixels get into memory
//! is the board's: HREF high marks pixels of a row, VSYNC high the gap between two frames, and data
//! are valid at the rising edge of the pixel clock.

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

use super::control::{Control, SensorError};
use super::{Geometry, PixelFormat};

/// Address on the bus, seven bits.
pub const ADDRESS: u8 = 0x21;

/// What the sensor sends.
pub const GEOMETRY: Geometry = Geometry {
    width: 320,
    height: 240,
    format: PixelFormat::Yuyv,
};

/// First of the two registers that say which sensor it is; the second has the revision.
const PRODUCT: u8 = 0x0a;
/// What it holds in an OV7725.
const OV7725: u8 = 0x77;

const COMMON_7: u8 = 0x12;
/// Puts every register back.
const RESET: u8 = 0x80;
const QVGA: u8 = 0x40;

/// How long the sensor gets after a reset, and the automatic exposure to settle, in milliseconds.
const AFTER_RESET: u32 = 10;
const SETTLE: u32 = 300;

/// Registers and values after the reset, in this order. The rest stays as the reset leaves it.
pub const SEQUENCE: [(u8, u8); 15] = [
    // Clock: the input four times, halved.
    (0x0d, 0x41),
    (0x11, 0x00),
    // Output: QVGA, luma and chroma, luma first.
    (COMMON_7, QVGA),
    (0x0c, 0x10),
    (0x66, 0x00),
    (0x67, 0x00),
    // Window on the sensor's array: first column and row, columns in fours, rows in twos.
    (0x17, 0x3f),
    (0x18, 0x50),
    (0x19, 0x03),
    (0x1a, 0x78),
    (0x32, 0x00),
    // Size that is sent, in the same units.
    (0x29, 0x50),
    (0x2c, 0x78),
    // Synchronization: rows by HREF, VSYNC high in the gap, pixels at rising edges.
    (0x15, 0x00),
    // Exposure, gain and white balance find their values, fast and in any step.
    (0x13, 0xc7),
];

/// The control side of the sensor.
pub struct Ov7725<I, D> {
    control: Control<I, D>,
}

impl<I: I2c, D: DelayNs> Ov7725<I, D> {
    /// A sensor that has power and a clock of 10 to 48 MHz.
    pub const fn new(bus: I, delay: D) -> Self {
        Self {
            control: Control::new(bus, delay, ADDRESS),
        }
    }

    /// Makes sure that it is an OV7725, resets it, and has it send frames of [`GEOMETRY`].
    ///
    /// # Errors
    /// [`SensorError`], after each transfer was tried several times.
    pub fn start(&mut self) -> Result<(), SensorError> {
        let product = self.control.read(&[PRODUCT])?;
        let revision = self.control.read(&[PRODUCT + 1])?;
        if product != OV7725 {
            return Err(SensorError::Other {
                found: u16::from_be_bytes([product, revision]),
                expected: "OV7725",
            });
        }
        self.control.write(&[COMMON_7, RESET])?;
        self.control.delay.delay_ms(AFTER_RESET);
        for (register, value) in SEQUENCE {
            self.control.write(&[register, value])?;
        }
        self.control.delay.delay_ms(SETTLE);
        Ok(())
    }

    /// Gives bus and delay back.
    pub fn release(self) -> (I, D) {
        self.control.release()
    }
}

/// Keeps the luma of a frame in YUYV order, packed at its beginning: how many bytes that is.
pub fn keep_luma(pixels: &mut [u8]) -> usize {
    let count = pixels.len() / 2;
    for pixel in 1..count {
        pixels[pixel] = pixels[2 * pixel];
    }
    count
}

#[cfg(test)]
mod tests {
    extern crate std;

    use std::vec;
    use std::vec::Vec;

    use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
    use embedded_hal_mock::eh1::delay::{CheckedDelay, Transaction as Pause};
    use embedded_hal_mock::eh1::i2c::{Mock, Transaction as Transfer};

    use super::super::CameraError;
    use super::super::control::ATTEMPTS;
    use super::*;

    const NACK: ErrorKind = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);

    fn read(register: u8, value: u8) -> [Transfer; 2] {
        [
            Transfer::write(ADDRESS, vec![register]),
            Transfer::read(ADDRESS, vec![value]),
        ]
    }

    fn chip_id(revision: u8) -> Vec<Transfer> {
        [read(0x0a, 0x77), read(0x0b, revision)].concat()
    }

    fn settings() -> impl Iterator<Item = Transfer> {
        let write = |(register, value)| Transfer::write(ADDRESS, vec![register, value]);
        SEQUENCE.into_iter().map(write)
    }

    fn pauses(milliseconds: &[u32]) -> Vec<Pause> {
        milliseconds.iter().map(|&ms| Pause::delay_ms(ms)).collect()
    }

    /// Starts a sensor whose bus and delay see exactly these.
    fn start(transfers: &[Transfer], pauses: &[Pause]) -> Result<(), SensorError> {
        let mut sensor = Ov7725::new(Mock::new(transfers), CheckedDelay::new(pauses));
        let result = sensor.start();
        let (mut bus, mut delay) = sensor.release();
        bus.done();
        delay.done();
        result
    }

    #[test]
    fn a_sensor_is_identified_reset_and_set_up_in_this_order() {
        let mut transfers = chip_id(0x21);
        transfers.push(Transfer::write(ADDRESS, vec![0x12, 0x80]));
        transfers.extend(settings());
        assert_eq!(start(&transfers, &pauses(&[10, 300])), Ok(()));
    }

    #[test]
    fn the_sequence_asks_for_what_the_geometry_says() {
        let value = |register| {
            let set = SEQUENCE.iter().rfind(|(other, _)| *other == register);
            set.map(|&(_, value)| u16::from(value)).unwrap()
        };
        for (columns, rows) in [(0x18, 0x1a), (0x29, 0x2c)] {
            assert_eq!(4 * value(columns), GEOMETRY.width);
            assert_eq!(2 * value(rows), GEOMETRY.height);
        }
        assert!(SEQUENCE.iter().all(|&(_, value)| value != RESET));
    }

    #[test]
    fn another_sensor_is_told_by_its_number_and_not_written_to() {
        let transfers = [read(0x0a, 0x26), read(0x0b, 0x42)].concat();
        let error = start(&transfers, &[]).unwrap_err();
        assert!(matches!(error, SensorError::Other { found: 0x2642, .. }));
        let text = std::format!("{error}");
        assert!(text.contains("0x2642") && text.contains("OV7725"), "{text}");
        assert_eq!(
            CameraError::from(error),
            CameraError::OtherSensor { found: 0x2642 }
        );
    }

    #[test]
    fn a_transfer_that_fails_twice_is_done_at_the_third_try() {
        let refused = |value: u8| Transfer::write(ADDRESS, vec![value]).with_error(NACK);
        let mut transfers = vec![refused(0x0a), refused(0x0a)];
        transfers.extend(chip_id(0x21));
        let reset = Transfer::write(ADDRESS, vec![0x12, 0x80]);
        transfers.extend([reset.clone().with_error(ErrorKind::Bus), reset]);
        transfers.extend(settings());
        let result = start(&transfers, &pauses(&[2, 2, 2, 10, 300]));
        assert_eq!(result, Ok(()));
    }

    #[test]
    fn a_read_that_fails_names_its_register_again() {
        let failed = Transfer::read(ADDRESS, vec![0]).with_error(ErrorKind::Overrun);
        let mut transfers = vec![Transfer::write(ADDRESS, vec![0x0a]), failed];
        transfers.extend([read(0x0a, 0x76), read(0x0b, 0x73)].concat());
        let error = start(&transfers, &pauses(&[2])).unwrap_err();
        assert!(matches!(error, SensorError::Other { found: 0x7673, .. }));
    }

    #[test]
    fn a_silent_or_stuck_bus_is_given_up_with_what_to_check() {
        for (kind, expected, hint) in [
            (NACK, SensorError::NoAnswer { address: ADDRESS }, "seated"),
            (ErrorKind::ArbitrationLoss, SensorError::Bus, "pull-ups"),
            (ErrorKind::Bus, SensorError::Bus, "SDA"),
        ] {
            let refused = Transfer::write(ADDRESS, vec![0x0a]).with_error(kind);
            let transfers = vec![refused; ATTEMPTS as usize];
            let error = start(&transfers, &pauses(&[2, 2])).unwrap_err();
            assert_eq!(error, expected);
            assert!(std::format!("{error}").contains(hint));
        }
    }

    #[test]
    fn luma_is_every_other_byte() {
        let mut pixels = [1, 128, 2, 128, 3, 128, 4, 128];
        let count = keep_luma(&mut pixels);
        assert_eq!(pixels[..count], [1, 2, 3, 4]);
        assert_eq!(keep_luma(&mut []), 0);
        assert_eq!(keep_luma(&mut [9]), 0);
    }
}
