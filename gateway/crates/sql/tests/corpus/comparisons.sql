-- # shows: users.email is masked, and these would show it by other rows

-- conditions with made-up rows
SELECT chr(n) FROM users u, generate_series(1, 30) p, generate_series(32, 126) n WHERE ascii(substr(u.email, p, 1)) = n
SELECT chr(n) FROM users u, generate_series(32, 126) n WHERE ascii(u.email) = n
SELECT chr(n) FROM generate_series(32, 126) n, users u WHERE n = ascii(u.email) AND u.id = 1
SELECT chr(n) FROM users u, generate_series(32, 126) n WHERE NOT (ascii(u.email) <> n OR u.id <> 1)
SELECT n FROM users u, generate_series(32, 126) n WHERE (ascii(u.email) = n) IS TRUE
SELECT n FROM users u, generate_series(32, 126) n WHERE (ascii(u.email), 1) = (n, 1)
SELECT n FROM users u, generate_series(32, 126) n WHERE n IN (ascii(u.email), 0)
SELECT n FROM users u, generate_series(32, 126) n WHERE n = ANY (ARRAY[ascii(u.email)])
SELECT n FROM users u, generate_series(32, 126) n WHERE ARRAY[n] @> ARRAY[ascii(u.email)]
SELECT n FROM users u, generate_series(32, 126) n WHERE n BETWEEN ascii(u.email) AND ascii(u.email)
SELECT n FROM users u, generate_series(32, 126) n WHERE ascii(u.email) - n = 0
SELECT n FROM users u, generate_series(32, 126) n WHERE NOT (ascii(u.email) - n)::bool
SELECT n FROM users u, generate_series(32, 126) n WHERE u.email LIKE chr(n) || '%'
SELECT n FROM users u, generate_series(32, 126) n WHERE u.email ~ ('^' || chr(n))
SELECT n FROM users u, generate_series(32, 126) n WHERE starts_with(u.email, chr(n))
SELECT n FROM users u, generate_series(32, 126) n WHERE (chr(n) || u.email) ~ '^(.)\1'
SELECT n FROM users u, generate_series(32, 126) n WHERE regexp_like(concat(chr(n), u.email), '^(.)\1')
SELECT n FROM users u, generate_series(32, 126) n WHERE nullif(n, ascii(u.email)) IS NULL
SELECT n FROM users u, generate_series(32, 126) n WHERE CASE ascii(u.email) WHEN n THEN true END
SELECT n FROM users u, generate_series(32, 126) n WHERE CASE WHEN ascii(u.email) = n THEN true END
SELECT n FROM users u, generate_series(32, 126) n WHERE greatest(n, ascii(u.email)) IS NOT DISTINCT FROM least(n, ascii(u.email))
SELECT n FROM users u, unnest(ARRAY[65, 66]) n WHERE n = ascii(u.email)
SELECT c FROM users u, regexp_split_to_table('abc', '') c WHERE c = left(u.email, 1)
SELECT o FROM users u, unnest(ARRAY['a', 'b']) WITH ORDINALITY t(x, o) WHERE x = left(u.email, 1)
SELECT o FROM users u, unnest(ARRAY['a', 'b']) WITH ORDINALITY t(x, o) WHERE o + 96 = ascii(u.email)
SELECT v.n FROM users u, (VALUES (65), (66)) v(n) WHERE v.n = ascii(u.email)
SELECT v.t FROM users u, (VALUES (65, 'A'), (66, 'B')) v(n, t) WHERE v.n = ascii(u.email)
SELECT s.n FROM users u, (SELECT 65 AS n UNION ALL SELECT 66) s WHERE s.n = ascii(u.email)
SELECT s.n FROM users u, (SELECT generate_series(32, 126) AS n) s WHERE s.n = ascii(u.email)
SELECT s.n FROM users u, (SELECT row_number() OVER () AS n FROM orders) s WHERE s.n = ascii(u.email)
SELECT s.n FROM users u, (SELECT id, count(*) AS n FROM orders GROUP BY id) s WHERE s.n = ascii(u.email)
SELECT n FROM users u, json_array_elements_text('[65, 66]') n WHERE n = ascii(u.email)::text
SELECT j.n FROM users u, JSON_TABLE('[65, 66]', '$[*]' COLUMNS (n int PATH '$')) j WHERE j.n = ascii(u.email)
SELECT n FROM users u, generate_series(u.id * 0 + 32, 126) n WHERE n = ascii(u.email)

