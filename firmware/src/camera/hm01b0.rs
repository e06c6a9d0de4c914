//! Himax' HM01B0, grey, over its control bus (I2C with registers of 16 bits).
//!
//! The sensor is set to a quarter of QVGA by binning, and to one data line, which is what Arducam's Pico4ML
//! and its modules for the Pico bring out: D0, most significant bit first, valid at the rising edge of a
//! pixel clock that runs only within rows. LVLD is high in a row, FVLD in a frame. How the pixels get into
//! memory is the board's.

use embedded_hal::delay::DelayNs;
use embedded_hal::i2c::I2c;

use super::control::{Control, SensorError};
use super::{Geometry, PixelFormat};

/// Address on the bus, seven bits.
pub const ADDRESS: u8 = 0x24;

/// What a frame is cut to.
pub const GEOMETRY: Geometry = Geometry {
    width: 160,
    height: 120,
    format: PixelFormat::Grey8,
};

/// Columns and rows that the sensor sends.
pub const SENT: (u16, u16) = (162, 122);
/// Rows above, and columns to the left, of what is kept.
pub const BORDER: u16 = 1;

/// First of the two registers that say which sensor it is.
const MODEL: u16 = 0x0000;
/// What they hold in an HM01B0.
const HM01B0: u16 = 0x01b0;
/// Starts and stops the frames.
const MODE: u16 = 0x0100;
const STREAMING: u8 = 1;
/// Puts every register back.
const RESET: u16 = 0x0103;

/// Lines of a frame and clocks of a line, with their gaps: at 12 MHz, of which a pixel takes eight, 40 frames
/// a second.
const LINES: u16 = 172;
const LINE: u16 = 215;
/// Longest exposure, in lines: a longer one has the sensor leave frames out.
const EXPOSURE: u16 = LINES - 2;

/// How long the sensor gets after a reset, which is longer than a frame, and the automatic exposure to
/// settle, in milliseconds.
const AFTER_RESET: u32 = 100;
const SETTLE: u32 = 300;

/// Registers and values after the reset, in this order. The rest stays as the reset leaves it.
pub const SEQUENCE: [(u16, u8); 56] = [
    // The analogue part, as all published settings have it; the maker does not say what they are.
    (0x3044, 0x0a),
    (0x3045, 0x00),
    (0x3047, 0x0a),
    (0x3050, 0xc0),
    (0x3051, 0x42),
    (0x3052, 0x50),
    (0x3053, 0x00),
    (0x3054, 0x03),
    (0x3055, 0xf7),
    (0x3056, 0xf8),
    (0x3057, 0x29),
    (0x3058, 0x1f),
    (0x0350, 0x7f),
    // Black level.
    (0x1000, 0x43),
    (0x1001, 0x40),
    (0x1002, 0x32),
    (0x1003, 0x08),
    (0x1006, 0x01),
    (0x1007, 0x08),
    // Defect pixels: their thresholds; nothing is corrected.
    (0x1008, 0x00),
    (0x1009, 0xa0),
    (0x100a, 0x60),
    (0x100b, 0x90),
    (0x100c, 0x40),
    // Exposure and gain find their values: on, target, least mean, thresholds, longest and shortest exposure,
    // gains, damping, no flicker.
    (0x2000, 0x07),
    (0x2100, 0x01),
    (0x2101, 0x5f),
    (0x2102, 0x0a),
    (0x2103, 0x03),
    (0x2104, 0x05),
    (0x2105, EXPOSURE.to_be_bytes()[0]),
    (0x2106, EXPOSURE.to_be_bytes()[1]),
    (0x2107, 0x02),
    (0x2108, 0x03),
    (0x2109, 0x03),
    (0x210a, 0x00),
    (0x210b, 0x80),
    (0x210c, 0x40),
    (0x210d, 0x20),
    (0x210e, 0x00),
    // Size: every second pixel of a QVGA window, binned.
    (0x0340, LINES.to_be_bytes()[0]),
    (0x0341, LINES.to_be_bytes()[1]),
    (0x0342, LINE.to_be_bytes()[0]),
    (0x0343, LINE.to_be_bytes()[1]),
    (0x0383, 0x03),
    (0x0387, 0x03),
    (0x0390, 0x03),
    (0x1012, 0x03),
    (0x3010, 0x01),
    // Output: 8 bits a pixel, one line, an eighth of the clock, gated, highest bit first, rising edges.
    (0x3011, 0x70),
    (0x3059, 0x22),
    (0x3060, 0x30),
    (0x3064, 0x00),
    (0x3065, 0x04),
    (0x3068, 0x20),
    // All of it holds from the next frame on.
    (0x0104, 0x01),
];

/// The control side of the sensor.
pub struct Hm01b0<I, D> {
    control: Control<I, D>,
}

