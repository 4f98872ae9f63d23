-- # psql lists tables
SELECT n.nspname AS "Schema", c.relname AS "Name",
  CASE c.relkind WHEN 'r' THEN 'table' WHEN 'v' THEN 'view' WHEN 'S' THEN 'sequence' END AS "Type",
  pg_catalog.pg_get_userbyid(c.relowner) AS "Owner"
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r', 'p', 'v', 'S', '') AND n.nspname !~ '^pg_toast' AND pg_catalog.pg_table_is_visible(c.oid)
ORDER BY 1, 2
--> is select
--> select on shop.pg_catalog.pg_class(oid, relkind, relname, relnamespace, relowner)
--> select on shop.pg_catalog.pg_namespace(nspname, oid)
--> out Schema = pg_catalog.pg_namespace.nspname
--> out Name = pg_catalog.pg_class.relname
--> out Type <- pg_catalog.pg_class.relkind
--> out Owner <- pg_catalog.pg_class.relowner
--> oracle pg_catalog.pg_class.oid, pg_catalog.pg_class.relname, pg_catalog.pg_class.relnamespace, pg_catalog.pg_class.relkind, pg_catalog.pg_namespace.oid, pg_catalog.pg_namespace.nspname

-- # psql finds a table by pattern
SELECT c.oid, n.nspname, c.relname FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relname OPERATOR(pg_catalog.~) '^(users)$' COLLATE pg_catalog.default AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 2, 3
--> is select
--> select on shop.pg_catalog.pg_class(oid, relname, relnamespace)
--> select on shop.pg_catalog.pg_namespace(nspname, oid)
--> out oid = pg_catalog.pg_class.oid
--> out nspname = pg_catalog.pg_namespace.nspname
--> out relname = pg_catalog.pg_class.relname
--> oracle pg_catalog.pg_class.oid, pg_catalog.pg_class.relname, pg_catalog.pg_class.relnamespace, pg_catalog.pg_namespace.oid, pg_catalog.pg_namespace.nspname

-- # psql shows columns
SELECT a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod),
  (SELECT pg_catalog.pg_get_expr(d.adbin, d.adrelid, true) FROM pg_catalog.pg_attrdef d WHERE d.adrelid = a.attrelid AND d.adnum = a.attnum AND a.atthasdef),
  a.attnotnull, a.attidentity, a.attgenerated
FROM pg_catalog.pg_attribute a WHERE a.attrelid = '16385' AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
--> is select
--> select on shop.pg_catalog.pg_attrdef(adbin, adnum, adrelid)
--> select on shop.pg_catalog.pg_attribute(attgenerated, atthasdef, attidentity, attisdropped, attname, attnotnull, attnum, attrelid, atttypid, atttypmod)
--> out attname = pg_catalog.pg_attribute.attname
--> out format_type <- pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod
--> out pg_get_expr <- pg_catalog.pg_attrdef.adrelid, pg_catalog.pg_attrdef.adbin
--> out attnotnull = pg_catalog.pg_attribute.attnotnull
--> out attidentity = pg_catalog.pg_attribute.attidentity
--> out attgenerated = pg_catalog.pg_attribute.attgenerated
--> oracle pg_catalog.pg_attribute.attrelid, pg_catalog.pg_attribute.attnum, pg_catalog.pg_attribute.atthasdef, pg_catalog.pg_attribute.attisdropped, pg_catalog.pg_attrdef.adrelid, pg_catalog.pg_attrdef.adnum

-- # a dump prepares itself
SET statement_timeout = 0; SELECT pg_catalog.set_config('search_path', '', false); SET client_encoding = 'UTF8'; SET standard_conforming_strings = on; SET row_security = off; SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY; LOCK TABLE public.users IN ACCESS SHARE MODE; COPY public.users (id, name) TO stdout
--> is set
--> setting statement_timeout = '0'
--> is select
--> set on setting search_path
--> setting search_path = ''
--> out set_config
--> is set
--> setting client_encoding = 'UTF8'
--> is set
--> setting standard_conforming_strings = 'on'
--> is set
--> set on setting row_security
--> setting row_security = 'off'
--> is set transaction
--> is lock
--> select on shop.public.users
--> is copy out
--> select on shop.public.users(id, name)
--> out id = public.users.id
--> out name = public.users.name

