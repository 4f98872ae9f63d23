-- The first statements of a connection, a line each: Django, SQLAlchemy, Rails, Laravel, WordPress,
-- Connector/J, MariaDB's connectors, sqlx, go-sql-driver, mysql2.
SELECT VERSION(), @@sql_mode, @@default_storage_engine, @@sql_auto_is_null, @@lower_case_table_names, CONVERT_TZ('2001-01-01 01:00:00', 'UTC', 'UTC') IS NOT NULL
SET SQL_AUTO_IS_NULL = 0; SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED
SET sql_mode='STRICT_TRANS_TABLES'
SET SESSION sql_mode=STRICT_TRANS_TABLES
SET sql_mode=TRADITIONAL
SET sql_mode=0
SET autocommit=1
SET @@autocommit = 0
SELECT @@version_comment LIMIT 1
select @@version_comment limit 1
SHOW VARIABLES LIKE 'sql_mode'
SHOW VARIABLES LIKE 'lower_case_table_names'
SHOW SESSION VARIABLES WHERE Variable_name IN ('character_set_client','wait_timeout')
SHOW VARIABLES WHERE Variable_name = 'language' OR Variable_name = 'net_write_timeout'
SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci'
SET NAMES utf8
SET CHARACTER SET utf8mb4
SET character_set_results = NULL
SET CHARACTER_SET_RESULTS=utf8mb4, CHARACTER_SET_CLIENT = utf8mb4, CHARACTER_SET_CONNECTION = utf8mb4
SET NAMES utf8mb4,  @@SESSION.sql_mode = CONCAT(CONCAT(@@sql_mode, ',STRICT_ALL_TABLES'), ',NO_AUTO_VALUE_ON_ZERO'),  @@SESSION.sql_auto_is_null = 0, @@SESSION.wait_timeout = 2147483
SET sql_mode=(SELECT CONCAT(@@sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION')),time_zone='+00:00',NAMES utf8mb4 COLLATE utf8mb4_unicode_ci;
SET SESSION sql_mode=(SELECT REPLACE(@@sql_mode,'ONLY_FULL_GROUP_BY',''))
SET sql_mode = @@global.sql_mode
SET SESSION sql_mode='ONLY_FULL_GROUP_BY,STRICT_TRANS_TABLES,NO_ZERO_IN_DATE,NO_ZERO_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'
SET NAMES 'utf8mb4' COLLATE 'utf8mb4_unicode_ci', SESSION sql_mode='STRICT_ALL_TABLES'
set time_zone="+00:00"
SET @@session.time_zone = '+00:00'
SELECT @@SESSION.sql_mode
SELECT @@tx_isolation
SELECT @@GLOBAL.tx_isolation
SET SESSION TRANSACTION READ ONLY
SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ WRITE
SET TRANSACTION ISOLATION LEVEL SERIALIZABLE
SET tx_isolation='READ-COMMITTED'
/* mysql-connector-java-8.0.28 (Revision: 7ff2161da3899f379fb3171b6538b191b1c5c7e2) */SELECT  @@session.auto_increment_increment AS auto_increment_increment, @@character_set_client AS character_set_client, @@character_set_connection AS character_set_connection, @@character_set_results AS character_set_results, @@character_set_server AS character_set_server, @@collation_server AS collation_server, @@init_connect AS init_connect, @@interactive_timeout AS interactive_timeout, @@license AS license, @@lower_case_table_names AS lower_case_table_names, @@max_allowed_packet AS max_allowed_packet, @@net_write_timeout AS net_write_timeout, @@performance_schema AS performance_schema, @@query_cache_size AS query_cache_size, @@sql_mode AS sql_mode, @@system_time_zone AS system_time_zone, @@time_zone AS time_zone, @@tx_isolation AS transaction_isolation, @@wait_timeout AS wait_timeout
SET SQL_SELECT_LIMIT=DEFAULT
SHOW WARNINGS
SHOW COLLATION
SHOW ENGINES
SHOW STATUS LIKE 'Ssl_cipher'
SELECT CAST('test plain returns' AS CHAR(60)) AS anon_1
SELECT CAST('test collated returns' AS CHAR CHARACTER SET utf8mb4) COLLATE utf8mb4_bin AS anon_1
SHOW FULL TABLES FROM `shop` WHERE table_type = 'BASE TABLE'
SHOW CREATE TABLE `users`
SHOW FULL FIELDS FROM `users`
SHOW KEYS FROM users
SHOW TABLE STATUS LIKE 'users'
SHOW DATABASES
SHOW GRANTS FOR CURRENT_USER()
SET FOREIGN_KEY_CHECKS = 0
SET SESSION group_concat_max_len = 1000000
SET SESSION wait_timeout=28800
SET SESSION innodb_lock_wait_timeout = 5
SET max_statement_time=30
SET lock_wait_timeout=5
SELECT kc.constraint_name, kc.column_name, kc.referenced_table_name FROM information_schema.key_column_usage AS kc WHERE kc.table_schema = DATABASE() AND kc.table_name = 'orders'
SELECT fk.referenced_table_name AS 'to_table' FROM information_schema.referential_constraints rc JOIN information_schema.key_column_usage fk USING (constraint_schema, constraint_name) WHERE fk.table_schema = database()
SELECT column_name FROM information_schema.statistics WHERE index_name = 'PRIMARY' AND table_schema = DATABASE() ORDER BY seq_in_index
