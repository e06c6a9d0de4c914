//! How often something may be done: so often at once, and then so often a second.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Keys that are remembered. Beyond them those are forgotten that may do all again.
const MOST: usize = 4096;

/// A bucket of tokens for each key.
#[derive(Debug)]
pub(in super::super) struct Limit<K> {
    /// How many times at once.
    burst: f64,
    /// How long it takes until one more.
    each: Duration,
    used: Mutex<HashMap<K, (f64, Instant)>>,
}

impl<K: Eq + Hash> Limit<K> {
    pub(in super::super) fn new(burst: u32, each: Duration) -> Self {
        Self {
            burst: burst.into(),
            each,
            used: Mutex::default(),
        }
    }

    /// Uses one of a key's times, or says how long there is to wait.
    pub(in super::super) fn take(&self, key: K, now: Instant) -> Result<(), Duration> {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        let left = |(used, since): (f64, Instant)| {
            let given = now.saturating_duration_since(since).as_secs_f64();
            (used - given / self.each.as_secs_f64()).max(0.0)
        };
        if used.len() >= MOST {
            used.retain(|_, bucket| left(*bucket) > 0.0);
        }
        if used.len() >= MOST && !used.contains_key(&key) {
            // Whoever fills the memory with keys is stopped with everybody.
            return Err(self.each);
        }
        let bucket = used.entry(key).or_insert((0.0, now));
        let uses = left(*bucket);
        if uses + 1.0 > self.burst {
            *bucket = (uses, now);
            return Err(self.each.mul_f64(uses + 1.0 - self.burst));
        }
        *bucket = (uses + 1.0, now);
        Ok(())
    }

    /// All of a key's times are there again.
    pub(super) fn forget(&self, key: &K) {
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_often_at_once_and_then_so_often_a_second() {
        let limit = Limit::new(3, Duration::from_secs(2));
        let begin = Instant::now();
        let at = |seconds| begin + Duration::from_secs_f32(seconds);
        for _ in 0..3 {
            limit.take("a", at(0.0)).unwrap();
        }
        let wait = limit.take("a", at(0.5)).unwrap_err();
        assert!((wait.as_secs_f32() - 1.5).abs() < 1e-3, "{wait:?}");
        // Asking in vain makes it no longer.
        assert!(limit.take("a", at(1.9)).is_err());
        limit.take("a", at(2.1)).unwrap();
        assert!(limit.take("a", at(2.2)).is_err());
        limit.take("b", at(2.2)).unwrap();
        limit.forget(&"a");
        limit.take("a", at(2.2)).unwrap();
    }

    #[test]
    fn many_keys_take_no_more_memory() {
        let limit = Limit::new(1, Duration::from_secs(1));
        let begin = Instant::now();
        for key in 0..2 * MOST {
            let _ = limit.take(key, begin);
        }
        assert_eq!(limit.used.lock().unwrap().len(), MOST);
        assert!(limit.take(2 * MOST, begin).is_err());
        limit
            .take(2 * MOST, begin + Duration::from_secs(2))
            .unwrap();
        assert_eq!(limit.used.lock().unwrap().len(), 1);
    }
}
