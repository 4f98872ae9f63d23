//! Statement text in, what it needs and where its results come from out.
//!
//! Owns the reading of SQL: which accesses a statement needs, what it does to the session, and
//! which stored columns each result column derives from. Must not know who asks, what the policy
//! says or how bytes travel; reads no clock, file or network. The result depends on the text and
//! the [`Scope`] alone, so it may be cached under both. What cannot be understood is said to be
//! [`model::Action::Unknown`], and what cannot be read at all is [`Unreadable`]; nothing is ever
//! left out in silence.
//!
//! The result types are those of every dialect; a dialect is a module with an `analyse` function.

pub mod catalog;
mod comparison;
mod dialect;
mod limits;
mod lineage;
pub mod mysql;
pub mod postgres;
mod scope;
mod server;
mod statement;
mod unreadable;
mod view;
mod walk;

pub use catalog::{Catalog, CatalogBuilder};
pub use comparison::{Comparison, Meeting, RowSource};
pub use dialect::Dialect;
pub use limits::AnalysisLimits;
pub use lineage::{ColumnWrite, Form, OutputLineage, Outputs, Source};
pub use scope::Scope;
pub use server::{Family, Server};
pub use statement::{
    Analysis, CopyFormat, CopyOptions, DiscardWhat, Referral, SettingChange, SettingValue,
    Statement, StatementKind, TouchedRelation,
};
pub use unreadable::Unreadable;
