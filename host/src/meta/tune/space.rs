//! What is searched: named dimensions, and points among them.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::error::SpaceError;

/// Part of a bound by which a number may pass it: more than a decimal number in a file is off.
const SLACK: f64 = 1e-9;

/// One setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, try_from = "serde_json::Value")]
pub enum Value {
    /// Of [`Range::Integer`].
    Integer(i64),
    /// Of [`Range::LogUniform`] and [`Range::Uniform`].
    Number(f64),
    /// One of a choice.
    Text(String),
}

/// By way of JSON's own value: numbers that serde_json keeps as text, as its feature
/// `arbitrary_precision` makes it do, are nothing that serde would try variant after variant.
impl TryFrom<serde_json::Value> for Value {
    type Error = String;

    fn try_from(value: serde_json::Value) -> Result<Self, String> {
        let number = |n: &serde_json::Number| {
            let integer = n.as_i64().map(Self::Integer);
            integer.or_else(|| n.as_f64().map(Self::Number))
        };
        match &value {
            serde_json::Value::Number(n) => number(n),
            serde_json::Value::String(text) => Some(Self::Text(text.clone())),
            _ => None,
        }
        .ok_or_else(|| format!("{value} is neither a number nor a word"))
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(i) => i.fmt(f),
            Self::Number(x) => x.fmt(f),
            Self::Text(t) => t.fmt(f),
        }
    }
}

/// What a setting can be.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Range {
    /// A number whose logarithm is searched, `low..=high`, both above zero; three digits of it.
    LogUniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// A number, `low..=high`; three digits of it.
    Uniform {
        /// The least.
        low: f64,
        /// The greatest.
        high: f64,
    },
    /// `low`, `low + step` and so on, `high` at most.
    Integer {
        /// The least.
        low: i64,
        /// The greatest.
        high: i64,
        /// From one to the next, at least 1.
        step: i64,
    },
    /// One of some values that have no order.
    Choice {
        /// The values.
        of: Vec<Value>,
    },
}

impl Range {
    fn check(&self) -> Result<(), &'static str> {
        match self {
            Self::LogUniform { low, high } | Self::Uniform { low, high }
                if !low.is_finite() || !high.is_finite() =>
            {
                Err("its bounds are no numbers")
            }
            Self::LogUniform { low, .. } if *low <= 0.0 => {
                Err("a range that is searched by its logarithm begins above zero")
            }
            Self::LogUniform { low, high } | Self::Uniform { low, high } if low >= high => {
                Err("the upper bound is not above the lower one")
            }
            Self::Integer { step, .. } if *step < 1 => Err("its step is less than 1"),
            Self::Integer { low, high, .. } if low > high => {
                Err("the upper bound is below the lower one")
            }
            Self::Choice { of } if of.is_empty() => Err("there is nothing to choose from"),
            Self::Choice { of } if (1..of.len()).any(|i| of[..i].contains(&of[i])) => {
                Err("a choice stands there twice")
            }
            _ => Ok(()),
        }
    }

    /// Number of values where they are counted.
    pub(super) fn count(&self) -> Option<usize> {
        match self {
            Self::LogUniform { .. } | Self::Uniform { .. } => None,
            Self::Integer { low, high, step } => Some(((high - low) / step + 1) as usize),
            Self::Choice { of } => Some(of.len()),
        }
    }

    /// The value at `position`, 0..1, of the range; each has an equal part of it.
    pub(super) fn at(&self, position: f64) -> Value {
        let nth = |count: usize| ((position * count as f64) as usize).min(count - 1);
        let count = self.count().unwrap_or(1);
        match self {
            Self::LogUniform { low, high } => {
                let x = (low.ln() + position * (high.ln() - low.ln())).exp();
                Value::Number(three_digits(x).clamp(*low, *high))
            }
            Self::Uniform { low, high } => {
                let x = low + position * (high - low);
                Value::Number(three_digits(x).clamp(*low, *high))
            }
            Self::Integer { low, step, .. } => Value::Integer(low + step * nth(count) as i64),
            Self::Choice { of } => of[nth(count)].clone(),
        }
    }

    /// Where in the range a value lies, 0..1; none outside.
    pub(super) fn position(&self, value: &Value) -> Option<f64> {
        let middle = |n: usize| (n as f64 + 0.5) / self.count().unwrap_or(1) as f64;
        let between = |x: f64, low: f64, high: f64| {
            let part = (x - low) / (high - low);
            let inside = (-SLACK..=1.0 + SLACK).contains(&part);
            // The end itself is no part of what the estimator knows.
            inside.then(|| part.clamp(0.0, 1.0 - SLACK))
        };
        match (self, value) {
            (Self::Choice { of }, value) => of.iter().position(|v| v == value).map(middle),
            (Self::Integer { low, high, step }, Value::Integer(i)) => {
                let inside = (low..=high).contains(&i) && (i - low) % step == 0;
                inside.then(|| middle(((i - low) / step) as usize))
            }
            (Self::Uniform { low, high }, Value::Number(x)) => between(*x, *low, *high),
            (Self::LogUniform { low, high }, Value::Number(x)) if *x > 0.0 => {
                between(x.ln(), low.ln(), high.ln())
            }
            _ => None,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::LogUniform { low, high } => write!(f, "{low}..{high} by its logarithm"),
            Self::Uniform { low, high } => write!(f, "{low}..{high}"),
            Self::Integer { low, high, step: 1 } => write!(f, "{low}..{high}"),
            Self::Integer { low, high, step } => write!(f, "{low}..{high} by steps of {step}"),
            Self::Choice { of } => {
                let all: Vec<_> = of.iter().map(Value::to_string).collect();
                f.write_str(&all.join(", "))
            }
        }
    }
}

