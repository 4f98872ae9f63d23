import os, sys, hashlib, io, socket, stat
import paramiko

port, login, place = int(os.environ["PORT"]), os.environ["LOGIN"], os.environ["PLACE"]
key = paramiko.Ed25519Key.from_private_key_file(os.environ["HOME"] + "/.ssh/id_ed25519")


def connect(policy, **how):
    client = paramiko.SSHClient()
    if policy is paramiko.RejectPolicy:
        client.load_host_keys(os.environ["HOME"] + "/.ssh/known_hosts")
    client.set_missing_host_key_policy(policy())
    client.connect("127.0.0.1", port, login, allow_agent=False, look_for_keys=False, **how)
    return client


policy = getattr(paramiko, os.environ.get("POLICY", "AutoAddPolicy"))
for how in ({"pkey": key}, {"password": os.environ["PASSWORD"]}):
    client = connect(policy, **how)
    _, out, err = client.exec_command("echo out; echo err >&2; exit 4")
    print(out.read(), err.read(), out.channel.recv_exit_status())
    client.close()

client = connect(policy, pkey=key)
data = bytes(range(256)) * 4000
stdin, out, _ = client.exec_command("cat")
import threading
threading.Thread(target=lambda: (stdin.write(data), stdin.channel.shutdown_write())).start()
print(out.read() == data, out.channel.recv_exit_status())

_, out, _ = client.exec_command("kill -TERM $$")
print(out.channel.recv_exit_status())

channel = client.get_transport().open_session()
channel.get_pty("vt100", 100, 30)
channel.exec_command("stty size; echo $TERM; read line; stty size")
while b"vt100" not in (seen := channel.recv(1000)):
    pass
channel.resize_pty(132, 50)
channel.send(b"\n")
rest = b""
while chunk := channel.recv(1000):
    rest += chunk
print(b"50 132" in rest, channel.recv_exit_status())

shell = client.invoke_shell()
shell.send(b"echo $((6 * 7))\nexit 5\n")
seen = b""
while chunk := shell.recv(1000):
    seen += chunk
print(b"42" in seen, shell.recv_exit_status())

sftp = client.open_sftp()
sftp.chdir(place)
sftp.putfo(io.BytesIO(data), "paramiko")
sftp.chmod("paramiko", 0o640)
print(sftp.stat("paramiko").st_size, oct(sftp.stat("paramiko").st_mode & 0o777))
back = io.BytesIO()
sftp.getfo("paramiko", back)
print(back.getvalue() == data)
with sftp.open("paramiko", "r+") as file:
    file.seek(1000)
    file.write(b"changed")
    file.seek(998)
    print(file.read(10))
    file.truncate(2000)
print(sftp.stat("paramiko").st_size)
sftp.mkdir("paramiko.d")
sftp.rename("paramiko", "paramiko.d/one")
sftp.posix_rename("paramiko.d/one", "paramiko.d/two")
sftp.symlink("two", "paramiko.d/link")
print(sftp.readlink("paramiko.d/link"), sorted(sftp.listdir("paramiko.d")))
print(sftp.normalize("paramiko.d/../notes.txt").replace(place, "PLACE"))
for name in sorted(sftp.listdir("paramiko.d")):
    sftp.remove("paramiko.d/" + name)
sftp.rmdir("paramiko.d")
try:
    sftp.open("none")
except IOError as error:
    print(error.errno)
print([entry.filename for entry in sorted(sftp.listdir_iter("log"), key=lambda e: e.filename)])

client.close()
print("done")
