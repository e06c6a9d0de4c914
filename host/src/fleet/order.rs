//! Orders to a board that change it: a model, a backup, or the way back. They are signed with the key
//! that signs models, each for one board, and none is taken twice.

use ed25519_dalek::{Signature, Verifier, VerifyingKey};
use prost::Message;
use sha2::{Digest, Sha256};

use super::counts::Counts;
use super::topic::Node;
use crate::device::{PublicKey, SigningKey};

/// Longest order that is read, in bytes.
pub const LONGEST: usize = 80 << 20;
const LABEL: &[u8] = b"sudal order";

/// What a board shall do.
#[derive(Clone, PartialEq, Message)]
pub struct Order {
    /// Group, node and device of the board.
    #[prost(string, repeated, tag = "1")]
    pub to: Vec<String>,
    /// Of which roll-out it is.
    #[prost(string, tag = "2")]
    pub rollout: String,
    /// Greater than that of every order before it: milliseconds since 1970.
    #[prost(uint64, tag = "3")]
    pub number: u64,
    /// Whether the board shall be again as it was before the roll-out.
    #[prost(bool, tag = "4")]
    pub back: bool,
    /// The model image to run; empty to keep the one that runs.
    #[prost(bytes = "vec", tag = "5")]
    pub image: Vec<u8>,
    /// The backup of which to teach it; empty for none.
    #[prost(bytes = "vec", tag = "6")]
    pub backup: Vec<u8>,
}

#[derive(Clone, PartialEq, Message)]
struct Signed {
    #[prost(bytes = "vec", tag = "1")]
    order: Vec<u8>,
    #[prost(bytes = "vec", tag = "2")]
    signature: Vec<u8>,
}

/// How far an order is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Progress {
    /// There was none.
    #[default]
    None,
    /// It was not taken.
    Refused,
    /// It is being carried out.
    Running,
    /// It was carried out.
    Done,
    /// It could not be carried out.
    Failed,
}

impl Progress {
    const ALL: [(Self, &str); 5] = [
        (Self::None, "none"),
        (Self::Refused, "refused"),
        (Self::Running, "running"),
        (Self::Done, "done"),
        (Self::Failed, "failed"),
    ];

    /// As a metric says it.
    #[must_use]
    pub fn name(self) -> &'static str {
        let found = Self::ALL.iter().find(|(progress, _)| *progress == self);
        found.map_or("", |(_, name)| name)
    }

    /// From what a metric says.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        let found = Self::ALL.iter().find(|(_, other)| *other == name);
        found.map(|(progress, _)| *progress)
    }
}

/// What became of the last order for a board.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OrderState {
    /// Of which roll-out it was.
    pub rollout: String,
    /// Its number: what is said here is said of this order and of no other.
    pub number: u64,
    /// How far it is.
    pub state: Progress,
    /// Why it was not carried out.
    pub text: String,
    /// What the board had counted when it was carried out.
    pub counts: Counts,
}

/// Why an order is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderError {
    /// The bytes are no order.
    #[error("this is no order")]
    Foreign,
    /// Somebody else signed it, or it was changed.
    #[error("the order is not signed with the key that this station trusts")]
    Signature,
    /// It is meant for another board.
    #[error("the order is for {0}")]
    Elsewhere(String),
    /// It was carried out before, or a later one was.
    #[error("the order is not newer than the last one that was carried out")]
    Old,
}

impl Order {
    /// The order with its signature.
    #[must_use]
    pub fn sign(&self, key: &SigningKey) -> Vec<u8> {
        let order = self.encode_to_vec();
        let signature = key.sign_bytes(&digest(&order)).to_vec();
        Signed { order, signature }.encode_to_vec()
    }

    /// What a board calls it: another name for the way back.
    #[must_use]
    pub fn name(&self) -> String {
        let way = if self.back { "back" } else { "" };
        format!("{}{way}", self.rollout)
    }

    /// What a board calls an order that may be anybody's, and its number; nothing and 0 if it is none.
    #[must_use]
    pub fn claimed(bytes: &[u8]) -> (String, u64) {
        let order = Signed::decode(bytes).and_then(|signed| Self::decode(&*signed.order));
        let order = order.unwrap_or_default();
        let name = order.name();
        let name = name.chars().filter(char::is_ascii_alphanumeric);
        (name.take(64).collect(), order.number)
    }

    /// Reads an order for a board that trusts `key` and has carried out those up to `last`.
    ///
    /// # Errors
    /// [`OrderError`].
    pub fn open(
        bytes: &[u8],
        key: &PublicKey,
        (node, device): (&Node, &str),
        last: u64,
    ) -> Result<Self, OrderError> {
        if bytes.len() > LONGEST {
            return Err(OrderError::Foreign);
        }
        let signed = Signed::decode(bytes).map_err(|_| OrderError::Foreign)?;
        let right = || {
            let signature = Signature::from_slice(&signed.signature).ok()?;
            let key = VerifyingKey::from_bytes(key.bytes()).ok()?;
            key.verify(&digest(&signed.order), &signature).ok()
        };
        right().ok_or(OrderError::Signature)?;
        let order = Self::decode(&*signed.order).map_err(|_| OrderError::Foreign)?;
        if order.to != [&*node.group, &*node.name, device] {
            return Err(OrderError::Elsewhere(order.to.join("/")));
        }
        if order.number <= last {
            return Err(OrderError::Old);
        }
        Ok(order)
    }
}

fn digest(order: &[u8]) -> [u8; 32] {
    let digest = Sha256::new().chain_update(LABEL).chain_update(order);
    digest.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_taken_once_by_its_board_and_only_as_it_was_signed() {
        let node = Node {
            group: "hall".to_owned(),
            name: "line".to_owned(),
        };
        let key = SigningKey::random();
        let order = Order {
            to: ["hall", "line", "press"].map(str::to_owned).to_vec(),
            rollout: "r".to_owned(),
            number: 7,
            back: false,
            image: vec![1, 2, 3],
            backup: Vec::new(),
        };
        let bytes = order.sign(&key);
        let open = |bytes: &[u8], key: &SigningKey, device, last| {
            Order::open(bytes, &key.public(), (&node, device), last)
        };
        assert_eq!(open(&bytes, &key, "press", 6), Ok(order));
        assert_eq!(open(&bytes, &key, "press", 7), Err(OrderError::Old));
        let elsewhere = open(&bytes, &key, "lathe", 6).unwrap_err();
        assert_eq!(
            elsewhere,
            OrderError::Elsewhere("hall/line/press".to_owned())
        );
        let other = SigningKey::random();
        assert_eq!(open(&bytes, &other, "press", 6), Err(OrderError::Signature));
        for at in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[at] ^= 4;
            assert!(open(&changed, &key, "press", 6).is_err(), "{at}");
        }
        assert_eq!(open(b"\xff", &key, "press", 6), Err(OrderError::Foreign));
    }
}
