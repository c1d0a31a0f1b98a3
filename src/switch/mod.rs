//! Floor 3: the corridor.