/// So that a setting is short to read and to type, and the same after a way through a file.
fn three_digits(x: f64) -> f64 {
    format!("{x:.2e}").parse().unwrap_or(x)
}

/// A named setting.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Dimension {
    /// Its name.
    pub name: String,
    /// What it can be.
    pub range: Range,
}

/// All that is searched.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Space {
    dimensions: Vec<Dimension>,
}

impl Space {
    /// A space of these dimensions.
    ///
    /// # Errors
    /// When there is none, two have one name or a range is empty.
    pub fn new(dimensions: Vec<Dimension>) -> Result<Self, SpaceError> {
        let space = Self { dimensions };
        space.check()?;
        Ok(space)
    }

    pub(super) fn check(&self) -> Result<(), SpaceError> {
        if self.dimensions.is_empty() {
            return Err(SpaceError::Empty);
        }
        for (i, Dimension { name, range }) in self.dimensions.iter().enumerate() {
            if self.dimensions[..i].iter().any(|d| d.name == *name) {
                return Err(SpaceError::Twice(name.clone()));
            }
            range.check().map_err(|why| SpaceError::Range {
                name: name.clone(),
                why,
            })?;
        }
        Ok(())
    }

    /// The dimensions in their order.
    pub fn dimensions(&self) -> &[Dimension] {
        &self.dimensions
    }

    /// Whether `params` is a point of the space.
    ///
    /// # Errors
    /// With the first setting that is missing, outside its range or not of the space.
    pub fn contains(&self, params: &Params) -> Result<(), SpaceError> {
        for Dimension { name, range } in &self.dimensions {
            let value = params.get(name);
            if value.and_then(|v| range.position(v)).is_none() {
                return Err(SpaceError::Outside {
                    name: name.clone(),
                    value: value.map_or_else(|| "nothing".to_owned(), Value::to_string),
                    range: range.to_string(),
                });
            }
        }
        let known = |name: &String| self.dimensions.iter().any(|d| d.name == *name);
        match params.0.keys().find(|name| !known(name)) {
            Some(name) => Err(SpaceError::Unknown(name.clone())),
            None => Ok(()),
        }
    }

    /// The point at these positions, 0..1, one of each dimension.
    pub(super) fn at(&self, positions: impl IntoIterator<Item = f64>) -> Params {
        let named = self.dimensions.iter().zip(positions);
        Params(
            named
                .map(|(d, p)| (d.name.clone(), d.range.at(p)))
                .collect(),
        )
    }
}

/// A point of a space: the settings by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Params(BTreeMap<String, Value>);

impl Params {
    /// A setting.
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    /// A number, also of an integer.
    pub fn number(&self, name: &str) -> Option<f64> {
        match self.get(name)? {
            Value::Number(x) => Some(*x),
            Value::Integer(i) => Some(*i as f64),
            Value::Text(_) => None,
        }
    }

    /// An integer.
    pub fn integer(&self, name: &str) -> Option<i64> {
        match self.get(name)? {
            Value::Integer(i) => Some(*i),
            _ => None,
        }
    }

    /// A word.
    pub fn text(&self, name: &str) -> Option<&str> {
        match self.get(name)? {
            Value::Text(t) => Some(t),
            _ => None,
        }
    }
}

impl FromIterator<(String, Value)> for Params {
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(settings: I) -> Self {
        Self(settings.into_iter().collect())
    }
}

impl fmt::Display for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(|(n, v)| format!("{n} {v}")).collect();
        f.write_str(&all.join(", "))
    }
}
