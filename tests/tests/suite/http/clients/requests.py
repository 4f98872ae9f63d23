import os, requests
base = os.environ["BASE"]
with requests.Session() as session:
    answer = session.get(base + "/show/it")
    print(answer.status_code, answer.text)
    print(session.delete(base + "/users/7").status_code)
    print(session.get(base + "/people/gzip").json())
    print(session.get(base + "/people/lines", stream=True).text)
    print(session.post(base + "/upload", data=(b"x" * 1000 for _ in range(100))).text)
