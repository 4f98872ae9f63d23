-- Statements that would show, in one way or another, the address of customer 1 or something that
-- depends on it. One line is one session; statements of it are divided by " ;; ". What it comes to
-- must not depend on the address; where times or estimates are in it ("~ "), it must not hold it.

-- # text that servers cut otherwise than others
SELECT /*! email, */ id FROM users WHERE id = 1
SELECT /*!50000 email */ FROM users WHERE id = 1
SELECT /*!99999 1 */ email FROM users WHERE id = 1
SELECT /*!999999 1, */ email FROM users WHERE id = 1
SELECT /*M! email */ FROM users WHERE id = 1
SELECT /*M!100100 email */ FROM users WHERE id = 1
SELECT /*M!999999 1 */ email FROM users WHERE id = 1
SELECT 1 /* /*! */ , email FROM users WHERE id = 1 -- */
SELECT /*!50000 /* nested */ email */ FROM users WHERE id = 1
SELECT 1.0FROM users WHERE email LIKE 'nobody'
SELECT email,1.0FROM users WHERE id=1
SELECT email`x`FROM users WHERE id=1
SELECT{x email}FROM users WHERE id=1
SELECT(email)FROM(users)WHERE(id=1)
SELECT "email", email, `email`, users.email, shop.users.email FROM users WHERE id = 1
SELECT EMAIL, Email, `eMail` FROM users WHERE id = 1
SELECT 'a' 'b', email FROM users WHERE id = 1
SELECT email FROM users WHERE id = 1;
SELECT 1; SELECT email FROM users WHERE id = 1
SELECT 1;; SELECT email FROM users WHERE id = 1
SELECT N'x', _latin1'x', _binary'x', email FROM users WHERE id = 1
SET sql_mode = 'ANSI_QUOTES' ;; SELECT "email" FROM users WHERE id = 1
SET sql_mode = 'NO_BACKSLASH_ESCAPES' ;; SELECT '\' , (SELECT email FROM users WHERE id = 1) -- '
SET sql_mode = 4 ;; SELECT "email" FROM users WHERE id = 1
SET sql_mode = 0x414E53495F51554F544553 ;; SELECT "email" FROM users WHERE id = 1
SET sql_mode = CONCAT('ANSI', '_QUOTES') ;; SELECT "email" FROM users WHERE id = 1
SET @m = 'ANSI_QUOTES' ;; SET sql_mode = @m ;; SELECT "email" FROM users WHERE id = 1
SET SESSION sql_mode = (SELECT 'ANSI_QUOTES') ;; SELECT "email" FROM users WHERE id = 1
SET @@sql_mode := 'ANSI_QUOTES' ;; SELECT "email" FROM users WHERE id = 1
SET GLOBAL sql_mode = 'ANSI_QUOTES'
SET STATEMENT sql_mode = 'ANSI_QUOTES' FOR SELECT "email" FROM users WHERE id = 1
SET sql_mode = DEFAULT ;; SELECT "email" FROM users WHERE id = 1
SET NAMES gbk ;; SELECT '縗' , (SELECT email FROM users WHERE id = 1) -- '
SET NAMES sjis ;; SELECT 'ソ' , (SELECT email FROM users WHERE id = 1) -- '
SET CHARACTER SET big5 ;; SELECT 'x\' , (SELECT email FROM users WHERE id = 1) -- '
SET character_set_client = sjis ;; SELECT 1
SET STATEMENT character_set_client = gbk FOR SELECT email FROM users WHERE id = 1
SET character_set_results = utf16 ;; SELECT email FROM users WHERE id = 1
SET character_set_results = NULL ;; SELECT email, HEX(email) FROM users WHERE id = 1
SELECT {d '2024-01-01'}, email FROM users WHERE id = 1
SELECT \N, email FROM users WHERE id = 1

