//! Writes recordings: 16-bit WAV, 8,000 samples a second, mono.
//!
//! The media thread hands over frames by a ring and never waits; this thread writes them in blocks, some ten
//! times a second. A frame that is missing becomes silence, so that a recording keeps the time. The header is
//! brought up to date with every block of a second, so that a file is whole even when the power goes.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter};
use std::path::Path;
use std::sync::mpsc::{self, Receiver, Sender, TryRecvError};
use std::time::Duration;

use hound::{SampleFormat, WavSpec, WavWriter};

use crate::audio::FRAME;
use crate::media::{Recorded, SAMPLE_RATE, Tap};

/// Between two looks into the ring.
const PAUSE: Duration = Duration::from_millis(100);
/// Looks between two updates of the headers.
const LOOKS: u32 = 10;
/// More silence than this is not filled in: an hour of frames.
const GAP_MAX: u32 = 180_000;

type Writer = WavWriter<BufWriter<File>>;

/// The owner's end of the recorder.
#[derive(Debug)]
pub(super) struct Recorder {
    begin: Sender<(Tap, Writer)>,
    next: u32,
}

struct Writing {
    file: Writer,
    /// The next frame's index.
    next: u32,
}

impl Recorder {
    /// Starts the thread; frames go into the ring that comes back. It ends when both ends are dropped.
    pub fn start(recordings: usize) -> io::Result<(Recorder, rtrb::Producer<Recorded>)> {
        // Room for half a second of every recording, up to what a large room needs.
        let (frames, ring) = rtrb::RingBuffer::new((recordings * 25).clamp(256, 16_384));
        let (begin, begun) = mpsc::channel();
        std::thread::Builder::new().name("hansho-recorder".to_owned()).spawn(move || run(&begun, ring))?;
        Ok((Recorder { begin, next: 0 }, frames))
    }

    /// Makes the file of a new recording.
    pub fn begin(&mut self, file: &Path) -> io::Result<Tap> {
        let spec =
            WavSpec { channels: 1, sample_rate: SAMPLE_RATE, bits_per_sample: 16, sample_format: SampleFormat::Int };
        let writer = WavWriter::create(file, spec).map_err(into_io)?;
        let tap = Tap(self.next);
        self.next = self.next.wrapping_add(1);
        self.begin.send((tap, writer)).map_err(|_| io::Error::other("the recorder has ended"))?;
        Ok(tap)
    }
}

fn run(begun: &Receiver<(Tap, Writer)>, mut ring: rtrb::Consumer<Recorded>) {
    let mut files: HashMap<Tap, Writing> = HashMap::new();
    for look in 1u32.. {
        // In this order: what is in the ring when it has been abandoned is all there will ever be.
        let over = ring.is_abandoned();
        let more = loop {
            match begun.try_recv() {
                Ok((tap, file)) => files.insert(tap, Writing { file, next: 0 }),
                Err(end) => break end == TryRecvError::Empty,
            };
        };
        while let Ok(frame) = ring.pop() {
            on_frame(&mut files, &frame);
        }
        if look.is_multiple_of(LOOKS) {
            files.retain(|tap, writing| keep(*tap, writing.file.flush()));
        }
        if over && !more {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    files.into_iter().for_each(|(tap, writing)| finish(tap, writing));
}

fn on_frame(files: &mut HashMap<Tap, Writing>, frame: &Recorded) {
    if frame.last {
        if let Some(writing) = files.remove(&frame.tap) {
            finish(frame.tap, writing);
        }
        return;
    }
    let Some(writing) = files.get_mut(&frame.tap) else { return };
    let gap = frame.index.saturating_sub(writing.next).min(GAP_MAX) as usize * FRAME;
    let samples = core::iter::repeat_n(0, gap).chain(frame.samples);
    let written = samples.into_iter().try_for_each(|sample| writing.file.write_sample(sample));
    writing.next = frame.index.saturating_add(1);
    if !keep(frame.tap, written) {
        files.remove(&frame.tap);
    }
}

/// A recording that cannot be written (the disk is full) is given up and said so; the call goes on.
fn keep(tap: Tap, written: hound::Result<()>) -> bool {
    written.map_err(|error| tracing::warn!(tap = tap.0, %error, "a recording is given up")).is_ok()
}

fn finish(tap: Tap, writing: Writing) {
    keep(tap, writing.file.finalize());
}

fn into_io(error: hound::Error) -> io::Error {
    match error {
        hound::Error::IoError(error) => error,
        other => io::Error::other(other),
    }
}
