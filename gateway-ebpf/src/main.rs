//! The kernel programs. Built for `bpfel-unknown-none` by `gateway/build.rs`; on the host this is an
//! empty program, so that commands over the whole workspace work.
#![cfg_attr(target_arch = "bpf", no_std, no_main)]
// Loads from a program's context have to keep their width and constant offset; only inline assembly
// guarantees that (`programs/context.rs`).
#![cfg_attr(target_arch = "bpf", feature(asm_experimental_arch))]

#[cfg(target_arch = "bpf")]
mod programs;

#[cfg(not(target_arch = "bpf"))]
fn main() {}
