\set ON_ERROR_STOP off
begin;
create temp table tt (a int primary key, b text);
copy tt from stdin;
1	one
2	two
\.
insert into tt values (1,'dup');
select 1;
rollback;
select nope;
select 1/0;
do $$ begin raise notice 'hello %', 1; raise warning 'w'; end $$;
\echo :SQLSTATE :ROW_COUNT :LAST_ERROR_MESSAGE
select 1 as x \gset
\echo :x
select 'create temp table g'||n||'(a int)' from generate_series(1,3) n \gexec
\d
\d users
\dt+
\df
\dn+
\di
\dconfig work_mem
\dT+
\dD
\drds
\dv
\dg
\dO
\dF
select $1::int, $2 \bind 3 x \g
select 1\; select 2\; select 3;
select * from generate_series(1,3) \crosstabview
select a, b, a*b from generate_series(1,2) a, generate_series(1,2) b \crosstabview
\gdesc
select 1 as a, 'x'::text as b \gdesc
\errverbose
select 1/0;
\errverbose
set client_min_messages = debug1;
set search_path = pg_catalog, public;
show search_path;
reset search_path;
discard all;
prepare p(int) as select $1+1;
execute p(4);
deallocate p;
declare c cursor with hold for select generate_series(1,5);
fetch 2 from c; move 1 from c; fetch all from c; close c;
explain (costs off) select * from users where id=1;
savepoint s;
begin; savepoint s; select bad; rollback to s; select 'ok'; commit;
begin isolation level serializable read only deferrable; select 1; end;
create table zz(a int); vacuum zz; analyze zz; alter table zz add b text; comment on table zz is 'c'; truncate zz; drop table zz;
create function f(int) returns int language sql as 'select $1*2'; select f(4); drop function f;
create index concurrently ix on orders(item); drop index ix;
select E'a\nb', 'ü', '😀', U&'\0041';
select * from users where email like '%7@%' order by 1;
table orders limit 2;
values (1,'a'),(2,'b');
copy (select 1,2) to stdout; copy (select 1,2) to stdout (format csv, header);
lock table users; 
select current_user, session_user, current_database();
;;
