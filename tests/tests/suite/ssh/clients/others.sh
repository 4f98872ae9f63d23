# Clients of other families.
exec 2>&1
set -u
status() { echo "status $?"; }
head -c 500000 /dev/urandom >data
at="127.0.0.1"

# libssh2, by the user's known_hosts.
url="sftp://$at:$PORT"
curl -sS --user "$LOGIN:" --key "$HOME/.ssh/id_ed25519" -T data "$url$PLACE/curl"; status
curl -sS --user "$LOGIN:" --key "$HOME/.ssh/id_ed25519" "$url$PLACE/curl" | cmp - data; status
curl -sS --user "$LOGIN:" --key "$HOME/.ssh/id_ed25519" "$url$PLACE/log/" | awk '{ print $NF }' | sort; status
curl -sS --user "$LOGIN:" --key "$HOME/.ssh/id_ed25519" "$url$PLACE/none"; status
curl -sS --user "$LOGIN:" --key "$HOME/.ssh/id_ed25519" "scp://$at:$PORT$PLACE/notes.txt"; status

# Dropbear.
dropbearconvert openssh dropbear "$HOME/.ssh/id_ed25519" key.dropbear >/dev/null 2>&1
dbclient -y -T -i key.dropbear -p "$PORT" "$LOGIN@$at" 'echo dbclient; exit 6' 2>/dev/null; status
dbclient -y -T -i key.dropbear -p "$PORT" "$LOGIN@$at" cat <data 2>/dev/null | cmp - data; status

# PuTTY, by its own name for the key.
puttygen "$HOME/.ssh/id_ed25519" -o key.ppk --ppk-param version=2
plink -batch -ssh -P "$PORT" -i key.ppk -hostkey "$SERVER_FINGERPRINT" "$LOGIN@$at" 'echo plink; exit 8' 2>/dev/null; status
plink -batch -ssh -P "$PORT" -i key.ppk -hostkey "$SERVER_FINGERPRINT" "$LOGIN@$at" cat <data 2>/dev/null | cmp - data; status
echo "get $PLACE/notes.txt psftp.txt" | psftp -batch -P "$PORT" -i key.ppk -hostkey "$SERVER_FINGERPRINT" "$LOGIN@$at" >/dev/null 2>&1; status
cat psftp.txt
pscp -batch -q -P "$PORT" -i key.ppk -hostkey "$SERVER_FINGERPRINT" data "$LOGIN@$at:$PLACE/pscp" 2>/dev/null; status

# A password, typed.
SSHPASS="$PASSWORD" sshpass -e ssh -o BatchMode=no -o PubkeyAuthentication=no web 'echo sshpass'; status
