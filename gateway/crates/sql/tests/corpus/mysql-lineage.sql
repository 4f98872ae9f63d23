-- # constants
SELECT 1, 'a', ?, NULL, NOW(), CURRENT_USER, UTC_TIMESTAMP, x'00'
--> is select
--> out ?
--> out ?
--> out ?
--> out ?
--> out ?
--> out ?
--> out ?
--> out ?

-- # alias
SELECT email AS name FROM users
--> is select
--> select on def.shop.users(email)
--> out name = shop.users.email

-- # alias as a string
SELECT email 'name' FROM users
--> is select
--> select on def.shop.users(email)
--> out name = shop.users.email

-- # parentheses
SELECT ((email)) FROM users
--> is select
--> select on def.shop.users(email)
--> out ? = shop.users.email

-- # collation
SELECT email COLLATE utf8mb4_bin FROM users
--> is select
--> select on def.shop.users(email)
--> out ? <- shop.users.email

-- # functions
SELECT CONCAT(name, ' <', email, '>') AS who, UPPER(email), LEFT(email, 3) FROM users
--> is select
--> select on def.shop.users(email, name)
--> out who <- shop.users.name, shop.users.email
--> out ? <- shop.users.email
--> out ? <- shop.users.email

-- # cast and convert
SELECT CAST(email AS CHAR(5)), CONVERT(email USING latin1), CONVERT(id, UNSIGNED), BINARY email FROM users
--> is select
--> select on def.shop.users(email, id)
--> out ? <- shop.users.email
--> out ? <- shop.users.email
--> out ? <- shop.users.id
--> out ? <- shop.users.email

-- # case and if
SELECT CASE WHEN id = 1 THEN email ELSE name END AS x, IF(id > 1, email, NULL) y, IFNULL(email, name) FROM users
--> is select
--> select on def.shop.users(email, id, name)
--> out x <- shop.users.id, shop.users.name, shop.users.email
--> out y <- shop.users.id, shop.users.email
--> out ? <- shop.users.name, shop.users.email

-- # star
SELECT * FROM users
--> is select
--> select on def.shop.users(*)
--> out id = shop.users.id
--> out name = shop.users.name
--> out email = shop.users.email
--> out card_number = shop.users.card_number
--> out created_at = shop.users.created_at
--> out profile = shop.users.profile

-- # star of one
SELECT o.*, u.email FROM users u JOIN orders o ON o.user_id = u.id
--> is select
--> select on def.shop.orders(*)
--> select on def.shop.users(email, id)
--> out id = shop.orders.id
--> out user_id = shop.orders.user_id
--> out total = shop.orders.total
--> out note = shop.orders.note
--> out email = shop.users.email
--> oracle shop.users.id, shop.orders.user_id

-- # star leaves hidden columns out
SELECT * FROM drawers
--> is select
--> select on def.shop.drawers(*)
--> out id = shop.drawers.id
--> out label = shop.drawers.label

-- # hidden columns can be named
SELECT inside FROM drawers
--> is select
--> select on def.shop.drawers(inside)
--> out inside = shop.drawers.inside

-- # positions do not count hidden columns
WITH d (x, y) AS (SELECT * FROM drawers) SELECT x, y FROM d
--> is select
--> select on def.shop.drawers(*)
--> out x = shop.drawers.id
--> out y = shop.drawers.label

-- # derived table that looks like another
SELECT * FROM (SELECT email AS n FROM users) products
--> is select
--> select on def.shop.users(email)
--> out n = shop.users.email

-- # with that looks like another
WITH t AS (SELECT email AS a FROM users) SELECT a FROM t
--> is select
--> select on def.shop.users(email)
--> out a = shop.users.email

-- # with and column names
WITH c (x, y) AS (SELECT id, email FROM users) SELECT y, x FROM c
--> is select
--> select on def.shop.users(email, id)
--> out y = shop.users.email
--> out x = shop.users.id

-- # with that does not see itself
WITH secret AS (SELECT a FROM secret) SELECT a FROM secret
--> is select
--> select on def.shop.secret(a)
--> out a = shop.secret.a

-- # recursive
WITH RECURSIVE tree AS (SELECT id, email FROM org_tree WHERE parent_id IS NULL UNION ALL SELECT o.id, t.email FROM org_tree o JOIN tree t ON o.parent_id = t.id) SELECT * FROM tree
--> is select
--> select on def.shop.org_tree(email, id, parent_id)
--> out id <- shop.org_tree.id
--> out email <- shop.org_tree.email
--> oracle shop.org_tree.id, shop.org_tree.parent_id

-- # recursive that moves columns
WITH RECURSIVE r (a, b) AS (SELECT name, email FROM users UNION ALL SELECT b, a FROM r) SELECT a FROM r
--> is select
--> select on def.shop.users(email, name)
--> out a <- shop.users.name, shop.users.email

