//! How much of the log is kept.

/// How much of the log is kept; what is older goes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keep {
    /// Days, as [`Log`](super::Log) counts them.
    pub days: u32,
    /// Bytes of decisions and pictures. The file may take twice as much.
    pub bytes: u64,
}
