import asyncio, json, os
import asyncssh


async def main():
    lines = json.load(open(os.environ["HOME"] + "/corpus.json"))
    # Whom it talks to is tried elsewhere.
    async with asyncssh.connect(
        "127.0.0.1", int(os.environ["PORT"]), username=os.environ["LOGIN"], known_hosts=None,
        client_keys=[os.environ["HOME"] + "/.ssh/id_ed25519"], agent_path=None, config=None,
    ) as connection:
        answers = []
        for line in lines:
            try:
                result = await asyncio.wait_for(connection.run(line, encoding=None), 20)
                status = result.exit_status if result.exit_status is not None else -1
                answers.append([status, (result.stdout or b"").decode(errors="replace")])
            except asyncssh.Error:
                answers.append([126, "not even opened"])
        print(json.dumps(answers))


asyncio.run(main())
