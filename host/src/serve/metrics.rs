//! Figures for Prometheus.

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::Decision;

/// What [`Metrics::text`] is.
pub(super) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    frames: Family<Device, Counter>,
    decisions: Family<Made, Counter>,
    stable: Family<Made, Counter>,
    seconds: Family<Device, Histogram, fn() -> Histogram>,
    errors: Family<Device, Counter>,
    up: Family<Device, Gauge>,
    log_up: Gauge,
    log_waiting: Gauge,
    log_lost: Gauge,
    /// Decisions that the broker has.
    pub(super) published: Counter,
    /// Whether the broker is connected.
    pub(super) broker: Gauge,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Device {
    device: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Made {
    device: String,
    decision: &'static str,
    class: String,
}

impl Metrics {
    pub(super) fn new() -> Self {
        // 1 ms to 8 s.
        let seconds: fn() -> Histogram = || Histogram::new(exponential_buckets(1e-3, 2.0, 14));
        let mut all = Self {
            registry: Registry::with_prefix("sudal"),
            frames: Family::default(),
            decisions: Family::default(),
            stable: Family::default(),
            seconds: Family::new_with_constructor(seconds),
            errors: Family::default(),
            up: Family::default(),
            log_up: Gauge::default(),
            log_waiting: Gauge::default(),
            log_lost: Gauge::default(),
            published: Counter::default(),
            broker: Gauge::default(),
        };
        let to = &mut all.registry;
        to.register(
            "frames",
            "Frames that a device was asked about",
            all.frames.clone(),
        );
        to.register(
            "decisions",
            "Decisions, each of its frame alone",
            all.decisions.clone(),
        );
        to.register(
            "stable_decisions",
            "The same frames as operators were told of them: over the last frames where a device votes",
            all.stable.clone(),
        );
        to.register_with_unit(
            "decision",
            "From a frame to its decision",
            Unit::Seconds,
            all.seconds.clone(),
        );
        to.register(
            "errors",
            "Frames without a decision, and lost devices",
            all.errors.clone(),
        );
        to.register("device_up", "Whether a device answers", all.up.clone());
        to.register(
            "log_up",
            "Whether the log can be written",
            all.log_up.clone(),
        );
        to.register(
            "log_waiting",
            "Decisions that wait in memory until the log can be written",
            all.log_waiting.clone(),
        );
        to.register(
            "log_lost",
            "Decisions since the start that are in no log, as too many waited",
            all.log_lost.clone(),
        );
        to.register(
            "mqtt_published",
            "Decisions that the broker has",
            all.published.clone(),
        );
        to.register(
            "mqtt_up",
            "Whether the broker is connected",
            all.broker.clone(),
        );
        all
    }

    pub(super) fn frame(&self, device: &str) {
        self.frames.get_or_create(&of(device)).inc();
    }

    pub(super) fn decision(&self, decision: &Decision) {
        let made = |call, class: &str| Made {
            device: decision.device.clone(),
            decision: call,
            class: class.to_owned(),
        };
        let own = made(decision.call.name(), &decision.nearest);
        self.decisions.get_or_create(&own).inc();
        let (call, class) = decision.shown_by_name();
        self.stable.get_or_create(&made(call, class)).inc();
        self.seconds
            .get_or_create(&of(&decision.device))
            .observe(f64::from(decision.micros) / 1e6);
    }

    pub(super) fn error(&self, device: &str) {
        self.errors.get_or_create(&of(device)).inc();
    }

    pub(super) fn up(&self, device: &str, up: bool) {
        self.up.get_or_create(&of(device)).set(up.into());
    }

    pub(super) fn log(&self, up: bool, (waiting, lost): (usize, u64)) {
        self.log_up.set(up.into());
        self.log_waiting.set(waiting as i64);
        self.log_lost.set(lost as i64);
    }

    pub(super) fn text(&self) -> String {
        let mut text = String::new();
        // A string takes whatever is written to it.
        let _ = text::encode(&mut text, &self.registry);
        text
    }
}

fn of(device: &str) -> Device {
    Device {
        device: device.to_owned(),
    }
}
