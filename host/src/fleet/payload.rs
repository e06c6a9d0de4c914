//! Payloads of Sparkplug B: what an edge node and a host application say to each other.

use std::time::{SystemTime, UNIX_EPOCH};

use prost::{Message, Oneof};

/// Data types, by Sparkplug's numbers.
const UINT32: u32 = 7;
const INT64: u32 = 4;
const UINT64: u32 = 8;
const FLOAT: u32 = 9;
const BOOLEAN: u32 = 11;
const STRING: u32 = 12;
const BYTES: u32 = 17;

/// A message.
#[derive(Clone, PartialEq, Message)]
pub struct Payload {
    /// When it was sent, in milliseconds since 1970.
    #[prost(uint64, optional, tag = "1")]
    pub timestamp: Option<u64>,
    /// What it says.
    #[prost(message, repeated, tag = "2")]
    pub metrics: Vec<Metric>,
    /// 0 to 255 and again from 0, over all messages of an edge node since its birth.
    #[prost(uint64, optional, tag = "3")]
    pub seq: Option<u64>,
}

/// A named value.
#[derive(Clone, PartialEq, Message)]
pub struct Metric {
    /// Its name.
    #[prost(string, optional, tag = "1")]
    pub name: Option<String>,
    /// A number in place of the name.
    #[prost(uint64, optional, tag = "2")]
    pub alias: Option<u64>,
    /// When it had this value, in milliseconds since 1970.
    #[prost(uint64, optional, tag = "3")]
    pub timestamp: Option<u64>,
    /// Kind of the value.
    #[prost(uint32, optional, tag = "4")]
    pub datatype: Option<u32>,
    /// Whether it is told later than it was so.
    #[prost(bool, optional, tag = "5")]
    pub is_historical: Option<bool>,
    /// Whether it has no value.
    #[prost(bool, optional, tag = "7")]
    pub is_null: Option<bool>,
    /// The value.
    #[prost(oneof = "Value", tags = "10, 11, 12, 13, 14, 15, 16")]
    pub value: Option<Value>,
}

/// A value; what others may send besides is left out.
#[derive(Clone, PartialEq, Oneof)]
pub enum Value {
    /// Of up to 32 bits.
    #[prost(uint32, tag = "10")]
    Int(u32),
    /// Of 64 bits.
    #[prost(uint64, tag = "11")]
    Long(u64),
    /// A number.
    #[prost(float, tag = "12")]
    Float(f32),
    /// A number of double precision.
    #[prost(double, tag = "13")]
    Double(f64),
    /// Yes or no.
    #[prost(bool, tag = "14")]
    Boolean(bool),
    /// Text.
    #[prost(string, tag = "15")]
    String(String),
    /// Bytes.
    #[prost(bytes = "vec", tag = "16")]
    Bytes(Vec<u8>),
}

impl Payload {
    /// A message of now.
    #[must_use]
    pub fn of(metrics: Vec<Metric>) -> Self {
        Self {
            timestamp: Some(now()),
            metrics,
            seq: None,
        }
    }

    /// What a metric says.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&Value> {
        let named = |m: &&Metric| m.name.as_deref() == Some(name);
        self.metrics.iter().rfind(named)?.value.as_ref()
    }
}

impl Metric {
    fn of(name: &str, datatype: u32, value: Option<Value>) -> Self {
        Self {
            name: Some(name.to_owned()),
            alias: None,
            timestamp: Some(now()),
            datatype: Some(datatype),
            is_historical: None,
            is_null: value.is_none().then_some(true),
            value,
        }
    }

    /// A small number.
    #[must_use]
    pub fn int(name: &str, value: u32) -> Self {
        Self::of(name, UINT32, Some(Value::Int(value)))
    }

    /// A number that counts.
    #[must_use]
    pub fn long(name: &str, value: u64) -> Self {
        Self::of(name, UINT64, Some(Value::Long(value)))
    }

    /// The number of a birth, which has a type of its own.
    #[must_use]
    pub fn birth(number: u8) -> Self {
        Self::of("bdSeq", INT64, Some(Value::Long(number.into())))
    }

    /// A measure; none where there is none.
    #[must_use]
    pub fn float(name: &str, value: Option<f32>) -> Self {
        Self::of(name, FLOAT, value.map(Value::Float))
    }

    /// Yes or no.
    #[must_use]
    pub fn boolean(name: &str, value: bool) -> Self {
        Self::of(name, BOOLEAN, Some(Value::Boolean(value)))
    }

    /// A text.
    #[must_use]
    pub fn string(name: &str, value: &str) -> Self {
        Self::of(name, STRING, Some(Value::String(value.to_owned())))
    }

    /// Bytes; none where there are none.
    #[must_use]
    pub fn bytes(name: &str, value: Option<Vec<u8>>) -> Self {
        Self::of(name, BYTES, value.map(Value::Bytes))
    }

    /// The same of another time, which may be told late.
    #[must_use]
    pub fn at(mut self, milliseconds: u64, late: bool) -> Self {
        self.timestamp = Some(milliseconds);
        self.is_historical = late.then_some(true);
        self
    }
}

/// Milliseconds since 1970.
#[must_use]
pub fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| since.as_millis() as u64)
}