-- # statements in statements
PREPARE s FROM 'SELECT email FROM users WHERE id = 1' ;; EXECUTE s
SET @q = 'SELECT email FROM users WHERE id = 1' ;; PREPARE s FROM @q ;; EXECUTE s
PREPARE s FROM CONCAT('SELECT em', 'ail FROM users WHERE id = 1') ;; EXECUTE s
EXECUTE IMMEDIATE 'SELECT email FROM users WHERE id = 1'
SET @q = 'SELECT email FROM users WHERE id = 1' ;; EXECUTE IMMEDIATE @q
SELECT email INTO @q FROM users WHERE id = 1 ;; PREPARE s FROM @q ;; EXECUTE IMMEDIATE @q
CREATE PROCEDURE p(OUT a varchar(99)) SELECT CONCAT('DO ', email) INTO a FROM users WHERE id = 1 ;; CALL p(@q) ;; PREPARE s FROM @q ;; EXECUTE IMMEDIATE @q ;; PREPARE s FROM @Q ; EXECUTE s
EXECUTE IMMEDIATE CONCAT('SELECT em', 'ail FROM users WHERE id = 1')
EXECUTE IMMEDIATE 'SELECT email FROM users WHERE id = ?' USING 1
PREPARE s FROM 'SELECT ?, email FROM users WHERE id = 1' ;; SET @a = 1 ;; EXECUTE s USING @a
PREPARE s FROM 'SELECT email FROM users WHERE id = 1' ;; CREATE TEMPORARY TABLE users (id int, email varchar(50)) ;; EXECUTE s
PREPARE s FROM 'PREPARE t FROM "SELECT email FROM users"' ;; EXECUTE s ;; EXECUTE t
PREPARE s FROM 'USE mysql' ;; EXECUTE s ;; SELECT DATABASE()
PREPARE s FROM 'SET sql_mode = "ANSI_QUOTES"' ;; EXECUTE s ;; SELECT "email" FROM users WHERE id = 1
PREPARE s FROM 'SELECT name FROM users WHERE id = 1' ;; PREPARE s FROM 'SELECT email FROM users WHERE id = 1' ;; EXECUTE s
PREPARE `S` FROM 'SELECT email FROM users WHERE id = 1' ;; PREPARE s FROM 'SELECT 1' ;; EXECUTE `S` ;; EXECUTE S
BEGIN NOT ATOMIC SELECT email FROM users WHERE id = 1; END
IF 1 THEN SELECT email FROM users WHERE id = 1; END IF
DO (SELECT @a := email FROM users WHERE id = 1) ;; SELECT @a
CREATE PROCEDURE p() SELECT email FROM users WHERE id = 1 ;; CALL p()
CREATE PROCEDURE p() BEGIN DECLARE x varchar(99); SELECT REVERSE(email) INTO x FROM users WHERE id = 1; SELECT x; END ;; CALL p()
CREATE PROCEDURE p(OUT a varchar(99)) SELECT email INTO a FROM users WHERE id = 1 ;; CALL p(@a) ;; SELECT @a
CREATE FUNCTION f() RETURNS varchar(99) READS SQL DATA RETURN (SELECT email FROM users WHERE id = 1) ;; SELECT f() ;; SELECT CONCAT(f(), '') ;; SELECT LENGTH(f()) ;; SET @a = f() ;; SELECT @a
CREATE DEFINER = root@localhost SQL SECURITY DEFINER VIEW v AS SELECT email x FROM users ;; SELECT x FROM v WHERE x LIKE '%'

