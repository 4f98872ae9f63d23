"""The part of the order sync that somebody wrote in Python."""

import os
import pathlib

import requests

api = os.environ["API"] + "/v1"
name, _, value = pathlib.Path("token").read_text().strip().partition(": ")
with requests.Session() as session:
    session.headers[name] = value
    for order in session.get(f"{api}/orders", timeout=30).json():
        whole = session.get(f"{api}/orders/{order['id']}", timeout=30).json()
        print(whole["id"], whole["customer"]["email"], whole["card"])
