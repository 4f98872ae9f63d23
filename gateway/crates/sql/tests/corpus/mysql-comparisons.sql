-- # shows: users.email is masked, and these would show it by other rows

-- conditions with rows that are made up
SELECT s.n FROM users u, (SELECT 65 AS n UNION ALL SELECT 66) s WHERE s.n = ASCII(u.email)
SELECT v.n FROM users u JOIN (SELECT 65 n UNION SELECT 66) v ON v.n = ASCII(u.email)
WITH RECURSIVE n (i) AS (SELECT 32 UNION ALL SELECT i + 1 FROM n WHERE i < 126) SELECT i FROM n, users u WHERE i = ASCII(u.email)
SELECT s.n FROM users u, (SELECT ROW_NUMBER() OVER () AS n FROM orders) s WHERE s.n = ASCII(u.email)
SELECT s.n FROM users u, (SELECT id, COUNT(*) AS n FROM orders GROUP BY id) s WHERE s.n = ASCII(u.email)
SELECT j.n FROM users u, JSON_TABLE('[65, 66]', '$[*]' COLUMNS (n int PATH '$')) j WHERE j.n = ASCII(u.email)
SELECT @n := @n + 1 FROM users u WHERE ASCII(u.email) = @n


-- conditions with stored rows
SELECT o.id FROM users u, orders o WHERE o.id = ASCII(u.email)
SELECT o.note FROM orders o JOIN users u ON o.id = ASCII(u.email)
SELECT o.note FROM orders o LEFT JOIN users u ON o.note = u.email
SELECT o.id FROM users u, orders o WHERE o.id = ASCII(u.email) && 1
SELECT o.id FROM users u, orders o WHERE o.note LIKE u.email
SELECT o.id FROM users u, orders o WHERE u.email REGEXP o.note
SELECT o.id FROM users u, orders o WHERE u.email BETWEEN o.note AND 'z'
SELECT o.id FROM users u, orders o WHERE u.email IN (o.note, 'a')
SELECT o.id FROM users u, orders o WHERE u.email = BINARY o.note
SELECT o.id FROM users u, orders o WHERE u.email BETWEEN BINARY o.note AND 'z'
SELECT INTERVAL(ASCII(u.email), o.id) FROM users u, orders o
SELECT o.id FROM orders o JOIN ((SELECT email FROM users) s) ON s.email = o.note
SELECT o.id FROM orders o WHERE o.note = ANY ((SELECT email FROM users) UNION (SELECT title FROM products))
UPDATE orders o, (users u, products p) SET o.total = 1 WHERE o.note = u.email
SELECT o.id FROM users u, orders o WHERE NOT (u.email <> o.note OR u.id <> 1)
SELECT o.id FROM users u, orders o WHERE LOCATE(o.note, u.email)
SELECT o.id FROM users u, orders o WHERE IF(u.email = o.note, 1, 0)
SELECT o.id FROM users u, orders o WHERE CASE u.email WHEN o.note THEN 1 END
SELECT o.id FROM users u, orders o WHERE STRCMP(u.email, o.note) = 0
SELECT o.id FROM users u, orders o WHERE o.id / ASCII(u.email) = 1
SELECT * FROM users NATURAL JOIN (SELECT note AS email FROM orders) s
SELECT * FROM users JOIN (SELECT id, note AS email FROM orders) s USING (email)
DELETE o FROM orders o JOIN users u ON o.note = u.email
UPDATE orders o, users u SET o.total = 1 WHERE o.note = u.email

-- subqueries and set operations
SELECT id FROM orders WHERE id IN (SELECT ASCII(email) FROM users)
SELECT id FROM orders WHERE note = ANY (SELECT email FROM users)
SELECT id FROM orders o WHERE EXISTS (SELECT 1 FROM users WHERE email = o.note)
SELECT note FROM orders INTERSECT SELECT email FROM users
SELECT note FROM orders EXCEPT SELECT email FROM users

-- the number of rows
SELECT u.id, j.n FROM users u, JSON_TABLE(CONCAT('[', u.email, ']'), '$[*]' COLUMNS (n int PATH '$')) j

-- # silent: these are answered or masked

SELECT email FROM users WHERE email = 'a@b.c'
SELECT email FROM users WHERE email LIKE ? AND id > 3
SELECT u.email FROM users u JOIN orders o ON o.user_id = u.id WHERE u.email = 'x' AND o.total > 1
SELECT u.id FROM users u JOIN contacts c ON c.email = u.email
SELECT id FROM users WHERE email IN ('a', 'b') ORDER BY email LIMIT 3
SELECT email, COUNT(*) FROM users GROUP BY email HAVING COUNT(*) > 1
SELECT CONCAT(u.email, o.note) FROM users u, orders o WHERE o.user_id = u.id
SELECT u.email FROM users u WHERE u.id IN (SELECT user_id FROM orders)
SELECT u.email FROM users u WHERE EXISTS (SELECT 1 FROM orders o WHERE o.user_id = u.id)
SELECT IFNULL(u.email, u.name), UPPER(u.email) FROM users u LEFT JOIN orders o ON o.user_id = u.id
SELECT u.email FROM users u WHERE u.email = u.name
UPDATE users SET name = 'x' WHERE email = ?
DELETE FROM users WHERE email = ? AND id = 3
INSERT INTO users (id, email) VALUES (1, 'a@b.c') ON DUPLICATE KEY UPDATE email = VALUES(email)
