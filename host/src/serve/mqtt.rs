//! Decisions for a broker (MQTT 3.1.1). The log is the queue: what the broker has acknowledged is
//! remembered there, and after a pause, of the broker or of this program, the rest follows. Each
//! decision gets there at least once.

use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use axum::http::Uri;
use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS};
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::time::sleep;

use super::csv::iso;
use super::hub::Hub;
use super::message::message;
use super::{LogError, ServeError};

/// Decisions that are under way at once.
const WINDOW: usize = 32;
/// Before a broker that is away is tried again.
const PAUSE: Duration = Duration::from_secs(1);
const PORT: u16 = 1883;
/// Name of the number in the log: the last decision that the broker has.
const PUBLISHED: &str = "published";

/// A broker, and the topic to publish under: `mqtt://[user:password@]host[:port]/topic`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    host: String,
    port: u16,
    topic: String,
    /// Name and password.
    user: Option<(String, String)>,
}

impl FromStr for Broker {
    type Err = ServeError;

    fn from_str(text: &str) -> Result<Self, ServeError> {
        let parse = || {
            let uri: Uri = text.parse().ok()?;
            let authority = uri.authority()?;
            let topic = uri.path().trim_matches('/');
            // Not to be published to.
            let wild = topic.contains('+') || text.contains('#') || uri.query().is_some();
            if uri.scheme_str() != Some("mqtt") || topic.is_empty() || wild {
                return None;
            }
            let user = authority.as_str().rsplit_once('@').map(|(user, _)| user);
            let user = user.map(|user| user.split_once(':').unwrap_or((user, "")));
            Some(Self {
                host: authority.host().trim_matches(['[', ']']).to_owned(),
                port: authority.port_u16().unwrap_or(PORT),
                topic: topic.to_owned(),
                user: user.map(|(name, password)| (name.to_owned(), password.to_owned())),
            })
        };
        // Not with its password.
        let shown = || match text.rsplit_once('@') {
            Some((_, address)) => format!("mqtt://...@{address}"),
            None => text.to_owned(),
        };
        parse().ok_or_else(|| ServeError::Broker(shown()))
    }
}

/// What the connection tells.
enum News {
    /// It is new; what was under way before is forgotten.
    Connected,
    /// The broker has one more.
    Acknowledged,
}

/// Publishes what is in the log and what will be, from two tasks of the present runtime.
pub(super) fn publish(broker: Broker, hub: Arc<Hub>) -> Result<(), LogError> {
    // The first time there is a broker, it gets what is decided from now on.
    if hub.log.number(PUBLISHED)?.is_none() {
        hub.log.set_number(PUBLISHED, hub.log.last())?;
    }
    let id = format!("sudal-{:016x}", rand::random::<u64>());
    let mut options = MqttOptions::new(id, broker.host, broker.port);
    options.set_keep_alive(Duration::from_secs(10));
    if let Some((name, password)) = broker.user {
        options.set_credentials(name, password);
    }
    let (client, connection) = AsyncClient::new(options, WINDOW);
    let (tell, news) = mpsc::unbounded_channel();
    tokio::spawn(keep_connected(connection, tell, Arc::clone(&hub)));
    tokio::spawn(async move {
        if let Err(error) = feed(client, news, &broker.topic, &hub).await {
            eprintln!("nothing more is published: {error}");
        }
    });
    Ok(())
}

async fn keep_connected(mut connection: EventLoop, tell: UnboundedSender<News>, hub: Arc<Hub>) {
    let mut away = false;
    loop {
        let news = match connection.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                hub.metrics.broker.set(1);
                away = false;
                News::Connected
            }
            Ok(Event::Incoming(Packet::PubAck(_))) => News::Acknowledged,
            Ok(_) => continue,
            Err(error) => {
                hub.metrics.broker.set(0);
                if !away {
                    eprintln!("the broker is away, it gets the decisions when it is back: {error}");
                }
                away = true;
                sleep(PAUSE).await;
                continue;
            }
        };
        if tell.send(news).is_err() {
            return;
        }
    }
}

async fn feed(
    client: AsyncClient,
    mut news: UnboundedReceiver<News>,
    topic: &str,
    hub: &Hub,
) -> Result<(), LogError> {
    let mut connected = false;
    // How many the broker still has to acknowledge, and the last of them.
    let (mut open, mut last) = (0, 0);
    loop {
        if connected && open == 0 {
            let from = hub.log.number(PUBLISHED)?.unwrap_or(0) + 1;
            for (id, decision) in hub.log.after(from, WINDOW)? {
                let sent = client.try_publish(
                    topic,
                    QoS::AtLeastOnce,
                    false,
                    message(id, &iso(id), &decision),
                );
                // There is room for as many; if not, the rest follows after these.
                if sent.is_err() {
                    break;
                }
                (open, last) = (open + 1, id);
            }
        }
        tokio::select! {
            heard = news.recv() => match heard {
                Some(News::Connected) => (connected, open) = (true, 0),
                Some(News::Acknowledged) if open > 0 => {
                    hub.metrics.published.inc();
                    open -= 1;
                    if open == 0 {
                        hub.log.set_number(PUBLISHED, last)?;
                    }
                }
                Some(News::Acknowledged) => {}
                None => return Ok(()),
            },
            () = hub.logged.notified(), if connected && open == 0 => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_brokers_are_read() {
        let broker = |text: &str| text.parse::<Broker>().ok();
        let plain = Broker {
            host: "broker".to_owned(),
            port: 1883,
            topic: "hall/line-1".to_owned(),
            user: None,
        };
        assert_eq!(broker("mqtt://broker/hall/line-1"), Some(plain.clone()));
        let known = Broker {
            host: "::1".to_owned(),
            port: 99,
            user: Some(("me".to_owned(), "se:cret".to_owned())),
            ..plain
        };
        assert_eq!(
            broker("mqtt://me:se:cret@[::1]:99/hall/line-1/"),
            Some(known)
        );
        for wrong in [
            "",
            "broker",
            "mqtt://broker",
            "http://broker/a",
            "mqtt://broker/a/#",
        ] {
            assert_eq!(broker(wrong), None, "{wrong}");
        }
        let error = "mqtt://me:secret@broker".parse::<Broker>().unwrap_err();
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}
