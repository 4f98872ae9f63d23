-- # dump: names
/*!40101 SET NAMES utf8mb4 */
--> is set
--> setting names = 'utf8mb4'

-- # dump: keep the character set
/*!40101 SET @OLD_CHARACTER_SET_CLIENT=@@CHARACTER_SET_CLIENT */
--> is set

-- # dump: keep the mode
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */
--> is set
--> setting sql_mode = 'NO_AUTO_VALUE_ON_ZERO'

-- # dump: put the mode back
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */
--> is set
--> set on setting sql_mode
--> setting sql_mode = @old_sql_mode PINNED

-- # dump: put checks back
/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */
--> is set
--> setting foreign_key_checks = @old_foreign_key_checks

-- # dump: time zone
/*!40103 SET TIME_ZONE='+00:00' */
--> is set
--> setting time_zone = '+00:00'

-- # dump: empty mode
/*!40100 SET @@SQL_MODE='' */
--> is set
--> setting sql_mode = ''

-- # dump: quote
SET SQL_QUOTE_SHOW_CREATE=1
--> is set
--> setting sql_quote_show_create = '1'

-- # dump: results as they are
SET SESSION character_set_results = 'binary'
--> is set
--> setting character_set_results = 'binary'

-- # dump: consistent
START TRANSACTION /*!40100 WITH CONSISTENT SNAPSHOT */
--> is begin

-- # dump: isolation
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ
--> is set transaction

-- # dump: read
SELECT /*!40001 SQL_NO_CACHE */ `id`, `email` FROM `users`
--> is select
--> select on def.shop.users(email, id)
--> out id = shop.users.id
--> out email = shop.users.email

-- # dump: read all
SELECT /*!40001 SQL_NO_CACHE */ * FROM `orders` WHERE 1
--> is select
--> select on def.shop.orders(*)
--> out id = shop.orders.id
--> out user_id = shop.orders.user_id
--> out total = shop.orders.total
--> out note = shop.orders.note

-- # dump: table
SHOW CREATE TABLE `users`
--> is show
--> select on def.shop.users
--> out ?

-- # dump: columns
SHOW FIELDS FROM `users`
--> is show
--> select on def.shop.users
--> out ?

-- # dump: status
SHOW TABLE STATUS LIKE 'users'
--> is show
--> select on def.information_schema.tables
--> out ?

-- # dump: triggers
SHOW TRIGGERS LIKE 'users'
--> is show
--> select on def.information_schema.triggers
--> out ?

-- # dump: lock
LOCK TABLES `users` READ /*!32311 LOCAL */, `orders` READ /*!32311 LOCAL */
--> is lock
--> lock on def.shop.orders
--> lock on def.shop.users

-- # dump: lock to fill
LOCK TABLES `users` WRITE
--> is lock
--> lock on def.shop.users

-- # dump: keys off
/*!40000 ALTER TABLE `users` DISABLE KEYS */
--> is alter table
--> alter on def.shop.users

-- # dump: keys on
/*!40000 ALTER TABLE `users` ENABLE KEYS */
--> is alter table
--> alter on def.shop.users

-- # dump: unlock
UNLOCK TABLES
--> is lock

-- # dump: drop
DROP TABLE IF EXISTS `users`
--> is drop table
--> drop on def.shop.users

