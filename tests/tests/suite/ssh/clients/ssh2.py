import os, socket
from ssh2.session import Session
from ssh2.sftp import LIBSSH2_FXF_CREAT, LIBSSH2_FXF_READ, LIBSSH2_FXF_WRITE, LIBSSH2_SFTP_S_IRUSR, LIBSSH2_SFTP_S_IWUSR

place = os.environ["PLACE"]
connection = socket.create_connection(("127.0.0.1", int(os.environ["PORT"])))
session = Session()
session.handshake(connection)
session.userauth_publickey_fromfile(os.environ["LOGIN"], os.environ["HOME"] + "/.ssh/id_ed25519")
channel = session.open_session()
channel.execute("echo out; echo err >&2; exit 4")
print(channel.read(), channel.read_stderr())
channel.wait_eof()
channel.wait_eof()
channel.close()
channel.wait_closed()
print(channel.get_exit_status())
sftp = session.sftp_init()
data = bytes(range(256)) * 1000
flags = LIBSSH2_FXF_CREAT | LIBSSH2_FXF_WRITE
with sftp.open(place + "/ssh2", flags, LIBSSH2_SFTP_S_IRUSR | LIBSSH2_SFTP_S_IWUSR) as file:
    file.write(data)
with sftp.open(place + "/ssh2", LIBSSH2_FXF_READ, 0) as file:
    print(b"".join(chunk for _, chunk in file) == data)
print(sftp.stat(place + "/ssh2").filesize)
print("done")
