//! Which relation a name means.
//!
//! Owns the rules of the search path. Must not know expressions. A name that the catalogue does
//! not know stands for every relation that the search path allows it to be: all of them must then
//! be granted.

use pg_raw_parse::nodes;

use super::analyser::Analyser;

impl<'a> Analyser<'a> {
    /// The relations a name may mean; one, unless the catalogue does not know it.
    pub(super) fn resolve(&mut self, named: &'a nodes::RangeVar) -> Vec<u32> {
        if named.catalogname().is_some_and(|database| database != self.scope().database) {
            self.unknown = true;
        }
        self.resolve_name(named.schemaname(), named.relname().unwrap_or_default())
    }

    /// The same for a name in parts.
    pub(super) fn resolve_name(&mut self, schema: Option<&'a str>, name: &'a str) -> Vec<u32> {
        let scope = self.scope();
        if let Some(schema) = schema {
            let relation = scope.catalog.relation(schema, name);
            return vec![self.touch(schema, name, relation)];
        }
        self.unknown |= !self.reading.names_certain;
        let mut found = Vec::with_capacity(1);
        if scope.temporary.iter().any(|temporary| **temporary == *name) {
            found.push(self.touch("pg_temp", name, None));
        }
        match scope.catalog.resolve(None, name, scope.search_path, scope.user) {
            Some(relation) => {
                found.push(self.touch(&relation.schema, &relation.name, Some(relation)));
            }
            None if found.is_empty() => {
                for schema in self.possible_schemas() {
                    found.push(self.touch(schema, name, None));
                }
            }
            None => {}
        }
        found
    }

    /// The schemas an unqualified name may be in when the catalogue does not know it.
    pub(super) fn possible_schemas(&self) -> Vec<&'a str> {
        let scope = self.scope();
        let listed = !scope.catalog.schemas.is_empty();
        let mut schemas: Vec<&'a str> = scope
            .search_path
            .iter()
            .map(|entry| if **entry == *"$user" { scope.user } else { entry })
            .filter(|schema| !listed || scope.catalog.has_schema(schema))
            .collect();
        if !scope.catalog.has_schema("pg_catalog") && !schemas.contains(&"pg_catalog") {
            schemas.push("pg_catalog");
        }
        if schemas.is_empty() {
            schemas.push("*");
        }
        schemas
    }

    /// The schema in which an unqualified name is created.
    pub(super) fn creation_schema(&self) -> &'a str {
        let scope = self.scope();
        let listed = !scope.catalog.schemas.is_empty();
        scope
            .search_path
            .iter()
            .map(|entry| if **entry == *"$user" { scope.user } else { entry })
            .find(|schema| !listed || *schema == "pg_temp" || scope.catalog.has_schema(schema))
            .unwrap_or("*")
    }
}
