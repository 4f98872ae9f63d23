-- # arithmetic and constants
SELECT 1, 1.5, 'a', NULL, true, 1 + 2 * 3, 7 / 2, 7 % 2, 2 ^ 10, |/ 16.0, @ -5, 5 & 3, 5 | 3, 5 # 3, ~5, 1 << 4
SELECT 0.1::numeric + 0.2, 1e308::float8, 'NaN'::float8, 'Infinity'::float4, 12345678901234567890::numeric
SELECT 1 WHERE false
SELECT
VALUES (1, 'a'), (2, 'b')
TABLE orders ORDER BY id LIMIT 3

-- # text
SELECT upper('a'), lower('B'), initcap('hello world'), length('abc'), char_length('äöü'), octet_length('äöü'), trim('  x '), ltrim('xxa', 'x'), rtrim('axx', 'x'), btrim('xax', 'x')
SELECT left('abcdef', 2), right('abcdef', 2), substr('abcdef', 2, 3), substring('abcdef' FROM 2 FOR 3), substring('foobar' FROM 'o.b'), position('b' IN 'abc'), strpos('abc', 'c'), overlay('abcdef' PLACING 'X' FROM 2 FOR 2)
SELECT replace('abc', 'b', 'x'), translate('abc', 'ab', 'xy'), reverse('abc'), repeat('ab', 3), lpad('5', 3, '0'), rpad('5', 3, '0'), split_part('a,b,c', ',', 2), concat('a', NULL, 'b'), concat_ws('-', 'a', 'b'), 'a' || 'b' || 1
SELECT format('%s is %I = %L', 'a', 'b c', 'd''e'), quote_ident('a b'), quote_literal('a''b'), quote_nullable(NULL), md5('a'), encode('abc', 'hex'), decode('616263', 'hex'), encode('abc', 'base64'), chr(65), ascii('A'), to_hex(255)
SELECT 'abc' LIKE 'a%', 'abc' ILIKE 'A%', 'abc' NOT LIKE 'b%', 'abc' ~ '^a', 'abc' ~* '^A', 'abc' !~ 'x', 'abc' SIMILAR TO '(a|b)%', 'a_c' LIKE 'a\_c', 'a%c' LIKE 'a!%c' ESCAPE '!'
SELECT regexp_replace('foobarbaz', 'b..', 'X', 'g'), regexp_match('foobarbequebaz', '(bar)(beque)'), regexp_matches('foobarbequebazilbarfbonk', '(b[^b]+)(b[^b]+)', 'g'), regexp_split_to_array('a b  c', '\s+'), starts_with('abc', 'a')
SELECT string_to_array('a,b,c', ','), array_to_string(ARRAY[1, 2, NULL, 3], ',', '*'), unnest(string_to_array('x y', ' ')), string_to_table('a,b', ',')
SELECT E'tab\there', $$dollar$$, $q$it's$q$, U&'d\0061t\+000061', 'it''s', B'101', X'1F', N'x'
SELECT 'a' < 'b', 'a' COLLATE "C" < 'B' COLLATE "C", normalize('é', NFD) IS NFD NORMALIZED, sha256('x'), unistr('\0041')
SELECT to_ascii('abc', 'LATIN1'), convert_from('\x616263', 'UTF8'), convert_to('abc', 'UTF8'), get_byte('abc'::bytea, 1), set_byte('abc'::bytea, 1, 65)

-- # numbers
SELECT abs(-1), ceil(1.2), floor(1.8), round(1.5), round(1.2345, 2), trunc(1.789, 1), sqrt(16), cbrt(27), power(2, 3), exp(0), ln(1), log(100), log(2, 8), mod(7, 3), sign(-3), pi(), degrees(pi()), radians(180), gcd(12, 18), lcm(4, 6), factorial(5), width_bucket(5, 0, 10, 5), scale(1.20), min_scale(1.20), trim_scale(1.20), div(7, 2)
SELECT sin(0), cos(0), tan(0), asin(0), acos(1), atan(0), atan2(0, 1), sinh(0), cosh(0), tanh(0), cotd(45)
SELECT to_char(1234.5, '9,999.99'), to_char(-5, 'S99'), to_number('1,234', '9,999'), 5::money, 12.345::numeric(5, 2), '12'::int, 12::text, 1::bit(8), true::int, 'yes'::bool, '0x1'::text
SELECT greatest(1, 2, 3), least(1, 2, 3), coalesce(NULL, 1), nullif(1, 1), num_nulls(1, NULL), num_nonnulls(1, NULL), 5 BETWEEN 1 AND 10, 5 NOT BETWEEN SYMMETRIC 10 AND 1, 1 IN (1, 2), 3 NOT IN (1, 2), 1 IS DISTINCT FROM NULL, NULL IS NULL, 1 IS NOT NULL, true IS TRUE, NULL IS UNKNOWN
SELECT setseed(0.5), random() < 2, gen_random_uuid() IS NOT NULL

