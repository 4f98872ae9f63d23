-- # begin
BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY
--> is begin

-- # start, savepoint, release, rollback to, commit
START TRANSACTION; SAVEPOINT a; RELEASE a; ROLLBACK TO a; COMMIT AND CHAIN
--> is begin
--> is savepoint
--> is release
--> is rollback to
--> is commit

-- # two-phase commit
PREPARE TRANSACTION 'x'; COMMIT PREPARED 'x'; ROLLBACK PREPARED 'x'
--> is prepare transaction
--> is commit prepared
--> is rollback prepared

-- # set transaction
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ
--> is set transaction

-- # set session characteristics
SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY
--> is set transaction

-- # set constraints
SET CONSTRAINTS ALL DEFERRED
--> is set constraints

-- # harmless settings
SET client_min_messages = warning; SET application_name TO 'x'; SET TIME ZONE 'UTC'; SET statement_timeout = '5s'; SET extra_float_digits = 3; SET DateStyle = 'ISO, MDY'; SET jit = off; SET enable_nestloop = off; SET work_mem = '64MB'
--> is set
--> setting client_min_messages = 'warning'
--> is set
--> setting application_name = 'x'
--> is set
--> setting timezone = 'UTC'
--> is set
--> setting statement_timeout = '5s'
--> is set
--> setting extra_float_digits = '3'
--> is set
--> setting datestyle = 'ISO, MDY'
--> is set
--> setting jit = 'off'
--> is set
--> setting enable_nestloop = 'off'
--> is set
--> setting work_mem = '64MB'

-- # encodings
SET client_encoding = 'UTF8'; SET NAMES 'UTF8'; SET NAMES 'SJIS'; SET client_encoding TO sjis
--> is set
--> setting client_encoding = 'UTF8'
--> is set
--> setting client_encoding = 'UTF8'
--> is set
--> set on setting client_encoding
--> setting client_encoding = 'SJIS' PINNED
--> is set
--> set on setting client_encoding
--> setting client_encoding = 'sjis' PINNED

-- # escapes
SET standard_conforming_strings = on; SET standard_conforming_strings = off; SET LOCAL standard_conforming_strings TO 'off'; SET backslash_quote = on
--> is set
--> setting standard_conforming_strings = 'on'
--> is set
--> set on setting standard_conforming_strings
--> setting standard_conforming_strings = 'off' PINNED
--> is set
--> set on setting standard_conforming_strings
--> setting standard_conforming_strings = 'off' local PINNED
--> is set
--> set on setting backslash_quote
--> setting backslash_quote = 'on' PINNED

-- # escapes in other letters
SET Standard_Conforming_Strings = off
--> is set
--> set on setting standard_conforming_strings
--> setting standard_conforming_strings = 'off' PINNED

-- # pinned settings go back
RESET standard_conforming_strings; SET client_encoding TO DEFAULT
--> is reset
--> setting standard_conforming_strings = default
--> is set
--> setting client_encoding = default

-- # search path
SET search_path = a, b; SET SCHEMA 'a'; RESET search_path
--> is set
--> set on setting search_path
--> setting search_path = 'a, b'
--> is set
--> set on setting search_path
--> setting search_path = 'a'
--> is reset
--> setting search_path = default

-- # roles
SET ROLE admin; SET ROLE NONE; RESET ROLE; SET SESSION AUTHORIZATION bob; SET SESSION AUTHORIZATION DEFAULT
--> is set
--> set on setting role
--> setting role = 'admin'
--> is set
--> set on setting role
--> setting role = 'none'
--> is reset
--> setting role = default
--> is set
--> set on setting session_authorization
--> setting session_authorization = 'bob'
--> is set
--> setting session_authorization = default

-- # rules about rows and replication
SET row_security = off; SET session_replication_role = replica; SET transform_null_equals = on
--> is set
--> set on setting row_security
--> setting row_security = 'off'
--> is set
--> set on setting session_replication_role
--> setting session_replication_role = 'replica'
--> is set
--> set on setting transform_null_equals
--> setting transform_null_equals = 'on'

-- # custom settings
SET app.tenant = '1'; SET LOCAL app.tenant = '2'
--> is set
--> set on setting app.tenant
--> setting app.tenant = '1'
--> is set
--> set on setting app.tenant
--> setting app.tenant = '2' local

-- # reset all
RESET ALL
--> is reset

-- # discard
DISCARD ALL; DISCARD PLANS; DISCARD TEMP; DISCARD SEQUENCES
--> is discard
--> is discard
--> is discard
--> is discard

