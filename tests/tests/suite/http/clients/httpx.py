import os, httpx
base = os.environ["BASE"]
for http2 in (False, True):
    with httpx.Client(http2=http2) as client:
        answer = client.get(base + "/show/it")
        print(answer.http_version, answer.status_code, answer.text)
        print(client.delete(base + "/users/7").status_code)
        print(client.get(base + "/people/deflate").json())
        with client.stream("GET", base + "/people/events") as events:
            print(list(events.iter_lines()))
