//! What a machine wants done, in the order it wants it done: store, then send, then tell.

use std::collections::VecDeque;

/// An ordered queue of outputs. Whoever drains it keeps the order.
#[derive(Debug)]
pub struct Outbox<T>(VecDeque<T>);

impl<T> Default for Outbox<T> {
    fn default() -> Self {
        Outbox(VecDeque::new())
    }
}

impl<T> Outbox<T> {
    /// An empty outbox.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds `what` behind everything that is already waiting.
    pub fn push(&mut self, what: T) {
        self.0.push_back(what);
    }

    /// Takes the oldest output.
    pub fn pop(&mut self) -> Option<T> {
        self.0.pop_front()
    }

    /// True when nothing waits.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many outputs wait.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Takes everything, oldest first.
    pub fn drain(&mut self) -> impl Iterator<Item = T> + '_ {
        self.0.drain(..)
    }

    /// Looks at what waits, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &T> {
        self.0.iter()
    }
}