-- conditions with stored rows
SELECT o.id FROM users u, orders o WHERE o.id = ascii(u.email)
SELECT o.note FROM orders o JOIN users u ON o.id = ascii(u.email)
SELECT o.note FROM orders o LEFT JOIN users u ON o.note = u.email
SELECT u.id FROM orders o LEFT JOIN users u ON o.id = ascii(u.email) ORDER BY o.id
SELECT b.id FROM users a, users b WHERE b.id = ascii(a.email)
SELECT b.id FROM users a JOIN users b ON a.email < b.name
SELECT * FROM users NATURAL JOIN (SELECT note AS email FROM orders) s
SELECT * FROM users JOIN (SELECT id, note AS email FROM orders) s USING (email)
SELECT * FROM users FULL JOIN (SELECT note AS email FROM orders) s USING (email)
SELECT count(*) FROM users JOIN (SELECT chr(n) AS email FROM generate_series(32, 126) n) s USING (email)
SELECT o.id FROM users u, orders o WHERE o.ctid = ('(0,' || ascii(u.email) || ')')::tid
SELECT o.id FROM users u, orders o WHERE NOT (o.id - ascii(u.email))::bool

-- subqueries
SELECT n FROM generate_series(32, 126) n WHERE n IN (SELECT ascii(email) FROM users)
SELECT n FROM generate_series(32, 126) n WHERE n = ANY (SELECT ascii(email) FROM users)
SELECT n FROM generate_series(32, 126) n WHERE n <= ALL (SELECT ascii(email) FROM users)
SELECT n FROM generate_series(32, 126) n WHERE n = (SELECT ascii(email) FROM users WHERE id = 1)
SELECT n FROM generate_series(32, 126) n WHERE n = (SELECT ascii(email) FROM users WHERE id = 1 + 0 * n)
SELECT n FROM generate_series(32, 126) n WHERE EXISTS (SELECT FROM users WHERE ascii(email) = n)
SELECT n FROM generate_series(32, 126) n WHERE NOT EXISTS (SELECT FROM users WHERE ascii(email) <> n)
SELECT n FROM generate_series(32, 126) n WHERE (SELECT ascii(email) = n FROM users WHERE id = 1)
SELECT n FROM generate_series(32, 126) n WHERE (n, 1) IN (SELECT ascii(email), 1 FROM users)
SELECT n FROM generate_series(32, 126) n, users u WHERE (SELECT count(*) FROM generate_series(1, n)) = ascii(u.email)
SELECT n FROM generate_series(32, 126) n, users u WHERE (SELECT count(*) FROM generate_series(1, 126) m WHERE m <= n) = ascii(u.email)
SELECT n FROM generate_series(32, 126) n, users u WHERE (SELECT count(*) + 0 * max(length(x.email)) FROM generate_series(1, 126) m, users x WHERE m <= n) = ascii(u.email)
SELECT o.note FROM orders o, users u WHERE (SELECT p.id FROM products p WHERE p.id = o.id) = ascii(u.email)
SELECT o.note FROM orders o WHERE o.id = (SELECT ascii(email) FROM users u WHERE u.id = o.user_id)
SELECT (SELECT chr(n) FROM generate_series(32, 126) n WHERE n = ascii(u.email)) FROM users u
SELECT (SELECT count(*) FROM generate_series(1, 126) n WHERE n <= ascii(u.email)) FROM users u
SELECT (SELECT n FROM generate_series(32, 126) n ORDER BY n = ascii(u.email) DESC LIMIT 1) FROM users u
SELECT ARRAY(SELECT n FROM generate_series(32, 126) n WHERE n = ascii(u.email)) FROM users u
SELECT (SELECT o.id FROM orders o WHERE o.note = u.email) FROM users u
SELECT CASE WHEN EXISTS (SELECT FROM users u WHERE ascii(u.email) = n) THEN n END FROM generate_series(32, 126) n
SELECT n FROM generate_series(32, 126) n WHERE n IN (SELECT m FROM generate_series(32, 126) m, users u WHERE m = ascii(u.email))
SELECT s.n FROM (SELECT n, ascii(u.email) AS a FROM users u, generate_series(32, 126) n) s WHERE n = a
SELECT s.k FROM (SELECT n, (SELECT m.id FROM products m WHERE m.id = n) AS k FROM generate_series(1, 9) n) s, users u WHERE s.k = ascii(u.email)
SELECT l.n FROM users u, LATERAL (SELECT n FROM generate_series(32, 126) n WHERE n = ascii(u.email)) l
SELECT l.n FROM users u JOIN LATERAL (SELECT n FROM generate_series(32, 126) n) l ON l.n = ascii(u.email)
SELECT v.n FROM users u, LATERAL (SELECT n, n = ascii(u.email) AS hit FROM generate_series(32, 126) n) v WHERE v.hit
SELECT r.id FROM orders r, (SELECT ascii(email) AS a FROM users OFFSET 0) s WHERE s.a = r.id

