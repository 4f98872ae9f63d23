import asyncio
import asyncpg

async def main():
    c = await asyncpg.connect()
    print(c.get_server_version().major, c.get_settings().server_encoding)
    print([tuple(r) for r in await c.fetch("select id, name, birthday from users where id < $1 order by id", 4)])
    print(await c.fetchval("select $1::jsonb", '{"a": 1}'))
    await c.execute("create type pair as (a int, b text)")
    try:
        await c.execute("create type mood as enum ('sad', 'ok')")
        print(await c.fetchrow("select row(1, 'x')::pair p, 'ok'::mood m, array['sad']::mood[] a, 1.50::numeric n"))
        st = await c.prepare("select * from users where id = $1")
        print([p.name for p in st.get_parameters()], [a.name for a in st.get_attributes()], st.get_statusmsg())
        print((await st.fetchrow(3))["email"])
    finally:
        await c.execute("drop type pair")
        await c.execute("drop type if exists mood")
    async with c.transaction():
        total = 0
        async for row in c.cursor("select id from orders order by id", prefetch=13):
            total += row["id"]
        cur = await c.cursor("select id from orders order by id")
        await cur.forward(5)
        print(total, (await cur.fetchrow())[0], len(await cur.fetch(20)))
    await c.execute("create temp table t (a int, b text, c timestamptz)")
    print(await c.copy_records_to_table("t", records=[(n, str(n), None) for n in range(300)]))
    size = 0
    async def sink(data):
        nonlocal size
        size += len(data)
    print(await c.copy_from_query("select a, b from t order by a", output=sink, format="csv"), size)
    print(await c.executemany("insert into t values ($1, $2)", [(n, "y") for n in range(500)]))
    print(await c.fetchval("select count(*) from t"))
    try:
        await c.execute("select pg_sleep(20)", timeout=0.3)
    except asyncio.TimeoutError as error:
        print("timeout")
    print(await c.fetchval("select 1"))
    for text in ("select nope", "select 1/0", "insert into t values ('x')"):
        try:
            await c.execute(text)
        except asyncpg.PostgresError as error:
            print(error.sqlstate, error, error.as_dict().get("position"))
    try:
        async with c.transaction(isolation="serializable"):
            await c.execute("select 1/0")
    except asyncpg.DivisionByZeroError:
        print(c.is_in_transaction())
    heard = asyncio.Queue()
    await c.add_listener("news", lambda *args: heard.put_nowait(args))
    await c.execute("notify news, 'paper'")
    _, pid, channel, payload = await heard.get()
    print(pid == c.get_server_pid(), channel, payload)
    await c.reset()
    await c.close()
    async with asyncpg.create_pool(min_size=2, max_size=5) as pool:
        print(await asyncio.gather(*(pool.fetchval("select $1::int", n) for n in range(60))))
        async with pool.acquire() as one:
            await one.execute("set application_name = 'changed'; listen x")
        print(await pool.fetchval("select 7"))

asyncio.run(main())
print("done")
