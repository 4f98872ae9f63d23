"""The part of the nightly export that somebody wrote in Python."""

import os

import pymysql

with pymysql.connect(
    read_default_file=os.environ["OPTIONS"], database=os.environ["DATABASE"], charset="utf8mb4"
) as connection, connection.cursor() as cursor:
    cursor.execute(
        """
        SELECT users.name, customers.contact, payments.card, payments.amount
        FROM payments
        JOIN orders ON orders.id = payments.order_id
        JOIN users ON users.id = orders.user_id
        JOIN customers ON customers.id = users.id
        WHERE payments.amount > %s
        ORDER BY payments.amount DESC, payments.id
        LIMIT 3
        """,
        (50,),
    )
    for name, contact, card, amount in cursor:
        print(f"{name}|{contact}|{card}|{amount}")
    cursor.execute("SELECT note, attributes FROM users WHERE note IS NOT NULL ORDER BY id LIMIT 2")
    for note, attributes in cursor:
        print(f"{note}|{attributes}")