-- # union
SELECT id, name FROM users UNION SELECT id, email FROM users
--> is select
--> select on def.shop.users(email, id, name)
--> out id <- shop.users.id
--> out name <- shop.users.name, shop.users.email

-- # except
SELECT name FROM users EXCEPT SELECT email FROM users
--> is select
--> select on def.shop.users(email, name)
--> out name <- shop.users.name, shop.users.email

-- # scalar subquery
SELECT (SELECT email FROM users LIMIT 1) AS x, EXISTS (SELECT email FROM users)
--> is select
--> select on def.shop.users(email)
--> out x = shop.users.email
--> out ?

-- # expression named by its text
SELECT `upper(email)` FROM (SELECT upper(email), id FROM users) d
--> is select
--> select on def.shop.users(email, id)
--> out upper(email) <- shop.users.email

-- # alias in a subquery of the same list
SELECT email AS e, (SELECT e) AS f FROM users
--> is select
--> select on def.shop.users(email)
--> out e = shop.users.email
--> out f = shop.users.email

-- # alias in order by and having
SELECT id, email AS e FROM users HAVING e LIKE 'a%' ORDER BY e
--> is select
--> select on def.shop.users(email, id)
--> out id = shop.users.id
--> out e = shop.users.email
--> oracle shop.users.email

-- # group by position
SELECT email, COUNT(*) FROM users GROUP BY 1
--> is select
--> select on def.shop.users(email)
--> out email = shop.users.email
--> out ?
--> oracle shop.users.email

-- # where is no output
SELECT id FROM users WHERE email = 'a@b.c'
--> is select
--> select on def.shop.users(email, id)
--> out id = shop.users.id
--> oracle shop.users.email

-- # natural join
SELECT * FROM users NATURAL JOIN contacts
--> is select
--> select on def.shop.contacts(email, email_domain, id)
--> select on def.shop.users(card_number, created_at, email, id, name, profile)
--> out id <- shop.users.id, shop.contacts.id
--> out email <- shop.users.email, shop.contacts.email
--> out name = shop.users.name
--> out card_number = shop.users.card_number
--> out created_at = shop.users.created_at
--> out profile = shop.users.profile
--> out email_domain = shop.contacts.email_domain
--> oracle shop.users.id, shop.users.email, shop.contacts.id, shop.contacts.email

-- # using
SELECT id, users.email FROM users JOIN contacts USING (id)
--> is select
--> select on def.shop.contacts(id)
--> select on def.shop.users(email, id)
--> out id <- shop.users.id, shop.contacts.id
--> out email = shop.users.email
--> oracle shop.users.id, shop.contacts.id

-- # right join using
SELECT * FROM users RIGHT JOIN contacts USING (email)
--> is select
--> select on def.shop.contacts(email, email_domain, id)
--> select on def.shop.users(card_number, created_at, email, id, name, profile)
--> out email <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> out id <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> out name <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> out card_number <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> out created_at <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> out profile <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> out id <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> out email_domain <- shop.users.id, shop.users.name, shop.users.email, shop.users.card_number, shop.users.created_at, shop.users.profile, shop.contacts.id, shop.contacts.email, shop.contacts.email_domain
--> oracle shop.users.email, shop.contacts.email

-- # view
SELECT mail FROM user_mails
--> is select
--> select on def.shop.user_mails(mail)
--> out mail = shop.user_mails.mail

-- # generated column
SELECT email_domain FROM contacts
--> is select
--> select on def.shop.contacts(email_domain)
--> out email_domain = shop.contacts.email_domain

-- # aggregates
SELECT MAX(email), GROUP_CONCAT(email ORDER BY id SEPARATOR ','), COUNT(email), COUNT(DISTINCT email) FROM users
--> is select
--> select on def.shop.users(email, id)
--> out ? <- shop.users.email
--> out ? <- shop.users.email
--> out ?
--> out ?
--> oracle shop.users.id, shop.users.email

-- # window
SELECT id, LAG(email) OVER (ORDER BY id), ROW_NUMBER() OVER (PARTITION BY email ORDER BY id) FROM users
--> is select
--> select on def.shop.users(email, id)
--> out id = shop.users.id
--> out ? <- shop.users.email
--> out ?
--> oracle shop.users.id, shop.users.email

-- # named window
SELECT FIRST_VALUE(email) OVER w FROM users WINDOW w AS (ORDER BY id)
--> is select
--> select on def.shop.users(email, id)
--> out ? <- shop.users.email
--> oracle shop.users.id

-- # json
SELECT JSON_OBJECT('m', email), JSON_ARRAYAGG(email), JSON_EXTRACT(profile, '$.a') FROM users
--> is select
--> select on def.shop.users(email, profile)
--> out ? <- shop.users.email
--> out ? <- shop.users.email
--> out ? <- shop.users.profile

