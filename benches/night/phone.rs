//! The voices of the telephones: a thread that sends 20 ms of something for every call, and presses keys.
//!
//! It beats every 5 ms and takes a quarter of the calls each time, as a real town does not speak in one burst.

use std::net::{SocketAddr, UdpSocket};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::thread::JoinHandle;
use std::time::Duration;

use hansho::audio::tone::{self, Sine};
use hansho::audio::{FRAME, g711};
use hansho::base::Digit;
use hansho::wire::rtp::Header;
use hansho::wire::telephone_event::Event;

use crate::Result;
use crate::clock::{Beat, Nanos, now};

/// How long a key is down, in frames: 100 ms.
const KEY_FRAMES: u32 = 5;
/// How often the end of an event is said (RFC 4733 §2.5.1.4).
const ENDS: u32 = 3;
/// Not a telephone tone, and not one of music's.
const TALK_HZ: f64 = 310.0;

/// How a key is pressed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Way {
    /// RFC 4733 events.
    Event,
    /// Two tones in the voice.
    Tone,
}

/// A key that was pressed.
#[derive(Clone, Copy, Debug)]
pub struct Pressed {
    /// Its first packet left.
    pub begin: Nanos,
    /// Its first end packet, or the last packet with its tones, left.
    pub end: Nanos,
}

/// The thread.
pub struct Phones {
    asks: Sender<Ask>,
    pressed: Receiver<Pressed>,
    thread: Option<JoinHandle<()>>,
}

enum Ask {
    Speak { media: SocketAddr, event_type: u8 },
    Press { media: SocketAddr, digit: Digit, way: Way },
    Talk { media: SocketAddr },
    Hush { media: SocketAddr },
}

impl Phones {
    pub fn new(mouth: UdpSocket) -> Phones {
        let (asks, orders) = channel();
        let (tell, pressed) = channel();
        let thread = std::thread::spawn(move || run(&mouth, &orders, &tell));
        Phones { asks, pressed, thread: Some(thread) }
    }

    /// A telephone begins to send, silence at first.
    pub fn speak(&self, media: SocketAddr, event_type: u8) -> Result<()> {
        self.ask(Ask::Speak { media, event_type })
    }

    /// A key is pressed for 100 ms.
    pub fn press(&self, media: SocketAddr, digit: char, way: Way) -> Result<()> {
        let digit = Digit::from_char(digit).ok_or("no such key")?;
        self.ask(Ask::Press { media, digit, way })
    }

    /// Somebody begins to talk.
    pub fn talk(&self, media: SocketAddr) -> Result<()> {
        self.ask(Ask::Talk { media })
    }

    /// The call is over.
    pub fn hush(&self, media: SocketAddr) -> Result<()> {
        self.ask(Ask::Hush { media })
    }

    /// A press that came to its end.
    pub fn pressed(&self) -> Option<Pressed> {
        self.pressed.try_recv().ok()
    }

    fn ask(&self, ask: Ask) -> Result<()> {
        self.asks.send(ask).map_err(|_| "the telephones have ended".to_owned())
    }
}

impl Drop for Phones {
    fn drop(&mut self) {
        let (nobody, _) = channel();
        self.asks = nobody;
        if let Some(thread) = self.thread.take() {
            // It owns nothing that a panic in it could spoil.
            let _ = thread.join();
        }
    }
}

fn run(mouth: &UdpSocket, orders: &Receiver<Ask>, tell: &Sender<Pressed>) {
    let mut lines: Vec<Line> = Vec::new();
    let mut beat = Beat::new(Duration::from_millis(5));
    let mut count: usize = 0;
    let mut begun: usize = 0;
    let talk = second_of_talk();
    loop {
        loop {
            match orders.try_recv() {
                Ok(Ask::Speak { media, event_type }) => {
                    begun += 1;
                    lines.push(Line::new(media, event_type, begun));
                }
                Ok(Ask::Press { media, digit, way }) => {
                    let press = Press { digit, way, sent: 0, begin: 0, end: 0 };
                    lines.iter_mut().filter(|line| line.media == media).for_each(|line| line.press = Some(press));
                }
                Ok(Ask::Talk { media }) => {
                    lines.iter_mut().filter(|line| line.media == media).for_each(|line| line.talk = true);
                }
                Ok(Ask::Hush { media }) => lines.retain(|line| line.media != media),
                Err(TryRecvError::Empty) => break,
                Err(TryRecvError::Disconnected) => return,
            }
        }
        for line in lines.iter_mut().filter(|line| line.phase == count % 4) {
            if let Some(pressed) = line.send(mouth, &talk) {
                let _ = tell.send(pressed);
            }
        }
        count += 1;
        beat.wait();
    }
}