-- # dates
SELECT date '2024-02-29', timestamp '2024-01-01 12:00', timestamptz '2024-01-01 12:00+02', time '12:34', interval '1 day 2 hours', '2024-01-01'::date + 30, date '2024-03-01' - date '2024-02-01', timestamp '2024-01-31' + interval '1 month'
SELECT extract(year FROM date '2024-05-06'), extract(dow FROM date '2024-05-06'), extract(epoch FROM interval '1 hour'), date_part('week', date '2024-05-06'), date_trunc('month', timestamp '2024-05-06 10:00'), date_trunc('day', timestamptz '2024-05-06 10:00+00', 'Europe/Berlin'), age(date '2024-05-06', date '2000-01-01'), make_date(2024, 1, 2), make_time(1, 2, 3), make_timestamp(2024, 1, 2, 3, 4, 5), make_interval(days => 10), make_timestamptz(2024, 1, 2, 3, 4, 5, 'UTC')
SELECT to_char(timestamp '2024-05-06 07:08:09', 'YYYY-MM-DD HH24:MI:SS Day Mon'), to_date('06.05.2024', 'DD.MM.YYYY'), to_timestamp(0), to_timestamp('2024', 'YYYY'), timestamp '2024-05-06' AT TIME ZONE 'UTC', justify_days(interval '40 days'), justify_hours(interval '30 hours'), justify_interval(interval '1 mon -1 hour'), isfinite(date 'infinity'), date_bin('15 minutes', timestamp '2024-05-06 10:07', timestamp '2001-01-01'), (date '2024-01-01', date '2024-02-01') OVERLAPS (date '2024-01-15', date '2024-03-01')
SELECT now() IS NOT NULL, current_date IS NOT NULL, current_timestamp(0) IS NOT NULL, localtime IS NOT NULL, localtimestamp IS NOT NULL, clock_timestamp() IS NOT NULL, statement_timestamp() IS NOT NULL, transaction_timestamp() = now(), timeofday() IS NOT NULL
SELECT generate_series(1, 5), generate_series(date '2024-01-01', date '2024-01-03', interval '1 day')
SELECT d::date, count(o.id) FROM generate_series(date '2024-01-01', date '2024-01-07', interval '1 day') d LEFT JOIN orders o ON o.ordered_at::date = d::date GROUP BY d ORDER BY d

-- # json
SELECT '{"a": 1}'::json, '{"b": [1, 2, {"c": null}]}'::jsonb, '{"a": {"b": 1}}'::jsonb -> 'a' ->> 'b', '[1,2]'::jsonb -> 0, '{"a": {"b": 2}}'::jsonb #> '{a,b}', '{"a": 1}'::jsonb ? 'a', '{"a": 1}'::jsonb ?| ARRAY['a'], '{"a": 1}'::jsonb ?& ARRAY['a'], '{"a": 1}'::jsonb @> '{"a": 1}', '{"a": 1}'::jsonb || '{"b": 2}', '{"a": 1, "b": 2}'::jsonb - 'a', '{"a": {"b": 1}}'::jsonb #- '{a,b}'
SELECT json_build_object('a', 1), json_build_array(1, 'a'), jsonb_build_object('a', ARRAY[1, 2]), to_json(1), to_jsonb('a'::text), row_to_json(ROW(1, 'a')), array_to_json(ARRAY[1, 2]), json_object('{a,1}'), jsonb_object(ARRAY['a'], ARRAY['1']), json_typeof('1'), jsonb_array_length('[1,2]'), jsonb_pretty('{"a":1}'), jsonb_set('{"a":1}', '{a}', '2'), jsonb_insert('{"a":[1]}', '{a,0}', '0'), jsonb_strip_nulls('{"a":null}'), json_extract_path_text('{"a":{"b":1}}', 'a', 'b'), jsonb_extract_path('{"a":1}', 'a')
SELECT * FROM json_each('{"a": 1, "b": 2}'), jsonb_object_keys('{"x": 1}'), jsonb_array_elements('[1, 2]'), json_to_record('{"a": 1}') AS r(a int), jsonb_to_recordset('[{"b": 1}]') AS s(b int)
SELECT jsonb_path_query('{"a": [1, 2, 3]}', '$.a[*] ? (@ > 1)'), jsonb_path_exists('{"a": 1}', '$.a'), jsonb_path_query_array('[1, 2]', '$[*]'), '{"a": 1}'::jsonb @? '$.a', '{"a": 1}'::jsonb @@ '$.a == 1', ('{"a": [5]}'::jsonb)['a'][0]
SELECT json_agg(item ORDER BY id), jsonb_object_agg(id, item), json_agg(json_build_object('id', id, 'item', item)) FROM orders WHERE id < 4
SELECT row_to_json(t) FROM (SELECT id, item FROM orders ORDER BY id LIMIT 2) t
SELECT o.id, x.* FROM orders o, LATERAL jsonb_to_record(jsonb_build_object('n', o.id)) AS x(n int) ORDER BY o.id LIMIT 2