-- # json arrows
SELECT profile->'$.a', profile->>'$.b' FROM users
--> is select
--> select on def.shop.users(profile)
--> out ? <- shop.users.profile
--> out ? <- shop.users.profile

-- # json table
SELECT j.x FROM users, JSON_TABLE(users.profile, '$[*]' COLUMNS (n FOR ORDINALITY, x varchar(20) PATH '$.x')) AS j
--> is select
--> select on def.shop.users(profile)
--> out x <- shop.users.profile

-- # interval
SELECT created_at + INTERVAL 1 DAY, DATE_ADD(created_at, INTERVAL id HOUR) FROM users
--> is select
--> select on def.shop.users(created_at, id)
--> out ? <- shop.users.created_at
--> out ? <- shop.users.id, shop.users.created_at

-- # match
SELECT id FROM users WHERE MATCH (name, email) AGAINST ('a' IN BOOLEAN MODE)
--> is select
--> select on def.shop.users(email, id, name)
--> out id = shop.users.id
--> oracle shop.users.name, shop.users.email

-- # regexp
SELECT email REGEXP '^a', email RLIKE 'b', email NOT LIKE 'c%' FROM users
--> is select
--> select on def.shop.users(email)
--> out ? <- shop.users.email
--> out ? <- shop.users.email
--> out ? <- shop.users.email

-- # between and in
SELECT email BETWEEN 'a' AND 'b', email IN ('a', 'b'), email IN (SELECT note FROM orders) FROM users
--> is select
--> select on def.shop.orders(note)
--> select on def.shop.users(email)
--> out ? <- shop.users.email
--> out ? <- shop.users.email
--> out ? <- shop.users.email, shop.orders.note

-- # sounds like
SELECT email SOUNDS LIKE 'a' FROM users
--> is select
--> select on def.shop.users(email)
--> out ? <- shop.users.email

-- # null safe equal
SELECT email <=> NULL FROM users
--> is select
--> select on def.shop.users(email)
--> out ? <- shop.users.email

-- # row
SELECT (id, email) = (1, 'a') FROM users
--> is select
--> select on def.shop.users(email, id)
--> out ? <- shop.users.id, shop.users.email

-- # any
SELECT id FROM users WHERE email = ANY (SELECT note FROM orders)
--> is select
--> select on def.shop.orders(note)
--> select on def.shop.users(email, id)
--> out id = shop.users.id
--> oracle shop.users.email, shop.orders.note

-- # variables
SELECT @x, @n := @n + 1, id FROM users
--> is select
--> select on def.shop.users(id)
--> out ? OPAQUE
--> out ? OPAQUE
--> out id = shop.users.id
--> writes def.@.@n.? <-  OPAQUE

-- # assignment from a column
SELECT @x := CONCAT(@x, email) FROM users
--> is select
--> select on def.shop.users(email)
--> out ? <- shop.users.email OPAQUE
--> writes def.@.@x.? <- shop.users.email OPAQUE

-- # last insert id keeps what it is given
SELECT LAST_INSERT_ID(id) FROM users
--> is select
--> select on def.shop.users(id)
--> out ? <- shop.users.id
--> writes def.mysql.last_insert_id.? <- shop.users.id

-- # update from another column
UPDATE users SET name = email WHERE id = 1
--> is update
--> select on def.shop.users(email, id)
--> update on def.shop.users(name)
--> oracle shop.users.id
--> writes def.shop.users.name <- shop.users.email

-- # insert copies
INSERT INTO products (id, title) SELECT id, email FROM users
--> is insert
--> select on def.shop.users(email, id)
--> insert on def.shop.products(id, title)
--> writes def.shop.products.id <- shop.users.id
--> writes def.shop.products.title <- shop.users.email

-- # update of several copies
UPDATE products p JOIN users u ON u.id = p.id SET p.title = u.email
--> is update
--> select on def.shop.products(id)
--> select on def.shop.users(email, id)
--> update on def.shop.products(title)
--> oracle shop.users.id, shop.products.id
--> writes def.shop.products.title <- shop.users.email

-- # on duplicate copies
INSERT INTO products (id, title) SELECT id, name FROM users u ON DUPLICATE KEY UPDATE title = u.email
--> is insert
--> select on def.shop.products(email)
--> select on def.shop.users(*)
--> insert on def.shop.products(id, title)
--> update on def.shop.products(title)
--> writes def.shop.products.id <- shop.users.id
--> writes def.shop.products.title <- shop.users.name
--> writes def.shop.products.title <- ?def.shop.products.email OPAQUE

-- # create as copies
CREATE TABLE copy (x text) AS SELECT email FROM users
--> is create table
--> select on def.shop.users(email)
--> create on def.shop.copy
--> writes def.shop.copy.email <- shop.users.email

