//! Ranges and values as Optuna writes them: a distribution's name and attributes, and a number.

use serde_json::{Value as Json, json};

use super::super::space::{Range, Value};

/// A distribution, which the journal holds as text.
pub(super) fn distribution(range: &Range) -> String {
    let float = |low: &f64, high: &f64, log: bool| {
        let attributes = json!({ "low": low, "high": high, "log": log, "step": null });
        json!({ "name": "FloatDistribution", "attributes": attributes })
    };
    let distribution = match range {
        Range::LogUniform { low, high } => float(low, high, true),
        Range::Uniform { low, high } => float(low, high, false),
        Range::Integer { low, high, step } => {
            // Optuna's highest number is one of the steps.
            let high = low + (high - low) / step * step;
            let attributes = json!({ "low": low, "high": high, "log": false, "step": step });
            json!({ "name": "IntDistribution", "attributes": attributes })
        }
        Range::Choice { of } => {
            json!({ "name": "CategoricalDistribution", "attributes": { "choices": of } })
        }
    };
    distribution.to_string()
}

/// A value as the number that stands for it; none where the range does not have it.
pub(super) fn number(range: &Range, value: &Value) -> Option<f64> {
    match (range, value) {
        (Range::Choice { of }, value) => of.iter().position(|v| v == value).map(|i| i as f64),
        (_, Value::Integer(i)) => Some(*i as f64),
        (_, Value::Number(x)) => Some(*x),
        (_, Value::Text(_)) => None,
    }
}

/// The value that a number stands for; none where the range does not have it.
pub(super) fn value(range: &Range, number: f64) -> Option<Value> {
    let value = match range {
        Range::Choice { of } => of.get(number as usize)?.clone(),
        Range::Integer { .. } => Value::Integer(number as i64),
        Range::LogUniform { .. } | Range::Uniform { .. } => Value::Number(number),
    };
    range.position(&value).map(|_| value)
}

/// A value as somebody wrote it, who may have left a point out; none where the range does not have it.
pub(super) fn written(range: &Range, json: &Json) -> Option<Value> {
    if let Range::Choice { of } = range {
        let same = |v: &&Value| match v {
            Value::Text(text) => json.as_str() == Some(text),
            Value::Integer(i) => json.as_f64() == Some(*i as f64),
            Value::Number(x) => json.as_f64() == Some(*x),
        };
        return of.iter().find(same).cloned();
    }
    value(range, json.as_f64()?)
}

/// Whether Optuna takes both for one parameter.
pub(super) fn compatible(one: &Json, other: &Json) -> bool {
    let log = |d: &Json| d["attributes"]["log"].as_bool().unwrap_or(false);
    let choices = |d: &Json| {
        let choices = d["attributes"]["choices"].as_array()?.iter();
        Some(
            choices
                .map(|c| Value::try_from(c.clone()).ok())
                .collect::<Vec<_>>(),
        )
    };
    one["name"] == other["name"] && log(one) == log(other) && choices(one) == choices(other)
}