-- # show
SHOW search_path; SHOW ALL
--> is show
--> out search_path
--> is show
--> out name
--> out setting
--> out description

-- # prepared statements
DEALLOCATE p; DEALLOCATE ALL; CLOSE c; CLOSE ALL
--> is deallocate
--> is deallocate
--> is close
--> is close

-- # listen and notify
LISTEN c; UNLISTEN c; UNLISTEN *; NOTIFY c, 'payload'
--> is listen
--> notify on channel shop.c
--> is unlisten
--> is unlisten
--> is notify
--> notify on channel shop.c

-- # create table
CREATE TABLE n (id int PRIMARY KEY DEFAULT nextval('orders_id_seq'), e text CHECK (peek(1) = 1), u int REFERENCES users (id), LIKE secret INCLUDING ALL) INHERITS (t)
--> is create table
--> select on shop.public.secret
--> select on shop.public.users(id)
--> update on shop.public.orders_id_seq
--> execute on shop.public.peek()
--> create on shop.public.n
--> alter on shop.public.t

-- # create a temporary table
CREATE TEMP TABLE users (id int)
--> is create table
--> create on shop.pg_temp.users
--> temporary users

-- # create a temporary table by schema
CREATE TABLE pg_temp.users (id int)
--> is create table
--> create on shop.pg_temp.users
--> temporary users

-- # create a partition
CREATE TABLE events_2027 PARTITION OF events FOR VALUES FROM ('2027-01-01') TO ('2028-01-01')
--> is create table
--> create on shop.public.events_2027
--> alter on shop.public.events

-- # create an unlogged table in a schema
CREATE UNLOGGED TABLE sales.n (id int GENERATED ALWAYS AS IDENTITY)
--> is create table
--> create on shop.sales.n

-- # create table if not exists
CREATE TABLE IF NOT EXISTS users (id int)
--> is create table
--> create on shop.public.users

-- # create a foreign table
CREATE FOREIGN TABLE f (id int) SERVER s
--> is unknown
--> unknown on statement shop

-- # create a view that replaces
CREATE OR REPLACE TEMP VIEW v AS SELECT a FROM secret
--> is create view
--> select on shop.public.secret(a)
--> create on shop.pg_temp.v
--> alter on shop.public.v
--> temporary v
--> writes shop.pg_temp.v.a <- public.secret.a

-- # create a recursive view
CREATE RECURSIVE VIEW r (n) AS SELECT 1 UNION ALL SELECT n + 1 FROM r
--> is create view
--> create on shop.public.r

-- # create an index
CREATE UNIQUE INDEX CONCURRENTLY i ON users (lower(email), id) INCLUDE (name) WHERE name IS NOT NULL
--> is create index
--> select on shop.public.users(email, name)
--> execute on shop.public.lower()
--> create on shop.public.i
--> alter on shop.public.users
--> oracle public.users.name, public.users.email

-- # create a schema with things
CREATE SCHEMA s CREATE TABLE n (id int) CREATE VIEW v AS SELECT email FROM users
--> is create schema
--> select on shop.public.users(email)
--> create on shop.public.n
--> create on shop.public.v
--> create on shop.s.*
--> create on schema shop.s
--> writes shop.public.v.email <- public.users.email

-- # create a sequence
CREATE SEQUENCE s OWNED BY users.id; ALTER SEQUENCE orders_id_seq RESTART; DROP SEQUENCE orders_id_seq
--> is create sequence
--> create on shop.public.s
--> is alter sequence
--> alter on shop.public.orders_id_seq
--> is drop sequence
--> drop on shop.public.orders_id_seq

-- # create functions
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'
--> is create function
--> create on shop.public.f()
--> code on shop.public.f()

-- # create a procedure in a schema
CREATE OR REPLACE PROCEDURE sales.p() LANGUAGE sql BEGIN ATOMIC DELETE FROM users; END
--> is create procedure
--> create on shop.sales.p()
--> code on shop.sales.p()

-- # create a trigger
CREATE TRIGGER t AFTER INSERT ON users EXECUTE FUNCTION f()
--> is create trigger
--> alter on shop.public.users
--> code on shop.public.f()

-- # create a rule
CREATE RULE r AS ON SELECT TO t DO INSTEAD SELECT * FROM secret
--> is create rule
--> alter on shop.public.t
--> code on rule shop.r

-- # create a policy
CREATE POLICY p ON users USING (email = current_user AND EXISTS (SELECT FROM secret))
--> is create policy
--> select on shop.public.secret
--> select on shop.public.users(email)
--> alter on shop.public.users
--> oracle public.users.email

