-- # constants and parameters
SELECT 1, 'a', $1, NULL, now(), current_user, DEFAULT_x.y FROM (SELECT 1 AS y) default_x
--> is select
--> out ?column?
--> out ?column?
--> out ?column?
--> out ?column?
--> out now
--> out current_user
--> out y

-- # alias
SELECT email AS name FROM users
--> is select
--> select on shop.public.users(email)
--> out name = public.users.email

-- # parentheses
SELECT ((email)) FROM users
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email

-- # cast without change is still computed
SELECT email::text FROM users
--> is select
--> select on shop.public.users(email)
--> out email <- public.users.email

-- # collation
SELECT email COLLATE "C" FROM users
--> is select
--> select on shop.public.users(email)
--> out email <- public.users.email

-- # concatenation
SELECT name || ' <' || email || '>' AS who FROM users
--> is select
--> select on shop.public.users(email, name)
--> out who <- public.users.name, public.users.email

-- # case with conditions
SELECT CASE WHEN card_number = '4' THEN name ELSE email END FROM users
--> is select
--> select on shop.public.users(card_number, email, name)
--> out email <- public.users.name, public.users.email, public.users.card_number

-- # case named by its else
SELECT x.email FROM (SELECT CASE WHEN true THEN 'a' ELSE email END FROM users) x
--> is select
--> select on shop.public.users(email)
--> out email <- public.users.email

-- # coalesce
SELECT coalesce(name, email), nullif(email, 'x'), greatest(name, email) FROM users
--> is select
--> select on shop.public.users(email, name)
--> out coalesce <- public.users.name, public.users.email
--> out nullif <- public.users.email
--> out greatest <- public.users.name, public.users.email

-- # aggregates
SELECT count(*), count(email), max(email), array_agg(email), bool_or(email = 'x') FROM users
--> is select
--> select on shop.public.users(email)
--> out count
--> out count
--> out max <- public.users.email
--> out array_agg <- public.users.email
--> out bool_or <- public.users.email
--> oracle public.users.email

-- # subquery in FROM
SELECT m FROM (SELECT email AS m FROM users OFFSET 0) s
--> is select
--> select on shop.public.users(email)
--> out m = public.users.email

-- # nested subqueries with renamed columns
SELECT b FROM (SELECT * FROM (SELECT email, id FROM users) AS x(a, b)) y
--> is select
--> select on shop.public.users(email, id)
--> out b = public.users.id

-- # columns renamed by a table alias
SELECT u.id, u.x FROM users AS u(id, x)
--> is select
--> select on shop.public.users(id, name)
--> out id = public.users.id
--> out x = public.users.name

-- # columns renamed hide the old names
SELECT email FROM users AS u(id, email)
--> is select
--> select on shop.public.users(name)
--> out email = public.users.name

-- # columns renamed and the rest stays
SELECT card_number FROM users AS u(a, b)
--> is select
--> select on shop.public.users(card_number)
--> out card_number = public.users.card_number

-- # star of a renamed table
SELECT * FROM secret AS s(x)
--> is select
--> select on shop.public.secret(*)
--> out x = public.secret.a
--> out b = public.secret.b

-- # scalar subquery
SELECT (SELECT email FROM users WHERE id = 1) AS m
--> is select
--> select on shop.public.users(email, id)
--> out m = public.users.email
--> oracle public.users.id

-- # scalar subquery, correlated
SELECT (SELECT o.note || u.email FROM orders o WHERE o.user_id = u.id LIMIT 1) FROM users u
--> is select
--> select on shop.public.orders(note, user_id)
--> select on shop.public.users(email, id)
--> out ?column? <- public.users.email, public.orders.note
--> oracle public.users.id, public.orders.user_id

-- # scalar subquery shows the outer column
SELECT (SELECT u.email) FROM users u
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email

-- # exists shows nothing
SELECT EXISTS (SELECT 1 FROM users WHERE email = 'x')
--> is select
--> select on shop.public.users(email)
--> out exists
--> oracle public.users.email

-- # in shows both sides
SELECT name IN (SELECT email FROM users) FROM products, users
--> is select
--> select on shop.public.products
--> select on shop.public.users(email, name)
--> out ?column? <- public.users.name, public.users.email

-- # array of a subquery
SELECT ARRAY(SELECT email FROM users)
--> is select
--> select on shop.public.users(email)
--> out array <- public.users.email

-- # lateral
SELECT l.m FROM users u, LATERAL (SELECT u.email AS m) l
--> is select
--> select on shop.public.users(email)
--> out m = public.users.email

