//! A device's key, and what goes over the line in its place.

/// A device's secret: 32 random bytes.
pub type Key = [u8; 32];
/// What makes the nonces of a device others than those of its last life with the same key.
pub type Seed = [u8; 16];
/// A challenge.
pub type Nonce = [u8; 16];
/// An answer to a challenge.
pub type Answer = [u8; 32];
