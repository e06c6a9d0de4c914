//! Which edge node a station is.

use std::path::Path;

use super::super::ServeError;
use crate::device::PublicKey;
use crate::fleet::topic::{self, Node};
use crate::fleet::{Broker, TrustError};

/// Number in the log: the last decision that the listeners have.
pub(super) const SENT: &str = "sparkplug sent";

/// A broker, and which edge node the station is there.
#[derive(Debug, Clone)]
pub struct Sparkplug {
    pub(super) broker: Broker,
    pub(super) node: Node,
    /// The host application without which nothing is sent.
    pub(super) primary: Option<String>,
    /// Who signs orders that are carried out; none where none are.
    pub(super) trusted: Option<PublicKey>,
}

impl Sparkplug {
    /// From `mqtt://[user:password@]host[:port]/GROUP/NODE`. With a `primary` host application data waits
    /// until that says that it is there. Orders are carried out that `trusted` signed.
    ///
    /// # Errors
    /// [`ServeError::Broker`], [`ServeError::Node`].
    pub fn new(
        url: &str,
        primary: Option<String>,
        trusted: Option<PublicKey>,
    ) -> Result<Self, ServeError> {
        let broker: Broker = url.parse()?;
        let parts = broker.topic.split_once('/');
        let sound = |name: &str| topic::is_name(name) && name != "STATE";
        let node = parts.filter(|(group, name)| sound(group) && sound(name));
        let (group, name) = node.ok_or_else(|| ServeError::Node(broker.topic.clone()))?;
        if let Some(host) = primary.as_ref().filter(|host| !topic::is_name(host)) {
            return Err(ServeError::Node(host.clone()));
        }
        Ok(Self {
            node: Node {
                group: group.to_owned(),
                name: name.to_owned(),
            },
            broker,
            primary,
            trusted,
        })
    }

    /// With the PEM file of who vouches for the broker, which `mqtts://` needs.
    ///
    /// # Errors
    /// [`TrustError`]
    pub fn trusting(self, ca: Option<&Path>) -> Result<Self, TrustError> {
        Ok(Self {
            broker: self.broker.trusting(ca)?,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edge_node_has_a_group_and_a_name() {
        let node = |url: &str| Sparkplug::new(url, None, None).map(|s| s.node);
        let hall = Node {
            group: "hall".to_owned(),
            name: "line 1".to_owned(),
        };
        assert_eq!(node("mqtt://broker/hall/line%201").unwrap(), hall);
        for wrong in [
            "mqtt://broker/hall",
            "mqtt://broker/hall/a/b",
            "mqtt://broker/hall/",
            "mqtt://broker/STATE/x",
        ] {
            assert!(node(wrong).is_err(), "{wrong}");
        }
        let host = Some("a/b".to_owned());
        assert!(Sparkplug::new("mqtt://broker/hall/line", host, None).is_err());
    }
}