-- # lateral join
SELECT l.m FROM users u LEFT JOIN LATERAL (SELECT u.email AS m) l ON true
--> is select
--> select on shop.public.users(email)
--> out m = public.users.email

-- # a subquery without lateral sees the outer query
SELECT (SELECT s.x FROM orders u, (SELECT u.email AS x) s LIMIT 1) FROM users u
--> is select
--> select on shop.public.orders
--> select on shop.public.users(email)
--> out x = public.users.email

-- # functions in FROM see what is before them
SELECT x.* FROM users u, unnest(string_to_array(u.email, '@')) AS x
--> is select
--> select on shop.public.users(email)
--> out ?

-- # functions in FROM with known columns
SELECT * FROM users u, jsonb_each_text(u.profile) WHERE key = 'city'
--> is select
--> select on shop.public.users(*)
--> out id = public.users.id
--> out name = public.users.name
--> out email = public.users.email
--> out card_number = public.users.card_number
--> out created_at = public.users.created_at
--> out profile = public.users.profile
--> out key <- public.users.profile
--> out value <- public.users.profile
--> oracle public.users.profile

-- # function with a column list
SELECT r.mail FROM users u, jsonb_to_record(u.profile) AS r(mail text, city text)
--> is select
--> select on shop.public.users(profile)
--> out mail <- public.users.profile

-- # generate_series
SELECT * FROM generate_series(1, 10)
--> is select
--> out generate_series

-- # generate_series named by its alias
SELECT n FROM generate_series(1, 10) AS n
--> is select
--> out n

-- # generate_series with ordinality
SELECT * FROM generate_series(1, 10) WITH ORDINALITY
--> is select
--> out generate_series
--> out ordinality

-- # rows from
SELECT a, b FROM ROWS FROM (generate_series(1, 2), json_array_elements(profile)) AS r(a, b), users
--> is select
--> select on shop.public.users
--> out a OPAQUE
--> out b OPAQUE

-- # values
SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v(id, name)
--> is select
--> out id
--> out name

-- # values with a subquery
VALUES ((SELECT email FROM users LIMIT 1)), ('x')
--> is select
--> select on shop.public.users(email)
--> out column1 <- public.users.email

-- # union by position
SELECT id::text, name FROM users UNION ALL SELECT email, 'x' FROM users
--> is select
--> select on shop.public.users(email, id, name)
--> out id <- public.users.id, public.users.email
--> out name <- public.users.name

-- # union in FROM
SELECT a FROM (SELECT name AS a FROM users UNION SELECT email FROM users) u
--> is select
--> select on shop.public.users(email, name)
--> out a <- public.users.name, public.users.email

-- # except and intersect
SELECT name FROM users EXCEPT SELECT email FROM users INTERSECT SELECT title FROM products
--> is select
--> select on shop.public.products(title)
--> select on shop.public.users(email, name)
--> out name <- public.users.name, public.users.email, public.products.title

-- # union ordered by a name
SELECT name AS n FROM users UNION SELECT email FROM users ORDER BY n LIMIT 1
--> is select
--> select on shop.public.users(email, name)
--> out n <- public.users.name, public.users.email
--> oracle public.users.name, public.users.email

-- # union of stars
SELECT * FROM secret UNION ALL SELECT email, name FROM users
--> is select
--> select on shop.public.secret(*)
--> select on shop.public.users(email, name)
--> out a <- public.users.email, public.secret.a
--> out b <- public.users.name, public.secret.b

-- # union of nested WITH
(WITH x AS (SELECT email FROM users) SELECT email FROM x) UNION SELECT title FROM products
--> is select
--> select on shop.public.products(title)
--> select on shop.public.users(email)
--> out email <- public.users.email, public.products.title

-- # recursive tree
WITH RECURSIVE tree AS (SELECT id, parent_id, name, email FROM org_tree WHERE parent_id IS NULL UNION ALL SELECT o.id, o.parent_id, o.name, o.email FROM org_tree o JOIN tree t ON o.parent_id = t.id) SELECT id, name, email FROM tree
--> is select
--> select on shop.public.org_tree(email, id, name, parent_id)
--> out id <- public.org_tree.id
--> out name <- public.org_tree.name
--> out email <- public.org_tree.email
--> oracle public.org_tree.id, public.org_tree.parent_id

