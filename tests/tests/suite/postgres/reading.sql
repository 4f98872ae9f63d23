-- Every place of a statement where a relation may stand.
SELECT * FROM ONLY users
SELECT * FROM ONLY (users)
SELECT * FROM users *
TABLE users
SELECT 'x' UNION SELECT name FROM users
SELECT 1, 'a' UNION (TABLE old_reports LIMIT 0) LIMIT 0
SELECT (SELECT max(id) FROM users)
SELECT ARRAY(SELECT id FROM users)
SELECT 1 WHERE EXISTS (SELECT 1 FROM users)
SELECT 1 WHERE 1 IN (SELECT id FROM users)
SELECT 1 WHERE 1 = ANY (SELECT id FROM users)
SELECT 1 WHERE (1, 'a') = ALL (SELECT id, name FROM users)
SELECT 1 ORDER BY (SELECT max(id) FROM users)
SELECT 1 LIMIT (SELECT count(*) FROM users)
SELECT 1 OFFSET (SELECT count(*) FROM users)
SELECT count(*) FROM orders GROUP BY (SELECT max(id) FROM users)
SELECT count(*) FROM orders HAVING count(*) > (SELECT max(id) FROM users)
SELECT count(*) FILTER (WHERE id IN (SELECT id FROM users)) FROM orders
SELECT sum(id) OVER (ORDER BY (SELECT max(id) FROM users)) FROM orders
SELECT sum(id) OVER (ROWS BETWEEN (SELECT 1 FROM users LIMIT 1) PRECEDING AND CURRENT ROW) FROM orders
SELECT string_agg(item, ',' ORDER BY (SELECT max(id) FROM users)) FROM orders
SELECT percentile_disc((SELECT 0.5 FROM users LIMIT 1)) WITHIN GROUP (ORDER BY id) FROM orders
SELECT CASE (SELECT 1 FROM users LIMIT 1) WHEN 1 THEN (SELECT 2 FROM payments LIMIT 1) ELSE (SELECT 3 FROM old_reports LIMIT 1) END
SELECT coalesce((SELECT name FROM users LIMIT 1), (SELECT body FROM old_reports LIMIT 1))
SELECT (ARRAY[1, 2])[(SELECT 1 FROM users LIMIT 1)]
SELECT ROW((SELECT 1 FROM users LIMIT 1), 2)
SELECT (SELECT u FROM users u LIMIT 1).name
SELECT greatest(1, (SELECT id FROM users LIMIT 1)), nullif(1, (SELECT id FROM orders LIMIT 1))
SELECT xmlelement(name a, (SELECT name FROM users LIMIT 1))
SELECT 1 BETWEEN (SELECT min(id) FROM users) AND (SELECT max(id) FROM orders)
SELECT 'a' LIKE (SELECT name FROM users LIMIT 1) ESCAPE '!'
SELECT extract(day FROM (SELECT birthday FROM users LIMIT 1))
SELECT (SELECT ordered_at FROM orders LIMIT 1) AT TIME ZONE 'UTC'
SELECT substring((SELECT name FROM users LIMIT 1) FROM 1 FOR 2), overlay('a' PLACING (SELECT body FROM old_reports LIMIT 1) FROM 1), trim((SELECT name FROM users LIMIT 1))
SELECT o.id FROM orders o JOIN users u ON u.id = o.user_id LEFT JOIN payments p ON p.order_id = o.id
SELECT * FROM orders NATURAL JOIN (SELECT id FROM users) u
SELECT * FROM orders JOIN users USING (id)
SELECT * FROM orders o, LATERAL (SELECT name FROM users WHERE id = o.user_id) l
SELECT * FROM orders CROSS JOIN LATERAL (VALUES ((SELECT max(id) FROM users))) v(x)
SELECT * FROM generate_series(1, (SELECT max(id) FROM users)::int) g
SELECT * FROM ROWS FROM (generate_series(1, (SELECT 2 FROM users LIMIT 1)), unnest(ARRAY(SELECT id FROM orders))) r
SELECT * FROM unnest(ARRAY(SELECT name FROM users)) n
SELECT * FROM users TABLESAMPLE SYSTEM ((SELECT 50 FROM old_reports LIMIT 1))
SELECT * FROM (users JOIN orders ON true) j LIMIT 1
SELECT * FROM users AS orders
SELECT orders.* FROM users AS orders, payments AS users
SELECT * FROM public.users, "public"."orders"
SELECT * FROM U&"us\0065rs"
SELECT * FROM "users" "ORDERS"
WITH users AS (SELECT 1) SELECT * FROM users, orders
WITH users AS (SELECT * FROM users) SELECT * FROM users
WITH a AS (SELECT 1), b AS (SELECT * FROM users) SELECT * FROM b
WITH RECURSIVE r AS (SELECT id FROM users UNION SELECT id + 1 FROM r WHERE id < 3) SELECT * FROM r
WITH RECURSIVE a AS (SELECT * FROM b), b AS (SELECT id FROM users) SELECT * FROM a
WITH a AS (WITH users AS (SELECT 1 AS id) SELECT * FROM users) SELECT * FROM a, users
SELECT * FROM orders WHERE id IN (WITH orders AS (SELECT id FROM users) SELECT id FROM orders)
WITH d AS (DELETE FROM payments RETURNING order_id) SELECT * FROM d
WITH i AS (INSERT INTO old_reports SELECT 99, name FROM users RETURNING id) SELECT * FROM i
WITH u AS (UPDATE orders SET item = (SELECT body FROM old_reports LIMIT 1) RETURNING id) SELECT * FROM u
VALUES ((SELECT max(id) FROM users)), (1)
INSERT INTO old_reports SELECT id, name FROM users
INSERT INTO old_reports VALUES (7, (SELECT name FROM users LIMIT 1))
INSERT INTO old_reports (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET body = (SELECT name FROM users LIMIT 1)
INSERT INTO old_reports (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET body = 'x' WHERE old_reports.id IN (SELECT id FROM users)
INSERT INTO old_reports (id) VALUES (7) RETURNING (SELECT max(id) FROM users)
UPDATE orders SET item = 'x' FROM users u WHERE u.id = orders.user_id
UPDATE orders SET (item, amount) = (SELECT name, 1 FROM users LIMIT 1)
UPDATE ONLY orders SET item = 'x' WHERE id IN (SELECT order_id FROM payments)
DELETE FROM payments USING orders o WHERE o.id = payments.order_id AND o.user_id IN (SELECT id FROM users)
DELETE FROM ONLY (payments) RETURNING (SELECT count(*) FROM users)
MERGE INTO old_reports r USING users u ON r.id = u.id WHEN MATCHED AND EXISTS (SELECT 1 FROM orders) THEN UPDATE SET body = (SELECT card FROM payments LIMIT 1) WHEN NOT MATCHED THEN INSERT VALUES (u.id, u.name)
MERGE INTO old_reports r USING (SELECT id FROM orders) o ON r.id = o.id WHEN MATCHED THEN DELETE
SELECT * FROM customers
SELECT * FROM order_totals WHERE user_id IN (SELECT id FROM users)
SELECT contact FROM customers c JOIN order_totals t ON t.user_id = c.id
SELECT c FROM customers c
SELECT id FROM users FOR UPDATE
SELECT o.id FROM orders o, users u FOR UPDATE OF u
COPY users TO STDOUT
COPY (SELECT * FROM users) TO STDOUT
COPY (TABLE orders) TO STDOUT
LOCK TABLE users
LOCK TABLE ONLY orders, payments IN SHARE MODE
ANALYZE users
ANALYZE orders (item), payments