-- # copies
CREATE TEMPORARY TABLE harmless AS SELECT email AS x FROM users ;; SELECT x FROM harmless
CREATE TEMPORARY TABLE users2 LIKE users ;; INSERT INTO users2 SELECT * FROM users ;; SELECT email FROM users2 WHERE id = 1
CREATE TABLE t2 AS SELECT REVERSE(email) x FROM users WHERE id = 1 ;; SELECT x FROM t2
CREATE TABLE t3 (x varchar(100)) ;; INSERT INTO t3 SELECT email FROM users ;; SELECT x FROM t3
CREATE TABLE t4 (x varchar(100)) SELECT (SELECT email FROM users WHERE id = 1) AS x ;; SELECT x FROM t4
CREATE OR REPLACE TABLE t5 AS TABLE users ;; SELECT email FROM t5 WHERE id = 1
INSERT INTO orders (user_id, item, amount, ordered_at) SELECT 1, email, 1, '2024-01-01' FROM users WHERE id = 1 ;; SELECT item FROM orders ORDER BY id DESC LIMIT 1
INSERT INTO orders (user_id, item, amount, ordered_at) VALUES (1, (SELECT email FROM users WHERE id = 1), 1, '2024-01-01') ;; SELECT item FROM orders ORDER BY id DESC LIMIT 1
INSERT INTO orders SET user_id = 1, item = (SELECT email FROM users WHERE id = 1), amount = 1, ordered_at = '2024-01-01' ;; SELECT item FROM orders ORDER BY id DESC LIMIT 1
INSERT INTO old_reports VALUES (1, 'x') ON DUPLICATE KEY UPDATE body = (SELECT email FROM users WHERE id = 1) ;; SELECT body FROM old_reports WHERE id = 1
INSERT INTO users (id, name, email) VALUES (1, 'x', 'y') ON DUPLICATE KEY UPDATE name = email ;; SELECT name FROM users WHERE id = 1
INSERT INTO users (id, name, email) VALUES (1, 'x', 'y') ON DUPLICATE KEY UPDATE name = CONCAT(email, VALUES(email)) ;; SELECT name FROM users WHERE id = 1
INSERT INTO users (id, name, email) SELECT id, 'x', email FROM users u WHERE id = 1 ON DUPLICATE KEY UPDATE name = VALUES(email) ;; SELECT name FROM users WHERE id = 1
UPDATE users SET name = email WHERE id = 1 ;; SELECT name FROM users WHERE id = 1
UPDATE users SET name = 'x', name = CONCAT('', email) WHERE id = 1 ;; SELECT name FROM users WHERE id = 1
UPDATE users SET name = LENGTH(email) WHERE id = 1 ;; SELECT name FROM users WHERE id = 1
UPDATE users u, old_reports r SET r.body = u.email WHERE u.id = 1 AND r.id = 1 ;; SELECT body FROM old_reports WHERE id = 1
UPDATE old_reports r JOIN users u ON u.id = r.id SET r.body = u.email ;; SELECT body FROM old_reports WHERE id = 1
UPDATE old_reports SET body = (SELECT GROUP_CONCAT(email) FROM users) ;; SELECT body FROM old_reports WHERE id = 1
REPLACE INTO old_reports SELECT 1, email FROM users WHERE id = 1 ;; SELECT body FROM old_reports WHERE id = 1
REPLACE INTO old_reports SET id = 1, body = (SELECT email FROM users WHERE id = 1) ;; SELECT body FROM old_reports WHERE id = 1
ALTER TABLE users RENAME COLUMN email TO e2 ;; SELECT e2 FROM users WHERE id = 1
ALTER TABLE users CHANGE email e2 varchar(100) ;; SELECT e2 FROM users WHERE id = 1
ALTER TABLE users RENAME TO people ;; SELECT email FROM people WHERE id = 1
RENAME TABLE users TO people ;; SELECT email FROM people WHERE id = 1
RENAME TABLE users TO a, old_reports TO users, a TO old_reports ;; SELECT email FROM old_reports WHERE id = 1
ALTER TABLE users ADD COLUMN copy varchar(100) AS (email) VIRTUAL ;; SELECT copy FROM users WHERE id = 1
ALTER TABLE users ADD COLUMN copy varchar(100) DEFAULT email ;; SELECT copy FROM users WHERE id = 1
ALTER TABLE users ADD (copy varchar(100) DEFAULT (REVERSE(email))) ;; SELECT copy FROM users WHERE id = 1
ALTER TABLE users ADD COLUMN copy varchar(100) DEFAULT (email) ;; SELECT copy FROM users WHERE id = 1
ALTER TABLE users ADD COLUMN copy varchar(100) AS (REVERSE(email)) PERSISTENT ;; SELECT copy FROM users WHERE id = 1
CREATE VIEW v1 AS SELECT email x FROM users ;; SELECT x FROM v1 WHERE x LIKE '%'
CREATE VIEW v2 AS SELECT id, REVERSE(email) x FROM users ;; SELECT x FROM v2 WHERE id = 1
CREATE VIEW v3 AS SELECT id, HEX(email) x FROM users ;; CREATE VIEW v4 AS SELECT x y FROM v3 WHERE id = 1 ;; SELECT y FROM v4
SELECT email FROM users WHERE id = 1 INTO OUTFILE '/tmp/portcullis-adversary' ;; SELECT LOAD_FILE('/tmp/portcullis-adversary')
SELECT email FROM users WHERE id = 1 INTO DUMPFILE '/tmp/portcullis-adversary'
LOAD DATA INFILE '/etc/hostname' INTO TABLE old_reports (body) SET id = 93, body = (SELECT email FROM users WHERE id = 1) ;; SELECT body FROM old_reports WHERE id = 93

