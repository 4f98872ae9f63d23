"""What a job does with the client of Python's: every kind of request, and streams."""

import json

from kubernetes import client, config, watch
from kubernetes.client.rest import ApiException
from kubernetes.stream import stream

config.load_kube_config()
core, apps = client.CoreV1Api(), client.AppsV1Api()

print([pod.metadata.name for pod in core.list_namespaced_pod("shop", label_selector="app=web").items])
print(core.read_namespaced_secret("database", "shop").data)
print([d.metadata.name for d in apps.list_namespaced_deployment("shop").items if d.metadata.name == "web"])
print(core.read_namespaced_pod_log("web-1", "shop", container="app"))

for event in watch.Watch().stream(core.list_namespaced_secret, "shop", timeout_seconds=1,
                                  field_selector="metadata.name=database"):
    print(event["type"], event["object"].metadata.name)

settings = client.V1ConfigMap(metadata=client.V1ObjectMeta(name="of-python"), data={"colour": "red"})
print(core.create_namespaced_config_map("shop", settings).data)
print(core.patch_namespaced_config_map("of-python", "shop", {"data": {"colour": "blue"}}).data)
print(core.delete_namespaced_config_map("of-python", "shop").status)
try:
    core.read_namespaced_pod("nobody", "shop")
except ApiException as refused:
    print(refused.status, json.loads(refused.body)["message"])

answer = stream(core.connect_get_namespaced_pod_exec, "web-1", "shop", container="app",
                command=["sh", "-c", "echo out; echo err >&2; exit 5"],
                stderr=True, stdin=False, stdout=True, tty=False, _preload_content=False)
answer.run_forever(timeout=20)
print(repr(answer.read_stdout()), repr(answer.read_stderr()), answer.returncode)

answer = stream(core.connect_get_namespaced_pod_exec, "web-1", "shop", container="app",
                command=["head", "-n", "1"],
                stderr=True, stdin=True, stdout=True, tty=False, _preload_content=False)
answer.write_stdin("a line of input\n")
answer.run_forever(timeout=20)
print(repr(answer.read_stdout()), answer.returncode)
