//! Bytes and orders nobody sends on purpose, against the running corridor and the media plane in virtual time.
//!
//! Nothing may panic, whatever is left over must be bounded and counted, strangers get no answer, and every call
//! and every incident comes to its end. `HANSHO_SEED` plays a failing night again.

mod damage;
mod descriptions;
mod desk;
mod orders;
mod rtp;
mod strangers;
#[path = "../support/mod.rs"]
mod support;

/// The seeds to try: the one of `HANSHO_SEED`, else so many.
fn seeds(count: u64) -> std::ops::Range<u64> {
    match std::env::var("HANSHO_SEED").ok().and_then(|text| text.parse::<u64>().ok()) {
        Some(seed) => seed..seed + 1,
        None => 0..count,
    }
}

/// Says on the way down which seed it was.
struct Seed(u64);

impl Drop for Seed {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("HANSHO_SEED={}", self.0);
        }
    }
}
