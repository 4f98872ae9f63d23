for version in --http1.1 --http2; do
  curl -sS $version -w '%{http_code} ' -o body $BASE/show/it; cat body
  curl -sS $version -w '%{http_code}\n' -o body -X DELETE $BASE/users/7
  curl -sS $version --compressed $BASE/people/gzip
  head -c 300000 /dev/zero | curl -sS $version -T - -X POST $BASE/upload
done