-- # what is given back
INSERT INTO users (id, name, email) VALUES (1, 'a', 'b') ON DUPLICATE KEY UPDATE name = 'c' RETURNING email
INSERT INTO old_reports VALUES (94, 'x') RETURNING (SELECT email FROM users WHERE id = 1)
REPLACE INTO old_reports VALUES (1, 'x') RETURNING id, (SELECT REVERSE(email) FROM users WHERE id = 1) x
DELETE FROM users WHERE id = 1 RETURNING email, CONCAT(email, 'x'), *

-- # variables
SELECT email INTO @a FROM users WHERE id = 1 ;; SELECT @a
SELECT id, email INTO @i, @a FROM users WHERE id = 1 ;; SELECT @a
SELECT email FROM users WHERE id = 1 INTO @a ;; SELECT @a ;; SELECT CONCAT(@a, '')
SELECT @a := email FROM users WHERE id = 1 ;; SELECT @a
SELECT @a := CONCAT(@a, email) FROM users, (SELECT @a := '') x WHERE id = 1 ;; SELECT @a
SET @a = (SELECT email FROM users WHERE id = 1) ;; SELECT @a
SET @a = (SELECT LENGTH(email) FROM users WHERE id = 1) ;; SELECT @a
SELECT name FROM users WHERE (@a := email) IS NOT NULL AND id = 1 ;; SELECT @a
SELECT name FROM users WHERE id = 1 ORDER BY (@a := email) ;; SELECT @a
SELECT LAST_INSERT_ID(ASCII(email)) FROM users WHERE id = 1 ;; SELECT LAST_INSERT_ID()
UPDATE orders SET amount = amount WHERE id = LAST_INSERT_ID((SELECT ASCII(email) FROM users WHERE id = 1)) ;; SELECT LAST_INSERT_ID()
SET @@timestamp = (SELECT ASCII(email) FROM users WHERE id = 1) ;; SELECT UNIX_TIMESTAMP() < 110
SET @@rand_seed1 = (SELECT ASCII(email) FROM users WHERE id = 1)
SET SESSION sort_buffer_size = (SELECT 100000 * ASCII(email) FROM users WHERE id = 1) ;; SELECT @@sort_buffer_size
SELECT GET_LOCK((SELECT email FROM users WHERE id = 1), 0) ;; SELECT * FROM information_schema.metadata_lock_info
SET default_master_connection = (SELECT email FROM users WHERE id = 1) ;; SELECT @@default_master_connection

