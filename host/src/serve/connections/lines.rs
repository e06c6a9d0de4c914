//! The connections that there are, and which of them ends where there is no room for one more.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::{AbortHandle, Id};

use super::traffic::{Traffic, lock};

/// How long there may be no byte either way. Events come every 15 s at least.
const SILENCE: Duration = Duration::from_secs(45);

/// The connections that there are.
pub(super) struct Lines {
    most: usize,
    open: HashMap<Id, Line>,
}

pub(super) struct Line {
    from: IpAddr,
    traffic: Arc<Mutex<Traffic>>,
    task: AbortHandle,
}

impl Lines {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            open: HashMap::new(),
        }
    }

    /// Ends a connection where there is no room for one more: of the same computer where it has half
    /// of them.
    pub(super) fn make_room(&mut self, peer: SocketAddr) {
        let from = computer(peer);
        if self.open.values().filter(|line| line.from == from).count() >= self.most.div_ceil(2) {
            self.drop_idlest(|line| line.from == from);
        } else if self.open.len() >= self.most {
            self.drop_idlest(|_| true);
        }
    }

    pub(super) fn add(
        &mut self,
        peer: SocketAddr,
        traffic: Arc<Mutex<Traffic>>,
        task: AbortHandle,
    ) {
        let line = Line {
            from: computer(peer),
            traffic,
            task,
        };
        self.open.insert(line.task.id(), line);
    }

    pub(super) fn forget(&mut self, id: Id) {
        self.open.remove(&id);
    }

    /// Ends one that never asked for anything, else the one without traffic for the longest time.
    pub(super) fn drop_idlest(&mut self, which: impl Fn(&Line) -> bool) {
        let lines = self.open.iter().filter(|(_, line)| which(line));
        let idlest = lines.min_by_key(|(_, line)| {
            let traffic = *lock(&line.traffic);
            (traffic.answered, traffic.last)
        });
        if let Some(id) = idlest.map(|(id, _)| *id)
            && let Some(line) = self.open.remove(&id)
        {
            line.task.abort();
        }
    }

    pub(super) fn drop_silent(&mut self) {
        self.open.retain(|_, line| {
            let silent = lock(&line.traffic).last.elapsed() > SILENCE;
            if silent {
                line.task.abort();
            }
            !silent
        });
    }
}

/// Whose connection it is. Who has one IPv6 address has all of its network's.
pub(super) fn computer(peer: SocketAddr) -> IpAddr {
    match peer.ip().to_canonical() {
        IpAddr::V6(address) => {
            let network = address.to_bits() >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::JoinSet;
    use tokio::time::Instant;

    use super::*;

    #[tokio::test]
    async fn whoever_only_holds_connections_open_is_the_first_to_lose_one() {
        let mut tasks = JoinSet::new();
        let mut lines = Lines::new(6);
        let begin = Instant::now();
        let mut add = |lines: &mut Lines, address: &str, answered, seconds| {
            let peer = address.parse().unwrap();
            lines.make_room(peer);
            let last = begin + Duration::from_secs(seconds);
            let traffic = Arc::new(Mutex::new(Traffic { answered, last }));
            let task = tasks.spawn(pending::<()>());
            let id = task.id();
            lines.add(peer, traffic, task);
            id
        };
        let viewer = add(&mut lines, "10.0.0.7:1", true, 1);
        let other = add(&mut lines, "10.0.0.8:1", true, 2);
        // One computer has half of them at most, whatever else there is.
        for second in 3..40 {
            add(&mut lines, "10.0.0.9:1", false, second);
        }
        assert_eq!(lines.open.len(), 5);
        assert!(lines.open.contains_key(&viewer) && lines.open.contains_key(&other));
        // Many: those go first that asked for nothing, then those without traffic.
        for second in 40..50 {
            let address = format!("10.0.1.{second}:1");
            add(&mut lines, &address, false, second);
        }
        assert_eq!(lines.open.len(), 6);
        assert!(lines.open.contains_key(&viewer) && lines.open.contains_key(&other));
        for second in 50..55 {
            let address = format!("10.0.2.{second}:1");
            add(&mut lines, &address, true, second);
        }
        assert!(!lines.open.contains_key(&viewer) && lines.open.contains_key(&other));
        // Addresses of one network are one computer's.
        for last in 1..9 {
            add(
                &mut lines,
                &format!("[2001:db8::{last}]:1"),
                true,
                60 + last,
            );
        }
        let v6 = lines.open.values().filter(|line| line.from.is_ipv6());
        assert_eq!(v6.count(), 3);
    }
}
