//! `sudal fleet watch`.

use std::sync::mpsc;
use std::time::Duration;

use sudal::fleet::payload::{Metric, Value};
use sudal::fleet::topic::Kind;

use super::super::interrupt::{Interrupt, Interrupted};
use super::super::output::{Output, print};
use super::hall::Hall;

/// Print what stations say, a line of JSON each, until Ctrl-C.
#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    hall: Hall,
    /// Be the host application of this name, which stations with --primary-host wait for.
    #[arg(long, value_name = "NAME")]
    host: Option<String>,
}

impl Args {
    pub(super) fn run(&self, _: &Output) -> anyhow::Result<()> {
        let interrupt = Interrupt::catch()?;
        let (tell, told) = mpsc::channel();
        let heard = move |topic: &sudal::fleet::topic::Topic,
                          payload: &sudal::fleet::payload::Payload| {
            let metrics: serde_json::Map<_, _> = payload.metrics.iter().filter_map(json).collect();
            let line = serde_json::json!({
                "kind": topic.kind.word(),
                "station": topic.node.name,
                "board": topic.device,
                "time": payload.timestamp,
                "historical": payload.metrics.iter().any(|m| m.is_historical == Some(true)),
                "metrics": metrics,
            });
            // Nobody reads it after Ctrl-C.
            let _ = tell.send((topic.kind, line));
        };
        let _watch = self.hall.connect(self.host.clone(), Box::new(heard))?;
        while !interrupt.is_set() {
            match told.recv_timeout(Duration::from_millis(200)) {
                Ok((Kind::NodeCommand | Kind::DeviceCommand, _)) | Err(_) => {}
                Ok((_, line)) => print(&line.to_string())?,
            }
        }
        Err(Interrupted("stations continue".to_owned()).into())
    }
}

fn json(metric: &Metric) -> Option<(String, serde_json::Value)> {
    let value = match metric.value.as_ref() {
        None => serde_json::Value::Null,
        Some(Value::Int(n)) => (*n).into(),
        Some(Value::Long(n)) => (*n).into(),
        Some(Value::Float(x)) => f64::from(*x).into(),
        Some(Value::Double(x)) => (*x).into(),
        Some(Value::Boolean(b)) => (*b).into(),
        Some(Value::String(text)) => text.clone().into(),
        Some(Value::Bytes(bytes)) => format!("{} bytes", bytes.len()).into(),
    };
    Some((metric.name.clone()?, value))
}
