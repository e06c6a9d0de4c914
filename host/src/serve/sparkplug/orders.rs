//! Orders that came for boards, and what came of them.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::super::WatchError;
use super::super::command::{Command, Install};
use super::super::hub::Hub;
use crate::device::{Backup, PublicKey};
use crate::fleet::Counts;
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

    fn set(&self, device: usize, state: OrderState) {
        if let Some(order) = self.0.get(device) {
            *lock(order) = state;
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
        let (rollout, number) = Order::claimed(bytes);
        let last = self.state(device);
        let taken = !matches!(last.state, Progress::None | Progress::Refused);
        if taken && last.number == number {
            // It came twice, and what is said of it stands.
            return;
        }
        let of = |state, text, counts| OrderState {
            rollout,
            number,
            state,
            text,
            counts,
        };
        let install = match self.open(hub, trusted, node, device, bytes) {
            Ok(install) => install,
            Err(why) => {
                eprintln!("{}: an order was refused: {why}", hub.seen(device).name);
                // A roll-out that is under way is told of until its end.
                if last.state != Progress::Running {
                    self.set(device, of(Progress::Refused, why, Counts::default()));
                }
                return;
            }
        };
        let running = of(Progress::Running, String::new(), Counts::default());
        self.set(device, running.clone());
        let asked = hub.ask(device, Command::Install(Box::new(install)));
        let orders = Arc::clone(self);
        tokio::spawn(async move {
            let answer = match asked {
                Ok(answer) => answer.await.unwrap_or(Err(WatchError::Ending)),
                Err(error) => Err(error),
            };
            let (state, text, counts) = match answer {
                Ok(answer) => (Progress::Done, String::new(), answer.counted),
                Err(error) => (Progress::Failed, error.body().text, Counts::default()),
            };
            let ended = OrderState {
                state,
                text,
                counts,
                ..running
            };
            orders.set(device, ended);
        });
    }

    fn open(
        &self,
        hub: &Hub,
        trusted: Option<&PublicKey>,
        node: &Node,
        device: usize,
        bytes: &[u8],
    ) -> Result<Install, String> {
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
        Ok(Install {
            image: (!order.image.is_empty()).then(|| order.image.clone()),
            backup,
            back: order.back,
            before: folder.join(format!("{device}-{rollout}.sudalbak")),
        })
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
