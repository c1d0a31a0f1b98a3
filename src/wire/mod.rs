//! Floor 1: bytes to values and back. SIP, SDP, RTP, RTCP, SRTP, telephone-event, STUN.
//!
//! Everything here reads what strangers send. Each reader takes any bytes without a panic, has its limits
//! written at its head, and says in its error where the nonsense stood.

mod ascii;
pub mod few;
pub mod rtcp;
pub mod rtp;
pub mod sdp;
pub mod sip;
pub mod srtp;
pub mod stun;
pub mod telephone_event;
