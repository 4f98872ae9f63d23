import asyncio, os
import asyncssh, paramiko

home, port = os.environ["HOME"], int(os.environ["PORT"])
login, server_port = os.environ["LOGIN"], int(os.environ["SERVER_PORT"])

client = paramiko.SSHClient()
client.load_host_keys(home + "/.ssh/known_hosts")
client.connect("127.0.0.1", port, login, key_filename=home + "/.ssh/id_ed25519")
channel = client.get_transport().open_channel("direct-tcpip", ("127.0.0.1", server_port), ("127.0.0.1", 1))
print(channel.recv(8))
far = client.get_transport().request_port_forward("127.0.0.1", 0)
_, out, _ = client.exec_command(f"echo from the far end >/dev/tcp/127.0.0.1/{far}")
back = client.get_transport().accept(10)
print(back.recv(100), out.channel.recv_exit_status())
client.close()


async def main():
    options = dict(
        username=login, client_keys=[home + "/.ssh/id_ed25519"], agent_path=None,
        known_hosts=home + "/.ssh/known_hosts", config=None,
    )
    async with asyncssh.connect("127.0.0.1", port, **options) as connection:
        listener = await connection.forward_local_port("127.0.0.1", 0, "127.0.0.1", server_port)
        reader, writer = await asyncio.open_connection("127.0.0.1", listener.get_port())
        print(await reader.readexactly(8))
        writer.close()
        listener.close()


asyncio.run(main())
print("done")