-- # arrays, ranges, rows
SELECT ARRAY[1, 2, 3], ARRAY[[1, 2], [3, 4]], '{a,b}'::text[], (ARRAY[1, 2, 3])[2], (ARRAY[1, 2, 3])[1:2], array_length(ARRAY[1, 2], 1), cardinality(ARRAY[1, 2]), array_append(ARRAY[1], 2), array_prepend(0, ARRAY[1]), array_cat(ARRAY[1], ARRAY[2]), array_remove(ARRAY[1, 2], 1), array_replace(ARRAY[1, 2], 1, 9), array_position(ARRAY['a', 'b'], 'b'), array_positions(ARRAY[1, 1], 1), array_fill(0, ARRAY[2]), array_upper(ARRAY[1, 2], 1), array_dims(ARRAY[1]), trim_array(ARRAY[1, 2, 3], 1), ARRAY[1, 2] @> ARRAY[1], ARRAY[1] <@ ARRAY[1, 2], ARRAY[1] && ARRAY[1], 1 = ANY (ARRAY[1, 2]), 1 < ALL (ARRAY[2, 3])
SELECT * FROM unnest(ARRAY[1, 2], ARRAY['a', 'b']) WITH ORDINALITY AS t(n, s, o)
SELECT int4range(1, 5), '[1,5)'::int4range @> 3, lower(int4range(1, 5)), upper(int4range(1, 5)), isempty(int4range(1, 1)), int4range(1, 5) * int4range(3, 8), int4range(1, 3) + int4range(3, 5), int4range(1, 5) && int4range(4, 6), daterange('2024-01-01', '2024-02-01'), tstzrange(now(), NULL) IS NOT NULL, numrange(1.1, 2.2), int4multirange(int4range(1, 2), int4range(5, 6)), range_merge(int4range(1, 2), int4range(5, 6))
SELECT ROW(1, 'a'), (ROW(1, 2)) = (ROW(1, 2)), (1, 2) < (1, 3), (1, 2) IN ((1, 2))
SELECT point(1, 2), box(point(0, 0), point(1, 1)), circle(point(0, 0), 2), point(0, 0) <-> point(3, 4), area(box(point(0, 0), point(2, 2)))
SELECT inet '10.0.0.1/8', cidr '10.0.0.0/8', host(inet '10.0.0.1/8'), network(inet '10.0.0.1/8'), masklen(inet '10.0.0.1/8'), inet '10.0.0.1' << cidr '10.0.0.0/8', macaddr '08:00:2b:01:02:03', family(inet '::1')
SELECT to_tsvector('english', 'a fat cat'), to_tsquery('english', 'fat & cat'), plainto_tsquery('fat cat'), websearch_to_tsquery('"fat cat"'), to_tsvector('fat cat') @@ to_tsquery('fat'), ts_rank(to_tsvector('fat cat'), to_tsquery('fat')), ts_headline('a fat cat', to_tsquery('fat'))
SELECT xmlelement(name a, 'b'), xmlforest(1 AS a), xpath('/a/text()', '<a>b</a>'), xmlparse(document '<a/>'), '<a/>'::xml IS DOCUMENT, xmlconcat('<a/>', '<b/>'), xml_is_well_formed('<a/>')
SELECT '2f4f9d2a-5b0e-4b43-8f0c-6f6a6f4bd0a1'::uuid, '\xdeadbeef'::bytea, pg_typeof(1), 'a'::"char", 1::oid, 'orders'::regclass, 'int4'::regtype, '12'::name, '(1,2)'::tid

