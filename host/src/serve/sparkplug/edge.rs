//! One connection of an edge node: births, data, commands.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use rumqttc::{AsyncClient, QoS};
use tokio::sync::mpsc::UnboundedReceiver;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, sleep_until, timeout};

use super::super::hub::Hub;
use super::super::{Decision, Log, LogError};
use super::device::{self, Told};
use super::options::{SENT, Sparkplug};
use super::orders::Orders;
use crate::fleet::payload::Metric;
use crate::fleet::topic::{self, Kind};

mod births;
mod hear;

/// Decisions that are under way at once.
const WINDOW: usize = 64;
/// How long a broker may leave something unanswered.
const LIMIT: Duration = Duration::from_secs(15);
/// What was sent in so long before a connection ended is sent again. A host application that is gone is
/// told of after one and a half times its keep-alive time.
pub(super) const MARGIN: Duration = Duration::from_secs(20);
/// How often a board is looked at, and the station says that it is there.
const LOOK: Duration = Duration::from_secs(1);
const SIGN: Duration = Duration::from_secs(5);
/// Between two births that are asked for.
const REBIRTH: Duration = Duration::from_secs(1);

/// What the connection brings.
pub(super) enum News {
    Connected,
    Subscribed,
    Told(String, Vec<u8>),
}

/// An edge node on one connection.
pub(super) struct Edge<'a> {
    options: &'a Sparkplug,
    hub: &'a Arc<Hub>,
    orders: &'a Arc<Orders>,
    client: AsyncClient,
    birth: u8,
    seq: u8,
    devices: Vec<Told>,
    last: Vec<Vec<Metric>>,
    started: Instant,
    born: Option<Instant>,
    /// The last decision that was there when it was born: what is not newer is historical.
    historical: u64,
    /// Decisions up to which the broker had all, and since when.
    fences: VecDeque<(Instant, u64)>,
    /// The decision up to which all was sent; since when the answer is to come, for which and how many.
    sent: u64,
    open: Option<(Instant, u64, u64)>,
    lost: u64,
    /// When the state of the host application was told, by its clock.
    host: Option<u64>,
}

impl<'a> Edge<'a> {
    pub(super) fn new(
        options: &'a Sparkplug,
        hub: &'a Arc<Hub>,
        orders: &'a Arc<Orders>,
        client: AsyncClient,
        birth: u8,
    ) -> Self {
        let devices = hub.devices();
        Self {
            options,
            hub,
            orders,
            client,
            birth,
            seq: 0,
            devices: (0..devices).map(|_| Told::default()).collect(),
            last: vec![device::undecided(); devices],
            started: Instant::now(),
            born: None,
            historical: 0,
            fences: VecDeque::new(),
            sent: 0,
            open: None,
            lost: 0,
            host: None,
        }
    }

    /// Until the connection is of no use any more: why.
    pub(super) async fn run(
        mut self,
        mut news: UnboundedReceiver<News>,
        away: &mut bool,
    ) -> String {
        match self.live(&mut news, away).await {
            Ok(never) => match never {},
            Err(why) => why,
        }
    }

    async fn live(
        &mut self,
        news: &mut UnboundedReceiver<News>,
        away: &mut bool,
    ) -> Result<std::convert::Infallible, String> {
        // Nothing is said before it is heard what is asked.
        let mut left = self.begin(news).await?;
        let sent = self.with_log(|log| log.number(SENT)).await?;
        self.sent = sent.unwrap_or(0);
        let (mut look, mut sign) = (interval(LOOK), interval(SIGN));
        loop {
            if left == 0 && self.born.is_none() && self.options.primary.is_none() {
                self.bear().await?;
            }
            if self.born.is_some() {
                if std::mem::take(away) {
                    eprintln!("Sparkplug's broker is there");
                }
                self.hub.metrics.broker.set(1);
                if self.open.is_none() {
                    self.feed().await?;
                }
            }
            let due = self
                .open
                .map_or_else(Instant::now, |(since, ..)| since + LIMIT);
            let idle = self.born.is_some() && self.open.is_none();
            tokio::select! {
                heard = news.recv() => match heard.ok_or("this program is ending")? {
                    News::Connected => {}
                    News::Subscribed if left > 0 => left -= 1,
                    News::Subscribed => self.answered().await?,
                    News::Told(topic, payload) => self.hear(&topic, &payload).await?,
                },
                _ = look.tick() => self.look().await?,
                _ = sign.tick() => self.sign().await?,
                () = self.hub.decided.notified(), if idle => {}
                () = sleep_until(due), if self.open.is_some() => {
                    return Err(format!("the broker answered nothing for {} s", LIMIT.as_secs()));
                }
            }
        }
    }