-- # create an extension
CREATE EXTENSION dblink; ALTER EXTENSION dblink UPDATE; DROP EXTENSION dblink
--> is create extension
--> create on extension shop.dblink
--> code on extension shop.dblink
--> is alter extension
--> alter on extension shop.dblink
--> code on extension shop.dblink
--> is drop extension
--> drop on extension shop.dblink

-- # create a domain with a check
CREATE DOMAIN d AS text CHECK (pg_notify('c', VALUE) IS NULL)
--> is create domain
--> execute on shop.pg_catalog.pg_notify()
--> create on domain shop.public.d
--> code on domain shop.public.d
--> writes shop.pg_catalog.pg_notify.? <-  OPAQUE

-- # create types
CREATE TYPE e AS ENUM ('a'); CREATE TYPE c AS (a int); CREATE TYPE r AS RANGE (subtype = int); ALTER TYPE e ADD VALUE 'b'
--> is create type
--> create on type shop.public.e
--> is create type
--> create on type shop.public.c
--> is create type
--> create on type shop.public.r
--> code on type shop.public.r
--> is alter type
--> alter on type shop.public.e

-- # create operators and casts
CREATE OPERATOR + (LEFTARG = text, RIGHTARG = text, FUNCTION = f); CREATE CAST (text AS int) WITH FUNCTION f(text); CREATE AGGREGATE a (int) (SFUNC = f, STYPE = int)
--> is create operator
--> create on operator shop.public.+
--> code on operator shop.public.+
--> is create cast
--> create on cast shop.*
--> code on cast shop.*
--> is create aggregate
--> create on shop.public.a()
--> code on shop.public.a()

-- # create an event trigger
CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()
--> is create event_trigger
--> create on event_trigger shop.e
--> code on event_trigger shop.e

-- # create a language
CREATE LANGUAGE plperlu
--> is create extension
--> create on extension shop.plperlu
--> code on extension shop.plperlu

-- # create statistics
CREATE STATISTICS s ON email, name FROM users
--> is create statistics
--> create on statistics shop.public.s
--> alter on shop.public.users

-- # create publications and subscriptions
CREATE PUBLICATION p FOR TABLE users WHERE (id > 1); CREATE PUBLICATION q FOR ALL TABLES; CREATE PUBLICATION r FOR TABLES IN SCHEMA sales; CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p
--> is create publication
--> select on shop.public.users(*)
--> create on publication shop.p
--> oracle public.users.id
--> is create publication
--> select on database shop
--> create on publication shop.q
--> is create publication
--> select on schema shop.sales
--> create on publication shop.r
--> is create subscription
--> create on subscription shop.s
--> code on subscription shop.s

-- # create servers and mappings
CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw; CREATE USER MAPPING FOR bob SERVER s OPTIONS (password 'x'); IMPORT FOREIGN SCHEMA a FROM SERVER s INTO public; CREATE FOREIGN DATA WRAPPER w HANDLER h
--> is create foreign_server
--> create on foreign_server shop.s
--> is create user_mapping
--> create on user_mapping shop.s
--> is create foreign_table
--> create on foreign_table shop.s
--> create on schema shop.public
--> alter on foreign_server shop.s
--> is create foreign_data_wrapper
--> create on foreign_data_wrapper shop.w
--> code on foreign_data_wrapper shop.w

-- # create databases and tablespaces
CREATE DATABASE d; ALTER DATABASE shop SET search_path = evil; DROP DATABASE d; CREATE TABLESPACE ts LOCATION '/x'; DROP TABLESPACE ts
--> is create database
--> create on database d
--> is alter database
--> alter on database shop
--> set on setting search_path
--> is drop database
--> drop on database d
--> is create tablespace
--> create on tablespace ts
--> server_file on file /x
--> is drop tablespace
--> drop on tablespace ts

-- # alter table
ALTER TABLE users ADD COLUMN x text DEFAULT peek(1), DROP COLUMN email, ALTER COLUMN id TYPE bigint USING length(email), ADD CONSTRAINT c CHECK (name <> 'x'), ADD FOREIGN KEY (id) REFERENCES secret (a)
--> is alter table
--> select on shop.public.secret(a)
--> select on shop.public.users(email, name)
--> execute on shop.public.peek()
--> alter on shop.public.users
--> oracle public.users.name, public.users.email
--> writes shop.public.users.? <- public.users.email OPAQUE

-- # alter table attaches
ALTER TABLE events ATTACH PARTITION secret DEFAULT
--> is alter table
--> alter on shop.public.events
--> alter on shop.public.secret
--> writes shop.public.events.? <- public.secret.a, public.secret.b