-- # reports
SELECT item, amount, sum(amount) OVER (ORDER BY id), avg(amount) OVER w, rank() OVER (ORDER BY amount DESC), dense_rank() OVER (ORDER BY amount), row_number() OVER (PARTITION BY user_id ORDER BY id), lag(amount) OVER w, lead(amount, 2, 0) OVER w, ntile(4) OVER w, first_value(item) OVER w, last_value(item) OVER w, nth_value(item, 2) OVER w, percent_rank() OVER w, cume_dist() OVER w FROM orders WINDOW w AS (ORDER BY id ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) ORDER BY id LIMIT 10
SELECT user_id, count(*), count(DISTINCT item), sum(amount), avg(amount)::numeric(10, 2), min(amount), max(amount), stddev(amount), variance(amount), bool_and(amount > 0), bool_or(amount > 90), every(amount > 0), string_agg(item, ', ' ORDER BY id), array_agg(id ORDER BY id), count(*) FILTER (WHERE amount > 50), percentile_cont(0.5) WITHIN GROUP (ORDER BY amount), mode() WITHIN GROUP (ORDER BY item), corr(id, amount), regr_slope(amount, id) FROM orders GROUP BY user_id HAVING count(*) > 2 ORDER BY user_id LIMIT 5
SELECT date_trunc('month', ordered_at) AS month, sum(amount), round(100.0 * sum(amount) / sum(sum(amount)) OVER (), 2) AS share FROM orders GROUP BY 1 ORDER BY 1
SELECT user_id, item, sum(amount) FROM orders WHERE id < 6 GROUP BY ROLLUP (user_id, item) ORDER BY 1, 2
SELECT user_id, grouping(user_id), sum(amount) FROM orders WHERE id < 6 GROUP BY GROUPING SETS ((user_id), ()) ORDER BY 1
SELECT user_id, sum(amount) FROM orders WHERE id < 6 GROUP BY CUBE (user_id) ORDER BY 1
WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t WHERE n < 10) SELECT sum(n) FROM t
WITH totals AS (SELECT user_id, sum(amount) AS total FROM orders GROUP BY user_id), ranked AS MATERIALIZED (SELECT *, rank() OVER (ORDER BY total DESC) FROM totals) SELECT u.id, u.name, r.total FROM ranked r JOIN users u ON u.id = r.user_id WHERE r.rank <= 3 ORDER BY 2
SELECT u.name, coalesce(sum(o.amount), 0) FROM users u LEFT JOIN orders o ON o.user_id = u.id WHERE u.name ILIKE 'customer%' GROUP BY u.name ORDER BY 2 DESC, 1 LIMIT 5
SELECT u.name, l.item FROM users u CROSS JOIN LATERAL (SELECT item FROM orders o WHERE o.user_id = u.id ORDER BY o.amount DESC LIMIT 1) l ORDER BY u.id LIMIT 5
SELECT name FROM users WHERE id IN (SELECT user_id FROM orders WHERE amount > 90) ORDER BY id
SELECT name FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id AND o.amount > 90) ORDER BY id
SELECT id FROM orders EXCEPT SELECT id FROM orders WHERE id > 3 ORDER BY 1
SELECT id FROM orders WHERE id < 4 UNION SELECT id FROM old_reports ORDER BY 1
SELECT DISTINCT ON (user_id) user_id, item, amount FROM orders ORDER BY user_id, amount DESC LIMIT 5
SELECT CASE WHEN amount > 50 THEN 'high' WHEN amount > 20 THEN 'mid' ELSE 'low' END AS class, count(*) FROM orders GROUP BY 1 ORDER BY 1
SELECT * FROM order_totals ORDER BY user_id LIMIT 3
SELECT id, name FROM customers ORDER BY id LIMIT 3
SELECT id, name, attributes ->> 'tier' AS tier, birthday, extract(year FROM birthday) FROM users ORDER BY id LIMIT 5
SELECT count(*) FROM users WHERE email LIKE '%@mail.example'
SELECT id, name FROM users WHERE email = 'customer3@mail.example'
SELECT id, name FROM users ORDER BY email LIMIT 3
SELECT count(DISTINCT email), count(email) FROM users
SELECT o.id, o.item FROM orders o JOIN users u ON u.id = o.user_id WHERE lower(u.email) = 'customer3@mail.example' ORDER BY 1
SELECT o.id, o.item FROM orders o JOIN users u ON u.id = o.user_id WHERE u.email LIKE 'customer3@%' OR o.item LIKE 'zzz%' ORDER BY 1
SELECT o.id FROM orders o JOIN users u ON u.id = o.user_id AND u.email LIKE 'customer3%' AND o.amount > 5 ORDER BY 1
SELECT id FROM users WHERE email IN ('customer3@mail.example', 'x') OR email = ANY (ARRAY['customer4@mail.example']) ORDER BY 1
SELECT id FROM users WHERE email IN (VALUES ('customer3@mail.example'), ('x')) ORDER BY 1
SELECT a.id, b.id, b.name FROM users a JOIN users b ON a.email = b.email ORDER BY 1, 2 LIMIT 5
SELECT a.id, b.name FROM users a JOIN users b USING (email) ORDER BY 1 LIMIT 5
SELECT id FROM users WHERE email = (SELECT max(email) FROM users)
SELECT id FROM users u WHERE length(email) >= (SELECT avg(length(email)) FROM users x WHERE x.name = u.name) ORDER BY 1 LIMIT 5
SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE email LIKE 'customer3@%') ORDER BY 1
SELECT id FROM orders o WHERE EXISTS (SELECT FROM users u WHERE u.id = o.user_id AND u.email LIKE 'customer3@%') ORDER BY 1
SELECT id FROM users u WHERE NOT EXISTS (SELECT FROM orders o WHERE o.item = u.email) ORDER BY 1 LIMIT 5
SELECT id, (SELECT count(*) FROM orders o WHERE o.user_id = u.id) FROM users u WHERE email LIKE 'customer3@%'
SELECT count(CASE WHEN u.email LIKE 'customer%' AND o.amount > 5 THEN o.id END), count(*) FILTER (WHERE u.email LIKE 'customer%' OR o.amount > 5) FROM users u JOIN orders o ON o.user_id = u.id
SELECT row_number() OVER (ORDER BY email), id FROM users ORDER BY 1 LIMIT 5
SELECT id FROM (SELECT row_number() OVER (ORDER BY id) AS r, u.* FROM users u) s WHERE r < 5 AND email LIKE 'customer%' ORDER BY 1
WITH params AS (SELECT 'customer3@%'::text AS q) SELECT u.id FROM users u, params WHERE u.email LIKE params.q
WITH m AS (SELECT id, email FROM users) SELECT a.id FROM m a JOIN m b ON a.email = b.email ORDER BY 1 LIMIT 3
WITH RECURSIVE t(id, email) AS (SELECT id, email FROM users WHERE id = 1 UNION ALL SELECT u.id, u.email FROM users u JOIN t ON u.id = t.id + 1 WHERE u.id < 5) SELECT id FROM t WHERE email LIKE 'customer%' ORDER BY 1
SELECT n, count(u.id) FROM generate_series(1, 3) n LEFT JOIN users u ON u.id = n AND u.email LIKE 'customer%' GROUP BY n ORDER BY n
SELECT v.label, u.name FROM users u JOIN (VALUES (1, 'a'), (2, 'b')) v(id, label) ON v.id = u.id WHERE u.email <> '' ORDER BY 1
SELECT * FROM orders ORDER BY id OFFSET 5 FETCH FIRST 3 ROWS ONLY
SELECT * FROM orders TABLESAMPLE BERNOULLI (100) ORDER BY id LIMIT 2
SELECT id FROM orders WHERE id < 3 FOR SHARE
SELECT max(id), (SELECT count(*) FROM users) FROM orders
SELECT EXISTS (SELECT FROM users WHERE id = 1)
SELECT width_bucket(amount, 0, 100, 4) AS bucket, count(*) FROM orders GROUP BY bucket ORDER BY bucket
SELECT o.*, u.name FROM orders o JOIN users u ON u.id = o.user_id ORDER BY o.id LIMIT 3
EXPLAIN (COSTS OFF) SELECT * FROM orders WHERE id = 3