-- # a driver reads primary keys
SELECT NULL AS cat, n.nspname, ct.relname, a.attname, (information_schema._pg_expandarray(i.indkey)).n AS seq, ci.relname AS pk
FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid)
JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid)
WHERE i.indisprimary AND ct.relname = 'users'
--> is select
--> select on shop.pg_catalog.pg_attribute(attname, attrelid)
--> select on shop.pg_catalog.pg_class(oid, relname, relnamespace)
--> select on shop.pg_catalog.pg_index(indexrelid, indisprimary, indkey, indrelid)
--> select on shop.pg_catalog.pg_namespace(nspname, oid)
--> out cat
--> out nspname = pg_catalog.pg_namespace.nspname
--> out relname = pg_catalog.pg_class.relname
--> out attname = pg_catalog.pg_attribute.attname
--> out seq <- pg_catalog.pg_index.indkey
--> out pk = pg_catalog.pg_class.relname
--> oracle pg_catalog.pg_attribute.attrelid, pg_catalog.pg_class.oid, pg_catalog.pg_class.relname, pg_catalog.pg_class.relnamespace, pg_catalog.pg_index.indexrelid, pg_catalog.pg_index.indrelid, pg_catalog.pg_index.indisprimary, pg_catalog.pg_namespace.oid

-- # a driver reads types
SELECT t.oid, ns.nspname, t.typname, t.typtype, t.typelem, r.rngsubtype, (SELECT array_agg(e.enumlabel ORDER BY e.enumsortorder) FROM pg_enum e WHERE e.enumtypid = t.oid)
FROM pg_type t JOIN pg_namespace ns ON ns.oid = t.typnamespace LEFT JOIN pg_range r ON r.rngtypid = t.oid WHERE t.oid = ANY ($1::oid[])
--> is select
--> select on shop.pg_catalog.pg_enum(enumlabel, enumsortorder, enumtypid)
--> select on shop.pg_catalog.pg_namespace(nspname, oid)
--> select on shop.pg_catalog.pg_range(rngsubtype, rngtypid)
--> select on shop.pg_catalog.pg_type(oid, typelem, typname, typnamespace, typtype)
--> out oid = pg_catalog.pg_type.oid
--> out nspname = pg_catalog.pg_namespace.nspname
--> out typname = pg_catalog.pg_type.typname
--> out typtype = pg_catalog.pg_type.typtype
--> out typelem = pg_catalog.pg_type.typelem
--> out rngsubtype = pg_catalog.pg_range.rngsubtype
--> out array_agg <- pg_catalog.pg_enum.enumlabel
--> oracle pg_catalog.pg_type.oid, pg_catalog.pg_type.typnamespace, pg_catalog.pg_namespace.oid, pg_catalog.pg_enum.enumtypid, pg_catalog.pg_enum.enumsortorder, pg_catalog.pg_range.rngtypid

-- # a driver reads types recursively
WITH RECURSIVE typeinfo_tree(oid, ns, name, elemtype, depth) AS (SELECT t.oid, n.nspname, t.typname, t.typelem, 0 FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = any($1::oid[]) UNION ALL SELECT t.oid, n.nspname, t.typname, t.typelem, tt.depth + 1 FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace JOIN typeinfo_tree tt ON t.oid = tt.elemtype) SELECT DISTINCT *, basetype::regtype::text AS basetype_name FROM (SELECT *, elemtype AS basetype FROM typeinfo_tree) q ORDER BY depth DESC
--> is select
--> select on shop.pg_catalog.pg_namespace(nspname, oid)
--> select on shop.pg_catalog.pg_type(oid, typelem, typname, typnamespace)
--> out oid <- pg_catalog.pg_type.oid
--> out ns <- pg_catalog.pg_namespace.nspname
--> out name <- pg_catalog.pg_type.typname
--> out elemtype <- pg_catalog.pg_type.typelem
--> out depth
--> out basetype <- pg_catalog.pg_type.typelem
--> out basetype_name <- pg_catalog.pg_type.typelem
--> oracle pg_catalog.pg_type.oid, pg_catalog.pg_type.typnamespace, pg_catalog.pg_type.typelem, pg_catalog.pg_namespace.oid

-- # a pool resets a session
SELECT pg_advisory_unlock_all(); CLOSE ALL; UNLISTEN *; RESET ALL
--> is select
--> out pg_advisory_unlock_all
--> is close
--> is unlisten
--> is reset

-- # a pool checks a session
SELECT 1; SELECT version(), current_schema(), current_database(), pg_backend_pid(), pg_is_in_recovery()
--> is select
--> out ?column?
--> is select
--> out version
--> out current_schema
--> out current_database
--> out pg_backend_pid
--> out pg_is_in_recovery