-- # forms of the value
SELECT REVERSE(email), HEX(email), MD5(email), SHA2(email, 256), LENGTH(email), TO_BASE64(email) FROM users WHERE id = 1
SELECT ASCII(email), ORD(email), CRC32(email), SOUNDEX(email), BIT_LENGTH(email), QUOTE(email) FROM users WHERE id = 1
SELECT SUBSTRING(email, 1, 1), LEFT(email, 1), MID(email, 2, 2), SUBSTRING_INDEX(email, '@', 1), RIGHT(email, 9) FROM users WHERE id = 1
SELECT email COLLATE utf8mb4_bin, BINARY email, CAST(email AS BINARY), CONVERT(email USING latin1), CONVERT(email, CHAR) FROM users WHERE id = 1
SELECT IF(ASCII(email) > 104, 'a', 'b'), CASE WHEN email > 'm' THEN 1 ELSE 0 END, email > 'm', email IS NULL, ISNULL(email) FROM users WHERE id = 1
SELECT email LIKE 'a%', email REGEXP '^a', email RLIKE 'a', STRCMP(email, 'm'), LOCATE('a', email), INSTR(email, 'z') FROM users WHERE id = 1
SELECT ELT(1 + ASCII(email) % 2, 'a', 'b'), FIELD(email, 'a'), FIND_IN_SET(email, 'a'), MAKE_SET(ASCII(email), 'a', 'b'), EXPORT_SET(ASCII(email), '1', '0') FROM users WHERE id = 1
SELECT GREATEST(email, 'm'), LEAST(email, 'm'), COALESCE(email, 1), NULLIF(email, 'x'), IFNULL(email, 1), NVL2(email, email, 1) FROM users WHERE id = 1
SELECT AES_ENCRYPT(email, 'k'), COMPRESS(email), UNHEX(HEX(email)), WEIGHT_STRING(email), OCTET_LENGTH(email), CHAR(ASCII(email)), INSERT(email, 1, 1, '') FROM users WHERE id = 1
SELECT LPAD(email, 50, ' '), REPEAT(email, 2), REPLACE(email, 'a', 'b'), TRIM(email), UPPER(email), FORMAT(ASCII(email), 2), SPACE(ASCII(email)) FROM users WHERE id = 1
SELECT DATE_ADD('2024-01-01', INTERVAL ASCII(email) DAY), MAKEDATE(2024, ASCII(email)), SEC_TO_TIME(ASCII(email)), CONV(ASCII(email), 10, 2), ~ASCII(email), -ASCII(email) FROM users WHERE id = 1
SELECT REGEXP_REPLACE(email, '@.*', ''), REGEXP_SUBSTR(email, '^.'), REGEXP_INSTR(email, 'z') FROM users WHERE id = 1
SELECT COLUMN_JSON(COLUMN_CREATE('a', email)), COLUMN_GET(COLUMN_CREATE('a', email), 'a' AS CHAR) FROM users WHERE id = 1
SELECT JSON_OBJECT('a', email), JSON_ARRAY(email), JSON_QUOTE(email), JSON_SET('{}', '$.a', email), JSON_LENGTH(JSON_ARRAY(email)), JSON_COMPACT(JSON_ARRAY(email)) FROM users WHERE id = 1
SELECT attributes, JSON_EXTRACT(attributes, '$.contact'), JSON_VALUE(attributes, '$.contact'), JSON_KEYS(attributes), JSON_LENGTH(attributes) FROM users WHERE id = 1
SELECT c FROM users, JSON_TABLE(attributes, '$' COLUMNS (c varchar(50) PATH '$.contact')) t WHERE id = 1
SELECT MAX(email), MIN(email), GROUP_CONCAT(email), GROUP_CONCAT(DISTINCT email ORDER BY id SEPARATOR '|'), JSON_ARRAYAGG(email), JSON_OBJECTAGG(id, email), BIT_XOR(ASCII(email)), SUM(LENGTH(email)), AVG(ASCII(email)), STD(LENGTH(email)) FROM users
SELECT FIRST_VALUE(email) OVER (ORDER BY id), LAG(email) OVER (ORDER BY id), LEAD(email) OVER (ORDER BY id), NTH_VALUE(email, 1) OVER (ORDER BY id), MAX(email) OVER () FROM users
SELECT SUM(LENGTH(email)) OVER (ORDER BY id) FROM users
SELECT email, COUNT(*) FROM users WHERE id = 1 GROUP BY email WITH ROLLUP
SELECT DISTINCT email FROM users WHERE id = 1
SELECT * FROM users WHERE id = 1
SELECT u.* FROM users u WHERE id = 1
SELECT users.* FROM users WHERE id = 1 FOR UPDATE
SELECT email FROM users WHERE id = 1 LOCK IN SHARE MODE
TABLE users
SELECT DEFAULT(email), email FROM users WHERE id = 1

