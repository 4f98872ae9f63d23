# What a deploy job does with kubectl, and what an operator does beside it.
k() { "$KUBECTL" -v=6 "$@"; }
k version
k get pods
k get pods -o wide
k get pods -o json
k get pods --all-namespaces
k get pods -l app=web
k get pods --field-selector metadata.name=web-1
k get pod web-1 -o yaml
k get pods,secrets,deployments
k get nodes
k get namespaces
k get namespace shop -o name
k get secrets
k get secret database -o 'jsonpath={.data.username}'
k get widgets.shop.example
k get secrets.vault.example
k get --raw /healthz
k get pods --watch --request-timeout=1s || true
k describe pod web-1
k describe secret database
k describe node node-1
k logs web-1 -c app
k logs web-1 -c app --tail=1
k logs -f web-1 -c sidecar
k exec web-1 -c app -- echo hello
echo input | k exec -i web-1 -c app -- cat
k exec web-1 -c app -- sh -c 'exit 5' || true
k exec -i web-1 -c app -- true </dev/null
k attach web-1 -c app
k cp -c app web-1:app.conf fetched.conf
echo colour=blue >sent.conf
k cp -c app sent.conf web-1:sent.conf
k auth can-i delete pods
k api-resources
k api-versions
k explain pod.spec >/dev/null
cat >app.yaml <<'END'
apiVersion: apps/v1
kind: Deployment
metadata: {name: job-app, labels: {app: job}}
spec:
  replicas: 1
  selector: {matchLabels: {app: job}}
  template:
    metadata: {labels: {app: job}}
    spec: {containers: [{name: app, image: "registry.test/app:1"}]}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: job-settings, labels: {app: job}}
data: {colour: green}
---
apiVersion: v1
kind: Secret
metadata: {name: job-secret, labels: {app: job}}
stringData: {password: canary-secret-job-1}
END
k diff -f app.yaml || true
k apply -f app.yaml --dry-run=server
k apply -f app.yaml
sed -i 's/replicas: 1/replicas: 3/' app.yaml
k apply -f app.yaml
k apply --server-side --force-conflicts -f app.yaml
k scale deployment job-app --replicas=2
k set image deployment/job-app app=registry.test/app:2
k label deployment job-app tier=web
k annotate deployment job-app note=one
k patch deployment job-app -p '{"spec":{"paused":true}}'
k patch configmap job-settings --type=json -p '[{"op":"add","path":"/data/size","value":"9"}]'
k replace -f app.yaml
k rollout status deployment job-app --watch=false || true
k rollout history deployment job-app || true
k rollout restart deployment job-app || true
k create configmap job-more --from-literal=a=b
k create secret generic job-token --from-literal=token=canary-secret-job-2
k create serviceaccount job-account
k create namespace job-space
k run job-pod --image=registry.test/app:1
k expose pod job-pod --port=80 --labels=app=job || true
k cordon node-1
k uncordon node-1
k taint nodes node-1 test=1:NoSchedule
k taint nodes node-1 test-
k delete pod job-pod --wait=false --grace-period=0 --force
k delete configmap job-more
k delete secret job-token
k delete serviceaccount job-account
k delete deployment,configmap,secret,service -l app=job --wait=false
k delete namespace job-space --wait=false
# Nothing in the cluster finishes it.
cat >finished.json <<'END'
{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "job-space"}, "spec": {}}
END
k replace --raw /api/v1/namespaces/job-space/finalize -f finished.json
k get --raw /api/v1/nodes/node-1/proxy/pods
k get --raw '/api/v1/namespaces/shop/pods?limit=1'
k create token deployer || true
k top nodes || true
