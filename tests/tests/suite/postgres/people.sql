-- What must not get out (canaries that no detector knows), and ways to it.
CREATE TABLE people (
    id     integer PRIMARY KEY,
    name   text NOT NULL,
    email  text NOT NULL UNIQUE CHECK (email <> ''),
    salary integer NOT NULL,
    born   date NOT NULL,
    doc    jsonb NOT NULL,
    raw    bytea NOT NULL,
    tags   text[] NOT NULL,
    upper_email text GENERATED ALWAYS AS (upper(email)) STORED
);
INSERT INTO people
SELECT n, format('P%s', n), format('Zq7Kanarie%sZwölf', n), 918273640 + n, date '2187-03-10' + n,
       jsonb_build_object('k', format('Zq7Kanarie%sJay', n), 'n', 918273640 + n),
       convert_to(format('Zq7Kanarie%sRaw', n), 'UTF8'),
       ARRAY[format('Zq7Kanarie%sTag', n)]
FROM generate_series(1, 3) AS n;
CREATE TABLE notes (id integer PRIMARY KEY, person integer REFERENCES people, body text, amount numeric(10, 2));
INSERT INTO notes VALUES (1, 1, 'hi', 12.50), (2, 2, 'yo', 7.25);
CREATE TABLE mirror (id integer, email text, plain text);
CREATE TABLE parted (id integer, email text) PARTITION BY RANGE (id);
CREATE TABLE parted_one PARTITION OF parted FOR VALUES FROM (0) TO (10);
INSERT INTO parted VALUES (1, 'Zq7Kanarie1Part');
CREATE TABLE employees (boss text) INHERITS (people);
INSERT INTO employees (id, name, email, salary, born, doc, raw, tags, boss)
VALUES (9, 'E9', 'Zq7Kanarie9Emp', 918273649, '2187-09-09', '{"k": "Zq7Kanarie9Emp"}', 'Zq7Kanarie9Emp', '{Zq7Kanarie9Emp}', 'b');

CREATE VIEW contacts AS SELECT id, email AS mail, upper(email) AS loud FROM people;
CREATE VIEW contacts_again AS SELECT id, mail AS m, loud || '!' AS l FROM contacts;
CREATE VIEW whole AS SELECT id, p AS row_of FROM people p;
CREATE VIEW docs AS SELECT id, row_to_json(p)::text AS j FROM people p;
CREATE MATERIALIZED VIEW shelf AS SELECT id, email AS m, md5(email) || email AS h FROM people;

CREATE FUNCTION email_of_person(wanted integer) RETURNS text LANGUAGE sql STABLE
    AS 'SELECT email FROM people WHERE id = wanted';
CREATE FUNCTION all_people() RETURNS SETOF people LANGUAGE sql STABLE AS 'SELECT * FROM people';
CREATE FUNCTION people_table() RETURNS TABLE (a integer, b text) LANGUAGE sql STABLE
    AS 'SELECT id, email FROM people';
CREATE FUNCTION shout(p people) RETURNS text LANGUAGE sql STABLE AS 'SELECT p.email';
CREATE FUNCTION out_parameter(wanted integer, OUT a text, OUT b integer) LANGUAGE sql STABLE
    AS 'SELECT email, salary FROM people WHERE id = wanted';
CREATE FUNCTION identity(x text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT x';
CREATE FUNCTION tell(wanted integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE NOTICE 'the address is %', (SELECT email FROM people WHERE id = wanted);
END $$;
CREATE FUNCTION tell_in_names(wanted integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE found text;
BEGIN
    SELECT email INTO found FROM people WHERE id = wanted;
    RAISE NOTICE USING MESSAGE = 'm', DETAIL = found, HINT = found, COLUMN = found,
        TABLE = found, SCHEMA = found, CONSTRAINT = found, DATATYPE = found;
END $$;
CREATE FUNCTION fail_with(wanted integer) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = (SELECT email FROM people WHERE id = wanted),
        TABLE = (SELECT email FROM people WHERE id = wanted);
END $$;
CREATE FUNCTION cursor_over_people() RETURNS refcursor LANGUAGE plpgsql AS $$
DECLARE c refcursor := 'hidden';
BEGIN
    OPEN c FOR SELECT email, upper(email) AS u FROM people;
    RETURN c;
END $$;
CREATE PROCEDURE tell_by_call(INOUT said text) LANGUAGE plpgsql AS $$
BEGIN
    SELECT email INTO said FROM people WHERE id = 1;
END $$;
CREATE VIEW by_function AS SELECT id, email_of_person(id) AS e FROM (VALUES (1), (2)) v(id);
CREATE VIEW by_table_function AS SELECT * FROM people_table();
CREATE FUNCTION pair(text, text) RETURNS text LANGUAGE sql IMMUTABLE AS 'SELECT $1 || $2';
CREATE OPERATOR ~~> (LEFTARG = text, RIGHTARG = text, FUNCTION = pair);
CREATE AGGREGATE glue (text) (SFUNC = pair, STYPE = text, INITCOND = '');
CREATE DOMAIN short AS text CHECK (length(VALUE) < 3);
CREATE TYPE boxed AS (t text);
CREATE SEQUENCE counter;
ANALYZE;
