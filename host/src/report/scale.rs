//! The axes of a chart: ranges and ticks.

use plotters::coord::ranged1d::{KeyPointHint, NoDefaultFormatting, Ranged, ValueFormatter};

/// An axis.
#[derive(Clone, Debug, Default)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    /// Whether equal steps are equal factors; values must be above zero.
    pub log: bool,
}

impl Axis {
    /// One on which equal steps are equal differences.
    pub fn linear(label: impl Into<String>) -> Self {
        Self {
            label: label.into(),
            log: false,
        }
    }

    /// One on which equal steps are equal factors.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Self {
            log: true,
            ..Self::linear(label)
        }
    }
}

/// An axis with its range and ticks, as drawn: the logarithm of a log axis.
#[derive(Clone)]
pub(super) struct Scale {
    pub(super) log: bool,
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) ticks: Vec<f64>,
}

impl Scale {
    /// Covers `spans` and a little more.
    pub(super) fn of(axis: &Axis, spans: impl Iterator<Item = (f64, f64)>) -> Self {
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for (a, b) in spans {
            let usable = |v: f64| !axis.log || v > 0.0;
            if usable(a) {
                low = low.min(a);
            }
            if usable(b) {
                high = high.max(b);
            }
        }
        if low > high {
            (low, high) = if axis.log { (1.0, 10.0) } else { (0.0, 1.0) };
        }
        if axis.log {
            let (from, to) = (low.log10() - 0.06, high.log10() + 0.06);
            let decades = from.floor() as i32..=to.ceil() as i32;
            let ticks =
                decades.flat_map(|d| [1.0, 2.0, 5.0].map(|m: f64| m.log10() + f64::from(d)));
            return Self {
                log: true,
                ticks: ticks.filter(|t| (from..=to).contains(t)).collect(),
                from,
                to,
            };
        }
        let room = ((high - low) * 0.05).max(1e-9 * high.abs().max(1.0));
        let (from, to) = (low - room, high + room);
        let step = nice((to - from) / 6.0);
        let first = (from / step).ceil() as i64;
        let last = (to / step).floor() as i64;
        Self {
            log: false,
            ticks: (first..=last).map(|i| i as f64 * step).collect(),
            from,
            to,
        }
    }

    pub(super) fn place(&self, value: f64) -> f64 {
        if self.log {
            value.max(f64::MIN_POSITIVE).log10()
        } else {
            value
        }
    }

    /// The number at a place.
    fn name(&self, place: f64) -> String {
        let value = if self.log { 10f64.powf(place) } else { place };
        let step = match self.ticks[..] {
            [a, b, ..] if !self.log => b - a,
            _ => value.abs(),
        };
        let digits = (-step.log10().floor()).clamp(0.0, 6.0) as usize;
        let text = format!("{value:.digits$}");
        if text
            .trim_start_matches('-')
            .chars()
            .all(|c| c == '0' || c == '.')
        {
            return "0".to_owned();
        }
        text
    }
}

impl Ranged for Scale {
    type FormatOption = NoDefaultFormatting;
    type ValueType = f64;

    fn map(&self, value: &f64, (first, last): (i32, i32)) -> i32 {
        let part = (value - self.from) / (self.to - self.from);
        first + (part * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _hint: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.from..self.to
    }
}

impl ValueFormatter<f64> for Scale {
    fn format_ext(&self, place: &f64) -> String {
        self.name(*place)
    }
}

/// 1, 2 or 5 times a power of ten, at least `step`.
fn nice(step: f64) -> f64 {
    let power = 10f64.powf(step.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0].into_iter();
    factors
        .map(|f| f * power)
        .find(|s| *s >= step * 0.999)
        .unwrap_or(step)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn axes_cover_what_they_show(values in prop::collection::vec(1e-3..1e4f64, 1..20), log: bool) {
            let axis = Axis { label: String::new(), log };
            let scale = Scale::of(&axis, values.iter().map(|&v| (v, v)));
            for v in values {
                prop_assert!((scale.from..=scale.to).contains(&scale.place(v)));
            }
            prop_assert!(scale.ticks.len() <= 40);
            prop_assert!(scale.ticks.iter().all(|t| (scale.from..=scale.to).contains(t)));
        }
    }
}
