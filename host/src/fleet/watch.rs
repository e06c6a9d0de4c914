//! A host application: hears what stations of a group say, and asks them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle, sleep};
use std::time::{Duration, Instant};

use prost::Message;
use rumqttc::{Client, Event, LastWill, Packet, QoS};

use super::broker::Broker;
use super::order;
use super::payload::{Metric, Payload, now};
use super::topic::{self, Kind, Node, Topic};
use super::view::Fleet;

const KEEP_ALIVE: Duration = Duration::from_secs(10);
/// Before a broker that is away is tried again.
const PAUSE: Duration = Duration::from_millis(500);
/// Between two times that a station is asked for its birth.
const REBIRTH: Duration = Duration::from_secs(3);
/// Messages that wait for the connection.
const QUEUE: usize = 4096;

/// Why stations can't be watched.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WatchError {
    /// The broker is not there.
    #[error("the broker does not answer{}: is its address right, and does it let us in?", .0.as_ref().map(|e| format!(" ({e})")).unwrap_or_default())]
    Away(Option<String>),
    /// The address has no group, or one with a slash.
    #[error("{0:?} is no group of stations: write mqtt://host/GROUP")]
    Group(String),
}

/// Told of each message as it comes.
pub type Heard = Box<dyn FnMut(&Topic, &Payload) + Send>;

/// A host application that is connected, until it is dropped.
pub struct Watch {
    shared: Arc<Shared>,
    group: String,
    thread: Option<JoinHandle<()>>,
}

struct Shared {
    fleet: Mutex<Fleet>,
    news: Condvar,
    client: Mutex<Option<Client>>,
    error: Mutex<Option<String>>,
    /// Topic and text by which a host says that it is gone.
    goodbye: Mutex<Option<(String, String)>>,
    connected: AtomicBool,
    over: AtomicBool,
}

impl Watch {
    /// Hears a group from now on. Of a `host` with a name stations may know that they need it.
    ///
    /// # Errors
    /// [`WatchError::Group`].
    pub fn start(broker: Broker, host: Option<String>, heard: Heard) -> Result<Self, WatchError> {
        let group = broker.topic.clone();
        if !topic::is_name(&group) {
            return Err(WatchError::Group(group));
        }
        let shared = Arc::new(Shared {
            fleet: Mutex::default(),
            news: Condvar::new(),
            client: Mutex::default(),
            error: Mutex::default(),
            goodbye: Mutex::default(),
            connected: AtomicBool::new(false),
            over: AtomicBool::new(false),
        });
        let own = Arc::clone(&shared);
        let thread = thread::spawn(move || own.run(&broker, host.as_deref(), heard));
        Ok(Self {
            shared,
            group,
            thread: Some(thread),
        })
    }

    /// The group.
    #[must_use]
    pub fn group(&self) -> &str {
        &self.group
    }

    /// Waits for the broker.
    ///
    /// # Errors
    /// [`WatchError::Away`] after `limit`.
    pub fn connected(&self, limit: Duration) -> Result<(), WatchError> {
        let there = |_: &Fleet| self.shared.connected.load(Ordering::SeqCst);
        match self.wait(limit, there) {
            true => Ok(()),
            false => Err(WatchError::Away(lock(&self.shared.error).clone())),
        }
    }

