# Commands, streams, statuses, signals, terminals, environment, half-close, compression.
exec 2>&1
set -u
status() { echo "status $?"; }

ssh web 'echo out; echo err >&2; exit 7'; status
ssh web true </dev/null; status
ssh web 'kill -TERM $$'; status
LC_TEST=seen ssh -o SendEnv=LC_TEST -o SetEnv=TEST_ONE=1 web 'echo "$LC_TEST $TEST_ONE"'; status

# Both ways, binary, and what comes after the end of standard input.
head -c 3000000 /dev/urandom >data
ssh web 'cat' <data | cmp - data; status
ssh -C web 'sha256sum' <data | cut -c1-64 | cmp - <(sha256sum data | cut -c1-64); status
printf 'line\n' | ssh web 'cat; echo after the end; exit 3'; status
ssh web 'head -c 5' <data | cmp - <(head -c 5 data); status
ssh web 'exec 1>&-; sleep 0.1; echo late >&2; exit 4'; status
ssh -n web 'cat; echo none'; status
ssh -T web <<'END'
echo from a script
read -r line
echo "read: $line"
this line
exit 5
END
status

# Terminals.
ssh -q -tt web 'test -t 0 && test -t 1 && echo a terminal; stty size; echo $TERM' </dev/null | tr -d '\r'; status
TERM=vt100 ssh -q -tt web 'echo $TERM' </dev/null | tr -d '\r'; status

# Rekeying in the middle, and every cipher there is.
head -c 600000 data >part
for cipher in aes256-gcm@openssh.com aes256-ctr chacha20-poly1305@openssh.com; do
    ssh -o RekeyLimit=200K -c "$cipher" web 'cat' <part | cmp - part; echo "$cipher $?"
done

# What the other side says no to.
ssh web /srv/bin/no-such-program; status
