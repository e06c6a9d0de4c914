//! The operator's page: what the cameras see, what the devices make of it, and teaching them, in a
//! browser.
//!
//! [`serve`] is one web server with a worker thread a device. A worker owns its device's
//! [`Client`](crate::device::Client): it shows the device frames, asks what they are and carries out
//! what the page wants. Each decision is in the [log](Log) before anybody is told of it.

mod access;
mod address;
mod assets;
mod audit;
mod brought;
mod clock;
mod command;
mod connections;
mod csv;
mod decision;
#[cfg(test)]
mod documentation;
mod error;
mod frame_source;
mod guard;
mod heartbeat;
mod hub;
mod log;
mod message;
mod metrics;
mod modbus;
mod mqtt;
mod options;
mod panics;
mod parts;
mod picture;
mod playback;
mod rights;
mod routes;
mod shift;
mod sparkplug;
mod state;
mod tally;
mod tasks;
mod tls;
mod undo_stack;
mod unread;
mod watch_error;
mod webcam;
mod what_if;
mod worker;

use std::future::Future;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, interval, sleep, timeout};

pub use crate::fleet::Broker;
pub use access::{Token, User, UserError, UserFile};
pub use address::{Address, own_address, qr_of_letters};
pub use clock::{Clock, Moment};
pub use decision::{Belongs, Call, Decision, Measure, Vote};
pub use error::ServeError;
pub use frame_source::FrameSource;
pub use log::{Keep, Log, LogError};
pub use options::DeviceOptions;
pub use playback::Playback;
pub use rights::Right;
pub use sparkplug::Sparkplug;
pub use tls::{Tls, TlsError};
pub use webcam::{Webcam, WebcamError};

use access::Access;
use hub::Hub;
use tasks::supervise;
use watch_error::WatchError;
use worker::Worker;

/// How long open connections may take to end after the server was told to stop; then the workers.
const GOODBYE: Duration = Duration::from_secs(3);
/// How long the log may take after that, as a busy disk does.
const CLOSING: Duration = Duration::from_secs(20);
/// How often the workers are looked after, and a log that failed.
const LOOK: Duration = Duration::from_millis(500);
/// Threads that read the log for pages and the broker.
const READERS: usize = 8;

/// What to serve.
#[derive(Debug)]
pub struct Options {
    /// Where browsers connect; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names under which browsers may ask for the page, beside `localhost` and addresses.
    pub host_names: Vec<String>,
    /// What whoever changes something has to know.
    pub token: Token,
    /// File of the users who sign in; without one anybody may watch.
    pub users: Option<PathBuf>,
    /// With which certificate browsers are answered by TLS, and only so.
    pub tls: Option<Tls>,
    /// File of the log, made if there is none.
    pub log: PathBuf,
    /// How much of it is kept.
    pub keep: Keep,
    /// Whether a damaged log is kept under another name and a new one begun; else it is an error.
    pub replace_damaged_log: bool,
    /// Tells the times of decisions.
    pub clock: Clock,
    /// Where decisions are published, too.
    pub mqtt: Option<Broker>,
    /// Where the station is an edge node of Sparkplug B.
    pub sparkplug: Option<Sparkplug>,
    /// Where a PLC may ask for the verdicts by Modbus TCP.
    pub modbus: Option<SocketAddr>,
    /// The devices, each with a name of its own; at least one.
    pub devices: Vec<DeviceOptions>,
}