    /// Waits until what is known fulfils a condition; false after `limit`.
    pub fn wait(&self, limit: Duration, done: impl Fn(&Fleet) -> bool) -> bool {
        let until = Instant::now() + limit;
        let mut fleet = lock(&self.shared.fleet);
        loop {
            if done(&fleet) {
                return true;
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            let waited = self.shared.news.wait_timeout(fleet, left);
            fleet = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// What is known now.
    #[must_use]
    pub fn fleet(&self) -> Fleet {
        lock(&self.shared.fleet).clone()
    }

    /// Sends a board a signed order. Whether the connection took it.
    #[must_use]
    pub fn order(&self, node: &Node, board: &str, signed: Vec<u8>) -> bool {
        let payload = Payload::of(vec![Metric::bytes("Order/Signed", Some(signed))]);
        let topic = node.topic(Kind::DeviceCommand, Some(board));
        let client = lock(&self.shared.client).clone();
        let sent = |client: Client| {
            client.try_publish(topic, QoS::AtLeastOnce, false, payload.encode_to_vec())
        };
        client.is_some_and(|client| sent(client).is_ok())
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.shared.over.store(true, Ordering::SeqCst);
        if let Some(client) = lock(&self.shared.client).take() {
            // It may be gone already.
            if let Some((topic, text)) = lock(&self.shared.goodbye).take() {
                let _ = client.publish(topic, QoS::AtLeastOnce, true, text);
            }
            let _ = client.disconnect();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Shared {
    fn run(&self, broker: &Broker, host: Option<&str>, mut heard: Heard) {
        while !self.over.load(Ordering::SeqCst) {
            if let Err(error) = self.connection(broker, host, &mut heard) {
                *lock(&self.error) = Some(error);
            }
            self.connected.store(false, Ordering::SeqCst);
            // What becomes of them meanwhile nobody hears.
            lock(&self.fleet).forget();
            if !self.over.load(Ordering::SeqCst) {
                sleep(PAUSE);
            }
        }
    }

    /// One connection, until it ends.
    fn connection(
        &self,
        broker: &Broker,
        host: Option<&str>,
        heard: &mut Heard,
    ) -> Result<(), String> {
        let id = format!("sudal-fleet-{:08x}", rand::random::<u32>());
        let (mut options, line) = broker.line(id).map_err(|e| e.to_string())?;
        options.set_keep_alive(KEEP_ALIVE);
        options.set_max_packet_size(order::LONGEST, order::LONGEST);
        let since = now();
        let state = |online: bool| format!("{{\"online\":{online},\"timestamp\":{since}}}");
        if let Some(host) = host {
            let will = LastWill::new(topic::state(host), state(false), QoS::AtLeastOnce, true);
            options.set_last_will(will);
            *lock(&self.goodbye) = Some((topic::state(host), state(false)));
        }
        let (client, mut connection) = Client::new(options, QUEUE);
        *lock(&self.client) = Some(client.clone());
        let mut asked: BTreeMap<Node, Instant> = BTreeMap::new();
        let said = |e: rumqttc::ClientError| e.to_string();
        for event in connection.iter() {
            match event.map_err(|e| line.told(&e))? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    let all = topic::all(&broker.topic);
                    client.try_subscribe(all, QoS::AtLeastOnce).map_err(said)?;
                }
                // It is said to be there once it hears.
                Event::Incoming(Packet::SubAck(_)) => {
                    if let Some(host) = host {
                        let topic = topic::state(host);
                        let told = client.try_publish(topic, QoS::AtLeastOnce, true, state(true));
                        told.map_err(said)?;
                    }
                    self.connected.store(true, Ordering::SeqCst);
                    self.news.notify_all();
                }
                Event::Incoming(Packet::Publish(message)) => {
                    let topic = Topic::parse(&message.topic);
                    let payload = Payload::decode(&*message.payload);
                    let (Some(topic), Ok(payload)) = (topic, payload) else {
                        continue;
                    };
                    heard(&topic, &payload);
                    let ask = lock(&self.fleet).hear(&topic, &payload, now());
                    self.news.notify_all();
                    let last = asked.get(&topic.node);
                    if ask && last.is_none_or(|last| last.elapsed() > REBIRTH) {
                        let rebirth = vec![Metric::boolean("Node Control/Rebirth", true)];
                        let bytes = Payload::of(rebirth).encode_to_vec();
                        let to = topic.node.topic(Kind::NodeCommand, None);
                        client
                            .try_publish(to, QoS::AtMostOnce, false, bytes)
                            .map_err(said)?;
                        asked.insert(topic.node, Instant::now());
                    }
                }
                _ => {}
            }
        }
        Ok(())
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
