//! Verdicts that were reached before.

use std::collections::{HashMap, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crate::guard::{Guard, Input, Judgement, Mode, Parameter};
use crate::session::Session;

/// Judgements by exact text, catalogue, policies, mode, parameters and the state of the session.
///
/// Never by a fingerprint that leaves literals out: `WHERE id = 1` and `WHERE 1 = 1` are not alike.
#[derive(Debug)]
pub struct Cache {
    held: HashMap<u64, Entry>,
    order: VecDeque<u64>,
    capacity: usize,
    longest: usize,
}

#[derive(Debug)]
struct Entry {
    sql: String,
    parameters: Vec<Parameter>,
    mode: Mode,
    versions: (u64, u64, u64),
    judgement: Arc<Judgement>,
}

impl Cache {
    /// Holds up to `capacity` judgements of texts of up to `longest` bytes.
    pub fn new(capacity: usize, longest: usize) -> Cache {
        Cache { held: HashMap::new(), order: VecDeque::new(), capacity, longest }
    }

    /// The judgement, from the cache when it is there.
    pub fn judge(&mut self, guard: &Guard, session: &Session, input: Input<'_>) -> Arc<Judgement> {
        let versions = (guard.catalogue_version(), guard.policy().digest, session.version());
        let key = key(input, versions);
        if let Some(entry) = self.held.get(&key)
            && entry.sql == input.sql
            && entry.mode == input.mode
            && entry.versions == versions
            && entry.parameters == input.parameters
        {
            return Arc::clone(&entry.judgement);
        }
        let judgement = Arc::new(guard.judge(session, input));
        if input.sql.len() <= self.longest && self.capacity > 0 {
            if self.held.len() >= self.capacity
                && let Some(oldest) = self.order.pop_front()
            {
                self.held.remove(&oldest);
            }
            let entry = Entry {
                sql: input.sql.to_owned(),
                parameters: input.parameters.to_vec(),
                mode: input.mode,
                versions,
                judgement: Arc::clone(&judgement),
            };
            if self.held.insert(key, entry).is_none() {
                self.order.push_back(key);
            }
        }
        judgement
    }

    pub fn len(&self) -> usize {
        self.held.len()
    }

    pub fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}

fn key(input: Input<'_>, versions: (u64, u64, u64)) -> u64 {
    let mut hasher = DefaultHasher::new();
    input.sql.hash(&mut hasher);
    versions.hash(&mut hasher);
    (input.mode == Mode::Extended).hash(&mut hasher);
    for parameter in input.parameters {
        match parameter {
            Parameter::Null => 0u8.hash(&mut hasher),
            Parameter::Bool(truth) => truth.hash(&mut hasher),
            Parameter::Number(number) => number.to_bits().hash(&mut hasher),
            Parameter::Text(text) => text.hash(&mut hasher),
            Parameter::Unknown => 1u8.hash(&mut hasher),
        }
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Policy, Verdict};

    #[test]
    fn a_hit_needs_the_same_text_session_and_parameters() {
        let guard = Guard::new(Policy::named("careful-write").unwrap(), None);
        let session = Session::default();
        let mut cache = Cache::new(2, 1000);
        let first = cache.judge(&guard, &session, Input::simple("DELETE FROM users WHERE id = 1"));
        let again = cache.judge(&guard, &session, Input::simple("DELETE FROM users WHERE id = 1"));
        assert!(Arc::ptr_eq(&first, &again));
        assert_eq!(
            cache.judge(&guard, &session, Input::simple("DELETE FROM users WHERE 1 = 1")).verdict,
            Verdict::Block
        );

        let made = cache.judge(&guard, &session, Input::simple("CREATE TEMP TABLE users (id int)"));
        let later = made.next.clone().unwrap();
        let everything = Input::simple("DELETE FROM users");
        assert_eq!(cache.judge(&guard, &later, everything).verdict, Verdict::Allow);
        assert_eq!(cache.judge(&guard, &session, everything).verdict, Verdict::Block);
        assert!(cache.len() <= 2);
    }
}