/// Serves the page until `stop` is done, and then for nine seconds at most: what is blocked for good
/// is left behind. `ready` is told the address once browsers can connect.
///
/// # Errors
/// That there is nothing to serve, the address can't be had, or the log can't be opened.
pub fn serve(
    options: Options,
    ready: impl FnOnce(&Address),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    if options.devices.is_empty() {
        return Err(ServeError::NoDevice);
    }
    for (place, device) in options.devices.iter().enumerate() {
        let before = &options.devices[..place];
        if before.iter().any(|other| other.name == device.name) {
            return Err(ServeError::TwoOfAName(device.name.clone()));
        }
        if let Some(other) = before.iter().find(|other| other.place() == device.place()) {
            return Err(ServeError::OneBoardTwice {
                first: other.name.clone(),
                second: device.name.clone(),
                place: device.place(),
            });
        }
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .max_blocking_threads(READERS)
        .build()
        .map_err(ServeError::Runtime)?;
    let served = runtime.block_on(run(options, ready, stop));
    // Dropped it would wait for threads that may be blocked for good.
    runtime.shutdown_background();
    served
}

async fn run(
    options: Options,
    ready: impl FnOnce(&Address),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServeError> {
    let listener =
        TcpListener::bind(options.listen)
            .await
            .map_err(|source| ServeError::Listen {
                address: options.listen,
                source,
            })?;
    let address = Address {
        listens: listener.local_addr().map_err(ServeError::Runtime)?,
        is_secure: options.tls.is_some(),
    };
    let users = options.users.as_deref();
    let access = Access::new(
        options.token,
        users,
        address.listens.port(),
        address.is_secure,
    )?;
    let replace = options.replace_damaged_log;
    let log = Log::open_with(&options.log, options.keep, options.clock, replace)?;
    let (hub, commands) = Hub::new(log, &options.devices)?;
    let hub = Arc::new(hub);
    let mut workers = Vec::new();
    for ((place, device), commands) in options.devices.into_iter().enumerate().zip(commands) {
        let worker = Worker::new(Arc::clone(&hub), place, device);
        let spawned = thread::Builder::new()
            .name(format!("device {place}"))
            .spawn(move || worker.run(&commands))
            .map_err(ServeError::Runtime)?;
        workers.push(spawned);
    }
    if let Some(address) = options.modbus {
        modbus::serve(address, Arc::clone(&hub)).await?;
    }
    if let Some(broker) = options.mqtt {
        mqtt::publish(broker, Arc::clone(&hub))?;
    }
    if let Some(options) = options.sparkplug {
        sparkplug::publish(options, Arc::clone(&hub))?;
    }
    let judged = Arc::clone(&hub);
    supervise("looking after the devices", move || {
        judge(Arc::clone(&judged))
    });
    let mended = Arc::clone(&hub);
    supervise("looking after the log", move || mend(Arc::clone(&mended)));
    let app = routes::router(
        Arc::clone(&hub),
        Arc::new(access),
        address.clone(),
        options.host_names,
    );
    ready(&address);

    let tls = options.tls.map(|tls| tls.acceptor());
    let (stopping, stopped) = watch::channel(false);
    let ending = async {
        stop.await;
        // Whoever watches is told that this is the end, else the connections would stay.
        hub.close();
        stopping.send_replace(true);
    };
    tokio::join!(
        connections::serve(listener, app, tls, stopped, GOODBYE),
        ending
    );
    let end = Instant::now() + GOODBYE;
    while workers.iter().any(|worker| !worker.is_finished()) && Instant::now() < end {
        sleep(Duration::from_millis(20)).await;
    }
    let closing = spawn_blocking(move || (hub.log.close(), hub.log.waiting().0));
    match timeout(CLOSING, closing).await {
        Ok(Ok((Ok(()), _))) => Ok(()),
        Ok(Ok((Err(source), lost))) => Err(ServeError::Unwritten { lost, source }),
        _ => Err(ServeError::Unclosed),
    }
}

/// Looks after the workers.
async fn judge(hub: Arc<Hub>) {
    let mut look = interval(LOOK);
    loop {
        look.tick().await;
        hub.judge();
    }
}

/// Looks after a log that failed. It may block, as nothing else here does.
async fn mend(hub: Arc<Hub>) {
    loop {
        sleep(LOOK).await;
        let hub = Arc::clone(&hub);
        let _ = spawn_blocking(move || hub.mend_log()).await;
    }
}
