//! Why the page can't be served.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use super::{LogError, TlsError, UserError};
use crate::fleet::BrokerError;

/// Why the page can't be served.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// There is nothing to watch.
    #[error("there is no device to watch: name at least one")]
    NoDevice,
    /// Two devices have one name.
    #[error("two devices are called {0:?}: give each a name of its own")]
    TwoOfAName(String),
    /// Two devices are one board.
    #[error(
        "{first:?} and {second:?} are one board, that in {}: give each a folder (dir=) or a port (port=) of its own", place.display()
    )]
    OneBoardTwice {
        /// Name of a device.
        first: String,
        /// Name of the other.
        second: String,
        /// The board's folder or port.
        place: PathBuf,
    },
    /// Browsers can't connect there.
    #[error("{address} can't be listened on{}", advice(source))]
    Listen {
        /// The address asked for.
        address: SocketAddr,
        /// Why.
        source: io::Error,
    },
    /// The log can't be used.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The users can't be read.
    #[error(transparent)]
    Users(#[from] UserError),
    /// There is no certificate.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The address of the broker can't be read.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// An edge node has a group and a name.
    #[error(
        "{0:?} names no edge node of Sparkplug: write mqtt://host/GROUP/STATION, and a host application by its name alone; none has /, + or #, or is called STATE"
    )]
    Node(String),
    /// A token has to be hard to guess and fit a header.
    #[error("a token has to have 16 to 128 letters and digits")]
    Token,
    /// Decisions that waited in memory could not be written at the end, either.
    #[error("{lost} decisions are lost, as the log could not be written")]
    Unwritten {
        /// How many.
        lost: usize,
        /// Why.
        source: LogError,
    },
    /// The log's disk does not answer.
    #[error(
        "the log could not be closed: its disk does not answer. It is whole up to what it took last"
    )]
    Unclosed,
    /// The system refused a thread, a socket or the like.
    #[error("the server failed")]
    Runtime(#[source] io::Error),
}

fn advice(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrInUse => {
            ": another program has this port, perhaps another `sudal serve`; end it or take another port with --listen"
        }
        io::ErrorKind::PermissionDenied => {
            ": ports below 1024 are the system's; take another one with --listen"
        }
        io::ErrorKind::AddrNotAvailable => {
            ": this computer does not have that address; see `ip address`"
        }
        _ => "",
    }
}