-- # detours
SELECT (SELECT email FROM users WHERE id = 1)
SELECT ((SELECT email FROM users WHERE id = 1))
SELECT * FROM (SELECT email name FROM users WHERE id = 1) users
SELECT x FROM (SELECT 1 id, 'a' x UNION ALL SELECT id, email FROM users) d WHERE id = 1
SELECT x FROM (SELECT id, email x FROM users EXCEPT SELECT 2, 'b') d WHERE id = 1
SELECT email FROM users WHERE id = 1 UNION SELECT 1
SELECT 1, 2 UNION SELECT id, email FROM users WHERE id = 1
(SELECT email FROM users WHERE id = 1) UNION (SELECT 'x') LIMIT 1
WITH c (x) AS (SELECT email FROM users WHERE id = 1) SELECT x FROM c
WITH orders AS (SELECT email AS item FROM users WHERE id = 1) SELECT item FROM orders
WITH RECURSIVE r AS (SELECT 1 n, email e FROM users WHERE id = 1 UNION ALL SELECT n + 1, e FROM r WHERE n < 3) SELECT e FROM r
WITH RECURSIVE r AS (SELECT 1 n, email e, SUBSTR(email, 1, 1) c FROM users WHERE id = 1 UNION ALL SELECT n + 1, e, SUBSTR(e, n + 1, 1) FROM r WHERE n < 20) SELECT GROUP_CONCAT(c) FROM r
WITH a AS (WITH b AS (SELECT email FROM users WHERE id = 1) SELECT * FROM b) SELECT * FROM a
SELECT email FROM users NATURAL JOIN (SELECT 1 id) d
SELECT u.email FROM users AS u JOIN users AS v USING (id, email) WHERE u.id = 1
SELECT v.email FROM (users u, users v) WHERE u.id = 1 AND v.id = 1
SELECT v.email FROM users u LEFT JOIN (users v, orders o) ON v.id = u.id AND o.id = 1 WHERE u.id = 1
SELECT email FROM ((users)) WHERE id = 1
SELECT email FROM (users JOIN (SELECT 1 one) d) WHERE id = 1
SELECT (SELECT x.email) FROM users x WHERE id = 1
SELECT (SELECT (SELECT x.email)) FROM users x WHERE id = 1
SELECT id FROM users x WHERE id = 1 AND EXISTS (SELECT x.email)
SELECT * FROM users x WHERE (id, email) IN (SELECT id, email FROM users WHERE id = 1)
SELECT CONCAT(a.x, '') FROM (SELECT b.x FROM (SELECT c.email x FROM users c WHERE id = 1) b) a
SELECT contact FROM customers WHERE id = 1
USE information_schema ;; SELECT email FROM shop.users WHERE id = 1 LIMIT 0
VALUES (1), ((SELECT email FROM users WHERE id = 1))

