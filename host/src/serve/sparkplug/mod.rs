//! The station as an edge node of Sparkplug B 3.0, its boards as devices.
//!
//! The log is the queue, as it is for plain MQTT: what the broker does not have waits there, bounded as
//! the log is, and follows oldest first, marked as historical. Sparkplug's data has quality of service 0,
//! which nobody acknowledges. So after each batch the station subscribes to its commands once more: the
//! broker answers in order, and its answer says that it has all before. What was sent in the last twenty
//! seconds before a connection ended is sent again, as those who listen may not have had it;
//! each decision has its number, by which one that came twice is told.

mod device;
mod edge;
mod options;
mod orders;

use std::io;
use std::sync::Arc;
use std::time::Duration;

use prost::Message;
use rumqttc::{AsyncClient, Event, EventLoop, LastWill, Packet, QoS};
use tokio::sync::mpsc::{self, UnboundedSender};
use tokio::time::sleep;

use self::edge::{Edge, News};
use self::options::SENT;
use self::orders::Orders;
use super::LogError;
use super::hub::Hub;
use super::tasks::supervise;
use crate::fleet::broker::Line;
use crate::fleet::order;
use crate::fleet::payload::{Metric, Payload};
use crate::fleet::topic::Kind;

pub use self::options::Sparkplug;

/// Before a broker that is away is tried again, at least and at most: a hall full of stations does not
/// come at once.
const PAUSE: (Duration, Duration) = (Duration::from_millis(500), Duration::from_millis(2500));
const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Messages that wait for the connection.
const QUEUE: usize = 512;
/// Number in the log: that of the last birth.
const BIRTH: &str = "sparkplug birth";

/// Is an edge node from a task of the present runtime on.
pub(super) fn publish(options: Sparkplug, hub: Arc<Hub>) -> Result<(), LogError> {
    // The first time there is a broker, it gets what is decided from now on.
    if hub.log.number(SENT)?.is_none() {
        hub.log.set_numbers(&[(SENT, hub.log.last())])?;
    }
    let orders = Arc::new(Orders::new(hub.devices()));
    supervise("the edge node of Sparkplug", move || {
        run(options.clone(), Arc::clone(&hub), Arc::clone(&orders))
    });
    Ok(())
}

async fn run(options: Sparkplug, hub: Arc<Hub>, orders: Arc<Orders>) {
    hub.metrics.broker.set(0);
    let mut away = false;
    loop {
        let Some(birth) = next_birth(&hub) else {
            sleep(PAUSE.1).await;
            continue;
        };
        let (client, connection, line) = match connect(&options, birth) {
            Ok(all) => all,
            Err(error) => {
                eprintln!("Sparkplug's broker can't be reached: {error}");
                sleep(PAUSE.1).await;
                continue;
            }
        };
        let (tell, news) = mpsc::unbounded_channel();
        let edge = Edge::new(&options, &hub, &orders, client, birth);
        let error = tokio::select! {
            error = listen(connection, &line, tell) => error,
            error = edge.run(news, &mut away) => error,
        };
        hub.metrics.broker.set(0);
        if !away {
            eprintln!(
                "Sparkplug's broker or host is away, it gets the decisions when it is back: {error}"
            );
        }
        away = true;
        sleep(PAUSE.0 + (PAUSE.1 - PAUSE.0).mul_f64(rand::random())).await;
    }
}

/// The number of the next birth; it is kept, as the will of a connection that is gone may still come.
fn next_birth(hub: &Hub) -> Option<u8> {
    let last = hub.log.number(BIRTH).ok()?;
    let next = last.map_or(0, |last| (last as u8).wrapping_add(1));
    hub.log.set_numbers(&[(BIRTH, next.into())]).ok()?;
    Some(next)
}

fn connect(options: &Sparkplug, birth: u8) -> io::Result<(AsyncClient, EventLoop, Line)> {
    let Sparkplug { broker, node, .. } = options;
    let id = format!("sudal-{:016x}", rand::random::<u64>());
    let (mut mqtt, line) = broker.line(id)?;
    mqtt.set_keep_alive(KEEP_ALIVE);
    mqtt.set_max_packet_size(order::LONGEST, order::LONGEST);
    let death = Payload {
        seq: None,
        ..Payload::of(vec![Metric::birth(birth)])
    };
    let topic = node.topic(Kind::NodeDeath, None);
    mqtt.set_last_will(LastWill::new(
        topic,
        death.encode_to_vec(),
        QoS::AtLeastOnce,
        false,
    ));
    let (client, connection) = AsyncClient::new(mqtt, QUEUE);
    Ok((client, connection, line))
}

/// Tells what the connection brings, until it ends.
async fn listen(mut connection: EventLoop, line: &Line, tell: UnboundedSender<News>) -> String {
    loop {
        let news = match connection.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => News::Connected,
            Ok(Event::Incoming(Packet::SubAck(_))) => News::Subscribed,
            Ok(Event::Incoming(Packet::Publish(told))) => {
                News::Told(told.topic, told.payload.into())
            }
            Ok(_) => continue,
            Err(error) => return line.told(&error),
        };
        if tell.send(news).is_err() {
            return "this program is ending".to_owned();
        }
    }
}