-- WITH
WITH c AS (SELECT n FROM generate_series(32, 126) n) SELECT c.n FROM c, users u WHERE c.n = ascii(u.email)
WITH c AS (SELECT id, email FROM users) SELECT b.id FROM c a, c b WHERE b.id = ascii(a.email)
WITH c AS MATERIALIZED (SELECT * FROM users) SELECT n FROM c, generate_series(32, 126) n WHERE n = ascii(c.email)
WITH RECURSIVE r(n) AS (SELECT 32 UNION ALL SELECT n + 1 FROM r WHERE n < 126) SELECT n FROM r, users u WHERE n = ascii(u.email)
WITH RECURSIVE r(n) AS (SELECT 32 UNION ALL SELECT n + 1 FROM r WHERE n < (SELECT ascii(email) FROM users WHERE id = 1)) SELECT max(n) FROM r
WITH RECURSIVE r(i, e) AS (SELECT id, email FROM users UNION ALL SELECT i + 1, e FROM r WHERE i < 126) SELECT i FROM r WHERE i = ascii(e)
WITH RECURSIVE r(i, e) AS (SELECT 32, email FROM users UNION ALL SELECT i + 1, e FROM r WHERE i < ascii(e)) SELECT max(i) FROM r
SELECT n FROM generate_series(32, 126) n WHERE EXISTS (WITH c AS (SELECT ascii(email) AS a FROM users) SELECT FROM c WHERE a = n)

-- sorting, grouping, windows, sets
SELECT n FROM users u, generate_series(32, 126) n ORDER BY abs(n - ascii(u.email))
SELECT n FROM users u, generate_series(32, 126) n ORDER BY n = ascii(u.email) DESC LIMIT 1
SELECT DISTINCT ON (n = ascii(u.email)) n FROM users u, generate_series(32, 126) n
SELECT count(DISTINCT least(n, ascii(u.email))) FROM users u, generate_series(32, 126) n
SELECT count(*) FROM users u, generate_series(1, 126) n WHERE n <= ascii(u.email)
SELECT count(*) FILTER (WHERE n <= ascii(u.email)) FROM users u, generate_series(1, 126) n
SELECT count(nullif(n <= ascii(u.email), false)) FROM users u, generate_series(1, 126) n
SELECT max(n) FILTER (WHERE n <= ascii(u.email)) FROM users u, generate_series(1, 126) n
SELECT (array_agg(n ORDER BY abs(n - ascii(u.email))))[1] FROM users u, generate_series(1, 126) n
SELECT u.id FROM users u, generate_series(1, 126) n WHERE n <= ascii(u.email)
SELECT 1 FROM users u, generate_series(1, 126) n WHERE n <= ascii(u.email)
SELECT row_number() OVER () FROM users u, generate_series(1, 126) n WHERE n <= ascii(u.email)
SELECT n, count(*) FROM users u, generate_series(1, 126) n GROUP BY n HAVING n = max(ascii(u.email))
SELECT id FROM orders GROUP BY id HAVING id = (SELECT max(ascii(email)) FROM users)
SELECT n FROM generate_series(1, 126) n, generate_series(1, 126) m, users u WHERE m <= n GROUP BY n, u.email HAVING count(*) = ascii(u.email)
SELECT n FROM (SELECT n, first_value(email) OVER (ORDER BY id) AS e FROM users u, generate_series(32, 126) n) s WHERE n = ascii(e)
SELECT id FROM (SELECT id, first_value(email) OVER (ORDER BY id) AS e FROM users) s WHERE id = ascii(e)
SELECT n FROM (SELECT n, lag(n) OVER (ORDER BY n) AS l FROM generate_series(32, 126) n) s, users u WHERE l = ascii(u.email)
SELECT tag, lag(tag) OVER (ORDER BY k) FROM (SELECT chr(n) AS k, n AS tag FROM generate_series(32, 126) n UNION ALL SELECT email, 0 FROM users) s
SELECT chr(n) AS k, n AS tag FROM generate_series(32, 126) n UNION ALL SELECT email, 0 FROM users ORDER BY k
SELECT rank() OVER (ORDER BY k), tag FROM (SELECT note AS k, 1 AS tag FROM orders UNION ALL SELECT email, 0 FROM users) s
SELECT n, n FROM generate_series(32, 126) n INTERSECT SELECT ascii(email), m FROM users, generate_series(32, 126) m
SELECT generate_series(32, 126), 1 INTERSECT SELECT ascii(email), 1 FROM users
SELECT id, id FROM orders EXCEPT SELECT ascii(u.email), o.id FROM users u, orders o
VALUES (65, 'A'), (66, 'B') INTERSECT SELECT ascii(email), v.t FROM users, (VALUES ('A'), ('B')) v(t)

