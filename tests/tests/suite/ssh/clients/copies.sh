# scp in both of its protocols, sftp, rsync, git.
exec 2>&1
set -u
status() { echo "status $?"; }
seq 1 60000 >data
mkdir -p tree/deep && echo one >tree/one && echo two >tree/deep/two && chmod 640 tree/one
touch -d 2020-02-02T02:02:02Z tree/one

for protocol in -s -O; do
    scp -q $protocol data "web:$PLACE/data"; status
    scp -q $protocol "web:$PLACE/data" back; status; cmp data back
    scp -q $protocol -r -p tree "web:$PLACE/tree$protocol"; status
    scp -q $protocol -r -p "web:$PLACE/tree$protocol" "back$protocol"; status
    diff -r tree "back$protocol" && stat -c '%a %Y' "back$protocol/one"
    scp -q $protocol "web:$PLACE/no such file" back; status
    scp -q $protocol data "web:$PLACE/no/such/place"; status
    rm -rf back
done
scp -q -s "web:$PLACE/a name with 'quotes' and spaces" quoted && cat quoted; status
scp -q -3 "web:$PLACE/notes.txt" "web:$PLACE/again.txt"; status

sftp -q -b - web <<END
cd $PLACE
pwd
put data up.part
rename up.part up
ls -1
chmod 600 up
ln -s up link
ln up hard
mkdir new
get up down
rm hard
rmdir new
END
status
cmp data down
sftp -q -b - web <<END
get $PLACE/none
END
status

rsync -a tree/ "web:$PLACE/mirror/"; status
echo three >tree/three
rsync -a --itemize-changes tree/ "web:$PLACE/mirror/"; status
rsync -a --delete --exclude=deep --itemize-changes tree/ "web:$PLACE/mirror/"; status
rsync -a "web:$PLACE/mirror/" mirror; status
diff -r tree mirror && echo the same
rsync -az --partial --inplace data "web:$PLACE/data"; status
rsync "web:$PLACE/none" .; echo "status $?"
rsync --list-only "web:$PLACE/mirror/" | awk '{ print $1, $2, $5 }'; status

export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@a
export GIT_AUTHOR_DATE=2020-01-01T00:00:00Z GIT_COMMITTER_DATE=2020-01-01T00:00:00Z
git init -q -b main work && cd work
cp ../data . && git add data && git commit -q -m first
git push -q "web:$PLACE/app.git" main; status
git clone -q "ssh://web$PLACE/app.git" ../cloned; status
git -C ../cloned log --oneline
echo more >more && git add more && git commit -q -m second
git push -q "web:$PLACE/app.git" main:main; status
git -C ../cloned pull -q; status
cmp more ../cloned/more
git ls-remote "web:$PLACE/app.git"; status
git push -q "web:$PLACE/app.git" :main; status
git clone -q "web:$PLACE/none.git" ../none; status