/// One telephone's stream.
struct Line {
    media: SocketAddr,
    event_type: u8,
    phase: usize,
    ssrc: u32,
    sequence: u16,
    timestamp: u32,
    talk: bool,
    press: Option<Press>,
}

#[derive(Clone, Copy)]
struct Press {
    digit: Digit,
    way: Way,
    sent: u32,
    begin: Nanos,
    end: Nanos,
}

impl Line {
    fn new(media: SocketAddr, event_type: u8, number: usize) -> Line {
        let ssrc = 0x4e49_0000 | number as u32;
        Line { media, event_type, phase: number % 4, ssrc, sequence: 1, timestamp: 0, talk: false, press: None }
    }

    /// Sends the packet that is due; gives back a press that this packet was the last of.
    fn send(&mut self, mouth: &UdpSocket, talk: &[u8]) -> Option<Pressed> {
        let mut voice = [g711::ULAW_SILENCE; FRAME];
        let mut done = None;
        match &mut self.press {
            Some(press) => {
                let at = now();
                if press.sent == 0 {
                    press.begin = at;
                }
                let last = match press.way {
                    Way::Event => KEY_FRAMES + ENDS,
                    Way::Tone => KEY_FRAMES,
                };
                let ends = if press.way == Way::Event { KEY_FRAMES + 1 } else { KEY_FRAMES };
                press.sent += 1;
                if press.sent == ends {
                    press.end = at;
                }
                let now = *press;
                if press.sent == last {
                    done = Some(Pressed { begin: now.begin, end: now.end });
                    self.press = None;
                }
                match now.way {
                    Way::Event => {
                        self.send_event(mouth, now);
                        return done;
                    }
                    Way::Tone => g711::encode_ulaw(&frame_of_key(now.digit, now.sent - 1), &mut voice),
                }
            }
            None if self.talk => {
                let place = self.timestamp as usize % talk.len();
                voice.copy_from_slice(&talk[place..place + FRAME]);
            }
            None => {}
        }
        self.packet(mouth, 0, false, self.timestamp, &voice);
        done
    }

    /// All packets of an event carry the timestamp of its beginning.
    fn send_event(&mut self, mouth: &UdpSocket, press: Press) {
        let held = press.sent.min(KEY_FRAMES);
        let begin = self.timestamp.wrapping_sub((press.sent - 1) * FRAME as u32);
        let event = Event {
            code: press.digit.event(),
            end: press.sent > KEY_FRAMES,
            volume: 10,
            duration: (held * FRAME as u32) as u16,
        };
        self.packet(mouth, self.event_type, press.sent == 1, begin, &event.to_bytes());
    }

    fn packet(&mut self, mouth: &UdpSocket, payload_type: u8, marker: bool, timestamp: u32, payload: &[u8]) {
        let header = Header { marker, payload_type, sequence: self.sequence, timestamp, ssrc: self.ssrc };
        let bytes = [&header.to_bytes(), payload].concat();
        // A closed port refuses; the call is over then, and whoever measures will see that nothing comes.
        let _ = mouth.send_to(&bytes, self.media);
        self.sequence = self.sequence.wrapping_add(1);
        self.timestamp = self.timestamp.wrapping_add(FRAME as u32);
    }
}

/// A second of somebody talking; timestamps are whole frames, so a frame never goes beyond its end.
fn second_of_talk() -> Vec<u8> {
    let sound = tone::sines(&[Sine { hz: TALK_HZ, dbm0: -19.0 }], Duration::from_secs(1));
    let mut bytes = vec![0; sound.len()];
    g711::encode_ulaw(&sound, &mut bytes);
    bytes
}

fn frame_of_key(digit: Digit, place: u32) -> [i16; FRAME] {
    let sound = tone::key(digit, Duration::from_millis(20 * u64::from(KEY_FRAMES)), -10.0, 2.0);
    let from = place as usize * FRAME;
    sound.get(from..from + FRAME).and_then(|frame| frame.try_into().ok()).unwrap_or([0; FRAME])
}