-- # recursive columns change places
WITH RECURSIVE r(a, b, c) AS (SELECT email, name, 'x' FROM users UNION ALL SELECT b, c, a FROM r) SELECT a, b, c FROM r
--> is select
--> select on shop.public.users(email, name)
--> out a <- public.users.name, public.users.email
--> out b <- public.users.name, public.users.email
--> out c <- public.users.name, public.users.email

-- # recursive with search and cycle
WITH RECURSIVE r AS (SELECT id, email FROM org_tree UNION ALL SELECT o.id, o.email FROM org_tree o JOIN r ON o.parent_id = r.id) SEARCH DEPTH FIRST BY email SET ord CYCLE id SET is_cycle USING path SELECT ord, is_cycle, path FROM r
--> is select
--> select on shop.public.org_tree(email, id, parent_id)
--> out ord <- public.org_tree.email
--> out is_cycle
--> out path <- public.org_tree.id
--> oracle public.org_tree.id, public.org_tree.parent_id

-- # WITH renamed columns
WITH x(a, b) AS (SELECT email, id FROM users) SELECT b, a FROM x
--> is select
--> select on shop.public.users(email, id)
--> out b = public.users.id
--> out a = public.users.email

-- # WITH used twice
WITH x AS (SELECT id, email FROM users) SELECT a.id, b.email FROM x a JOIN x b ON a.id = b.id
--> is select
--> select on shop.public.users(email, id)
--> out id = public.users.id
--> out email = public.users.email
--> oracle public.users.id

-- # WITH sees the outer query
SELECT (WITH x AS (SELECT u.email AS m) SELECT m FROM x) FROM users u
--> is select
--> select on shop.public.users(email)
--> out m = public.users.email

-- # join using merges
SELECT id, email FROM users JOIN contacts USING (id)
--> is select
--> select on shop.public.contacts(id)
--> select on shop.public.users(email, id)
--> out id <- public.users.id, public.contacts.id
--> out email = public.users.email
--> oracle public.users.id, public.contacts.id

-- # join using, merged email
SELECT email FROM users JOIN contacts USING (email)
--> is select
--> select on shop.public.contacts(email)
--> select on shop.public.users(email)
--> out email <- public.users.email, public.contacts.email
--> oracle public.users.email, public.contacts.email

-- # join using, star
SELECT * FROM contacts JOIN remote_users USING (id, email)
--> is select
--> select on shop.public.contacts(email, email_domain, id)
--> select on shop.public.remote_users(email, id)
--> out id <- public.contacts.id, public.remote_users.id
--> out email <- public.contacts.email, public.remote_users.email
--> out email_domain = public.contacts.email_domain
--> oracle public.contacts.id, public.contacts.email, public.remote_users.id, public.remote_users.email

-- # join using with an alias
SELECT j.id, contacts.email FROM users JOIN contacts USING (id) AS j
--> is select
--> select on shop.public.contacts(email, id)
--> select on shop.public.users(id)
--> out id <- public.users.id, public.contacts.id
--> out email = public.contacts.email
--> oracle public.users.id, public.contacts.id

-- # full join using
SELECT email FROM contacts FULL JOIN remote_users USING (email)
--> is select
--> select on shop.public.contacts(email)
--> select on shop.public.remote_users(email)
--> out email <- public.contacts.email, public.remote_users.email
--> oracle public.contacts.email, public.remote_users.email

-- # natural join
SELECT * FROM contacts NATURAL JOIN remote_users
--> is select
--> select on shop.public.contacts(email, email_domain, id)
--> select on shop.public.remote_users(email, id)
--> out id <- public.contacts.id, public.remote_users.id
--> out email <- public.contacts.email, public.remote_users.email
--> out email_domain = public.contacts.email_domain
--> oracle public.contacts.id, public.contacts.email, public.remote_users.id, public.remote_users.email

-- # aliased join
SELECT j.note, j.email FROM (users JOIN orders ON orders.user_id = users.id) AS j
--> is select
--> select on shop.public.orders(note, user_id)
--> select on shop.public.users(email, id)
--> out note = public.orders.note
--> out email = public.users.email
--> oracle public.users.id, public.orders.user_id

-- # aliased join with renamed columns
SELECT j.c FROM (users CROSS JOIN orders) AS j(a, b, c)
--> is select
--> select on shop.public.orders
--> select on shop.public.users(email)
--> out c = public.users.email

-- # on sees only its sides
SELECT (SELECT 1 FROM products p JOIN orders o ON u.email = o.note LIMIT 1) FROM users u
--> is select
--> select on shop.public.orders(note)
--> select on shop.public.products
--> select on shop.public.users(email)
--> out ?column?
--> oracle public.users.email, public.orders.note

