//! Nights in the corridor, in virtual time: a scripted trunk, scripted people, media events by hand.

mod asked;
mod calls_in;
mod detours;
mod hotlines;
mod night;
mod people;
mod posts;
mod promises;
mod receptions;
mod restarts;
mod rooms;
mod storms;
mod town;
mod troubles;
mod users;
mod voice_first;
mod words;
mod world;
