//! A list that is short as a rule: its first items lie in the value itself, and only a longer list asks for memory.
//!
//! It never forgets an item; whoever fills it from outside sets the limit.

use core::fmt;
use core::ops::Deref;

/// A list of items, `N` of which need no memory of their own. It reads like a slice.
#[derive(Clone)]
pub struct Few<T, const N: usize> {
    here: [T; N],
    /// How many of `here` are items.
    count: usize,
    /// Every item, once they are more than `N`.
    all: Vec<T>,
}

impl<T: Copy + Default, const N: usize> Few<T, N> {
    /// Adds an item behind the others.
    pub fn push(&mut self, item: T) {
        if self.all.is_empty() {
            if let Some(free) = self.here.get_mut(self.count) {
                *free = item;
                self.count += 1;
                return;
            }
            self.all.extend_from_slice(&self.here);
        }
        self.all.push(item);
    }
}

impl<T: Copy + Default, const N: usize> Default for Few<T, N> {
    fn default() -> Few<T, N> {
        Few { here: [T::default(); N], count: 0, all: Vec::new() }
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        if self.all.is_empty() { self.here.get(..self.count).unwrap_or_default() } else { &self.all }
    }
}

impl<T: Copy + Default, const N: usize> Extend<T> for Few<T, N> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| self.push(item));
    }
}

impl<T: Copy + Default, const N: usize> FromIterator<T> for Few<T, N> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Few<T, N> {
        let mut few = Few::default();
        few.extend(items);
        few
    }
}

impl<T: PartialEq, const N: usize> PartialEq for Few<T, N> {
    fn eq(&self, other: &Few<T, N>) -> bool {
        **self == **other
    }
}

impl<T: Eq, const N: usize> Eq for Few<T, N> {}

impl<T: fmt::Debug, const N: usize> fmt::Debug for Few<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_keeps_its_items_in_order_however_many_they_are() {
        for length in 0..10 {
            let items: Vec<u8> = (0..length).collect();
            let few: Few<u8, 4> = items.iter().copied().collect();
            assert_eq!(*few, *items);
            assert_eq!(few.clone(), few);
        }
    }
}
