//! What an edge node is asked, and whether its host application is there.

use std::time::Duration;

use prost::Message;
use rumqttc::QoS;

use super::super::options::Sparkplug;
use super::{Edge, REBIRTH};
use crate::fleet::payload::{Metric, Payload, Value};
use crate::fleet::topic::{Kind, Topic};

impl Edge<'_> {
    pub(super) async fn hear(&mut self, topic: &str, payload: &[u8]) -> Result<(), String> {
        let Some(topic) = Topic::parse(topic) else {
            return self.hear_host(payload).await;
        };
        let Ok(payload) = Payload::decode(payload) else {
            return Ok(());
        };
        match (topic.kind, topic.device) {
            (Kind::NodeCommand, _) => {
                let asked = payload.value("Node Control/Rebirth") == Some(&Value::Boolean(true));
                if asked && self.born.is_some_and(|born| born.elapsed() >= REBIRTH) {
                    self.bear().await?;
                }
            }
            (Kind::DeviceCommand, Some(name)) => {
                let mut devices = 0..self.devices.len();
                let device = devices.find(|device| self.name(*device) == name);
                if let (Some(device), Some(Value::Bytes(order))) =
                    (device, payload.value("Order/Signed"))
                {
                    let Sparkplug { trusted, node, .. } = self.options;
                    let trusted = trusted.as_ref();
                    self.orders.receive(self.hub, trusted, node, device, order);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// What the host application says of itself. Without it the station is not there, either.
    async fn hear_host(&mut self, payload: &[u8]) -> Result<(), String> {
        let Ok(state) = serde_json::from_slice::<serde_json::Value>(payload) else {
            return Ok(());
        };
        let (Some(online), Some(time)) = (state["online"].as_bool(), state["timestamp"].as_u64())
        else {
            return Ok(());
        };
        if self.host.is_some_and(|host| time < host) {
            return Ok(());
        }
        self.host = Some(time);
        match (online, self.born) {
            (true, None) => self.bear().await,
            (false, Some(_)) => {
                let death = Payload::of(vec![Metric::birth(self.birth)]).encode_to_vec();
                let topic = self.options.node.topic(Kind::NodeDeath, None);
                let told = self
                    .client
                    .publish(topic, QoS::AtLeastOnce, false, death)
                    .await;
                told.map_err(|e| e.to_string())?;
                // Gone at once, it would not be sent.
                tokio::time::sleep(Duration::from_millis(200)).await;
                Err("the host application is away".to_owned())
            }
            _ => Ok(()),
        }
    }
}