-- # the session itself
BEGIN
SELECT 1
SAVEPOINT a
SELECT id FROM orders WHERE id = 1
ROLLBACK TO a
RELEASE a
COMMIT
BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
SHOW transaction_isolation
ROLLBACK
START TRANSACTION
END
SET statement_timeout = 60000
SHOW statement_timeout
RESET statement_timeout
SET LOCAL work_mem = '8MB'
SET TIME ZONE 'UTC'
SET DateStyle = ISO, MDY
SET client_min_messages TO warning
SET extra_float_digits = 3
SET application_name = 'honest'
SET client_encoding TO 'UTF8'
SET NAMES 'utf8'
SET standard_conforming_strings = on
SHOW server_version
SHOW search_path
SHOW ALL
SELECT version(), current_user, session_user, current_database(), current_schema(), current_schemas(true), current_catalog, current_role
SELECT current_setting('server_version_num')::int > 100000, current_setting('nope.nope', true), pg_backend_pid() > 0, pg_is_in_recovery(), inet_server_port() > 0
PREPARE honest(int) AS SELECT item FROM orders WHERE id = $1
EXECUTE honest(3)
DEALLOCATE honest
BEGIN
DECLARE c CURSOR FOR SELECT id, item FROM orders ORDER BY id
FETCH 2 FROM c
MOVE 1 FROM c
FETCH NEXT FROM c
CLOSE c
COMMIT
COPY (SELECT id, item FROM orders WHERE id < 4 ORDER BY id) TO STDOUT
COPY (SELECT id, item FROM orders WHERE id < 4 ORDER BY id) TO STDOUT (FORMAT csv, HEADER)
COPY old_reports TO STDOUT
DISCARD ALL

-- # errors keep their words
SELECT no_such_column FROM orders
SELECT * FROM no_such_table
SELECT 1 / 0
SELECT 'x'::int
SELEC 1

-- # django
SELECT c.relname, CASE WHEN c.relispartition THEN 'p' WHEN c.relkind IN ('m', 'v') THEN 'v' ELSE 't' END, obj_description(c.oid, 'pg_class') FROM pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid) ORDER BY 1
SELECT a.attname AS column_name, NOT (a.attnotnull OR (t.typtype = 'd' AND t.typnotnull)) AS is_nullable, pg_get_expr(ad.adbin, ad.adrelid) AS column_default, CASE WHEN collname = 'default' THEN NULL ELSE collname END AS collation, a.attidentity != '' AS is_autofield, col_description(a.attrelid, a.attnum) AS column_comment FROM pg_attribute a LEFT JOIN pg_attrdef ad ON a.attrelid = ad.adrelid AND a.attnum = ad.adnum LEFT JOIN pg_collation co ON a.attcollation = co.oid JOIN pg_type t ON a.atttypid = t.oid JOIN pg_class c ON a.attrelid = c.oid JOIN pg_namespace n ON c.relnamespace = n.oid WHERE c.relkind IN ('f', 'm', 'p', 'r', 'v') AND c.relname = 'users' AND n.nspname NOT IN ('pg_catalog', 'pg_toast') AND pg_catalog.pg_table_is_visible(c.oid)
SELECT c.conname, array(SELECT attname FROM unnest(c.conkey) WITH ORDINALITY cols(colid, arridx) JOIN pg_attribute AS ca ON cols.colid = ca.attnum WHERE ca.attrelid = c.conrelid ORDER BY cols.arridx), c.contype, (SELECT fkc.relname || '.' || fka.attname FROM pg_attribute AS fka JOIN pg_class AS fkc ON fka.attrelid = fkc.oid WHERE fka.attrelid = c.confrelid AND fka.attnum = c.confkey[1]), cl.reloptions FROM pg_constraint AS c JOIN pg_class AS cl ON c.conrelid = cl.oid WHERE cl.relname = 'orders' AND pg_catalog.pg_table_is_visible(cl.oid) ORDER BY 1
SELECT indexname, array_agg(attname ORDER BY arridx), indisunique, indisprimary, array_agg(ordering ORDER BY arridx), amname, exprdef, s2.attoptions FROM (SELECT c2.relname as indexname, idx.*, attr.attname, am.amname, CASE WHEN idx.indexprs IS NOT NULL THEN pg_get_indexdef(idx.indexrelid) END AS exprdef, CASE am.amname WHEN 'btree' THEN CASE (option & 1) WHEN 1 THEN 'DESC' ELSE 'ASC' END END as ordering, c2.reloptions as attoptions FROM (SELECT * FROM pg_index i, unnest(i.indkey, i.indoption) WITH ORDINALITY koi(key, option, arridx)) idx LEFT JOIN pg_class c ON idx.indrelid = c.oid LEFT JOIN pg_class c2 ON idx.indexrelid = c2.oid LEFT JOIN pg_am am ON c2.relam = am.oid LEFT JOIN pg_attribute attr ON attr.attrelid = c.oid AND attr.attnum = idx.key WHERE c.relname = 'orders' AND pg_catalog.pg_table_is_visible(c.oid)) s2 GROUP BY indexname, indisunique, indisprimary, amname, exprdef, attoptions
SELECT s.relname AS sequence_name, a.attname AS colname FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.classid = 'pg_class'::regclass AND d.refclassid = 'pg_class'::regclass JOIN pg_attribute a ON d.refobjid = a.attrelid AND d.refobjsubid = a.attnum JOIN pg_class tbl ON tbl.oid = d.refobjid AND tbl.relname = 'orders' AND pg_catalog.pg_table_is_visible(tbl.oid) WHERE s.relkind = 'S'

