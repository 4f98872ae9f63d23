"""What jobs do with mysqlclient, which stands on MariaDB's C library: texts, cursors, transactions."""
import os
import MySQLdb
import MySQLdb.cursors
from MySQLdb.constants import CLIENT

where = dict(host="127.0.0.1", port=int(os.environ["PORT"]), user=os.environ["USER"],
             passwd=os.environ["PASSWORD"], db=os.environ["DATABASE"])

for ssl in (None, {"ca": os.environ.get("CA")}):
    if ssl and not ssl["ca"]:
        continue
    connection = MySQLdb.connect(charset="utf8mb4", client_flag=CLIENT.MULTI_STATEMENTS, **where, **({"ssl": ssl} if ssl else {}))
    cursor = connection.cursor()
    cursor.execute("SELECT id, name, birthday, note FROM users WHERE id IN (%s, %s)", (1, 5))
    print(cursor.description, cursor.fetchall())
    cursor.execute("SELECT * FROM kinds ORDER BY id")
    for row in cursor.fetchall():
        print(row)
    cursor.execute("SELECT HEX(%s), %s", (b"\x00\xff'\\", "ä🦆"))
    print(cursor.fetchall())
    cursor.execute("UPDATE orders SET item = CONCAT(item, '') WHERE id < 10")
    print(cursor.rowcount, connection.info(), connection.affected_rows())
    try:
        cursor.execute("SELECT nothing FROM nowhere")
    except MySQLdb.ProgrammingError as error:
        print(error)
    cursor.executemany("INSERT INTO old_reports VALUES (%s, %s)", [(71, "ä"), (72, "🦆")])
    connection.rollback()
    cursor.execute("SELECT 1; SELECT 2, 3; DO 0")
    while True:
        print(cursor.fetchall())
        if not cursor.nextset():
            break
    cursor.execute("SHOW WARNINGS")
    print(cursor.fetchall(), connection.warning_count())
    connection.select_db("mysql")
    connection.ping()
    cursor.execute("SELECT DATABASE()")
    print(cursor.fetchall())
    connection.close()

streaming = MySQLdb.connect(cursorclass=MySQLdb.cursors.SSDictCursor, autocommit=True, **where)
cursor = streaming.cursor()
cursor.execute("SELECT id, item, amount, ordered_at FROM orders ORDER BY id")
print(sum(1 for _ in cursor))
streaming.close()
