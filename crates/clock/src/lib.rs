//! The one clock: the only place that reads the system's time.