-- # sqlalchemy
select pg_catalog.version()
select current_schema()
show transaction isolation level
SELECT pg_catalog.pg_class.relname FROM pg_catalog.pg_class JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p']) AND pg_catalog.pg_class.relpersistence != 't' AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog' ORDER BY 1
SELECT pg_catalog.pg_attribute.attname AS name, pg_catalog.format_type(pg_catalog.pg_attribute.atttypid, pg_catalog.pg_attribute.atttypmod) AS format_type, (SELECT pg_catalog.pg_get_expr(pg_catalog.pg_attrdef.adbin, pg_catalog.pg_attrdef.adrelid) AS pg_get_expr_1 FROM pg_catalog.pg_attrdef WHERE pg_catalog.pg_attrdef.adrelid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attrdef.adnum = pg_catalog.pg_attribute.attnum AND pg_catalog.pg_attribute.atthasdef) AS "default", pg_catalog.pg_attribute.attnotnull AS not_null, pg_catalog.pg_class.relname AS table_name, pg_catalog.pg_description.description AS comment, pg_catalog.pg_attribute.attgenerated AS generated, (SELECT json_build_object('always', pg_catalog.pg_attribute.attidentity = 'a', 'start', pg_catalog.pg_sequence.seqstart, 'increment', pg_catalog.pg_sequence.seqincrement) AS json_build_object_1 FROM pg_catalog.pg_sequence WHERE pg_catalog.pg_attribute.attidentity != '' AND pg_catalog.pg_sequence.seqrelid = CAST(CAST(pg_catalog.pg_get_serial_sequence(CAST(CAST(pg_catalog.pg_attribute.attrelid AS REGCLASS) AS TEXT), pg_catalog.pg_attribute.attname) AS REGCLASS) AS OID)) AS identity_options FROM pg_catalog.pg_class LEFT OUTER JOIN pg_catalog.pg_attribute ON pg_catalog.pg_class.oid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_attribute.attnum > 0 AND NOT pg_catalog.pg_attribute.attisdropped LEFT OUTER JOIN pg_catalog.pg_description ON pg_catalog.pg_description.objoid = pg_catalog.pg_attribute.attrelid AND pg_catalog.pg_description.objsubid = pg_catalog.pg_attribute.attnum JOIN pg_catalog.pg_namespace ON pg_catalog.pg_namespace.oid = pg_catalog.pg_class.relnamespace WHERE pg_catalog.pg_class.relkind = ANY (ARRAY['r', 'p', 'f', 'v', 'm']) AND pg_catalog.pg_table_is_visible(pg_catalog.pg_class.oid) AND pg_catalog.pg_namespace.nspname != 'pg_catalog' AND pg_catalog.pg_class.relname IN ('users', 'orders') ORDER BY pg_catalog.pg_class.relname, pg_catalog.pg_attribute.attnum
SELECT nspname FROM pg_catalog.pg_namespace WHERE nspname NOT LIKE 'pg\_%' ORDER BY nspname
SELECT t.typname AS name, pg_catalog.pg_type_is_visible(t.oid) AS visible, n.nspname AS schema, e.enumlabel FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace LEFT JOIN pg_catalog.pg_enum e ON t.oid = e.enumtypid WHERE t.typtype = 'e'
SELECT typname AS name, oid, typarray AS array_oid, oid::regtype::text AS regtype, typdelim AS delimiter FROM pg_type t WHERE t.oid = to_regtype('hstore') ORDER BY t.oid