-- # alter table inherits
ALTER TABLE t INHERIT secret
--> is alter table
--> alter on shop.public.secret
--> alter on shop.public.t
--> writes shop.public.secret.? <- public.t.a, public.t.b, public.t.c

-- # alter table disables row security and triggers
ALTER TABLE users DISABLE ROW LEVEL SECURITY, DISABLE TRIGGER ALL
--> is alter table
--> alter on shop.public.users

-- # rename a table
ALTER TABLE users RENAME TO people
--> is alter table
--> alter on shop.public.users
--> writes shop.public.people.id <- public.users.id
--> writes shop.public.people.name <- public.users.name
--> writes shop.public.people.email <- public.users.email
--> writes shop.public.people.card_number <- public.users.card_number
--> writes shop.public.people.created_at <- public.users.created_at
--> writes shop.public.people.profile <- public.users.profile

-- # rename a column
ALTER TABLE users RENAME COLUMN email TO mail
--> is alter column
--> alter on shop.public.users
--> writes shop.public.users.mail <- public.users.email

-- # move a table to another schema
ALTER TABLE users SET SCHEMA sales
--> is alter table
--> create on schema shop.sales
--> alter on shop.public.users
--> writes shop.sales.users.id <- public.users.id
--> writes shop.sales.users.name <- public.users.name
--> writes shop.sales.users.email <- public.users.email
--> writes shop.sales.users.card_number <- public.users.card_number
--> writes shop.sales.users.created_at <- public.users.created_at
--> writes shop.sales.users.profile <- public.users.profile

-- # owners
ALTER TABLE users OWNER TO bob; ALTER FUNCTION full_name(users) OWNER TO bob; ALTER SCHEMA sales OWNER TO bob
--> is alter table
--> alter on shop.public.users
--> is alter function
--> alter on shop.public.full_name()
--> is alter schema
--> alter on schema shop.sales

-- # alter a function
ALTER FUNCTION full_name(users) SECURITY DEFINER SET search_path = evil
--> is alter function
--> alter on shop.public.full_name()

-- # alter a view
ALTER VIEW user_mails ALTER COLUMN mail SET DEFAULT 'x'
--> is alter view
--> alter on shop.public.user_mails

-- # alter the system
ALTER SYSTEM SET log_statement = 'none'
--> is alter system
--> alter on system *
--> set on setting log_statement

-- # comments and labels
COMMENT ON TABLE users IS 'x'; COMMENT ON COLUMN users.email IS 'x'; COMMENT ON FUNCTION full_name(users) IS 'x'; COMMENT ON DATABASE shop IS 'x'; SECURITY LABEL ON TABLE users IS 'x'
--> is alter table
--> alter on shop.public.users
--> is alter column
--> alter on shop.public.users
--> is alter function
--> alter on shop.public.full_name()
--> is alter database
--> alter on database shop
--> is alter table
--> alter on shop.public.users

-- # drop
DROP TABLE users, sales.orders; DROP TABLE IF EXISTS nothing; DROP VIEW user_mails CASCADE; DROP INDEX i; DROP SCHEMA sales CASCADE; DROP FUNCTION full_name(users); DROP TYPE e; DROP TRIGGER t ON users; DROP RULE r ON users; DROP POLICY p ON users; DROP DOMAIN d; DROP OPERATOR === (text, text); DROP CAST (text AS int); DROP MATERIALIZED VIEW order_totals; DROP PUBLICATION p; DROP SERVER s; DROP AGGREGATE a (int); DROP ACCESS METHOD m
--> is drop table
--> drop on shop.public.users
--> drop on shop.sales.orders
--> is drop table
--> drop on shop.public.nothing
--> is drop view
--> drop on shop.public.user_mails
--> drop on cascade shop
--> is drop index
--> drop on shop.public.i
--> is drop schema
--> drop on cascade shop
--> drop on schema shop.sales
--> is drop function
--> drop on shop.public.full_name()
--> is drop type
--> drop on type shop.public.e
--> is drop trigger
--> alter on shop.public.users
--> is drop rule
--> alter on shop.public.users
--> is drop policy
--> alter on shop.public.users
--> is drop domain
--> drop on domain shop.public.d
--> is drop operator
--> drop on operator shop.public.===
--> is drop cast
--> drop on cast shop.*
--> is drop materialized_view
--> drop on shop.public.order_totals
--> is drop publication
--> drop on publication shop.p
--> is drop foreign_server
--> drop on foreign_server shop.s
--> is drop aggregate
--> drop on shop.public.a()
--> is drop access_method
--> drop on access_method shop.m

