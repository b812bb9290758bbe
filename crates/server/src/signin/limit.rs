//! How often one may guess.

use std::collections::HashMap;
use std::hash::Hash;
use std::time::Duration;

const FIRST_WAIT: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(15 * 60);
/// A key that did not fail for so long starts afresh.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(60 * 60);
/// No more keys than this are remembered; the one that failed longest ago makes room.
const MOST_KEYS: usize = 10_000;

/// Some failures are free; after those every further one doubles the wait before the next.
pub(super) struct Limit<K> {
    free: u32,
    failures: HashMap<K, Failures>,
}

struct Failures {
    count: u32,
    last: Duration,
    blocked_until: Duration,
}

impl<K: Eq + Hash + Clone> Limit<K> {
    pub(super) fn new(free: u32) -> Self {
        Self { free, failures: HashMap::new() }
    }

    /// How long `key` has to wait, when it has to.
    pub(super) fn wait(&self, key: &K, uptime: Duration) -> Option<Duration> {
        let left = self.failures.get(key)?.blocked_until.saturating_sub(uptime);
        (!left.is_zero()).then_some(left)
    }

    /// Counts an attempt as failed before it is judged, so that many at once gain nothing.
    pub(super) fn count(&mut self, key: K, uptime: Duration) {
        self.failures.retain(|_, f| uptime.saturating_sub(f.last) < FORGOTTEN_AFTER);
        if self.failures.len() >= MOST_KEYS && !self.failures.contains_key(&key) {
            let oldest = self.failures.iter().min_by_key(|(_, f)| f.last).map(|(key, _)| key.clone());
            oldest.map(|key| self.failures.remove(&key));
        }
        let f = self.failures.entry(key).or_insert(Failures {
            count: 0,
            last: uptime,
            blocked_until: Duration::ZERO,
        });
        f.count = f.count.saturating_add(1);
        f.last = uptime;
        if let Some(over) = f.count.checked_sub(self.free) {
            let wait = FIRST_WAIT.saturating_mul(2u32.saturating_pow(over)).min(LONGEST_WAIT);
            f.blocked_until = uptime + wait;
        }
    }

    /// Forgets all failures of a key: it has proved itself.
    pub(super) fn clear(&mut self, key: &K) {
        self.failures.remove(key);
    }

    /// Takes one counted attempt back: it succeeded, though others from the same place may not have.
    pub(super) fn take_back(&mut self, key: &K) {
        if let Some(f) = self.failures.get_mut(key) {
            f.count = f.count.saturating_sub(1);
            f.blocked_until = Duration::ZERO;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: fn(u64) -> Duration = Duration::from_secs;

    #[test]
    fn waits_double_after_the_free_failures() {
        let mut limit = Limit::new(3);
        for n in 0..3 {
            assert_eq!(limit.wait(&"maya", S(n)), None);
            limit.count("maya", S(n));
        }
        assert_eq!(limit.wait(&"maya", S(2)), Some(S(15)));
        assert_eq!(limit.wait(&"sam", S(2)), None);
        assert_eq!(limit.wait(&"maya", S(17)), None);
        limit.count("maya", S(17));
        assert_eq!(limit.wait(&"maya", S(17)), Some(S(30)));
        for _ in 0..40 {
            limit.count("maya", S(50));
        }
        assert_eq!(limit.wait(&"maya", S(50)), Some(LONGEST_WAIT));
    }

    #[test]
    fn success_and_time_clear_failures() {
        let mut limit = Limit::new(1);
        limit.count("maya", S(0));
        assert!(limit.wait(&"maya", S(0)).is_some());
        limit.clear(&"maya");
        assert_eq!(limit.wait(&"maya", S(0)), None);
        limit.count("maya", S(0));
        limit.count("sam", S(3601));
        assert_eq!(limit.failures.len(), 1);
    }

    #[test]
    fn memory_is_bounded() {
        let mut limit = Limit::new(1);
        for n in 0..MOST_KEYS as u64 + 5 {
            limit.count(n, Duration::from_millis(n));
        }
        assert_eq!(limit.failures.len(), MOST_KEYS);
        assert!(!limit.failures.contains_key(&4) && limit.failures.contains_key(&5));
    }
}
