import os, urllib.request, urllib.error
base = os.environ["BASE"]
with urllib.request.urlopen(base + "/show/it") as answer:
    print(answer.status, answer.read().decode())
try:
    with urllib.request.urlopen(urllib.request.Request(base + "/users/7", method="DELETE")) as answer:
        print(answer.status)
except urllib.error.HTTPError as error:
    print(error.code)
with urllib.request.urlopen(base + "/people/json") as answer:
    print(answer.read().decode())
