//! Orders that came for boards, and what came of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::WatchError;
use super::super::command::{Command, Install};
use super::super::hub::Hub;
use crate::device::{Backup, PublicKey};
use crate::fleet::order::{Order, OrderState, Progress};
use crate::fleet::topic::{self, Node};

/// What came of the last order for each board.
#[derive(Debug)]
pub(super) struct Orders(Vec<Mutex<OrderState>>);

impl Orders {
    pub(super) fn new(devices: usize) -> Self {
        Self((0..devices).map(|_| Mutex::default()).collect())
    }

    pub(super) fn state(&self, device: usize) -> OrderState {
        self.0
            .get(device)
            .map(|state| lock(state).clone())
            .unwrap_or_default()
    }

    fn set(&self, device: usize, rollout: &str, state: Progress, text: String) {
        if let Some(order) = self.0.get(device) {
            *lock(order) = OrderState {
                rollout: rollout.to_owned(),
                state,
                text,
            };
        }
    }

    /// Carries an order out, if the station takes any and this one is sound.
    pub(super) fn receive(
        self: &Arc<Self>,
        hub: &Arc<Hub>,
        trusted: Option<&PublicKey>,
        node: &Node,
        device: usize,
        bytes: &[u8],
    ) {
        let opened = self.open(hub, trusted, node, device, bytes);
        let (order, install) = match opened {
            Ok(both) => both,
            Err(why) => {
                // A roll-out that is under way is told of until its end.
                if lock(&self.0[device]).state != Progress::Running {
                    let rollout = Order::rollout_of(bytes);
                    self.set(device, &rollout, Progress::Refused, why.clone());
                }
                eprintln!("{}: an order was refused: {why}", hub.seen(device).name);
                return;
            }
        };
        let rollout = order.name();
        self.set(device, &rollout, Progress::Running, String::new());
        let asked = hub.ask(device, Command::Install(Box::new(install)));
        let orders = Arc::clone(self);
        tokio::spawn(async move {
            let answer = match asked {
                Ok(answer) => answer.await.unwrap_or(Err(WatchError::Ending)),
                Err(error) => Err(error),
            };
            let (state, text) = match answer {
                Ok(_) => (Progress::Done, String::new()),
                Err(error) => (Progress::Failed, error.body().text),
            };
            orders.set(device, &rollout, state, text);
        });
    }

    fn open(
        &self,
        hub: &Hub,
        trusted: Option<&PublicKey>,
        node: &Node,
        device: usize,
        bytes: &[u8],
    ) -> Result<(Order, Install), String> {
        let name = hub.seen(device).name;
        let key = trusted.ok_or("this station takes no orders")?;
        let number = format!("order of {name}");
        let last = hub.log.number(&number).map_err(|e| e.to_string())?;
        let to = topic::name(&name);
        let order = Order::open(bytes, key, (node, &to), last.unwrap_or(0));
        let order = order.map_err(|e| e.to_string())?;
        if lock(&self.0[device]).state == Progress::Running {
            return Err("the order before is still being carried out".to_owned());
        }
        let backup = (!order.backup.is_empty()).then(|| Backup::from_bytes(&order.backup));
        let backup = backup.transpose().map_err(|e| e.to_string())?;
        let rollout: String = order
            .rollout
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .collect();
        if rollout.is_empty() || rollout.len() > 64 {
            return Err("the order names no roll-out".to_owned());
        }
        let folder = hub.log.path().with_extension("before");
        std::fs::create_dir_all(&folder).map_err(|e| format!("{}: {e}", folder.display()))?;
        hub.log
            .set_numbers(&[(&number, order.number)])
            .map_err(|e| e.to_string())?;
        let install = Install {
            image: (!order.image.is_empty()).then(|| order.image.clone()),
            backup,
            back: order.back,
            before: folder.join(format!("{device}-{rollout}.sudalbak")),
        };
        Ok((order, install))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