-- # dump: create
CREATE TABLE `orders` (
  `id` int(11) NOT NULL AUTO_INCREMENT,
  `user_id` int(11) DEFAULT NULL,
  `total` decimal(10,2) NOT NULL DEFAULT 0.00,
  PRIMARY KEY (`id`),
  KEY `u` (`user_id`),
  CONSTRAINT `fk` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`) ON DELETE CASCADE
) ENGINE=InnoDB AUTO_INCREMENT=4 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_general_ci
--> is create table
--> select on def.shop.users
--> create on def.shop.orders

-- # dump: fill
INSERT INTO `orders` VALUES (1,1,10.50,'it\'s'),(2,2,20.00,NULL)
--> is insert
--> insert on def.shop.orders(*)

-- # dump: view
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=`root`@`localhost` SQL SECURITY DEFINER */
/*!50001 VIEW `user_mails` AS select `users`.`id` AS `id`,`users`.`email` AS `mail` from `users` */
--> is create view
--> select on def.shop.users(email, id)
--> create on def.shop.user_mails
--> writes def.shop.user_mails.id <- shop.users.id
--> writes def.shop.user_mails.mail <- shop.users.email

-- # dump: trigger
/*!50003 CREATE*/ /*!50017 DEFINER=`root`@`localhost`*/ /*!50003 TRIGGER `t1` BEFORE INSERT ON `t` FOR EACH ROW SET NEW.a = 1 */
--> is create trigger
--> create on trigger def.shop.t1
--> code on trigger def.shop.t1

-- # dump: flush
FLUSH /*!40101 LOCAL */ TABLES
--> is flush
--> maintain on server flush

-- # dump: flush with lock
FLUSH TABLES WITH READ LOCK
--> is flush
--> lock on server tables
--> maintain on server flush

-- # dump: routines
SHOW FUNCTION STATUS WHERE Db = 'shop'
--> is show
--> select on def.information_schema.routines
--> out ?

-- # dump: sandbox
/*M!999999\- enable the sandbox mode */

-- # wordpress: options
SELECT option_name, option_value FROM wp_options WHERE autoload IN ( 'yes', 'on', 'auto-on', 'auto' )
--> is select
--> select on def.shop.wp_options(autoload, option_name, option_value)
--> out option_name = ?def.shop.wp_options.option_name
--> out option_value = ?def.shop.wp_options.option_value
--> oracle ?def.shop.wp_options.autoload

-- # wordpress: posts
SELECT SQL_CALC_FOUND_ROWS  wp_posts.ID FROM wp_posts  WHERE 1=1  AND ((wp_posts.post_type = 'post' AND (wp_posts.post_status = 'publish' OR wp_posts.post_status = 'private')))  ORDER BY wp_posts.post_date DESC LIMIT 0, 10
--> is select
--> select on def.shop.wp_posts(id, post_date, post_status, post_type)
--> out ID = ?def.shop.wp_posts.id
--> oracle ?def.shop.wp_posts.post_date, ?def.shop.wp_posts.post_status, ?def.shop.wp_posts.post_type

-- # wordpress: found rows
SELECT FOUND_ROWS()
--> is select
--> out ?

-- # wordpress: names
SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_520_ci'
--> is set
--> setting names = 'utf8mb4'

-- # wordpress: mode
SELECT @@SESSION.sql_mode
--> is select
--> out ?

-- # wordpress: set mode
SET SESSION sql_mode='ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'
--> is set
--> setting sql_mode = 'ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'

-- # wordpress: option
INSERT INTO `wp_options` (`option_name`, `option_value`, `autoload`) VALUES ('a', 'b', 'yes') ON DUPLICATE KEY UPDATE `option_name` = VALUES(`option_name`), `option_value` = VALUES(`option_value`), `autoload` = VALUES(`autoload`)
--> is insert
--> insert on def.shop.wp_options(autoload, option_name, option_value)
--> update on def.shop.wp_options(autoload, option_name, option_value)

-- # wordpress: transients
DELETE a, b FROM wp_options a, wp_options b
 WHERE a.option_name LIKE '\_transient\_%' AND b.option_name = CONCAT( '_transient_timeout_', SUBSTRING( a.option_name, 12 ) ) AND b.option_value < 1700000000
--> is delete
--> select on def.shop.wp_options(option_name, option_value)
--> delete on def.shop.wp_options
--> oracle ?def.shop.wp_options.option_name, ?def.shop.wp_options.option_value

-- # wordpress: terms
SELECT  DISTINCT t.term_id, tr.object_id FROM wp_terms AS t  INNER JOIN wp_term_taxonomy AS tt ON t.term_id = tt.term_id INNER JOIN wp_term_relationships AS tr ON tr.term_taxonomy_id = tt.term_taxonomy_id WHERE tt.taxonomy IN ('category', 'post_tag') AND tr.object_id IN (1) ORDER BY t.name ASC
--> is select
--> select on def.shop.wp_term_relationships(object_id, term_taxonomy_id)
--> select on def.shop.wp_term_taxonomy(taxonomy, term_id, term_taxonomy_id)
--> select on def.shop.wp_terms(name, term_id)
--> out term_id = ?def.shop.wp_terms.term_id
--> out object_id = ?def.shop.wp_term_relationships.object_id
--> oracle ?def.shop.wp_term_relationships.object_id, ?def.shop.wp_term_relationships.term_taxonomy_id, ?def.shop.wp_term_taxonomy.taxonomy, ?def.shop.wp_term_taxonomy.term_id, ?def.shop.wp_term_taxonomy.term_taxonomy_id, ?def.shop.wp_terms.name, ?def.shop.wp_terms.term_id

-- # wordpress: describe
DESCRIBE wp_posts;
--> is show
--> select on def.shop.wp_posts
--> out ?

-- # wordpress: full columns
SHOW FULL COLUMNS FROM `wp_options`
--> is show
--> select on def.shop.wp_options
--> out ?

-- # wordpress: tables
SHOW TABLES LIKE 'wp_options'
--> is show
--> select on def.information_schema.tables
--> out ?

-- # django: version
SELECT @@sql_mode, @@default_storage_engine, @@sql_auto_is_null, @@lower_case_table_names, CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL
--> is select
--> out ?
--> out ?
--> out ?
--> out ?
--> out ?

-- # django: null
SET SQL_AUTO_IS_NULL = 0
--> is set
--> setting sql_auto_is_null = '0'

-- # django: isolation
SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
--> is set transaction

-- # django: tables
SHOW FULL TABLES
--> is show
--> select on def.information_schema.tables
--> out ?

-- # django: join
SELECT `users`.`id`, `users`.`email` FROM `users` INNER JOIN `orders` ON (`users`.`id` = `orders`.`user_id`) WHERE (`orders`.`total` > 10 AND `users`.`name` LIKE BINARY 'a%' AND NOT (`orders`.`note` IS NULL)) ORDER BY `orders`.`id` DESC LIMIT 21
--> is select
--> select on def.shop.orders(id, note, total, user_id)
--> select on def.shop.users(email, id, name)
--> out id = shop.users.id
--> out email = shop.users.email
--> oracle shop.users.id, shop.users.name, shop.orders.id, shop.orders.user_id, shop.orders.total, shop.orders.note

-- # django: exists
SELECT 1 AS `a` FROM `users` WHERE `users`.`id` = 5 LIMIT 1
--> is select
--> select on def.shop.users(id)
--> out a
--> oracle shop.users.id

-- # django: migrations
CREATE TABLE `django_migrations` (`id` bigint AUTO_INCREMENT NOT NULL PRIMARY KEY, `app` varchar(255) NOT NULL, `applied` datetime(6) NOT NULL)
--> is create table
--> create on def.shop.django_migrations

-- # django: key
ALTER TABLE `orders` ADD CONSTRAINT `orders_user_id_fk` FOREIGN KEY (`user_id`) REFERENCES `users` (`id`)
--> is alter table
--> select on def.shop.users
--> alter on def.shop.orders

-- # django: modify
ALTER TABLE `users` MODIFY `name` varchar(200) NULL
--> is alter table
--> alter on def.shop.users

-- # django: information
SELECT c.constraint_name FROM information_schema.table_constraints AS c WHERE c.table_schema = DATABASE() AND c.table_name = 'users'
--> is select
--> select on def.information_schema.table_constraints(constraint_name, table_name, table_schema)
--> out constraint_name = ?def.information_schema.table_constraints.constraint_name
--> oracle ?def.information_schema.table_constraints.table_name, ?def.information_schema.table_constraints.table_schema

-- # django: savepoint
SAVEPOINT `s1_x1`
--> is savepoint

-- # django: back
ROLLBACK TO SAVEPOINT `s1_x1`
--> is rollback to

-- # django: release
RELEASE SAVEPOINT `s1_x1`
--> is release

-- # rails: session
SET  @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'),  @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483
--> is set
--> setting sql_mode = computed
--> setting sql_auto_is_null = '0'
--> setting wait_timeout = '2147483'

-- # rails: load
SELECT `users`.* FROM `users` WHERE `users`.`id` = 1 LIMIT 1
--> is select
--> select on def.shop.users(*)
--> out id = shop.users.id
--> out name = shop.users.name
--> out email = shop.users.email
--> out card_number = shop.users.card_number
--> out created_at = shop.users.created_at
--> out profile = shop.users.profile
--> oracle shop.users.id

-- # rails: lock
SELECT `users`.* FROM `users` WHERE `users`.`id` = 1 LIMIT 1 FOR UPDATE
--> is select
--> select on def.shop.users(*)
--> update on def.shop.users
--> out id = shop.users.id
--> out name = shop.users.name
--> out email = shop.users.email
--> out card_number = shop.users.card_number
--> out created_at = shop.users.created_at
--> out profile = shop.users.profile
--> oracle shop.users.id

-- # rails: update
UPDATE `users` SET `users`.`name` = 'a' WHERE `users`.`id` = 1
--> is update
--> select on def.shop.users(id)
--> update on def.shop.users(name)
--> oracle shop.users.id

-- # rails: key
SELECT column_name FROM information_schema.statistics WHERE index_name = 'PRIMARY' AND table_schema = database() AND table_name = 'users' ORDER BY seq_in_index
--> is select
--> select on def.information_schema.statistics(column_name, index_name, seq_in_index, table_name, table_schema)
--> out column_name = ?def.information_schema.statistics.column_name
--> oracle ?def.information_schema.statistics.index_name, ?def.information_schema.statistics.seq_in_index, ?def.information_schema.statistics.table_name, ?def.information_schema.statistics.table_schema

-- # rails: variables
SHOW VARIABLES LIKE 'collation_database'
--> is show
--> out ?

-- # rails: lock of migrations
SELECT GET_LOCK('1234', 0)
--> is select
--> execute on def.mysql.get_lock()
--> out ? OPAQUE

-- # connector/j: start
/* mysql-connector-j */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@license AS license
--> is select
--> out auto_increment_increment
--> out character_set_client
--> out license

-- # connector/j: results
SET character_set_results = NULL
--> is set
--> setting character_set_results = 'null'

-- # connector/j: commit
SET autocommit=1
--> is set
--> setting autocommit = '1'

-- # client: version
select @@version_comment limit 1
--> is select
--> out ?

-- # client: database
SELECT DATABASE()
--> is select
--> out ?

-- # client: databases
show databases
--> is show
--> select on def.information_schema.schemata
--> out ?

-- # client: tables
show tables
--> is show
--> select on def.information_schema.tables
--> out ?

-- # client: warnings
SHOW WARNINGS
--> is show
--> holds others: def.performance_schema.messages
--> out ?

-- # client: status
SHOW ENGINE INNODB STATUS
--> is unknown
--> unknown on statement def
--> out ?

-- # client: processes
SHOW FULL PROCESSLIST
--> is show
--> select on def.information_schema.processlist
--> holds others: def.information_schema.processlist
--> out ?

-- # client: use
USE sales
--> is set
--> setting database = 'sales'

-- # client: explain
EXPLAIN SELECT email FROM users
--> is explain
--> select on def.shop.users(email)
--> out ?

-- # client: explain with a format
EXPLAIN FORMAT=JSON UPDATE users SET name = 'a'
--> is explain
--> update on def.shop.users(name)
--> out ?

-- # client: analyze
ANALYZE FORMAT=JSON SELECT email FROM users
--> is explain analyze
--> select on def.shop.users(email)
--> out ?

-- # client: analyze table
ANALYZE TABLE users, orders
--> is analyze
--> maintain on def.shop.orders
--> maintain on def.shop.users
--> out ?

-- # client: check
CHECK TABLE users FOR UPGRADE
--> is check
--> maintain on def.shop.users
--> out ?

-- # client: checksum
CHECKSUM TABLE users
--> is checksum
--> maintain on def.shop.users
--> holds others: def.performance_schema.messages
--> out ?

-- # client: truncate
TRUNCATE TABLE users
--> is truncate
--> truncate on def.shop.users

-- # client: grants
SHOW GRANTS FOR CURRENT_USER()
--> is show
--> out ?

-- # client: grant
GRANT SELECT (email), INSERT ON shop.* TO 'app'@'%' IDENTIFIED BY 'x'
--> is grant
--> grant on database shop

-- # client: grant on a table
GRANT ALL ON users TO app@localhost
--> is grant
--> grant on def.shop.users

-- # client: create user
CREATE USER 'a'@'localhost' IDENTIFIED BY 'b'
--> is create role
--> grant on role *

-- # client: set role
SET ROLE admin
--> is set role
--> grant on role *

-- # client: set password
SET PASSWORD FOR 'a'@'%' = PASSWORD('x')
--> is unknown
--> unknown on statement def
--> out ?

-- # client: index
CREATE UNIQUE INDEX i ON users (email(10))
--> is create index
--> alter on def.shop.users

-- # client: drop index
DROP INDEX i ON users
--> is drop index
--> alter on def.shop.users

-- # client: database made
CREATE DATABASE IF NOT EXISTS x CHARACTER SET utf8mb4
--> is create database
--> create on database x

-- # client: database dropped
DROP DATABASE x
--> is drop database
--> drop on database x

-- # client: global
SET GLOBAL max_connections = 10
--> is set
--> set on setting max_connections
--> setting max_connections = '10'

-- # client: names of another alphabet
SET NAMES gbk
--> is set
--> set on setting names
--> setting names = 'gbk' PINNED

-- # client: client's character set
SET character_set_client = gbk
--> is set
--> set on setting character_set_client
--> setting character_set_client = 'gbk' PINNED

-- # client: mode that cuts otherwise
SET sql_mode = 'ANSI_QUOTES'
--> is set
--> set on setting sql_mode
--> setting sql_mode = 'ANSI_QUOTES' PINNED

-- # client: mode that is computed
SET sql_mode = CONCAT(@@sql_mode, ',ANSI')
--> is set
--> set on setting sql_mode
--> setting sql_mode = computed PINNED

-- # client: show with a subquery
SHOW TABLES WHERE (SELECT email FROM users LIMIT 1) LIKE 'a%'
--> is show
--> select on def.information_schema.tables
--> select on def.shop.users(email)
--> out ?
--> oracle shop.users.email

-- # client: binary log
SHOW BINLOG EVENTS
--> is unknown
--> unknown on statement def
--> out ?

-- # client: begin and commit
BEGIN; COMMIT AND CHAIN; ROLLBACK RELEASE
--> is begin
--> is commit
--> is unknown
--> unknown on statement def
--> out ?

-- # empty
;

-- # comments alone
/* nothing */ -- at all

-- # sqlx: modes in a query
SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION')),time_zone='+00:00',NAMES utf8mb4 COLLATE utf8mb4_unicode_ci
--> is set
--> setting sql_mode = computed
--> setting time_zone = '+00:00'
--> setting names = 'utf8mb4'

-- # modes as the server starts with
SET sql_mode = @@global.sql_mode
--> is set
--> set on setting sql_mode
--> setting sql_mode = @@global.sql_mode PINNED

-- # no mode at all
SET sql_mode=0
--> is set
--> setting sql_mode = '0'

-- # sqlalchemy: a collation of a cast
SELECT CAST('test collated returns' AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin AS anon_1, CAST(id AS CHAR(10) CHARSET utf8mb4) FROM users
--> is select
--> select on def.shop.users(id)
--> out anon_1
--> out ? <- shop.users.id

-- # an interval of two units
SELECT DATE_ADD(created_at, INTERVAL '1:1' MINUTE_SECOND), EXTRACT(DAY_HOUR FROM created_at) FROM users
--> is select
--> select on def.shop.users(created_at)
--> out ? <- shop.users.created_at
--> out ? <- shop.users.created_at

-- # application: literals of dates in braces
SELECT {d '2024-01-31'}, { ts "2024-01-31 10:11:12.5" }, name FROM users WHERE created_at > {t'10:11'}
--> is select
--> select on def.shop.users(created_at, name)
--> out ?
--> out ?
--> out name = shop.users.name
--> oracle shop.users.created_at

-- # application: NULL as it is written in files
INSERT INTO t (a, b) VALUES (\N, 1)
--> is insert
--> insert on def.shop.t(a, b)

-- # application: bytes read in a character set
SELECT CHAR(77, 121, id USING utf8mb4), CHAR(email USING binary) FROM users
--> is select
--> select on def.shop.users(email, id)
--> out ? <- shop.users.id
--> out ? <- shop.users.email

-- # application: two tables in parentheses
SELECT * FROM (orders, t)
--> is select
--> select on def.shop.orders(*)
--> select on def.shop.t(*)
--> out id = shop.orders.id
--> out user_id = shop.orders.user_id
--> out total = shop.orders.total
--> out note = shop.orders.note
--> out a = shop.t.a
--> out b = shop.t.b
--> out c = shop.t.c

-- # application: a left join of two
SELECT u.name, p.title FROM users u LEFT JOIN (orders o, products AS p) ON o.user_id = u.id AND p.id = o.id
--> is select
--> select on def.shop.orders(id, user_id)
--> select on def.shop.products(id, title)
--> select on def.shop.users(id, name)
--> out name = shop.users.name
--> out title = shop.products.title
--> oracle shop.users.id, shop.orders.id, shop.orders.user_id, shop.products.id

-- # application: a join beside a comma, in parentheses
SELECT note FROM (t, orders NATURAL JOIN products)
--> is select
--> select on def.shop.orders(id, note)
--> select on def.shop.products(id)
--> select on def.shop.t
--> out note = shop.orders.note
--> oracle shop.orders.id, shop.products.id

-- # application: tables in parentheses behind a comma
SELECT u.name, p.title FROM users u, (orders o, products AS p) WHERE o.user_id = u.id AND p.id IN (1, (o.id))
--> is select
--> select on def.shop.orders(id, user_id)
--> select on def.shop.products(id, title)
--> select on def.shop.users(id, name)
--> out name = shop.users.name
--> out title = shop.products.title
--> oracle shop.users.id, shop.orders.id, shop.orders.user_id, shop.products.id

-- # application: a join in parentheses behind a comma, after a condition
SELECT a FROM orders o JOIN products p ON o.id IN (p.id, (p.id)), (t JOIN users u ON u.id = t.a) ORDER BY u.id, (o.id)
--> is select
--> select on def.shop.orders(id)
--> select on def.shop.products(id)
--> select on def.shop.t(a)
--> select on def.shop.users(id)
--> out a = shop.t.a
--> oracle shop.users.id, shop.orders.id, shop.products.id, shop.t.a

-- # application: commas and parentheses that are no tables
SELECT (SELECT max(id) FROM orders), (a), EXTRACT(DAY FROM b), (c) FROM t GROUP BY a, (b), (c)
--> is select
--> select on def.shop.orders(id)
--> select on def.shop.t(a, b, c)
--> out ? <- shop.orders.id
--> out a = shop.t.a
--> out ? <- shop.t.b
--> out c = shop.t.c
--> oracle shop.t.a, shop.t.b, shop.t.c

-- # application: one table in parentheses, twice
SELECT email FROM ((users)) WHERE id IN (SELECT user_id FROM (orders o) WHERE EXTRACT(DAY FROM (o.total + 1)) > 1)
--> is select
--> select on def.shop.orders(total, user_id)
--> select on def.shop.users(email, id)
--> out email = shop.users.email
--> oracle shop.users.id, shop.orders.user_id, shop.orders.total

-- # application: the mode that sessions begin with
SET sql_mode = DEFAULT
--> is set
--> set on setting sql_mode
--> setting sql_mode = @@global.sql_mode PINNED

-- # application: a join of joins by shared columns of tables that nobody knows
SELECT id FROM a NATURAL JOIN b JOIN c USING (id)
--> is select
--> select on def.shop.a(*)
--> select on def.shop.b(*)
--> select on def.shop.c(*)
--> out id <- ?def.shop.a.*, ?def.shop.b.*, ?def.shop.c.*
--> oracle ?def.shop.a.*, ?def.shop.b.*, ?def.shop.c.*

-- # administrator: everything on everything
GRANT ALL PRIVILEGES ON *.* TO 'reporter'@'%' WITH GRANT OPTION
--> is grant
--> grant on database *

-- # administrator: a proxy
GRANT PROXY ON ''@'' TO 'root'@'localhost' WITH GRANT OPTION
--> is grant
--> grant on role *

-- # application: blanks around dots
SELECT u . email, u .id, u. name FROM shop . users u WHERE u . `id` = .5
--> is select
--> select on def.shop.users(email, id, name)
--> out email = shop.users.email
--> out id = shop.users.id
--> out name = shop.users.name
--> oracle shop.users.id

-- # application: a label in a routine, and a loop over numbers
CREATE PROCEDURE fill(top INT) BEGIN again: LOOP SET top = top - 1; IF top < 1 THEN LEAVE again; END IF; END LOOP again; FOR i IN 0..9 DO INSERT INTO t VALUES (i, i, i); END FOR; END
--> is create procedure
--> create on procedure def.shop.fill
--> code on procedure def.shop.fill

-- # application: blanks taken away at one end
SELECT TRIM(LEADING FROM name), TRIM(BOTH FROM email), TRIM(TRAILING 'x' FROM name) FROM users
--> is select
--> select on def.shop.users(email, name)
--> out ? <- shop.users.name
--> out ? <- shop.users.email
--> out ? <- shop.users.name

-- # application: a cast to an integer by its other name
SELECT CAST(card_number AS UNSIGNED INT) FROM users
--> is select
--> select on def.shop.users(card_number)
--> out ? <- shop.users.card_number

-- # application: bytes compared
SELECT id FROM users WHERE name BETWEEN BINARY 'a' AND BINARY email AND BINARY name = 'x'
--> is select
--> select on def.shop.users(email, id, name)
--> out id = shop.users.id
--> oracle shop.users.name, shop.users.email

-- # application: an interval among numbers
SELECT INTERVAL(id, 1, 10, 100) FROM users
--> is select
--> select on def.shop.users(id)
--> out ? <- shop.users.id

-- # application: groups in an order
SELECT name, COUNT(*) FROM users GROUP BY name DESC, id ASC HAVING COUNT(*) > 1 ORDER BY name DESC
--> is select
--> select on def.shop.users(id, name)
--> out name = shop.users.name
--> out ?
--> oracle shop.users.id, shop.users.name

-- # application: hints on indexes
SELECT u.id FROM users u USE INDEX FOR JOIN (PRIMARY, by_name) IGNORE INDEX FOR ORDER BY (by_mail) JOIN orders FORCE KEY (by_user) ON orders.user_id = u.id
--> is select
--> select on def.shop.orders(user_id)
--> select on def.shop.users(id)
--> out id = shop.users.id
--> oracle shop.users.id, shop.orders.user_id

-- # application: a row that may be there, from no table
INSERT INTO t (a) SELECT 1 ON DUPLICATE KEY UPDATE a = a + VALUES(a)
--> is insert
--> select on def.shop.t(a)
--> insert on def.shop.t(a)
--> update on def.shop.t(a)
--> writes def.shop.t.a <- shop.t.a

-- # application: text searched for without parentheses
SELECT id FROM users WHERE MATCH users.name, email AGAINST ('+a' IN BOOLEAN MODE)
--> is select
--> select on def.shop.users(email, id, name)
--> out id = shop.users.id
--> oracle shop.users.name, shop.users.email

-- # application: a query in parentheses that begins a union, as a value
SELECT (SELECT MAX(id) FROM users WHERE id = ANY ((SELECT user_id FROM orders) UNION (SELECT id FROM products))) AS x
--> is select
--> select on def.shop.orders(user_id)
--> select on def.shop.products(id)
--> select on def.shop.users(id)
--> out x <- shop.users.id
--> oracle shop.users.id, shop.orders.user_id, shop.products.id

-- # application: a query among the tables in parentheses
SELECT s.email FROM orders LEFT JOIN ((SELECT id, email FROM users) AS s, products p) ON s.id = orders.user_id
--> is select
--> select on def.shop.orders(user_id)
--> select on def.shop.products
--> select on def.shop.users(email, id)
--> out email = shop.users.email
--> oracle shop.users.id, shop.orders.user_id

-- # application: a query in parentheses with its name
SELECT s.email FROM ((SELECT email FROM users) s)
--> is select
--> select on def.shop.users(email)
--> out email = shop.users.email

-- # application: tables in parentheses that are changed
UPDATE orders, (users u, products p) SET orders.note = p.title WHERE orders.user_id = u.id
--> is update
--> select on def.shop.orders(user_id)
--> select on def.shop.products(title)
--> select on def.shop.users(id)
--> update on def.shop.orders(note)
--> oracle shop.users.id, shop.orders.user_id
--> writes def.shop.orders.note <- shop.products.title

-- # application: one table in parentheses that is changed
UPDATE IGNORE (users u) SET u.name = 'x'
--> is update
--> update on def.shop.users(name)

-- # application: rows that come again
WITH RECURSIVE up (id, parent_id) AS (SELECT id, parent_id FROM org_tree UNION SELECT o.id, o.parent_id FROM org_tree o, up WHERE o.id = up.parent_id) CYCLE id, parent_id RESTRICT SELECT id FROM up
--> is select
--> select on def.shop.org_tree(id, parent_id)
--> out id <- shop.org_tree.id
--> oracle shop.org_tree.id, shop.org_tree.parent_id

-- # application: rows that are looked at
SELECT id FROM users WHERE id > 7 LIMIT 3 ROWS EXAMINED 700
--> is select
--> select on def.shop.users(id)
--> out id = shop.users.id
--> oracle shop.users.id

-- # administrator: what is known of columns
ANALYZE TABLE users PERSISTENT FOR COLUMNS (name, email) INDEXES ALL
--> is analyze
--> maintain on def.shop.users
--> out ?

-- # administrator: locks waited for
LOCK TABLES users WRITE, orders AS o READ WAIT 3
--> is lock
--> lock on def.shop.orders
--> lock on def.shop.users

-- # administrator: a setting for one plan
SET STATEMENT optimizer_switch = 'materialization=off' FOR EXPLAIN SELECT id FROM users
--> is explain
--> select on def.shop.users(id)
--> setting optimizer_switch = 'materialization=off'
--> out ?

-- # dump: a table as a file
SELECT /*!40001 SQL_NO_CACHE */ `id`, `name` INTO OUTFILE '/tmp/users.txt' /*!50138 CHARACTER SET binary */ FIELDS TERMINATED BY ',' LINES TERMINATED BY '\n' FROM `users`
--> is copy server file
--> select on def.shop.users(id, name)
--> server_file on file /tmp/users.txt
--> writes def.file./tmp/users.txt.? <- shop.users.id, shop.users.name

-- # application: words of such forms as names
SELECT o.id cycle, o.total examined FROM orders o JOIN (SELECT id duplicate FROM users) u ON duplicate = o.user_id
--> is select
--> select on def.shop.orders(id, total, user_id)
--> select on def.shop.users(id)
--> out cycle = shop.orders.id
--> out examined = shop.orders.total
--> oracle shop.users.id, shop.orders.user_id
