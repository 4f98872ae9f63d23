"""What jobs do with PyMySQL: texts, parameters, transactions, several results, cursors."""
import os
import pymysql
import pymysql.cursors

where = dict(host="127.0.0.1", port=int(os.environ["PORT"]), user=os.environ["USER"],
             password=os.environ["PASSWORD"], database=os.environ["DATABASE"])

connection = pymysql.connect(charset="utf8mb4", **where)
with connection.cursor() as cursor:
    cursor.execute("SELECT id, name, birthday, note FROM users WHERE id IN (%s, %s)", (1, 5))
    print(cursor.description, cursor.fetchall())
    cursor.execute("SELECT * FROM kinds ORDER BY id")
    for row in cursor.fetchall():
        print(row)
    cursor.execute("UPDATE orders SET item = CONCAT(item, '') WHERE id < 10")
    print(cursor.rowcount, cursor.lastrowid)
    try:
        cursor.execute("SELECT nothing FROM nowhere")
    except pymysql.err.ProgrammingError as error:
        print(error)
    cursor.executemany("INSERT INTO old_reports VALUES (%s, %s)", [(71, "ä"), (72, "🦆")])
    connection.rollback()
    cursor.execute("SELECT COUNT(*), ROW_COUNT() FROM old_reports")
    print(cursor.fetchall())
connection.ping()
connection.select_db("mysql")
with connection.cursor() as cursor:
    cursor.execute("SELECT DATABASE()")
    print(cursor.fetchall())
connection.close()

streaming = pymysql.connect(cursorclass=pymysql.cursors.SSDictCursor, autocommit=True, **where)
with streaming.cursor() as cursor:
    cursor.execute("SELECT id, item, amount, ordered_at FROM orders ORDER BY id")
    print(sum(1 for _ in cursor))
streaming.close()

several = pymysql.connect(client_flag=pymysql.constants.CLIENT.MULTI_STATEMENTS, **where)
with several.cursor() as cursor:
    cursor.execute("SELECT 1; SELECT 2, 3; DO 0; SELECT 'last'")
    while True:
        print(cursor.fetchall())
        if not cursor.nextset():
            break
several.close()
