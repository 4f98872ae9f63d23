//! The name the server gives to an output column that has none.
//!
//! Owns the server's rules (`FigureColname` in its parser). They matter, because an outer query
//! may use the name. Where the name depends on the catalogue it is empty, which no query can use.

use pg_raw_parse::{Node, nodes, raw};

use super::query::values_name;

const NAMELESS: &str = "?column?";

/// The name of an output column without `AS`.
pub(super) fn default_name(node: Node<'_>) -> &str {
    label(node).1
}

/// How sure the server is of a name: a strong one goes through casts, a weak one does not.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strength {
    None,
    Weak,
    Strong,
}

fn label(node: Node<'_>) -> (Strength, &str) {
    let mut node = node;
    // The outermost cast and the outermost CASE name a value that has no strong name inside.
    let mut weak: Option<&str> = None;
    loop {
        match node {
            Node::TypeCast(cast) => {
                let name = cast.type_name().and_then(|name| last_string(name.names().iter()));
                weak = weak.or(name);
                node = cast.arg();
            }
            Node::CaseExpr(case) => {
                weak = weak.or(Some("case"));
                node = case.defresult();
            }
            Node::CollateClause(collate) => node = collate.arg(),
            Node::A_Indirection(indirection) => {
                if let Some(name) = last_name(indirection.indirection()) {
                    return (Strength::Strong, name);
                }
                node = indirection.arg();
            }
            other => {
                return match (strong(other), weak) {
                    (Some(name), _) => (Strength::Strong, name),
                    (None, Some(name)) => (Strength::Weak, name),
                    (None, None) => (Strength::None, NAMELESS),
                };
            }
        }
    }
}

fn strong(node: Node<'_>) -> Option<&str> {
    Some(match node {
        Node::ColumnRef(column) => last_name(column.fields())?,
        Node::FuncCall(call) => last_name(call.funcname())?,
        Node::A_Expr(expr) if expr.kind == raw::A_Expr_Kind::AEXPR_NULLIF => "nullif",
        Node::SubLink(link) => match link.sub_link_type {
            raw::SubLinkType::EXISTS_SUBLINK => "exists",
            raw::SubLinkType::ARRAY_SUBLINK => "array",
            raw::SubLinkType::EXPR_SUBLINK => subquery_name(link.subselect()),
            _ => return None,
        },
        Node::A_ArrayExpr(_) => "array",
        Node::RowExpr(_) => "row",
        Node::CoalesceExpr(_) => "coalesce",
        Node::GroupingFunc(_) => "grouping",
        Node::MergeSupportFunc(_) => "merge_action",
        Node::MinMaxExpr(expr) if expr.op == raw::MinMaxOp::IS_GREATEST => "greatest",
        Node::MinMaxExpr(_) => "least",
        Node::SQLValueFunction(function) => value_function(function.op)?,
        Node::XmlExpr(expr) => xml(expr.op)?,
        Node::XmlSerialize(_) => "xmlserialize",
        Node::JsonParseExpr(_) => "json",
        Node::JsonScalarExpr(_) => "json_scalar",
        Node::JsonSerializeExpr(_) => "json_serialize",
        Node::JsonObjectConstructor(_) => "json_object",
        Node::JsonArrayConstructor(_) | Node::JsonArrayQueryConstructor(_) => "json_array",
        Node::JsonObjectAgg(_) => "json_objectagg",
        Node::JsonArrayAgg(_) => "json_arrayagg",
        Node::JsonFuncExpr(expr) => match expr.op {
            raw::JsonExprOp::JSON_EXISTS_OP => "json_exists",
            raw::JsonExprOp::JSON_QUERY_OP => "json_query",
            raw::JsonExprOp::JSON_VALUE_OP => "json_value",
            _ => return None,
        },
        _ => return None,
    })
}

/// The name of a scalar subquery's column; a loop over the left branches and nested subqueries.
fn subquery_name(node: Node<'_>) -> &str {
    let mut node = node;
    loop {
        let Node::SelectStmt(mut select) = node else { return "" };
        while let Some(left) = select.larg() {
            select = left;
        }
        if !select.values_lists().is_empty() {
            return values_name(0);
        }
        let Some(target) = select.target_list().first() else { return "" };
        if let Some(name) = target.name() {
            return name;
        }
        match target.val() {
            Node::SubLink(link) if link.sub_link_type == raw::SubLinkType::EXPR_SUBLINK => {
                node = link.subselect();
            }
            Node::ColumnRef(column)
                if column.fields().into_iter().any(|field| matches!(field, Node::A_Star(_))) =>
            {
                return "";
            }
            // Nests no deeper than the walk, which comes first and is bounded.
            other => return default_name(other),
        }
    }
}

fn last_name(list: &pg_raw_parse::list::NodeList) -> Option<&str> {
    list.iter().rev().find_map(Node::as_str)
}

fn last_string<'a>(list: impl DoubleEndedIterator<Item = &'a nodes::String>) -> Option<&'a str> {
    list.rev().find_map(nodes::String::sval)
}

fn value_function(op: raw::SQLValueFunctionOp::Type) -> Option<&'static str> {
    use raw::SQLValueFunctionOp as Op;
    Some(match op {
        Op::SVFOP_CURRENT_DATE => "current_date",
        Op::SVFOP_CURRENT_TIME | Op::SVFOP_CURRENT_TIME_N => "current_time",
        Op::SVFOP_CURRENT_TIMESTAMP | Op::SVFOP_CURRENT_TIMESTAMP_N => "current_timestamp",
        Op::SVFOP_LOCALTIME | Op::SVFOP_LOCALTIME_N => "localtime",
        Op::SVFOP_LOCALTIMESTAMP | Op::SVFOP_LOCALTIMESTAMP_N => "localtimestamp",
        Op::SVFOP_CURRENT_ROLE => "current_role",
        Op::SVFOP_CURRENT_USER => "current_user",
        Op::SVFOP_USER => "user",
        Op::SVFOP_SESSION_USER => "session_user",
        Op::SVFOP_CURRENT_CATALOG => "current_catalog",
        Op::SVFOP_CURRENT_SCHEMA => "current_schema",
        _ => return None,
    })
}

fn xml(op: raw::XmlExprOp::Type) -> Option<&'static str> {
    use raw::XmlExprOp as Op;
    Some(match op {
        Op::IS_XMLCONCAT => "xmlconcat",
        Op::IS_XMLELEMENT => "xmlelement",
        Op::IS_XMLFOREST => "xmlforest",
        Op::IS_XMLPARSE => "xmlparse",
        Op::IS_XMLPI => "xmlpi",
        Op::IS_XMLROOT => "xmlroot",
        Op::IS_XMLSERIALIZE => "xmlserialize",
        _ => return None,
    })
}
