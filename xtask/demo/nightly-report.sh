#!/bin/sh
# The nightly report, as it has been for years: it knows a host, a user and a password, and may do
# anything. Nothing in it was changed for the gateway.
echo "== customers"
psql --no-psqlrc --no-align --tuples-only --command "SELECT id, name, email FROM users ORDER BY id LIMIT 3"
echo "== payments"
"$PYTHON" "$(dirname "$0")/payments.py"
echo "== old payments"
psql --no-psqlrc --no-align --tuples-only --command "DELETE FROM payments WHERE order_id < 4"
echo "== old reports"
psql --no-psqlrc --no-align --tuples-only --command "DROP TABLE old_reports"
echo "== done"