-- # activerecord
SELECT a.attname, format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), a.attnotnull, a.atttypid, a.atttypmod, c.collname, col_description(a.attrelid, a.attnum) AS comment, attidentity AS identity, attgenerated as attgenerated FROM pg_attribute a LEFT JOIN pg_attrdef d ON a.attrelid = d.adrelid AND a.attnum = d.adnum LEFT JOIN pg_type t ON a.atttypid = t.oid LEFT JOIN pg_collation c ON a.attcollation = c.oid AND a.attcollation <> t.typcollation WHERE a.attrelid = '"users"'::regclass AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum
SELECT t.oid, t.typname, t.typelem, t.typdelim, t.typinput, r.rngsubtype, t.typtype, t.typbasetype FROM pg_type as t LEFT JOIN pg_range as r ON oid = rngtypid WHERE t.typname IN ('int2', 'int4', 'text', 'jsonb') ORDER BY 1
SELECT c.relname FROM pg_class c LEFT JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = ANY (current_schemas(false)) AND c.relkind IN ('r','v','m','p','f') ORDER BY 1
SELECT a.attname FROM (SELECT indrelid, indkey, generate_subscripts(indkey, 1) idx FROM pg_index WHERE indrelid = '"orders"'::regclass AND indisprimary) i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = i.indkey[i.idx] ORDER BY i.idx
SELECT distinct i.relname, d.indisunique, d.indkey, pg_get_indexdef(d.indexrelid), pg_catalog.obj_description(i.oid, 'pg_class') AS comment, d.indisvalid FROM pg_class t INNER JOIN pg_index d ON t.oid = d.indrelid INNER JOIN pg_class i ON d.indexrelid = i.oid LEFT JOIN pg_namespace n ON n.oid = t.relnamespace WHERE i.relkind IN ('i', 'I') AND d.indisprimary = 'f' AND t.relname = 'orders' AND n.nspname = ANY (current_schemas(false)) ORDER BY i.relname
SELECT t2.oid::regclass::text AS to_table, a1.attname AS column, a2.attname AS primary_key, c.conname AS name, c.confupdtype AS on_update, c.confdeltype AS on_delete, c.convalidated AS valid, c.condeferrable AS deferrable, c.condeferred AS deferred FROM pg_constraint c JOIN pg_class t1 ON c.conrelid = t1.oid JOIN pg_class t2 ON c.confrelid = t2.oid JOIN pg_attribute a1 ON a1.attnum = c.conkey[1] AND a1.attrelid = t1.oid JOIN pg_attribute a2 ON a2.attnum = c.confkey[1] AND a2.attrelid = t2.oid JOIN pg_namespace t3 ON c.connamespace = t3.oid WHERE c.contype = 'f' AND t1.relname = 'orders' AND t3.nspname = ANY (current_schemas(false)) ORDER BY c.conname
SELECT extname, installed_version FROM (SELECT e.extname, e.extversion AS installed_version FROM pg_extension e) s
SHOW max_identifier_length
SET SESSION timezone TO 'UTC'

-- # jdbc
SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, c.relname AS TABLE_NAME, CASE n.nspname ~ '^pg_' OR n.nspname = 'information_schema' WHEN true THEN CASE WHEN n.nspname = 'pg_catalog' OR n.nspname = 'information_schema' THEN CASE c.relkind WHEN 'r' THEN 'SYSTEM TABLE' WHEN 'v' THEN 'SYSTEM VIEW' WHEN 'i' THEN 'SYSTEM INDEX' ELSE NULL END END WHEN false THEN CASE c.relkind WHEN 'r' THEN 'TABLE' WHEN 'v' THEN 'VIEW' ELSE NULL END ELSE NULL END AS TABLE_TYPE, d.description AS REMARKS, '' as TYPE_CAT FROM pg_catalog.pg_namespace n, pg_catalog.pg_class c LEFT JOIN pg_catalog.pg_description d ON (c.oid = d.objoid AND d.objsubid = 0 and d.classoid = 'pg_class'::regclass) WHERE c.relnamespace = n.oid AND c.relname LIKE 'us%' ORDER BY TABLE_TYPE, TABLE_SCHEM, TABLE_NAME
SELECT * FROM (SELECT n.nspname, c.relname, a.attname, a.atttypid, a.attnotnull OR (t.typtype = 'd' AND t.typnotnull) AS attnotnull, a.atttypmod, a.attlen, t.typtypmod, row_number() OVER (PARTITION BY a.attrelid ORDER BY a.attnum) AS attnum, nullif(a.attidentity, '') as attidentity, nullif(a.attgenerated, '') as attgenerated, pg_catalog.pg_get_expr(def.adbin, def.adrelid) AS adsrc, dsc.description, t.typbasetype, t.typtype FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_class c ON (c.relnamespace = n.oid) JOIN pg_catalog.pg_attribute a ON (a.attrelid = c.oid) JOIN pg_catalog.pg_type t ON (a.atttypid = t.oid) LEFT JOIN pg_catalog.pg_attrdef def ON (a.attrelid = def.adrelid AND a.attnum = def.adnum) LEFT JOIN pg_catalog.pg_description dsc ON (c.oid = dsc.objoid AND a.attnum = dsc.objsubid) LEFT JOIN pg_catalog.pg_class dc ON (dc.oid = dsc.classoid AND dc.relname = 'pg_class') WHERE c.relkind in ('r', 'p', 'v', 'f', 'm') and a.attnum > 0 AND NOT a.attisdropped AND c.relname LIKE 'users') c WHERE true ORDER BY nspname, c.relname, attnum
SELECT result.TABLE_CAT, result.TABLE_SCHEM, result.TABLE_NAME, result.COLUMN_NAME, result.KEY_SEQ, result.PK_NAME FROM (SELECT NULL AS TABLE_CAT, n.nspname AS TABLE_SCHEM, ct.relname AS TABLE_NAME, a.attname AS COLUMN_NAME, (information_schema._pg_expandarray(i.indkey)).n AS KEY_SEQ, ci.relname AS PK_NAME, information_schema._pg_expandarray(i.indkey) AS KEYS, a.attnum AS A_ATTNUM FROM pg_catalog.pg_class ct JOIN pg_catalog.pg_attribute a ON (ct.oid = a.attrelid) JOIN pg_catalog.pg_namespace n ON (ct.relnamespace = n.oid) JOIN pg_catalog.pg_index i ON (a.attrelid = i.indrelid) JOIN pg_catalog.pg_class ci ON (ci.oid = i.indexrelid) WHERE true AND ct.relname = 'orders' AND i.indisprimary) result where result.A_ATTNUM = (result.KEYS).x ORDER BY result.table_name, result.pk_name, result.key_seq
SELECT t.typname, t.oid FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON (t.typnamespace = n.oid) WHERE n.nspname != 'pg_toast' AND (t.typrelid = 0 OR (SELECT c.relkind = 'c' FROM pg_catalog.pg_class c WHERE c.oid = t.typrelid)) ORDER BY 2 LIMIT 20
SELECT n.nspname = ANY(current_schemas(true)), n.nspname, t.typname FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON t.typnamespace = n.oid WHERE t.oid = 25
SELECT e.typdelim FROM pg_catalog.pg_type t, pg_catalog.pg_type e WHERE t.oid = 1009 and t.typelem = e.oid

