use std::sync::{Arc, Mutex};

use crate::lock::lock;

type IsAbandoned = Box<dyn Fn() -> bool + Send>;

/// Whoever asked: told what came of a request, nothing or one sentence.
pub struct Replied {
    tell: Box<dyn FnOnce(Result<(), String>) + Send>,
    is_abandoned: IsAbandoned,
}

/// What must come of the parts of a request for it to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Needs {
    /// All of them.
    All,
    /// At least one.
    One,
}

/// A request in parts that are being done.
struct Parts {
    left: usize,
    done: usize,
    /// The first sentence that was told.
    trouble: Option<String>,
    whole: Option<Replied>,
}

impl Replied {
    /// `is_abandoned` says whether whoever asked has given up waiting for `tell`.
    pub fn new(
        tell: impl FnOnce(Result<(), String>) + Send + 'static,
        is_abandoned: impl Fn() -> bool + Send + 'static,
    ) -> Self {
        Self { tell: Box::new(tell), is_abandoned: Box::new(is_abandoned) }
    }

    /// Tells what came of the request.
    pub fn tell(self, done: Result<(), String>) {
        (self.tell)(done);
    }

    /// Whether whoever asked has gone without waiting for the answer: then it is not to be done.
    pub fn is_abandoned(&self) -> bool {
        (self.is_abandoned)()
    }

    /// As many as there are parts of a request that must all be done.
    pub(crate) fn for_all(self, count: usize) -> Vec<Self> {
        self.in_parts(count, Needs::All)
    }

    /// One for each of `count` parts of the request. Whoever asked is told when all parts are over.
    pub(super) fn in_parts(self, count: usize, needs: Needs) -> Vec<Self> {
        if count <= 1 {
            return vec![self];
        }
        let parts = Parts { left: count, done: 0, trouble: None, whole: Some(self) };
        let parts = Arc::new(Mutex::new(parts));
        let part = |_| {
            let (told, asked) = (Arc::clone(&parts), Arc::clone(&parts));
            let tell = move |done| {
                // Not while it is locked: whoever is told may ask on.
                let ended = lock(&told).end_one(done, needs);
                if let Some((whole, done)) = ended {
                    whole.tell(done);
                }
            };
            Self::new(tell, move || lock(&asked).whole.as_ref().is_none_or(Self::is_abandoned))
        };
        (0..count).map(part).collect()
    }
}

impl Parts {
    fn end_one(
        &mut self,
        done: Result<(), String>,
        needs: Needs,
    ) -> Option<(Replied, Result<(), String>)> {
        self.left -= 1;
        match done {
            Ok(()) => self.done += 1,
            Err(sentence) => drop(self.trouble.get_or_insert(sentence)),
        }
        if self.left > 0 {
            return None;
        }
        let is_enough = needs == Needs::One && self.done > 0;
        let done = self.trouble.take().filter(|_| !is_enough).map_or(Ok(()), Err);
        Some((self.whole.take()?, done))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn whoever_asked_is_told_when_all_parts_are_over() {
        let no = |word: &str| Err(word.to_owned());
        for (parts, needs, want) in [
            (vec![Ok(())], Needs::All, Ok(())),
            (vec![no("a")], Needs::One, no("a")),
            (vec![Ok(()), Ok(())], Needs::All, Ok(())),
            (vec![Ok(()), no("a"), no("b")], Needs::All, no("a")),
            (vec![no("a"), Ok(())], Needs::One, Ok(())),
            (vec![no("a"), no("b")], Needs::One, no("a")),
        ] {
            let (say, told) = channel();
            let replied = Replied::new(move |done| say.send(done).unwrap(), || false);
            let count = parts.len();
            for (part, done) in replied.in_parts(count, needs).into_iter().zip(parts) {
                assert!(told.try_recv().is_err() && !part.is_abandoned());
                part.tell(done);
            }
            assert_eq!(told.recv(), Ok(want));
        }
    }
}