    /// Waits for the connection, and asks for what it has to hear; how many answers are to come.
    async fn begin(&self, news: &mut UnboundedReceiver<News>) -> Result<usize, String> {
        match timeout(LIMIT, news.recv()).await {
            Ok(Some(_)) => {}
            _ => return Err("the broker does not answer".to_owned()),
        }
        let node = &self.options.node;
        let mut topics = vec![
            node.topic(Kind::NodeCommand, None),
            node.topic(Kind::DeviceCommand, Some("+")),
        ];
        topics.extend(self.options.primary.as_deref().map(topic::state));
        let count = topics.len();
        for topic in topics {
            let asked = self.client.subscribe(topic, QoS::AtLeastOnce).await;
            asked.map_err(|e| e.to_string())?;
        }
        Ok(count)
    }

    /// Sends decisions, and asks for the broker's answer that it has them.
    async fn feed(&mut self) -> Result<(), String> {
        let from = self.sent + 1;
        let decisions = self.with_log(move |log| log.after(from, WINDOW)).await?;
        let Some((last, _)) = decisions.last() else {
            return Ok(());
        };
        let last = *last;
        // Those that the log did not keep so long.
        let count = decisions.len() as u64;
        let lost = last + 1 - from - count;
        self.lost += lost;
        for (id, decision) in decisions {
            self.tell(id, &decision).await?;
        }
        self.sent = last;
        let topic = self.options.node.topic(Kind::NodeCommand, None);
        let asked = self.client.subscribe(topic, QoS::AtLeastOnce).await;
        asked.map_err(|e| e.to_string())?;
        self.open = Some((Instant::now(), last, count));
        Ok(())
    }

    async fn tell(&mut self, id: u64, decision: &Decision) -> Result<(), String> {
        let mut devices = 0..self.devices.len();
        let Some(device) = devices.find(|d| self.hub.seen(*d).name == decision.device) else {
            // Of a board that is not served any more.
            return Ok(());
        };
        if !self.devices[device].born {
            self.bear_device(device).await?;
        }
        let metrics = device::decision(id, decision, id <= self.historical);
        self.last[device].clone_from(&metrics);
        self.send(Kind::DeviceData, Some(device), metrics).await
    }

    /// The broker has all that was sent.
    async fn answered(&mut self) -> Result<(), String> {
        let Some((_, last, count)) = self.open.take() else {
            return Ok(());
        };
        self.hub.metrics.published.inc_by(count);
        self.fences.push_back((Instant::now(), last));
        let mut safe = None;
        while self
            .fences
            .front()
            .is_some_and(|(at, _)| at.elapsed() > MARGIN)
        {
            safe = self.fences.pop_front();
        }
        match safe {
            Some((_, safe)) => {
                self.with_log(move |log| log.set_numbers(&[(SENT, safe)]))
                    .await
            }
            None => Ok(()),
        }
    }

    /// Does something with the log, which may take its time.
    async fn with_log<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Log) -> Result<T, LogError> + Send + 'static,
    ) -> Result<T, String> {
        let hub = Arc::clone(self.hub);
        let done = spawn_blocking(move || work(&hub.log)).await;
        done.map_err(|e| e.to_string())?.map_err(|e| e.to_string())
    }
}
