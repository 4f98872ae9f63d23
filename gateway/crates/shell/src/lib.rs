//! What a command line that is sent to another host would run there.
//!
//! Owns reading such a text into words, writing words so that every shell reads them back, and
//! recognising the programs that carry files. Must not know who may run what (`policy`), nor a
//! socket, a file or a clock. Nothing here outlives its caller.
