//! How time is measured.

/// A counter that runs at a steady rate and wraps around.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    /// Reads the counter.
    pub read: fn() -> u32,
    /// How fast it runs.
    pub ticks_per_second: u32,
}

impl Clock {
    /// The present tick.
    #[must_use]
    pub fn now(&self) -> u32 {
        (self.read)()
    }

    /// Ticks since an earlier one, if fewer than 2^32 have passed.
    #[must_use]
    pub fn since(&self, start: u32) -> u32 {
        self.now().wrapping_sub(start)
    }
}
