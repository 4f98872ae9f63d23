echo "200 $(wget -q -O - $BASE/show/it)"
wget -q -O - $BASE/people/json
wget -S -O /dev/null --method=DELETE $BASE/users/7 2>&1 | grep -o 'HTTP/1.1 [0-9]*' || true
