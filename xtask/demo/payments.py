"""The part of the nightly report that somebody wrote in Python."""

import psycopg

with psycopg.connect() as connection:
    largest = connection.execute(
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
    for name, contact, card, amount in largest:
        print(f"{name}|{contact}|{card}|{amount}")
    notes = connection.execute("SELECT note, attributes FROM users WHERE note IS NOT NULL ORDER BY id LIMIT 2")
    for note, attributes in notes:
        print(f"{note}|{attributes}")
