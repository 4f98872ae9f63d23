# One connection for many sessions.
exec 2>&1
set -u
status() { echo "status $?"; }
head -c 1000000 /dev/urandom >data
master="-o ControlMaster=auto -o ControlPath=$HOME/master -o ControlPersist=60"

ssh $master web true; status
for number in $(seq 1 120); do
    ssh $master web "exit $number"
    test $? = "$number" || echo "session $number ended with $?"
done
for number in $(seq 1 8); do
    (ssh $master web cat <data | cmp - data; echo "copy $?") &
done | sort
wait
for number in 1 2 3 4 5; do
    ssh $master -q -tt web "echo $number; exit $number" </dev/null | tr -d '\r'; status
done
scp -q $master data "web:$PLACE/shared"; status
ssh $master -O check web 2>&1 | sed 's/pid=[0-9]*/pid/'
ssh $master -O exit web; status
