//! Templates, dates, numbers and names into words a voice can say, a language each.
//!
//! [`Template`] puts a trigger's parameters where their names stand; [`spoken`] turns what came out of it into a text
//! that every voice of the language reads as a person would: 「2023年10月3日13時20分」 and not a row of digits. What
//! people read on a screen is the written form, which has gone through the template alone.
//!
//! It never fails: whatever a text holds, something can be said, and whatever could not be understood is said as it
//! stands. It never says more than [`LONGEST`] characters, and says that there is more.
//!
//! Easy to get wrong: the order. Widths first, because ｖ１．２ is a version; then marks of HTML and Markdown; then
//! readings, of which a longer token wins over a shorter one (`10.0.0.5` is no number); what a reading gave is never
//! read again.

mod calendar;
mod clean;
mod en;
mod filters;
mod ja;
mod listener;
mod names;
mod numbers;
mod readings;
mod scan;
mod speak;
mod template;
mod units;

pub use listener::Listener;
pub use readings::{Dictionary, ReadingFault, Readings};
pub use speak::{LONGEST, spoken};
pub use template::{Fault, Filled, Form, Template, fill};

#[cfg(test)]
mod tests;
