import asyncio, os
import asyncssh

home, port = os.environ["HOME"], int(os.environ["PORT"])
place = os.environ["PLACE"]


async def main():
    options = dict(
        username=os.environ["LOGIN"], client_keys=[home + "/.ssh/id_ed25519"], agent_path=None,
        known_hosts=home + "/.ssh/known_hosts", config=None,
    )
    async with asyncssh.connect("127.0.0.1", port, **options) as connection:
        result = await connection.run("echo out; echo err >&2; exit 4")
        print(result.stdout, result.stderr, result.exit_status)
        result = await connection.run("kill -TERM $$")
        print(result.exit_signal[0])
        results = await asyncio.gather(*(connection.run(f"echo {n}; exit {n}") for n in range(1, 30)))
        print([result.exit_status for result in results], [result.stdout.strip() for result in results])
        data = os.urandom(1_000_000)
        result = await connection.run("cat", input=data, encoding=None)
        print(result.stdout == data)
        async with connection.start_sftp_client() as sftp:
            await sftp.chdir(place)
            async with sftp.open("asyncssh", "wb") as file:
                await file.write(data)
            async with sftp.open("asyncssh", "rb") as file:
                print(await file.read() == data)
            print(await sftp.getsize("asyncssh"), sorted(await sftp.listdir("log")))
            await sftp.copy("asyncssh", "asyncssh.copy")
            print(await sftp.getsize("asyncssh.copy"))
            await sftp.rename("asyncssh.copy", "asyncssh.moved")
            await sftp.remove("asyncssh.moved")
            print(await sftp.exists("asyncssh.moved"))
            stat = await sftp.statvfs(".")
            print(stat.bsize > 0)
    print("done")


asyncio.run(main())