-- # a mapper asks for tables
SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class')
FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid)
--> is select
--> select on shop.pg_catalog.pg_class(oid, relispartition, relkind, relname, relnamespace)
--> select on shop.pg_catalog.pg_namespace(nspname, oid)
--> out relname = pg_catalog.pg_class.relname
--> out case <- pg_catalog.pg_class.relkind, pg_catalog.pg_class.relispartition
--> out obj_description <- pg_catalog.pg_class.oid
--> oracle pg_catalog.pg_class.oid, pg_catalog.pg_class.relnamespace, pg_catalog.pg_class.relkind, pg_catalog.pg_namespace.oid, pg_catalog.pg_namespace.nspname

-- # a mapper asks for constraints
SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype,
  (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions
FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = $1 AND pg_catalog.pg_table_is_visible(cl.oid)
--> is select
--> select on shop.pg_catalog.pg_attribute(attname, attnum, attrelid)
--> select on shop.pg_catalog.pg_class(oid, relname, reloptions)
--> select on shop.pg_catalog.pg_constraint(confkey, confrelid, conkey, conname, conrelid, contype)
--> out conname = pg_catalog.pg_constraint.conname
--> out array <- pg_catalog.pg_attribute.attname
--> out contype = pg_catalog.pg_constraint.contype
--> out ?column? <- pg_catalog.pg_attribute.attname, pg_catalog.pg_class.relname
--> out reloptions = pg_catalog.pg_class.reloptions
--> oracle pg_catalog.pg_attribute.attrelid, pg_catalog.pg_attribute.attnum, pg_catalog.pg_class.oid, pg_catalog.pg_class.relname, pg_catalog.pg_constraint.conrelid, pg_catalog.pg_constraint.confrelid, pg_catalog.pg_constraint.conkey, pg_catalog.pg_constraint.confkey

-- # a mapper asks for columns
SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type,
  (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) AS pg_get_expr_1 FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default"
FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace
WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_namespace.nspname != 'pg_catalog'
--> is select
--> select on shop.pg_catalog.pg_attrdef(adbin, adnum, adrelid)
--> select on shop.pg_catalog.pg_attribute(atthasdef, attname, attnum, attrelid, atttypid, atttypmod)
--> select on shop.pg_catalog.pg_class(oid, relkind, relnamespace)
--> select on shop.pg_catalog.pg_namespace(nspname, oid)
--> out name = pg_catalog.pg_attribute.attname
--> out format_type <- pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod
--> out default <- pg_catalog.pg_attrdef.adrelid, pg_catalog.pg_attrdef.adbin
--> oracle pg_catalog.pg_attribute.attrelid, pg_catalog.pg_attribute.attnum, pg_catalog.pg_attribute.atthasdef, pg_catalog.pg_class.oid, pg_catalog.pg_class.relnamespace, pg_catalog.pg_class.relkind, pg_catalog.pg_attrdef.adrelid, pg_catalog.pg_attrdef.adnum, pg_catalog.pg_namespace.oid, pg_catalog.pg_namespace.nspname

-- # the standard's views
SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY ordinal_position
--> is select
--> select on shop.information_schema.columns(column_name, data_type, ordinal_position, table_name, table_schema)
--> out table_name = information_schema.columns.table_name
--> out column_name = information_schema.columns.column_name
--> out data_type = information_schema.columns.data_type
--> oracle information_schema.columns.table_schema, information_schema.columns.ordinal_position

-- # a mapper takes the next key
SELECT nextval(pg_get_serial_sequence('users', 'id'))
--> is select
--> execute on shop.pg_catalog.nextval()
--> out nextval

-- # a mapper inserts and asks for the key
INSERT INTO "orders" ("user_id", "total", "note") VALUES ($1, $2, $3), ($4, $5, $6) RETURNING "orders"."id"
--> is insert
--> select on shop.public.orders(id)
--> insert on shop.public.orders(note, total, user_id)
--> out id = public.orders.id

-- # a mapper updates
UPDATE "users" SET "name" = $1, "profile" = $2 WHERE "users"."id" = $3
--> is update
--> select on shop.public.users(id)
--> update on shop.public.users(name, profile)
--> oracle public.users.id

-- # a benchmark's transaction
BEGIN; UPDATE orders SET total = total + -5 WHERE id = 1; SELECT total FROM orders WHERE id = 1; INSERT INTO secret (a, b) VALUES (1, CURRENT_TIMESTAMP); END
--> is begin
--> is update
--> select on shop.public.orders(id, total)
--> update on shop.public.orders(total)
--> oracle public.orders.id
--> writes shop.public.orders.total <- public.orders.total
--> is select
--> select on shop.public.orders(id, total)
--> out total = public.orders.total
--> oracle public.orders.id
--> is insert
--> insert on shop.public.secret(a, b)
--> is commit