-- numbers of rows
SELECT n FROM generate_series(1, 126) n LIMIT (SELECT ascii(email) FROM users WHERE id = 1)
SELECT n FROM generate_series(1, 126) n OFFSET (SELECT ascii(email) FROM users WHERE id = 1) LIMIT 1
SELECT n FROM generate_series(1, 126) n FETCH FIRST (SELECT ascii(email) FROM users WHERE id = 1) ROWS ONLY
SELECT (SELECT chr(n) FROM generate_series(1, 126) n OFFSET ascii(u.email) - 1 LIMIT 1) FROM users u
SELECT id FROM users UNION ALL SELECT id FROM orders LIMIT (SELECT length(email) FROM users LIMIT 1)
SELECT count(*) FROM users u, generate_series(1, ascii(u.email)) n
SELECT 1 FROM users u, LATERAL generate_series(1, ascii(u.email)) n
SELECT generate_series(1, ascii(email)) FROM users
SELECT id, regexp_split_to_table(repeat('x,', ascii(email)), ',') FROM users
SELECT count(*) FROM (SELECT unnest(array_fill(1, ARRAY[ascii(email)])) FROM users) s
SELECT count(*) FROM users u, ROWS FROM (generate_series(1, ascii(u.email)), unnest(ARRAY[1])) t
SELECT count(*) FROM users u, JSON_TABLE(to_json(string_to_array(repeat('1,', ascii(u.email)), ','))::jsonb, '$[*]' COLUMNS (v text PATH '$')) j
SELECT count(*) FROM users u, XMLTABLE('/r/x' PASSING xmlparse(document '<r>' || repeat('<x/>', ascii(u.email)) || '</r>') COLUMNS v text PATH '.') x
SELECT count(*) OVER (ORDER BY id ROWS BETWEEN (SELECT ascii(email) FROM users WHERE id = 1) PRECEDING AND CURRENT ROW) FROM orders
SELECT count(*) FROM orders TABLESAMPLE bernoulli ((SELECT ascii(email) FROM users WHERE id = 1))

WITH RECURSIVE r(x) AS (SELECT ascii(email) FROM users WHERE id = 1 UNION ALL SELECT x - 1 FROM r WHERE x > 0) SELECT count(*) FROM r
WITH RECURSIVE r(x) AS (SELECT ascii(email) FROM users WHERE id = 1 UNION SELECT greatest(x - 1, 0) FROM r) SELECT count(*) FROM r
WITH RECURSIVE r(e) AS (SELECT email FROM users UNION ALL SELECT substr(e, 2) FROM r WHERE e <> '') SELECT count(*) FROM r
WITH RECURSIVE r(e, d) AS (SELECT email, 0 FROM users UNION ALL SELECT s.e, d + 1 FROM (SELECT substr(e, 2) AS e, d FROM r) s WHERE s.e <> '') SELECT max(d) FROM r
SELECT count(DISTINCT t) FROM (SELECT ntile((SELECT ascii(email) FROM users WHERE id = 1)) OVER () AS t FROM generate_series(1, 200)) s
SELECT n FROM users u, generate_series(32, 126) n, XMLTABLE(('/r[@v=' || n || ']') PASSING u.email COLUMNS v text PATH '.') x
SELECT s.n FROM users u, (SELECT full_name(1) AS n) s WHERE s.n = u.email
SELECT c.n FROM users u, unlisted c WHERE c.email = u.email

