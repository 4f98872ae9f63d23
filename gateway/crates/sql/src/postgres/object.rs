//! Names in parts and kinds of objects, as utility statements give them.
//!
//! Owns the words for kinds. Must not know what is done to an object.

use pg_raw_parse::list::{CastNodeList, NodeList};
use pg_raw_parse::{Node, nodes, raw};

/// The strings of a dotted name.
pub(super) fn name_parts(list: &NodeList) -> Vec<&str> {
    list.iter().filter_map(Node::as_str).collect()
}

/// The strings of a dotted name in a typed list.
pub(super) fn typed_name_parts(list: &CastNodeList<nodes::String>) -> Vec<&str> {
    name_parts(untyped(list))
}

/// A typed list without its type: where the bindings are surer than the grammar, their iterator
/// panics.
pub(super) fn untyped<T>(list: &CastNodeList<T>) -> &NodeList {
    // SAFETY: `CastNodeList<T>` is `repr(transparent)` over `NodeList` with a zero-sized marker,
    // so both have the same layout; the reference keeps its lifetime.
    unsafe { &*std::ptr::from_ref(list).cast::<NodeList>() }
}

/// The parts of a name that a node carries, whatever its shape.
pub(super) fn node_name<'a>(node: Node<'a>) -> Vec<&'a str> {
    match node {
        Node::String(name) => name.sval().into_iter().collect(),
        Node::NodeList(list) => list
            .iter()
            .flat_map(|part| match part {
                Node::String(name) => name.sval().into_iter().collect(),
                Node::TypeName(name) => typed_name_parts(name.names()),
                _ => Vec::new(),
            })
            .collect(),
        Node::TypeName(name) => typed_name_parts(name.names()),
        Node::ObjectWithArgs(object) => name_parts(object.objname()),
        Node::RangeVar(named) => named.schemaname().into_iter().chain(named.relname()).collect(),
        Node::RoleSpec(role) => role.rolename().into_iter().collect(),
        _ => Vec::new(),
    }
}

/// The word for a kind of object, and whether it lives in the namespace of tables.
pub(super) const fn kind_word(kind: raw::ObjectType::Type) -> &'static str {
    use raw::ObjectType as Kind;
    match kind {
        Kind::OBJECT_ACCESS_METHOD => "access_method",
        Kind::OBJECT_AGGREGATE => "aggregate",
        Kind::OBJECT_ATTRIBUTE | Kind::OBJECT_TYPE => "type",
        Kind::OBJECT_CAST => "cast",
        Kind::OBJECT_COLUMN => "column",
        Kind::OBJECT_COLLATION => "collation",
        Kind::OBJECT_CONVERSION => "conversion",
        Kind::OBJECT_DATABASE => "database",
        Kind::OBJECT_DOMAIN | Kind::OBJECT_DOMCONSTRAINT => "domain",
        Kind::OBJECT_EVENT_TRIGGER => "event_trigger",
        Kind::OBJECT_EXTENSION => "extension",
        Kind::OBJECT_FDW => "foreign_data_wrapper",
        Kind::OBJECT_FOREIGN_SERVER => "foreign_server",
        Kind::OBJECT_FOREIGN_TABLE => "foreign_table",
        Kind::OBJECT_FUNCTION => "function",
        Kind::OBJECT_INDEX => "index",
        Kind::OBJECT_LANGUAGE => "language",
        Kind::OBJECT_LARGEOBJECT => "large_object",
        Kind::OBJECT_MATVIEW => "materialized_view",
        Kind::OBJECT_OPCLASS => "operator_class",
        Kind::OBJECT_OPERATOR => "operator",
        Kind::OBJECT_OPFAMILY => "operator_family",
        Kind::OBJECT_PARAMETER_ACL => "setting",
        Kind::OBJECT_POLICY => "policy",
        Kind::OBJECT_PROCEDURE => "procedure",
        Kind::OBJECT_PUBLICATION => "publication",
        Kind::OBJECT_ROLE => "role",
        Kind::OBJECT_ROUTINE => "routine",
        Kind::OBJECT_RULE => "rule",
        Kind::OBJECT_SCHEMA => "schema",
        Kind::OBJECT_SEQUENCE => "sequence",
        Kind::OBJECT_SUBSCRIPTION => "subscription",
        Kind::OBJECT_STATISTIC_EXT => "statistics",
        Kind::OBJECT_TABCONSTRAINT => "constraint",
        Kind::OBJECT_TABLE => "table",
        Kind::OBJECT_TABLESPACE => "tablespace",
        Kind::OBJECT_TRANSFORM => "transform",
        Kind::OBJECT_TRIGGER => "trigger",
        Kind::OBJECT_TSCONFIGURATION => "text_search_configuration",
        Kind::OBJECT_TSDICTIONARY => "text_search_dictionary",
        Kind::OBJECT_TSPARSER => "text_search_parser",
        Kind::OBJECT_TSTEMPLATE => "text_search_template",
        Kind::OBJECT_USER_MAPPING => "user_mapping",
        Kind::OBJECT_VIEW => "view",
        _ => "object",
    }
}

/// How an object of a kind is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Naming {
    /// Like a table: resolved through the search path.
    Relation,
    /// Belongs to a relation, whose name comes first: column, trigger, rule, policy.
    OnRelation,
    /// A function, procedure or aggregate.
    Function,
    /// In a schema: types, operators, text search, ...
    InSchema,
    /// In the database: schemas, extensions, ...
    InDatabase,
    /// In the server: roles, databases, tablespaces, settings.
    Global,
}

pub(super) const fn naming(kind: raw::ObjectType::Type) -> Naming {
    use raw::ObjectType as Kind;
    match kind {
        Kind::OBJECT_TABLE
        | Kind::OBJECT_VIEW
        | Kind::OBJECT_MATVIEW
        | Kind::OBJECT_FOREIGN_TABLE
        | Kind::OBJECT_SEQUENCE
        | Kind::OBJECT_INDEX => Naming::Relation,
        Kind::OBJECT_COLUMN
        | Kind::OBJECT_TRIGGER
        | Kind::OBJECT_RULE
        | Kind::OBJECT_POLICY
        | Kind::OBJECT_TABCONSTRAINT => Naming::OnRelation,
        Kind::OBJECT_FUNCTION
        | Kind::OBJECT_PROCEDURE
        | Kind::OBJECT_ROUTINE
        | Kind::OBJECT_AGGREGATE => Naming::Function,
        Kind::OBJECT_TYPE
        | Kind::OBJECT_ATTRIBUTE
        | Kind::OBJECT_DOMAIN
        | Kind::OBJECT_DOMCONSTRAINT
        | Kind::OBJECT_COLLATION
        | Kind::OBJECT_CONVERSION
        | Kind::OBJECT_OPERATOR
        | Kind::OBJECT_STATISTIC_EXT
        | Kind::OBJECT_TSCONFIGURATION
        | Kind::OBJECT_TSDICTIONARY
        | Kind::OBJECT_TSPARSER
        | Kind::OBJECT_TSTEMPLATE => Naming::InSchema,
        Kind::OBJECT_DATABASE
        | Kind::OBJECT_ROLE
        | Kind::OBJECT_TABLESPACE
        | Kind::OBJECT_PARAMETER_ACL => Naming::Global,
        _ => Naming::InDatabase,
    }
}
