//! SPDY/3.1 as bytes, as far as streams of Kubernetes speak it.
//!
//! Owns the heads of frames, and the names that a stream is opened with. Must not know a socket, nor
//! what a stream carries. Nothing here speaks it: whoever relays frames passes them on as they came.
//!
//! | module | reads |
//! |---|---|
//! | `frame` | what a frame is, and how long |
//! | `names` | names and values, compressed with a dictionary of their own |

pub mod frame;
pub mod names;

pub use frame::{FrameError, FrameHead, HEAD_BYTES};
pub use names::{NameReader, NamesError, dictionary};