impl<I: I2c, D: DelayNs> Hm01b0<I, D> {
    /// A sensor that has power and a clock of 6 to 24 MHz.
    pub const fn new(bus: I, delay: D) -> Self {
        Self {
            control: Control::new(bus, delay, ADDRESS),
        }
    }

    /// Makes sure that it is an HM01B0.
    ///
    /// # Errors
    /// [`SensorError`], after each transfer was tried several times.
    pub fn identify(&mut self) -> Result<(), SensorError> {
        let high = self.control.read(&MODEL.to_be_bytes())?;
        let low = self.control.read(&(MODEL + 1).to_be_bytes())?;
        let found = u16::from_be_bytes([high, low]);
        if found != HM01B0 {
            return Err(SensorError::Other {
                found,
                expected: "HM01B0",
            });
        }
        Ok(())
    }

    /// Identifies it, resets it, and has it send frames of [`SENT`].
    ///
    /// # Errors
    /// As [`identify`](Self::identify).
    pub fn start(&mut self) -> Result<(), SensorError> {
        self.identify()?;
        self.write(RESET, 1)?;
        self.control.delay.delay_ms(AFTER_RESET);
        for (register, value) in SEQUENCE {
            self.write(register, value)?;
        }
        self.write(MODE, STREAMING)?;
        self.control.delay.delay_ms(SETTLE);
        Ok(())
    }

    /// Gives bus and delay back.
    pub fn release(self) -> (I, D) {
        self.control.release()
    }

    fn write(&mut self, register: u16, value: u8) -> Result<(), SensorError> {
        let [high, low] = register.to_be_bytes();
        self.control.write(&[high, low, value])
    }
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
    use super::*;

    fn says(model: [u8; 2]) -> Vec<Transfer> {
        let byte = |low, value| {
            [
                Transfer::write(ADDRESS, vec![0, low]),
                Transfer::read(ADDRESS, vec![value]),
            ]
        };
        [byte(0, model[0]), byte(1, model[1])].concat()
    }

    fn write(register: u16, value: u8) -> Transfer {
        let [high, low] = register.to_be_bytes();
        Transfer::write(ADDRESS, vec![high, low, value])
    }

    /// Starts a sensor whose bus and delay see exactly these.
    fn start(transfers: &[Transfer], pauses: &[u32]) -> Result<(), SensorError> {
        let pauses: Vec<_> = pauses.iter().map(|&ms| Pause::delay_ms(ms)).collect();
        let mut sensor = Hm01b0::new(Mock::new(transfers), CheckedDelay::new(&pauses));
        let result = sensor.start();
        let (mut bus, mut delay) = sensor.release();
        bus.done();
        delay.done();
        result
    }

    #[test]
    fn a_sensor_is_identified_reset_set_up_and_started_in_this_order() {
        let mut transfers = says([0x01, 0xb0]);
        transfers.push(write(0x0103, 1));
        transfers.extend(SEQUENCE.map(|(register, value)| write(register, value)));
        transfers.push(write(0x0100, 1));
        assert_eq!(start(&transfers, &[100, 300]), Ok(()));
    }

    #[test]
    fn what_is_kept_lies_within_what_is_sent_and_the_rows_within_the_frame() {
        let (columns, rows) = SENT;
        assert!(GEOMETRY.width + BORDER <= columns && GEOMETRY.height + BORDER <= rows);
        let word = |register| {
            let byte = |register| {
                let set = SEQUENCE.iter().rfind(|(other, _)| *other == register);
                set.map(|&(_, value)| value).unwrap()
            };
            u16::from_be_bytes([byte(register), byte(register + 1)])
        };
        assert!(word(0x0340) > rows && word(0x0342) > columns);
        assert!(word(0x2105) < word(0x0340));
        assert!(
            SEQUENCE
                .iter()
                .all(|&(register, _)| ![RESET, MODE].contains(&register))
        );
    }

    #[test]
    fn another_sensor_is_told_by_its_number_and_not_written_to() {
        let error = start(&says([0x03, 0x60]), &[]).unwrap_err();
        assert!(matches!(error, SensorError::Other { found: 0x0360, .. }));
        let text = std::format!("{error}");
        assert!(text.contains("0x0360") && text.contains("HM01B0"), "{text}");
        let error = CameraError::from(error);
        assert_eq!(error, CameraError::OtherSensor { found: 0x0360 });
    }

    #[test]
    fn no_sensor_is_told_with_its_address() {
        let nack = ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address);
        let refused = Transfer::write(ADDRESS, vec![0, 0]).with_error(nack);
        let error = start(&vec![refused; 3], &[2, 2]).unwrap_err();
        assert_eq!(error, SensorError::NoAnswer { address: ADDRESS });
        assert!(std::format!("{error}").contains("0x24"));
    }
}
