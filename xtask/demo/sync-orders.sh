#!/bin/sh
# The order sync, as it has been for years: it knows a name and a token, and may do anything.
# Nothing in it was changed for the gateway.
cd "$(dirname "$0")" || exit 1
api() {
    curl --silent --show-error --header @token "$@"
    echo
}
echo "== customers"
api "$API/v1/customers"
echo "== orders"
python3 orders.py
echo "== a customer who left"
api --request DELETE "$API/v1/customers/3"
echo "== the prices of the season"
api --upload-file prices.json "$API/v1/prices"
echo "== who we are"
api "$API/v1/whoami"
echo "== done"
