//! Decisions for a broker (MQTT 3.1.1). The log is the queue: what the broker has acknowledged is
//! remembered there, and after a pause, of the broker or of this program, the rest follows. Each
//! decision gets there at least once.

use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, Packet, QoS};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};
use tokio::task::spawn_blocking;
use tokio::time::{Instant, sleep, sleep_until};

use super::hub::Hub;
use super::message::message;
use super::tasks::supervise;
use super::watch_error::WatchError;
use super::{Log, LogError};
use crate::fleet::Broker;
use crate::fleet::broker::Line;

/// Decisions that are under way at once.
const WINDOW: usize = 32;
/// Before a broker that is away, or a log that fails, is tried again.
const PAUSE: Duration = Duration::from_secs(1);
/// How long a broker may acknowledge nothing of what it was sent.
const LIMIT: Duration = Duration::from_secs(15);
/// Name of the number in the log: the last decision that the broker has.
const PUBLISHED: &str = "published";

/// What the connection tells.
enum News {
    /// It is new; what was under way before is forgotten.
    Connected,
    /// It is gone.
    Lost,
    /// The broker has one more.
    Acknowledged,
}

/// Publishes what is in the log and what will be, from a task of the present runtime.
pub(super) fn publish(broker: Broker, hub: Arc<Hub>) -> Result<(), LogError> {
    // The first time there is a broker, it gets what is decided from now on.
    if hub.log.number(PUBLISHED)?.is_none() {
        hub.log.set_numbers(&[(PUBLISHED, hub.log.last())])?;
    }
    supervise("publishing", move || run(broker.clone(), Arc::clone(&hub)));
    Ok(())
}

async fn run(broker: Broker, hub: Arc<Hub>) {
    hub.metrics.broker.set(0);
    let id = format!("sudal-{:016x}", rand::random::<u64>());
    let (mut options, line) = match broker.line(id) {
        Ok(both) => both,
        Err(error) => {
            // It is tried again, as all that is supervised.
            eprintln!("the broker can't be reached: {error}");
            sleep(LIMIT).await;
            return;
        }
    };
    options.set_keep_alive(Duration::from_secs(10));
    let (client, connection) = AsyncClient::new(options, WINDOW);
    let (tell, news) = mpsc::unbounded_channel();
    let stale = Notify::new();
    tokio::select! {
        () = keep_connected((connection, &line), tell, &stale, &hub) => {}
        () = feed(client, news, &stale, &broker.topic, &hub) => {}
    }
}

/// Connects again and again, also when `stale` says that the broker does not do what it has to.
async fn keep_connected(
    (mut connection, line): (EventLoop, &Line),
    tell: UnboundedSender<News>,
    stale: &Notify,
    hub: &Hub,
) {
    let mut away = false;
    loop {
        let event = tokio::select! {
            event = connection.poll() => event.map_err(|error| line.told(&error)),
            () = stale.notified() => {
                connection.clean();
                Err(format!("nothing was acknowledged for {} s", LIMIT.as_secs()))
            }
        };
        let news = match event {
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
                News::Lost
            }
        };
        if tell.send(news).is_err() {
            return;
        }
        if away {
            sleep(PAUSE).await;
        }
    }
}

async fn feed(
    client: AsyncClient,
    mut news: UnboundedReceiver<News>,
    stale: &Notify,
    topic: &str,
    hub: &Arc<Hub>,
) {
    let mut connected = false;
    // The last that the broker has; none before the log told.
    let mut published = None;
    // How many it still has to acknowledge, the last of them, and by when the next.
    let (mut open, mut last, mut due) = (0, 0, Instant::now());
    let mut failing = false;
    loop {
        let mut failed = None;
        if connected && open == 0 {
            let read = move |log: &Log| {
                let published = match published {
                    Some(published) => published,
                    None => log.number(PUBLISHED)?.unwrap_or(0),
                };
                Ok((published, log.after(published + 1, WINDOW)?))
            };
            match with_log(hub, read).await {
                Ok((so_far, decisions)) => {
                    published = Some(so_far);
                    for (id, decision) in decisions {
                        let message = message(id, &decision);
                        let sent = client.try_publish(topic, QoS::AtLeastOnce, false, message);
                        // There is room for as many; if not, the rest follows after these.
                        if sent.is_err() {
                            break;
                        }
                        (open, last) = (open + 1, id);
                    }
                    due = Instant::now() + LIMIT;
                }
                Err(error) => failed = Some(error),
            }
        }
        tokio::select! {
            heard = news.recv() => match heard {
                Some(News::Connected) => (connected, open) = (true, 0),
                Some(News::Lost) => (connected, open) = (false, 0),
                Some(News::Acknowledged) if open > 0 => {
                    hub.metrics.published.inc();
                    open -= 1;
                    due = Instant::now() + LIMIT;
                    if open == 0 {
                        published = Some(last);
                        let keep = move |log: &Log| log.set_numbers(&[(PUBLISHED, last)]);
                        // Until it can be kept, it is known here.
                        failed = with_log(hub, keep).await.err();
                    }
                }
                Some(News::Acknowledged) => {}
                None => return,
            },
            () = hub.logged.notified(), if connected && open == 0 && failed.is_none() => {}
            () = sleep(PAUSE), if failed.is_some() => {}
            () = sleep_until(due), if open > 0 => {
                (connected, open) = (false, 0);
                stale.notify_one();
            }
        }
        if let (false, Some(error)) = (failing, &failed) {
            let told = error.body().text;
            eprintln!("publishing continues when the log can be used again: {told}");
        }
        failing = failed.is_some();
    }
}

/// Does something with the log, which may take its time.
async fn with_log<T: Send + 'static>(
    hub: &Arc<Hub>,
    work: impl FnOnce(&Log) -> Result<T, LogError> + Send + 'static,
) -> Result<T, WatchError> {
    let hub = Arc::clone(hub);
    match spawn_blocking(move || work(&hub.log)).await {
        Ok(done) => Ok(done?),
        Err(_) => Err(WatchError::Ending),
    }
}