-- # errors and warnings that quote
SELECT EXTRACTVALUE(1, CONCAT(0x7e, (SELECT email FROM users WHERE id = 1)))
SELECT UPDATEXML(1, CONCAT(0x7e, (SELECT email FROM users WHERE id = 1)), 1)
SELECT CAST((SELECT email FROM users WHERE id = 1) AS SIGNED) ;; SHOW WARNINGS
SELECT email + 0 FROM users WHERE id = 1 ;; SHOW WARNINGS ;; SHOW ERRORS
SELECT id FROM users WHERE id = 1 AND email = 0 ;; SHOW WARNINGS
SELECT 1 FROM (SELECT COUNT(*), CONCAT((SELECT email FROM users WHERE id = 1), FLOOR(RAND(0) * 2)) x FROM information_schema.tables GROUP BY x) a
SELECT EXP(~(SELECT * FROM (SELECT email FROM users WHERE id = 1) x))
SELECT JSON_KEYS((SELECT CONVERT((SELECT email FROM users WHERE id = 1) USING utf8mb4))) ;; SHOW WARNINGS
SELECT JSON_EXTRACT('{}', email), JSON_VALID(email), JSON_TYPE(email) FROM users WHERE id = 1 ;; SHOW WARNINGS
SELECT ST_GeomFromText(email), ST_AsText(email) FROM users WHERE id = 1 ;; SHOW WARNINGS
SELECT GEOMETRYCOLLECTION((SELECT * FROM (SELECT email FROM users WHERE id = 1) a))
SELECT NAME_CONST((SELECT email FROM users WHERE id = 1), 1)
SELECT CONVERT_TZ('2024-01-01', email, 'x'), STR_TO_DATE(email, '%Y'), DATE(email), INET_ATON(email), INET6_ATON(email) FROM users WHERE id = 1 ;; SHOW WARNINGS
SELECT REGEXP_INSTR('a', CONCAT('[', email)) FROM users WHERE id = 1
SELECT 'a' REGEXP CONCAT('(', email) FROM users WHERE id = 1
INSERT INTO kinds (id, t) SELECT 50, email FROM users WHERE id = 1 ;; SHOW WARNINGS
INSERT INTO kinds (id, dt) VALUES (51, (SELECT email FROM users WHERE id = 1)) ;; SHOW WARNINGS
ALTER TABLE users MODIFY email int ;; SHOW WARNINGS
ALTER TABLE users MODIFY email varchar(3) ;; SHOW WARNINGS
ALTER TABLE users ADD CONSTRAINT c CHECK (email LIKE 'q%') ;; SHOW WARNINGS
UPDATE users SET email = (SELECT email FROM (SELECT email FROM users WHERE id = 1) d) WHERE id IN (1, 2) ;; CREATE UNIQUE INDEX one ON users (email)
CREATE UNIQUE INDEX one ON users (email) ;; UPDATE users a, users b SET a.email = b.email WHERE a.id = 2 AND b.id = 1
CREATE UNIQUE INDEX one ON users (email) ;; INSERT INTO users (id, name, email) SELECT 900, 'x', email FROM users WHERE id = 1
SELECT UPDATEXML(1, CONCAT(0x7e, (SELECT email FROM users WHERE id = 1)), 1) ;; GET DIAGNOSTICS CONDITION 1 @m = MESSAGE_TEXT ;; SELECT @m
SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'x'
SELECT email FROM users WHERE id = 1 PROCEDURE ANALYSE()
SELECT id FROM users PROCEDURE ANALYSE(10, (SELECT email FROM users WHERE id = 1))