-- # information schema
SELECT table_schema, table_name, table_type FROM information_schema.tables WHERE table_schema = 'public' ORDER BY 2
SELECT column_name, data_type, is_nullable, column_default, character_maximum_length, numeric_precision FROM information_schema.columns WHERE table_name = 'users' ORDER BY ordinal_position
SELECT tc.constraint_name, kcu.column_name, ccu.table_name AS foreign_table FROM information_schema.table_constraints tc JOIN information_schema.key_column_usage kcu USING (constraint_schema, constraint_name) JOIN information_schema.constraint_column_usage ccu USING (constraint_schema, constraint_name) WHERE tc.table_name = 'orders' ORDER BY 1, 2
SELECT routine_name FROM information_schema.routines WHERE routine_schema = 'public' ORDER BY 1
SELECT schema_name FROM information_schema.schemata ORDER BY 1
SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = 'orders' ORDER BY 1, 2
SELECT viewname, definition FROM pg_views WHERE schemaname = 'public' ORDER BY 1
SELECT schemaname, tablename, tableowner FROM pg_tables WHERE schemaname = 'public' ORDER BY 2
SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1
SELECT sequencename FROM pg_sequences
SELECT name, setting, unit, short_desc FROM pg_settings WHERE name LIKE 'autovacuum%' ORDER BY 1
SELECT datname, pg_encoding_to_char(encoding), datcollate FROM pg_database WHERE datname = current_database()
SELECT rolname, rolsuper, rolcreatedb FROM pg_roles WHERE rolname = current_user
SELECT extname, extversion FROM pg_extension
SELECT pg_size_pretty(pg_total_relation_size('old_reports')) IS NOT NULL, pg_relation_size('old_reports') >= 0, pg_database_size(current_database()) > 0
SELECT relname, n_live_tup >= 0, seq_scan >= 0 FROM pg_stat_user_tables ORDER BY 1
SELECT locktype, mode FROM pg_locks WHERE locktype = 'nothing'
SELECT has_table_privilege('orders', 'SELECT'), has_schema_privilege('public', 'USAGE'), has_database_privilege(current_database(), 'CONNECT'), pg_has_role('app', 'MEMBER')
SELECT pg_get_viewdef('order_totals'::regclass, true), pg_get_functiondef('order_count'::regproc), to_regclass('users'), format_type(25, NULL), obj_description('users'::regclass), shobj_description(1, 'pg_database'), pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = 'orders_pkey'
SELECT datname, numbackends >= 0, xact_commit >= 0 FROM pg_stat_database WHERE datname = current_database()
SELECT count(*) > 0 FROM pg_stat_activity
SELECT pid = pg_backend_pid(), usename, datname, state FROM pg_stat_activity WHERE pid = pg_backend_pid()

-- # what a workload may write
INSERT INTO orders (id, user_id, item, amount, ordered_at) VALUES (9001, 1, 'new', 1.00, '2024-01-01 00:00:00+00') RETURNING id, item
INSERT INTO orders SELECT 9002, 1, 'copy', amount, ordered_at FROM orders WHERE id = 9001 RETURNING *
INSERT INTO orders (id, user_id, item, amount, ordered_at) VALUES (9001, 1, 'x', 2, now()) ON CONFLICT (id) DO UPDATE SET item = excluded.item RETURNING item
UPDATE orders SET amount = amount * 2 WHERE id = 9001 RETURNING id, amount
UPDATE orders o SET item = 'for ' || u.id FROM users u WHERE u.id = o.user_id AND o.id = 9002 RETURNING o.item
WITH moved AS (UPDATE orders SET amount = 3 WHERE id = 9001 RETURNING id) SELECT count(*) FROM moved