-- # left, right and cross
SELECT o.note, u.email FROM users u RIGHT JOIN orders o ON o.user_id = u.id CROSS JOIN products
--> is select
--> select on shop.public.orders(note, user_id)
--> select on shop.public.products
--> select on shop.public.users(email, id)
--> out note = public.orders.note
--> out email = public.users.email
--> oracle public.users.id, public.orders.user_id

-- # view
SELECT mail FROM user_mails
--> is select
--> select on shop.public.user_mails(mail)
--> out mail = public.user_mails.mail

-- # view star
SELECT * FROM user_mails
--> is select
--> select on shop.public.user_mails(*)
--> out id = public.user_mails.id
--> out mail = public.user_mails.mail

-- # partition
SELECT payload FROM events_2026
--> is select
--> select on shop.public.events_2026(payload)
--> out payload = public.events_2026.payload

-- # generated column
SELECT email_domain FROM contacts
--> is select
--> select on shop.public.contacts(email_domain)
--> out email_domain = public.contacts.email_domain

-- # copy leaves generated columns out
COPY contacts TO STDOUT
--> is copy out
--> select on shop.public.contacts(*)
--> out id = public.contacts.id
--> out email = public.contacts.email

-- # system columns
SELECT ctid, xmin, tableoid::regclass, id FROM users
--> is select
--> select on shop.public.users(id)
--> out ctid
--> out xmin
--> out tableoid
--> out id = public.users.id

-- # row in a row
SELECT (ROW(email, id)).f1 FROM users
--> is select
--> select on shop.public.users(email, id)
--> out f1 <- public.users.id, public.users.email

-- # composite field
SELECT (profile).city FROM users
--> is select
--> select on shop.public.users(profile)
--> out city <- public.users.profile

-- # array element
SELECT tags[1], (tags)[2:3] FROM orders
--> is select
--> select on shop.public.orders(tags)
--> out tags <- public.orders.tags
--> out tags <- public.orders.tags

-- # star of two tables
SELECT * FROM secret, t
--> is select
--> select on shop.public.secret(*)
--> select on shop.public.t(*)
--> out a = public.secret.a
--> out b = public.secret.b
--> out a = public.t.a
--> out b = public.t.b
--> out c = public.t.c

-- # table star
SELECT secret.*, t.a FROM secret, t
--> is select
--> select on shop.public.secret(*)
--> select on shop.public.t(a)
--> out a = public.secret.a
--> out b = public.secret.b
--> out a = public.t.a

-- # schema and table and column
SELECT public.users.email, hidden.users.email FROM public.users, hidden.users
--> is select
--> select on shop.hidden.users(email)
--> select on shop.public.users(email)
--> out email = public.users.email
--> out email = hidden.users.email

-- # database and schema and table and column
SELECT shop.public.users.email FROM users
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email

-- # star of a schema and table
SELECT public.users.* FROM public.users
--> is select
--> select on shop.public.users(*)
--> out id = public.users.id
--> out name = public.users.name
--> out email = public.users.email
--> out card_number = public.users.card_number
--> out created_at = public.users.created_at
--> out profile = public.users.profile

-- # a column that is nowhere
SELECT nothing FROM users JOIN orders ON true
--> is select
--> select on shop.public.orders(nothing)
--> select on shop.public.users(nothing)
--> out nothing <- ?shop.public.orders.nothing, ?shop.public.users.nothing OPAQUE

-- # a table that is nowhere
SELECT x.email FROM users
--> is select
--> select on shop.public.users
--> out email OPAQUE

-- # an unknown table beside a known one
SELECT email, extra FROM users, fresh
--> is select
--> select on shop.public.fresh(extra)
--> select on shop.public.users(email)
--> out email = public.users.email
--> out extra = ?shop.public.fresh.extra

-- # an unknown table in a subquery
SELECT s.a, s.b FROM (SELECT * FROM fresh) s
--> is select
--> select on shop.public.fresh(*)
--> out a <- ?shop.public.fresh.*
--> out b <- ?shop.public.fresh.*

-- # an unknown table renamed
SELECT f.b FROM fresh AS f(a, b)
--> is select
--> select on shop.public.fresh(*)
--> out b = ?shop.public.fresh.*

-- # insert shows what it stored
INSERT INTO users (email) VALUES ($1) RETURNING id, email
--> is insert
--> select on shop.public.users(email, id)
--> insert on shop.public.users(email)
--> out id = public.users.id
--> out email = public.users.email

