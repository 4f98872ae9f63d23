# Connections inside of others, forwarded ports, an agent.
exec 2>&1
set -u
status() { echo "status $?"; }

# The server's own port, from the server: a way round, and a jump.
ssh -o ProxyCommand="ssh -W 127.0.0.1:$SERVER_PORT web" -o HostKeyAlias=server web 'echo through a jump'; status
# Below the ports that the system gives out.
near=$((10000 + RANDOM % 8000))
socks=$((near + 8000))
ssh -f -N -o LogLevel=error -o ExitOnForwardFailure=yes -o ControlMaster=yes -o ControlPath=$HOME/forward \
    -L 127.0.0.1:$near:127.0.0.1:"$SERVER_PORT" -D 127.0.0.1:$socks web
status
head -c 8 </dev/tcp/127.0.0.1/$near; echo
curl -s --http0.9 -m 3 --socks5-hostname "127.0.0.1:$socks" "http://127.0.0.1:$SERVER_PORT/" | head -c 8; echo
# And back: the server's port leads to a listener here.
far=$(ssh -o ControlPath=$HOME/forward -O forward -R 127.0.0.1:0:127.0.0.1:$near web)
test "$far" -gt 0; status
# OpenSSH's client names the port before it lets connections to it in.
sleep 0.3
ssh -o ControlPath=$HOME/forward web "head -c 8 </dev/tcp/127.0.0.1/$far"; echo
ssh -o ControlPath=$HOME/forward -O cancel -R 127.0.0.1:0:127.0.0.1:$near web; status
ssh -o ControlPath=$HOME/forward web "{ head -c 8 </dev/tcp/127.0.0.1/$far; } 2>/dev/null || echo closed"
ssh -o ControlPath=$HOME/forward -O exit web

# An agent, shown to the server.
eval "$(ssh-agent)" >/dev/null
ssh-add -q "$HOME/.ssh/id_ed25519"
ssh -A web 'ssh-add -l | cut -d" " -f2' | cmp - <(ssh-add -l | cut -d' ' -f2); status
ssh -a web 'ssh-add -l'; status
ssh-agent -k >/dev/null
