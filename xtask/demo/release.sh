#!/bin/sh
# The deploy job, as it has been for years: it has a kubeconfig with a token, and may do anything.
# Nothing in it was changed for the gateway.
cd "$(dirname "$0")" || exit 1
echo "== what runs"
kubectl get pods
kubectl logs web-1
echo "== the password of the database"
kubectl get secret database -o yaml
echo "== the release that runs"
kubectl exec web-1 -- cat release
echo "== a look around"
kubectl exec web-1 -- sh -c 'id; cat release'
echo "== the new release"
kubectl apply -f release.yaml
echo "== an application that nobody uses"
kubectl delete deployment old --wait=false
echo "== done"
