//! A setting that is fixed or searched, as it is typed: `64` or `16..96`.

use std::fmt;
use std::str::FromStr;

use clap::builder::TypedValueParser;

/// Parses a number of episodes: each keeps its result until all are done.
pub(crate) fn episodes() -> impl TypedValueParser<Value = u64> {
    clap::value_parser!(u64).range(1..=10_000_000)
}

/// `low..high`, both ends in it; one number for both.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Bounds<T> {
    pub(crate) low: T,
    pub(crate) high: T,
}

impl<T: Copy> Bounds<T> {
    pub(crate) fn new(low: T, high: T) -> Self {
        Self { low, high }
    }
}

impl<T: FromStr + PartialOrd + Copy> FromStr for Bounds<T> {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let number = |part: &str| {
            let number = part.trim().parse();
            number.map_err(|_| format!("{part:?} is no number: give one as 5, or a range as 1..5"))
        };
        let (low, high) = match text.split_once("..") {
            None => (number(text)?, number(text)?),
            Some((low, high)) => (number(low)?, number(high)?),
        };
        if low <= high {
            Ok(Self { low, high })
        } else {
            Err(format!("{text} ends below its start"))
        }
    }
}

impl<T: fmt::Display + PartialEq> fmt::Display for Bounds<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.low == self.high {
            self.low.fmt(f)
        } else {
            write!(f, "{}..{}", self.low, self.high)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_or_a_range() {
        assert_eq!("64".parse(), Ok(Bounds::new(64, 64)));
        assert_eq!("1e-4..1e-2".parse(), Ok(Bounds::new(1e-4, 1e-2)));
        assert_eq!("0..1.5".parse(), Ok(Bounds::new(0.0, 1.5)));
        for wrong in ["", "..", "a", "1..", "5..1", "nan..1", "1..2..3"] {
            assert!(wrong.parse::<Bounds<f64>>().is_err(), "{wrong}");
        }
        assert!("1.5".parse::<Bounds<usize>>().is_err());
        assert_eq!(Bounds::new(1, 3).to_string(), "1..3");
        assert_eq!(Bounds::new(0.5, 0.5).to_string(), "0.5");
    }
}
