# A playbook, with a process for each task and with pipelining.
exec 2>&1
set -u
export ANSIBLE_LOCALHOST_WARNING=false ANSIBLE_RETRY_FILES_ENABLED=false ANSIBLE_NOCOLOR=1
export ANSIBLE_PYTHON_INTERPRETER=/usr/bin/python3 ANSIBLE_DEPRECATION_WARNINGS=false
export ANSIBLE_INVENTORY_UNPARSED_WARNING=false
echo 'web ansible_host=web' >inventory
cat >play.yml <<END
- hosts: web
  gather_facts: false
  tasks:
    - ping:
    - copy: { content: "from ansible", dest: "$PLACE/ansible" }
    - shell: echo \$((6 * 7)) | tr 2 3 >$PLACE/answer
      changed_when: false
    - fetch: { src: "$PLACE/notes.txt", dest: fetched, flat: true }
END
for pipelining in False True; do
    ANSIBLE_PIPELINING=$pipelining ansible-playbook -i inventory play.yml | grep -v '^$'
    echo "status ${PIPESTATUS[0]}"
done
cat fetched
ssh web "cat $PLACE/answer $PLACE/ansible"