-- # update shows other tables
UPDATE orders o SET note = 'x' FROM users u WHERE u.id = o.user_id RETURNING o.id, u.email, *
--> is update
--> select on shop.public.orders(*)
--> select on shop.public.users(*)
--> update on shop.public.orders(note)
--> out id = public.orders.id
--> out email = public.users.email
--> out id = public.orders.id
--> out user_id = public.orders.user_id
--> out total = public.orders.total
--> out note = public.orders.note
--> out tags = public.orders.tags
--> out id = public.users.id
--> out name = public.users.name
--> out email = public.users.email
--> out card_number = public.users.card_number
--> out created_at = public.users.created_at
--> out profile = public.users.profile
--> oracle public.users.id, public.orders.user_id

-- # merge shows
MERGE INTO orders o USING users u ON o.user_id = u.id WHEN MATCHED THEN UPDATE SET note = 'x' RETURNING merge_action(), u.email, o.*
--> is merge
--> select on shop.public.orders(*)
--> select on shop.public.users(email, id)
--> update on shop.public.orders(note)
--> merge on shop.public.orders
--> out merge_action
--> out email = public.users.email
--> out id = public.orders.id
--> out user_id = public.orders.user_id
--> out total = public.orders.total
--> out note = public.orders.note
--> out tags = public.orders.tags
--> oracle public.users.id, public.orders.user_id

-- # create view
CREATE VIEW v (a) AS SELECT email FROM users
--> is create view
--> select on shop.public.users(email)
--> create on shop.public.v
--> writes shop.public.v.a <- public.users.email

-- # create materialized view
CREATE MATERIALIZED VIEW mv AS SELECT id, upper(email) AS e FROM users
--> is create materialized_view
--> select on shop.public.users(email, id)
--> create on shop.public.mv
--> writes shop.public.mv.id <- public.users.id
--> writes shop.public.mv.e <- public.users.email

-- # grouped names
SELECT name AS email, count(*) FROM users GROUP BY email, name
--> is select
--> select on shop.public.users(email, name)
--> out email = public.users.name
--> out count
--> oracle public.users.name, public.users.email

-- # ordered by expression over an output's name
SELECT id AS email FROM users ORDER BY email
--> is select
--> select on shop.public.users(id)
--> out email = public.users.id
--> oracle public.users.id

-- # window values
SELECT first_value(email) OVER (ORDER BY id), lag(name) OVER () FROM users
--> is select
--> select on shop.public.users(email, id, name)
--> out first_value <- public.users.email
--> out lag <- public.users.name
--> oracle public.users.id

-- # whole row of a WITH
WITH x AS (SELECT email FROM users) SELECT x FROM x
--> is select
--> select on shop.public.users(email)
--> out x <- public.users.email

-- # whole row through two levels
SELECT (s.u).email FROM (SELECT u FROM users u) s
--> is select
--> select on shop.public.users(*)
--> out email <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # json path
SELECT profile -> 'a' ->> 'b', profile #>> '{x}', profile @> '{}' FROM users
--> is select
--> select on shop.public.users(profile)
--> out ?column? <- public.users.profile
--> out ?column? <- public.users.profile
--> out ?column? <- public.users.profile

-- # regexp
SELECT substring(email FROM '@(.*)$'), regexp_replace(email, '.', 'x'), position('@' IN email), trim(email), overlay(email PLACING 'x' FROM 1), extract(year FROM created_at), created_at AT TIME ZONE 'UTC' FROM users
--> is select
--> select on shop.public.users(created_at, email)
--> out substring <- public.users.email
--> out regexp_replace <- public.users.email
--> out position <- public.users.email
--> out btrim <- public.users.email
--> out overlay <- public.users.email
--> out extract <- public.users.created_at
--> out timezone <- public.users.created_at

-- # boolean tests
SELECT email IS NULL, (email = 'x') IS TRUE, email IS DISTINCT FROM name, email BETWEEN 'a' AND 'b', email LIKE 'a%' ESCAPE '!', email SIMILAR TO 'a', email IN ('a', 'b'), name = ANY (ARRAY[email]) FROM users
--> is select
--> select on shop.public.users(email, name)
--> out ?column? <- public.users.email
--> out ?column? <- public.users.email
--> out ?column? <- public.users.name, public.users.email
--> out ?column? <- public.users.email
--> out ?column? <- public.users.email
--> out ?column? <- public.users.email
--> out ?column? <- public.users.email
--> out ?column? <- public.users.name, public.users.email
