//! Births and deaths, and what changes in between beside decisions.

use prost::Message;
use rumqttc::QoS;
use tokio::time::Instant;

use super::super::device::{self, Told};
use super::Edge;
use crate::fleet::payload::{Metric, Payload};
use crate::fleet::topic::{self, Kind};

impl Edge<'_> {
    pub(super) async fn send(
        &mut self,
        kind: Kind,
        device: Option<usize>,
        metrics: Vec<Metric>,
    ) -> Result<(), String> {
        if kind == Kind::NodeBirth {
            self.seq = 0;
        }
        let payload = Payload {
            seq: Some(self.seq.into()),
            ..Payload::of(metrics)
        };
        self.seq = self.seq.wrapping_add(1);
        let name = device.map(|device| self.name(device));
        let topic = self.options.node.topic(kind, name.as_deref());
        let sent = self
            .client
            .publish(topic, QoS::AtMostOnce, false, payload.encode_to_vec());
        sent.await.map_err(|e| e.to_string())
    }

    pub(super) fn name(&self, device: usize) -> String {
        topic::name(&self.hub.seen(device).name)
    }

    /// The birth of the station and of its boards.
    pub(super) async fn bear(&mut self) -> Result<(), String> {
        let metrics = vec![
            Metric::birth(self.birth),
            Metric::boolean("Node Control/Rebirth", false),
            Metric::string("Version/Sudal", env!("CARGO_PKG_VERSION")),
            Metric::int("Boards", self.devices.len() as u32),
            Metric::boolean("Takes Orders", self.options.trusted.is_some()),
        ];
        let metrics = [metrics, self.own()].concat();
        self.send(Kind::NodeBirth, None, metrics).await?;
        if self.born.is_none() {
            self.historical = self.hub.log.last();
        }
        self.born = Some(Instant::now());
        for device in 0..self.devices.len() {
            self.devices[device].born = false;
            if self.hub.seen(device).up {
                self.bear_device(device).await?;
            }
        }
        Ok(())
    }

    /// What the station says of itself again and again.
    fn own(&self) -> Vec<Metric> {
        vec![
            Metric::long("Uptime", self.started.elapsed().as_secs()),
            Metric::long(
                "Queue/Waiting",
                self.hub.log.last().saturating_sub(self.sent),
            ),
            Metric::long("Queue/Lost", self.lost),
        ]
    }

    pub(super) async fn bear_device(&mut self, device: usize) -> Result<(), String> {
        let state = device::state(self.hub, device, &self.orders.state(device));
        self.devices[device] = Told::default();
        self.devices[device].born = true;
        self.devices[device].news(state.clone());
        let metrics = [state, self.last[device].clone()].concat();
        self.send(Kind::DeviceBirth, Some(device), metrics).await
    }

    pub(super) async fn look(&mut self) -> Result<(), String> {
        if self.born.is_none() {
            return Ok(());
        }
        for device in 0..self.devices.len() {
            match (self.hub.seen(device).up, self.devices[device].born) {
                (true, false) => self.bear_device(device).await?,
                (false, true) => {
                    self.devices[device].born = false;
                    self.send(Kind::DeviceDeath, Some(device), Vec::new())
                        .await?;
                }
                (true, true) => {
                    let state = device::state(self.hub, device, &self.orders.state(device));
                    let new = self.devices[device].news(state);
                    if !new.is_empty() {
                        self.send(Kind::DeviceData, Some(device), new).await?;
                    }
                }
                (false, false) => {}
            }
        }
        Ok(())
    }

    pub(super) async fn sign(&mut self) -> Result<(), String> {
        match self.born {
            Some(_) => self.send(Kind::NodeData, None, self.own()).await,
            None => Ok(()),
        }
    }
}
