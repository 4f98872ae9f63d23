"""Forwarded connections of every kind, as OpenSSH's client makes them."""

import atexit, hashlib, os, random, re, shutil, signal, socket, socketserver, subprocess, tempfile, threading, time

DATA = os.urandom(3_000_000)
PLACE = os.environ["PLACE"]


class Echo(socketserver.BaseRequestHandler):
    """Answers all that came, after its end."""

    def handle(self):
        came = b"".join(iter(lambda: self.request.recv(65536), b""))
        self.request.sendall(hashlib.sha256(came).digest() + came)


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True


class UnixServer(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True


echo = Server(("127.0.0.1", 0), Echo)
port = echo.server_address[1]
threading.Thread(target=echo.serve_forever, daemon=True).start()
# Where the server's user can reach it.
common = tempfile.mkdtemp(prefix="portcullis-forwards-")
atexit.register(shutil.rmtree, common)
os.chmod(common, 0o755)
unix = UnixServer(f"{common}/echo", Echo)
os.chmod(f"{common}/echo", 0o777)
threading.Thread(target=unix.serve_forever, daemon=True).start()


def free():
    """A port that nobody has, below those that the kernel gives to whoever asks for any."""
    while True:
        with socket.socket() as one:
            try:
                one.bind(("127.0.0.1", random.randrange(20000, 32000)))
                return one.getsockname()[1]
            except OSError:
                pass


def good(answer):
    return answer == hashlib.sha256(DATA).digest() + DATA


def connected(where):
    if not isinstance(where, tuple):
        talking = socket.socket(socket.AF_UNIX)
        talking.connect(where)
        return talking
    try:
        return socket.create_connection(where)
    except ConnectionRefusedError:
        # A server that chose a port on ::1 goes on without 127.0.0.1 where somebody has it there.
        return socket.create_connection(("::1", where[1]))


def is_let_in(where):
    try:
        with connected(where) as talking:
            talking.settimeout(60)
            talking.sendall(b"x")
            talking.shutdown(1)
            return talking.recv(100) != b""
    except OSError:
        return False


def talk(where):
    for _ in range(200):
        try:
            talking = connected(where)
            break
        except OSError:
            time.sleep(0.05)
    else:
        return "nobody listens"
    talking.settimeout(60)
    sender = threading.Thread(target=lambda: (talking.sendall(DATA), talking.shutdown(1)))
    sender.start()
    answer = b"".join(iter(lambda: talking.recv(65536), b""))
    sender.join()
    return good(answer)


def ssh(*arguments, **more):
    return subprocess.run(["ssh", *arguments], capture_output=True, timeout=120, **more)


def background(*arguments):
    return subprocess.Popen(
        ["ssh", "-N", "-o", "ExitOnForwardFailure=yes", *arguments, "web"],
        stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
    )


def over(process):
    process.terminate()
    process.communicate()


said = ssh("-W", f"127.0.0.1:{port}", "web", input=DATA)
print("-W", said.returncode, good(said.stdout), said.stderr.decode())

here = free()
running = background("-L", f"{here}:127.0.0.1:{port}")
answers = [None] * 4
def one(number):
    answers[number] = talk(("127.0.0.1", here))
threads = [threading.Thread(target=one, args=(number,)) for number in range(4)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print("-L", answers)
over(running)

local = os.path.join(os.environ["HOME"], "local")
running = background("-L", f"{local}:127.0.0.1:{port}")
print("-L from a socket", talk(local))
over(running)

here = free()
running = background("-L", f"{here}:{common}/echo")
print("-L to a socket", talk(("127.0.0.1", here)))
over(running)

here = free()
running = background("-D", str(here))
with socket.socket() as waiting:
    for _ in range(200):
        if waiting.connect_ex(("127.0.0.1", here)) == 0:
            break
        time.sleep(0.05)
    waiting.settimeout(60)
    waiting.sendall(b"\x05\x01\x00")
    assert waiting.recv(2) == b"\x05\x00"
    waiting.sendall(b"\x05\x01\x00\x03\x09localhost" + port.to_bytes(2, "big"))
    assert waiting.recv(10)[:2] == b"\x05\x00"
    waiting.sendall(b"through a proxy")
    waiting.shutdown(1)
    print("-D", b"".join(iter(lambda: waiting.recv(65536), b""))[32:])
over(running)

there = free()
running = background("-R", f"{there}:127.0.0.1:{port}")
print("-R", talk(("127.0.0.1", there)), talk(("127.0.0.1", there)))
over(running)

running = background("-R", f"0:127.0.0.1:{port}")
line = running.stderr.readline()
chosen = int(re.search(r"Allocated port (\d+)", line).group(1))
# OpenSSH's client names the port before it lets connections to it in: one that is too early is cut.
for _ in range(100):
    if is_let_in(("127.0.0.1", chosen)):
        break
    time.sleep(0.1)
print("-R 0", talk(("127.0.0.1", chosen)))
over(running)

remote = f"{PLACE}/remote"
running = background("-R", f"{remote}:127.0.0.1:{port}")
ask = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect('{remote}'); s.sendall(b'x'); s.shutdown(1); print(len(s.recv(100)))"
for _ in range(100):
    said = ssh("web", f"test -S {remote}")
    if said.returncode == 0:
        break
    time.sleep(0.05)
print("-R a socket", ssh("web", f"true; python3 -c \"{ask}\"").stdout)
over(running)

# Begun and taken back in a connection that is there.
shared = ["-o", f"ControlPath={os.environ['HOME']}/shared"]
subprocess.run(["ssh", *shared, "-M", "-f", "-N", "web"], check=True, stderr=subprocess.DEVNULL)
there = free()
forward = ["-R", f"{there}:127.0.0.1:{port}", "web"]
print("begun", ssh(*shared, "-O", "forward", *forward).returncode, talk(("127.0.0.1", there)))
print("taken back", ssh(*shared, "-O", "cancel", *forward).returncode)
# The client does not wait for the answer.
for _ in range(100):
    with socket.socket() as gone:
        answer = gone.connect_ex(("127.0.0.1", there))
    if answer:
        break
    time.sleep(0.05)
print("then", answer)
ssh(*shared, "-O", "exit", "web")

agent = dict(
    line.split(";")[0].split("=", 1)
    for line in subprocess.run(["ssh-agent"], capture_output=True, text=True).stdout.splitlines()
    if "=" in line
)
os.environ.update(agent)
key = os.path.join(os.environ["HOME"], ".ssh/id_ed25519")
subprocess.run(["ssh-add", "-q", key], check=True)
here = subprocess.run(["ssh-add", "-l"], capture_output=True).stdout
said = ssh("-A", "web", "ssh-add -l; ssh-add -l")
print("-A", said.returncode, said.stdout == here * 2)
said = ssh("-a", "web", "echo [$SSH_AUTH_SOCK]")
print("-a", said.stdout)

# A display of our own: what connects to it is answered.
class Screen(socketserver.BaseRequestHandler):
    def handle(self):
        first = self.request.recv(100)
        self.request.sendall(b"\x00\x05other" if first[:1] in b"lB" else b"odd")

screen = Server(("127.0.0.1", 6000 + 77), Screen)
threading.Thread(target=screen.serve_forever, daemon=True).start()
os.environ["DISPLAY"] = "127.0.0.1:77"
subprocess.run(["xauth", "-q", "add", "127.0.0.1:77", ".", "00" * 16], check=True, stderr=subprocess.DEVNULL)
try_it = "import os, socket; n = int(os.environ['DISPLAY'].split(':')[1].split('.')[0]); s = socket.create_connection(('127.0.0.1', 6000 + n)); s.sendall(b'l' + bytes(11)); print(n >= 10)"
said = ssh("-Y", "web", f"python3 -c \"{try_it}\"; xauth -q list | wc -l")
print("-Y", said.returncode, said.stdout)

said = ssh("-J", "web", "-p", os.environ["SERVER_PORT"], "-o", "HostKeyAlias=server", "-l", os.environ["LOGIN"], "127.0.0.1", "echo inside")
print("-J", said.returncode, said.stdout)
os.kill(int(agent["SSH_AGENT_PID"]), signal.SIGTERM)
print("done")
