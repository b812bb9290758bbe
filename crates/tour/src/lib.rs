//! The guided tour and the benchmark of the main job, on real parts.