-- # grants
GRANT SELECT, UPDATE (email) ON users TO bob; GRANT ALL ON ALL TABLES IN SCHEMA sales TO PUBLIC; GRANT USAGE ON SCHEMA sales TO bob; GRANT EXECUTE ON FUNCTION full_name(users) TO bob; GRANT CONNECT ON DATABASE shop TO bob; GRANT SELECT ON LARGE OBJECT 1 TO bob; GRANT SET ON PARAMETER work_mem TO bob; GRANT USAGE ON SEQUENCE orders_id_seq TO bob; GRANT USAGE ON TYPE e TO bob
--> is grant
--> grant on shop.public.users
--> is grant
--> grant on schema shop.sales
--> is grant
--> grant on schema shop.sales
--> is grant
--> grant on shop.public.full_name()
--> is grant
--> grant on database shop
--> is grant
--> grant on large_object shop
--> is grant
--> grant on setting work_mem
--> is grant
--> grant on shop.public.orders_id_seq
--> is grant
--> grant on type shop.public.e

-- # roles are granted
GRANT admin TO bob; REVOKE admin FROM bob; REVOKE SELECT ON users FROM bob
--> is grant role
--> grant on role admin
--> is revoke role
--> grant on role admin
--> is revoke
--> grant on shop.public.users

-- # roles are made
CREATE ROLE r SUPERUSER; ALTER ROLE r PASSWORD 'x'; ALTER ROLE bob SET search_path = evil; ALTER USER CURRENT_USER SET role = 'admin'; DROP ROLE r; DROP OWNED BY bob; REASSIGN OWNED BY bob TO alice; ALTER ROLE r RENAME TO s; ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO bob
--> is create role
--> grant on role r
--> is alter role
--> grant on role r
--> is alter role set
--> grant on role bob
--> set on setting search_path
--> is alter role set
--> grant on role app
--> set on setting role
--> is drop role
--> grant on role r
--> is drop owned
--> drop on owned shop
--> grant on role bob
--> is reassign owned
--> alter on owned shop
--> grant on role alice
--> grant on role bob
--> is alter role
--> grant on role r
--> is alter default privileges
--> grant on default_privileges shop

-- # load
LOAD '/tmp/evil.so'
--> is load
--> code on library /tmp/evil.so

-- # checkpoint
CHECKPOINT
--> is checkpoint
--> maintain on checkpoint shop

-- # text search
CREATE TEXT SEARCH CONFIGURATION c (PARSER = default); ALTER TEXT SEARCH DICTIONARY d (a = 'b')
--> is create text_search_configuration
--> create on text_search_configuration shop.public.c
--> is alter text_search_dictionary
--> alter on text_search_dictionary shop.public.d

-- # a dump names a setting by its row
SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'
--> is select
--> select on shop.pg_catalog.pg_settings(name)
--> setting restrict_nonsystem_relation_kind = 'view, foreign-table'
--> out set_config <- pg_catalog.pg_settings.name
--> oracle pg_catalog.pg_settings.name
--> writes shop.pg_catalog.set_config.? <- pg_catalog.pg_settings.name

-- # a dump names a pinned setting by its row
SELECT set_config(name, 'off', false) FROM pg_settings WHERE name = 'standard_conforming_strings'
--> is select
--> select on shop.pg_catalog.pg_settings(name)
--> set on setting standard_conforming_strings
--> setting standard_conforming_strings = 'off' PINNED
--> out set_config <- pg_catalog.pg_settings.name
--> oracle pg_catalog.pg_settings.name
--> writes shop.pg_catalog.set_config.? <- pg_catalog.pg_settings.name

-- # a setting is not fixed by another query's condition
SELECT set_config(name, 'off', false) FROM pg_settings WHERE EXISTS (SELECT 1 FROM pg_settings WHERE name = 'jit')
--> is select
--> select on shop.pg_catalog.pg_settings(name)
--> execute on shop.pg_catalog.set_config()
--> set on setting *
--> setting ? = 'off' PINNED
--> out set_config <- pg_catalog.pg_settings.name
--> oracle pg_catalog.pg_settings.name
--> writes shop.pg_catalog.set_config.? <- pg_catalog.pg_settings.name

-- # a lock that every reader takes
LOCK TABLE users IN ACCESS SHARE MODE
--> is lock
--> select on shop.public.users

-- # create statistics from what is no relation
CREATE STATISTICS s ON email, name FROM user
--> is create statistics
--> create on statistics shop.public.s
--> unknown on statement shop
