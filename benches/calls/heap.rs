//! The system's allocator, which counts the bytes that are in use.
//!
//! The caller has one thread: a load and a store are enough, and cost less of what is measured than one locked addition.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Counts.
pub struct Counting;

static IN_USE: AtomicUsize = AtomicUsize::new(0);

/// Bytes that were asked for and not given back.
pub fn in_use() -> usize {
    IN_USE.load(Relaxed)
}

fn add(size: usize) {
    IN_USE.store(IN_USE.load(Relaxed).wrapping_add(size), Relaxed);
}

fn take(size: usize) {
    IN_USE.store(IN_USE.load(Relaxed).wrapping_sub(size), Relaxed);
}

// SAFETY: every call goes to the system's allocator as it came.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        add(layout.size());
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        take(layout.size());
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        take(layout.size());
        add(size);
        unsafe { System.realloc(memory, layout, size) }
    }
}
