//! What is read, what is not, and whether real shells agree.

mod corpus;
mod properties;
mod shells;