-- values that fail, or are NULL, by what they meet
SELECT n, 1 / (ascii(u.email) - n) FROM users u, generate_series(32, 126) n
SELECT n, CASE WHEN n = ascii(u.email) THEN 'x' END FROM users u, generate_series(32, 126) n
SELECT n, nullif(n, ascii(u.email)) FROM users u, generate_series(32, 126) n
SELECT o.id, (ARRAY[1])[o.id - ascii(u.email) + 1] FROM users u, generate_series(1, 9) o(id)
SELECT o.id, o.note = u.email FROM users u, orders o
SELECT o.id, 1 / u.id / (o.id % ascii(u.email)) FROM users u, orders o
SELECT p, substr(u.email, p, 1) FROM users u, generate_series(1, 30) p

-- writing
UPDATE users SET name = name FROM generate_series(32, 126) n WHERE n = ascii(email) RETURNING n
DELETE FROM orders o USING users u WHERE o.id = ascii(u.email) RETURNING o.id
INSERT INTO orders (id) SELECT n FROM generate_series(32, 126) n, users u WHERE n = ascii(u.email)
MERGE INTO orders o USING users u ON o.id = ascii(u.email) WHEN MATCHED THEN DELETE
MERGE INTO orders o USING users u ON o.user_id = u.id WHEN MATCHED AND o.note = u.email THEN DELETE
CREATE VIEW v AS SELECT n FROM users u, generate_series(32, 126) n WHERE n = ascii(u.email)
CREATE TABLE v AS SELECT n FROM users u, generate_series(32, 126) n WHERE n = ascii(u.email)
PREPARE q AS SELECT n FROM users u, generate_series(32, 126) n WHERE n = ascii(u.email)
DECLARE c CURSOR FOR SELECT n FROM users u, generate_series(32, 126) n WHERE n = ascii(u.email)
COPY (SELECT n FROM users u, generate_series(32, 126) n WHERE n = ascii(u.email)) TO STDOUT
EXPLAIN ANALYZE SELECT n FROM users u, generate_series(32, 126) n WHERE n = ascii(u.email)

-- other ways
SELECT n FROM generate_series(32, 126) n, LATERAL (SELECT email FROM users WHERE id = 1 OFFSET 0) u WHERE ascii(u.email) = n
SELECT x.n FROM users u CROSS JOIN LATERAL (SELECT n FROM generate_series(32, 126) n ORDER BY abs(n - ascii(u.email)) LIMIT 1) x
SELECT s.a FROM users u, (SELECT 1 AS a, 'x' AS b UNION SELECT 2, 'y') s WHERE s.b = u.email
SELECT o.id FROM orders o, (SELECT email AS e FROM users LIMIT 1) s GROUP BY o.id, s.e HAVING min(o.note) = s.e
SELECT o.id, rank() OVER (ORDER BY o.note = u.email) FROM orders o, users u
SELECT sum(o.id) FILTER (WHERE o.note = u.email) FROM orders o, users u
SELECT JSON_ARRAYAGG(o.id) FILTER (WHERE o.note = u.email) FROM orders o, users u
SELECT o.id FROM orders o WHERE o.note >= ALL (SELECT email FROM users)
SELECT o.id FROM orders o WHERE ROW(o.note) IN (SELECT email FROM users)
SELECT o.id FROM orders o WHERE o.note OPERATOR(pg_catalog.=) (SELECT email FROM users LIMIT 1)
SELECT o.id FROM orders o WHERE (SELECT bool_or(email = o.note) FROM users)
SELECT max(o.id) FROM orders o GROUP BY o.note IN (SELECT email FROM users)
SELECT n FROM users u, generate_series(32, 126) n WHERE coalesce(n = ascii(u.email), false)
SELECT n FROM users u, generate_series(32, 126) n WHERE (CASE WHEN true THEN n END) = ascii(u.email)
SELECT (WITH c AS (SELECT n FROM generate_series(1, 9) n) SELECT n FROM c WHERE n = ascii(u.email)) FROM users u
SELECT b.id FROM users a, LATERAL (SELECT id FROM users) b WHERE b.id = ascii(a.email)
SELECT o.id FROM orders o JOIN users u ON u.id = o.user_id WHERE o.total > length(u.email)
SELECT n FROM users u, generate_series(32, 126) n, lower(left(u.email, 1)) l WHERE l = chr(n)
SELECT j.n FROM (users u CROSS JOIN generate_series(32, 126) n) AS j WHERE ascii(j.email) = j.n
SELECT n FROM users u, generate_series(32, 126) n WHERE ARRAY[u.email] && ARRAY[chr(n)]
SELECT n FROM users u, generate_series(32, 126) n WHERE JSON_EXISTS(to_json(u.email)::jsonb, '$ ? (@ == $v)' PASSING chr(n) AS v)
SELECT o.arr[ascii(u.email)] FROM users u, (SELECT tags AS arr FROM orders) o
SELECT u FROM users u, orders o WHERE u::text LIKE '%' || o.note || '%'

