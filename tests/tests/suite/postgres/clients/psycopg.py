import asyncio
import psycopg
from psycopg import sql, rows

with psycopg.connect() as c:
    print(c.info.parameter_status("server_encoding"), c.info.transaction_status.name)
    # Prepared by itself after five executions.
    for n in range(8):
        print(c.execute("select name, birthday, attributes from users where id = %s", [n]).fetchall())
    print(c.execute("select count(*) from pg_prepared_statements").fetchone())
    cur = c.cursor(binary=True, row_factory=rows.dict_row)
    print(cur.execute("select 1.5::numeric n, now() is null b, '\\x00ff'::bytea y, array[1,2] a, "
                      "'2024-01-01'::timestamptz t, '1 day'::interval i, '{}'::jsonb j, "
                      "'[1,3)'::int4range r").fetchall())
    with c.cursor(name="server_side") as cur:
        cur.itersize = 7
        cur.execute("select id, item from orders order by id")
        print(cur.fetchmany(3), len(list(cur)))
    with c.cursor(name="scrolled", scrollable=True) as cur:
        cur.execute("select id from orders order by id")
        cur.scroll(100)
        print(cur.fetchone())
    cur = c.cursor()
    cur.execute("create temp table t (a int, b text, c bytea)")
    with cur.copy("copy t from stdin") as copy:
        for n in range(500):
            copy.write_row((n, f"x\t{n}\n", b"\x00\xff"))
    with cur.copy("copy t (a, b, c) to stdout (format binary)") as copy:
        copy.set_types(["int4", "text", "bytea"])
        print(sum(row[0] for row in copy.rows()))
    with cur.copy("copy t to stdout") as copy:
        print(sum(len(block) for block in copy))
    try:
        with cur.copy("copy t from stdin") as copy:
            copy.write("no number\n")
    except psycopg.Error as error:
        print(error.sqlstate, error.diag.message_primary, error.diag.context)
    c.rollback()
    cur.execute("create temp table t (a int primary key)")
    cur.executemany("insert into t values (%s) returning a", [(n,) for n in range(200)], returning=True)
    total = 0
    while True:
        total += cur.fetchone()[0]
        if not cur.nextset():
            break
    print(total, cur.rowcount)
    try:
        with c.transaction():
            c.execute("insert into t values (1)")
    except psycopg.errors.UniqueViolation as error:
        print(error.diag.constraint_name, error.diag.table_name, error.diag.source_function)
    with c.pipeline() as p:
        first = c.execute("select 1")
        second = c.execute("select %s::int", [2])
        p.sync()
        try:
            # Alone: what psycopg raises for a statement behind it depends on who is faster.
            c.execute("select 1/0").fetchone()
            p.sync()
        except psycopg.Error as error:
            print(error.sqlstate, type(error).__name__)
        print(first.fetchone(), second.fetchone())
    c.rollback()
    for one in c.cursor().stream("select id from orders order by id limit 3"):
        print(one)
    c.add_notice_handler(lambda n: print("notice", n.severity, n.message_primary))
    c.execute("do $$ begin raise notice 'hello'; raise warning 'world'; end $$")
    c.execute(sql.SQL("select {}").format(sql.Literal("a'b\\c")))
    c.commit()

with psycopg.connect(autocommit=True) as c:
    c.execute("listen news")
    c.execute("notify news, 'paper'")
    for n in c.notifies(timeout=5, stop_after=1):
        print(n.channel, n.payload, n.pid == c.info.backend_pid)
    print(c.execute("select pg_backend_pid()").fetchone()[0] == c.info.backend_pid)

async def later():
    async with await psycopg.AsyncConnection.connect(autocommit=True) as c:
        task = asyncio.create_task(c.execute("select pg_sleep(20)"))
        await asyncio.sleep(0.3)
        c.cancel()
        try:
            await task
        except psycopg.errors.QueryCanceled as error:
            print(error)
        print(await (await c.execute("select 5")).fetchone())

asyncio.run(later())
print("done")