-- # what the server says of statements
~ EXPLAIN EXTENDED SELECT email FROM users WHERE id = 1 ;; SHOW WARNINGS
~ EXPLAIN EXTENDED SELECT 1 FROM users u JOIN users v ON v.email = u.email WHERE u.id = 1 ;; SHOW WARNINGS
~ EXPLAIN FORMAT=JSON SELECT 1 FROM users u JOIN users v ON v.email = u.email WHERE u.id = 1
~ EXPLAIN FORMAT=JSON SELECT v.id FROM users u, orders v WHERE u.id = 1 AND v.item = u.email
~ ANALYZE FORMAT=JSON SELECT 1 FROM users u JOIN orders v ON v.item > u.email WHERE u.id = 1
~ EXPLAIN SELECT * FROM users WHERE email = 'x'
~ SET optimizer_trace = 'enabled=on' ;; SELECT email FROM users WHERE id = 1 ;; SELECT TRACE FROM information_schema.OPTIMIZER_TRACE
~ SET optimizer_trace = 'enabled=on' ;; SELECT v.id FROM users u JOIN orders v ON v.item = u.email WHERE u.id = 1 ;; SELECT TRACE FROM information_schema.OPTIMIZER_TRACE
~ SET optimizer_trace = 'enabled=on' ;; EXPLAIN SELECT v.id FROM users u JOIN orders v ON v.item = u.email WHERE u.id = 1 ;; SELECT * FROM information_schema.OPTIMIZER_TRACE
~ ANALYZE TABLE users PERSISTENT FOR ALL ;; SELECT min_value, max_value FROM mysql.column_stats
CHECKSUM TABLE users
~ SHOW INDEX FROM users
HANDLER users OPEN ;; HANDLER users READ FIRST ;; HANDLER users READ `PRIMARY` = (1)
SHOW CREATE TABLE users ;; SHOW COLUMNS FROM users ;; SHOW FULL COLUMNS FROM users LIKE 'email'
DESCRIBE users email
SHOW TABLES WHERE (SELECT ASCII(email) FROM users WHERE id = 1) > 105
SHOW VARIABLES WHERE Variable_name = 'port' AND (SELECT ASCII(email) FROM users WHERE id = 1) > 105
SHOW STATUS WHERE Variable_name = (SELECT IF(ASCII(email) > 105, 'Uptime', 'x') FROM users WHERE id = 1)
SHOW DATABASES WHERE (SELECT @a := email FROM users WHERE id = 1) IS NOT NULL ;; SELECT @a
~ SELECT info FROM information_schema.processlist
SELECT * FROM performance_schema.events_statements_history
SELECT * FROM mysql.general_log
SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_NAME = 'users' AND (SELECT ASCII(email) FROM users WHERE id = 1) < 0
~ SHOW PROFILES ;; SET profiling = 1 ;; SELECT email FROM users WHERE id = 1 ;; SHOW PROFILE
SELECT email FROM users WHERE id = 1 ;; SHOW STATUS LIKE 'Last_query_cost'
SELECT SQL_CALC_FOUND_ROWS email FROM users WHERE id = 1 ;; SELECT FOUND_ROWS()

-- # how many rows, how long, whether at all
SELECT id FROM users LIMIT 1 OFFSET 0 ;; SELECT name FROM users WHERE id = 1 LIMIT 0
SELECT BENCHMARK(1, email), SLEEP(0) FROM users WHERE id = 1
SELECT name FROM users WHERE id = (SELECT ASCII(email) - 90 FROM users WHERE id = 1)
SELECT seq FROM seq_1_to_200 WHERE seq = (SELECT ASCII(email) FROM users WHERE id = 1)
SELECT seq FROM seq_1_to_200 s JOIN users u ON s.seq = ASCII(u.email) WHERE u.id = 1
SELECT o.id FROM orders o JOIN users u ON o.id = ASCII(u.email) WHERE u.id = 1
SELECT o.id FROM orders o WHERE o.id IN (SELECT ASCII(email) FROM users WHERE id = 1)
SELECT o.id FROM orders o, users u WHERE u.id = 1 AND o.id = ORD(SUBSTR(u.email, 2, 1))
SELECT COUNT(*) FROM orders o JOIN users u ON o.id < ASCII(u.email) WHERE u.id = 1
SELECT id, ROW_NUMBER() OVER (ORDER BY CASE WHEN id = ASCII(email) THEN 0 ELSE 1 END) FROM users WHERE id < 3