-- # keeps: reports that must not be hurt

SELECT count(*) FROM users WHERE email LIKE '%x'
SELECT id, name FROM users WHERE email = $1
SELECT id, name FROM users WHERE email = 'a' OR name = 'b'
SELECT id, name FROM users WHERE lower(email) = lower($1) AND id > 3
SELECT id, name FROM users WHERE email IN ('a', 'b') OR email = ANY ($1)
SELECT id FROM users WHERE email IN (VALUES ('a'), ('b'))
SELECT id FROM users WHERE concat(name, ' ', email) ILIKE $1
SELECT id FROM users WHERE to_tsvector('simple', name || ' ' || email) @@ plainto_tsquery($1)
SELECT id FROM users WHERE email = name
SELECT id FROM users ORDER BY email LIMIT 10 OFFSET $1
SELECT id FROM users ORDER BY lower(email), id LIMIT $1
SELECT count(DISTINCT email), count(email), max(id) FROM users
SELECT name, email, count(*) FROM users GROUP BY name, email HAVING count(*) > 1 ORDER BY count(*) DESC
SELECT DISTINCT email, name FROM users
SELECT DISTINCT ON (email) id FROM users ORDER BY email, id DESC
SELECT o.id, u.email FROM orders o JOIN users u ON o.user_id = u.id
SELECT o.id FROM orders o JOIN users u ON o.user_id = u.id WHERE u.email = $1
SELECT o.id FROM orders o JOIN users u ON o.user_id = u.id AND u.email = $1 AND o.total > 5
SELECT o.id FROM orders o JOIN users u ON o.user_id = u.id WHERE u.email ILIKE $1 OR o.note ILIKE $1
SELECT u.id, l.id, l.name FROM users u JOIN users l ON u.email = l.email
SELECT u.id FROM users u JOIN users l USING (email) WHERE u.id < l.id
SELECT u.id, l.email FROM users u JOIN contacts l ON l.id = u.id
SELECT u.email || ' ' || o.note, u.email || o.id, concat(u.email, o.note), format('%s: %s', u.email, o.total) FROM users u JOIN orders o ON o.user_id = u.id
SELECT json_agg(json_build_object('mail', u.email, 'order', o.id)), coalesce(u.email, o.note) FROM users u JOIN orders o ON o.user_id = u.id GROUP BY u.email, o.note
SELECT CASE WHEN o.total > 5 THEN u.email ELSE u.name END FROM users u JOIN orders o ON o.user_id = u.id
SELECT count(CASE WHEN u.email LIKE '%x' AND o.total > 5 THEN o.id END) FROM users u JOIN orders o ON o.user_id = u.id
SELECT count(*) FILTER (WHERE u.email LIKE '%x' AND o.total > 5) FROM users u JOIN orders o ON o.user_id = u.id
SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE email LIKE $1)
SELECT id FROM orders o WHERE EXISTS (SELECT FROM users u WHERE u.id = o.user_id AND u.email LIKE $1)
SELECT id FROM users u WHERE email IN (SELECT note FROM orders)
SELECT id FROM users u WHERE NOT EXISTS (SELECT FROM orders o WHERE o.note = u.email)
SELECT id, (SELECT count(*) FROM orders o WHERE o.user_id = u.id) FROM users u WHERE email LIKE $1
SELECT id FROM users u WHERE length(email) > (SELECT count(*) FROM orders o WHERE o.user_id = u.id)
SELECT id FROM users WHERE length(email) > (SELECT avg(length(email)) FROM users)
SELECT id FROM users u WHERE length(email) > (SELECT avg(length(email)) FROM users x WHERE x.name = u.name)
SELECT id FROM users WHERE email = (SELECT max(email) FROM users)
SELECT id FROM users WHERE email = (SELECT note FROM orders WHERE id = 1)
SELECT sum(length(email)) / count(*), max(length(email)) - min(length(email)) FROM users
SELECT length(email) * 1.0 / sum(length(email)) OVER (), rank() OVER (ORDER BY email) FROM users
SELECT id FROM (SELECT id, email FROM users) s WHERE email LIKE $1
SELECT s.kind || ': ' || s.email FROM (SELECT 'user' AS kind, email FROM users) s WHERE s.kind = 'user' AND s.email LIKE $1
WITH params AS (SELECT $1::text AS q) SELECT u.id FROM users u, params WHERE u.email LIKE params.q
WITH m AS (SELECT id, email FROM users) SELECT m.id FROM m WHERE email LIKE $1
WITH m AS (SELECT id, email FROM users) SELECT a.id FROM m a JOIN m b ON a.email = b.email WHERE a.id < b.id
WITH RECURSIVE t(id, email) AS (SELECT id, email FROM users WHERE id = 1 UNION ALL SELECT u.id, u.email FROM users u JOIN t ON u.id = t.id + 1) SELECT id FROM t WHERE email LIKE $1
SELECT id FROM users WHERE email LIKE $1 UNION SELECT user_id FROM orders ORDER BY 1
SELECT email FROM users EXCEPT SELECT email FROM contacts
SELECT d, count(o.id) FROM generate_series($1::date, $2::date, '1 day') d LEFT JOIN orders o ON o.total > 0 AND o.note = d::text GROUP BY d ORDER BY d
SELECT d, count(u.id) FROM generate_series($1::date, $2::date, '1 day') d LEFT JOIN users u ON u.created_at::date = d AND u.email LIKE $3 GROUP BY d
SELECT v.label, u.email FROM users u JOIN (VALUES (1, 'a'), (2, 'b')) v(id, label) ON v.id = u.id
SELECT row_number() OVER (ORDER BY email), id FROM users
SELECT * FROM (SELECT row_number() OVER (ORDER BY id) AS r, u.* FROM users u) s WHERE r <= 10 AND email LIKE $1
SELECT u.id FROM users u, LATERAL (SELECT id FROM orders o WHERE o.user_id = u.id ORDER BY total DESC LIMIT 1) l WHERE u.email LIKE $1
UPDATE users SET name = $1 WHERE email = $2 RETURNING id
DELETE FROM orders o USING users u WHERE u.id = o.user_id AND u.email = $1
INSERT INTO users (id, email) VALUES ($1, $2), ($3, $4) ON CONFLICT (id) DO UPDATE SET email = excluded.email WHERE users.email <> excluded.email RETURNING id
SELECT CASE u.email WHEN 'a' THEN o.total ELSE 0 END FROM users u JOIN orders o ON o.user_id = u.id
WITH RECURSIVE t(id, email, depth) AS (SELECT id, email, 1 FROM users WHERE id = 1 UNION ALL SELECT t.id + 1, t.email, depth + 1 FROM t WHERE depth < 5) SELECT id, depth FROM t
WITH RECURSIVE t AS (SELECT id, name, email, name AS path FROM org_tree WHERE parent_id IS NULL UNION ALL SELECT o.id, o.name, o.email, t.path || '/' || o.name FROM org_tree o JOIN t ON o.parent_id = t.id) SELECT id, path FROM t WHERE email LIKE $1 ORDER BY path
SELECT id, k FROM users, jsonb_each(profile) j(k, v) WHERE email LIKE $1
SELECT id FROM users WHERE ctid = '(0,1)' AND email LIKE $1
SELECT id FROM orders o ORDER BY (SELECT email FROM users u WHERE u.id = o.user_id), id
SELECT u.id FROM users u WHERE ascii(u.email) = ANY (SELECT n FROM generate_series(32, 126) n WHERE n > u.id)
SELECT id, name, email, lower(email), email::varchar(20), email LIKE 'a%', length(email) > 5 AND id > 3 FROM users
SELECT u.id, o.id FROM users u LEFT JOIN orders o ON o.user_id = u.id AND o.total > 5 WHERE u.email IS NOT NULL ORDER BY u.email, o.id
SELECT max(o.total), min(u.email) FROM users u, orders o WHERE u.id = o.user_id GROUP BY u.name ORDER BY min(u.email)
