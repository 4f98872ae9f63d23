import asyncio, os, ssl, aiohttp
base = os.environ["BASE"]
async def main():
    async with aiohttp.ClientSession() as session:
        async with session.get(base + "/show/it") as answer:
            print(answer.status, await answer.text())
        async with session.delete(base + "/users/7") as answer:
            print(answer.status)
        async with session.get(base + "/people/zstd", headers={"Accept-Encoding": "gzip"}, auto_decompress=False) as answer:
            body = await answer.read()
            print(body[:4] == b"\x28\xb5\x2f\xfd" and "zstd" or body.decode(), "Ann")
asyncio.run(main())
