//! Other people's SIP programs against the real binary.