-- # rename of a column
ALTER TABLE users CHANGE email note varchar(100)
--> is alter table
--> alter on def.shop.users
--> writes def.shop.users.? <- shop.users.email

-- # rename of a column with its own words
ALTER TABLE users RENAME COLUMN email TO note
--> is alter table
--> alter on def.shop.users
--> writes def.shop.users.? <- shop.users.email

-- # rename of a table
ALTER TABLE users RENAME TO people
--> is alter table
--> create on def.shop.people
--> alter on def.shop.users
--> drop on def.shop.users
--> writes def.shop.people.? <- shop.users.id
--> writes def.shop.people.? <- shop.users.name
--> writes def.shop.people.? <- shop.users.email
--> writes def.shop.people.? <- shop.users.card_number
--> writes def.shop.people.? <- shop.users.created_at
--> writes def.shop.people.? <- shop.users.profile

-- # a computed column
ALTER TABLE users ADD COLUMN m varchar(100) GENERATED ALWAYS AS (lower(email)) STORED
--> is alter table
--> alter on def.shop.users
--> writes def.shop.users.? <- shop.users.id
--> writes def.shop.users.? <- shop.users.name
--> writes def.shop.users.? <- shop.users.email
--> writes def.shop.users.? <- shop.users.card_number
--> writes def.shop.users.? <- shop.users.created_at
--> writes def.shop.users.? <- shop.users.profile

-- # exchange of a partition
ALTER TABLE t EXCHANGE PARTITION p0 WITH TABLE users
--> is alter table
--> alter on def.shop.t
--> alter on def.shop.users
--> writes def.shop.t.? <- shop.users.id
--> writes def.shop.t.? <- shop.users.name
--> writes def.shop.t.? <- shop.users.email
--> writes def.shop.t.? <- shop.users.card_number
--> writes def.shop.t.? <- shop.users.created_at
--> writes def.shop.t.? <- shop.users.profile

-- # an unknown table
SELECT a, b FROM newer
--> is select
--> select on def.shop.newer(a, b)
--> out a = ?def.shop.newer.a
--> out b = ?def.shop.newer.b

-- # an unknown column
SELECT newer FROM users
--> is select
--> select on def.shop.users(newer)
--> out newer <- ?def.shop.users.newer OPAQUE

-- # an unknown column of an alias
SELECT x.newer FROM users u
--> is select
--> select on def.shop.users(newer)
--> out newer <- ?def.shop.users.newer OPAQUE

-- # the row's own number
SELECT _rowid FROM users
--> is select
--> select on def.shop.users(_rowid)
--> out _rowid <- ?def.shop.users._rowid OPAQUE

-- # unicode names that a server may fold
SELECT é FROM (SELECT email AS É FROM users) d
--> is select
--> select on def.shop.users(email)
--> out é = shop.users.email

-- # a temporary table hides
CREATE TEMPORARY TABLE users (id int); SELECT id FROM users
--> is create table
--> create on def.pg_temp.users
--> temporary users
--> is select
--> select on def.pg_temp.users(id)
--> select on def.shop.users(id)
--> out id <- ?def.pg_temp.users.id, ?def.shop.users.id

-- # correlated
SELECT (SELECT MAX(o.total) FROM orders o WHERE o.user_id = u.id) FROM users u
--> is select
--> select on def.shop.orders(total, user_id)
--> select on def.shop.users(id)
--> out ? <- shop.orders.total
--> oracle shop.users.id, shop.orders.user_id

-- # database in the names
SELECT shop.users.email FROM shop.users
--> is select
--> select on def.shop.users(email)
--> out email = shop.users.email

-- # a new column's default may be another column
ALTER TABLE users ADD COLUMN copy varchar(100) DEFAULT (email)
--> is alter table
--> alter on def.shop.users
--> writes def.shop.users.? <- shop.users.id
--> writes def.shop.users.? <- shop.users.name
--> writes def.shop.users.? <- shop.users.email
--> writes def.shop.users.? <- shop.users.card_number
--> writes def.shop.users.? <- shop.users.created_at
--> writes def.shop.users.? <- shop.users.profile

-- # a default that is a constant copies nothing
ALTER TABLE users ADD COLUMN a int DEFAULT 1, ADD (b varchar(3) DEFAULT 'x', c int DEFAULT -1), ALTER name DROP DEFAULT, DEFAULT CHARACTER SET utf8mb4
--> is alter table
--> alter on def.shop.users

-- # a table that nobody knows goes on under another name
RENAME TABLE fresh.users TO fresh.people
--> is alter table
--> create on def.fresh.people
--> alter on def.fresh.users
--> drop on def.fresh.users
--> writes def.fresh.people.? <- ?def.fresh.users.* OPAQUE
