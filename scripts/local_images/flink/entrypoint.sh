#!/usr/bin/env bash
# jobmanager | taskmanager: Flink in the foreground, set up by the lines of FLINK_PROPERTIES. Memory is worked out by Flink itself
# (BashJavaUtils, as bin/jobmanager.sh and bin/taskmanager.sh of a distribution do).
set -euo pipefail
conf=/opt/flink/conf
mkdir -p "$conf"
{
  echo "jobmanager.rpc.address: $(hostname -f)"
  echo "jobmanager.bind-host: 0.0.0.0"
  echo "rest.bind-address: 0.0.0.0"
  echo "taskmanager.bind-host: 0.0.0.0"
  echo "blob.server.port: 6124"
  printf '%s\n' "${FLINK_PROPERTIES:-}" | sed -e 's/^[[:space:]]*//' -e '/^$/d'
} > "$conf/flink-conf.yaml"
# The last line for a key counts, as in a distribution, where FLINK_PROPERTIES overwrites what was there.
tac "$conf/flink-conf.yaml" | awk -F: '!seen[$1]++' > "$conf/ordered" && mv "$conf/ordered" "$conf/flink-conf.yaml"
grep -q '^rest.address:' "$conf/flink-conf.yaml" || sed -n 's/^jobmanager.rpc.address:/rest.address:/p' "$conf/flink-conf.yaml" >> "$conf/flink-conf.yaml"

case "${1:-}" in
  jobmanager) question=GET_JM_RESOURCE_PARAMS main=org.apache.flink.runtime.entrypoint.StandaloneSessionClusterEntrypoint ;;
  taskmanager) question=GET_TM_RESOURCE_PARAMS main=org.apache.flink.runtime.taskexecutor.TaskManagerRunner ;;
  *) exec "$@" ;;
esac
shift
# What Beam's and Flink's serialisers reach into on Java 17.
opens=()
for package in lang util nio io net lang.invoke lang.reflect util.concurrent util.concurrent.atomic util.concurrent.locks time text; do
  opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
done
opens+=(--add-opens=java.base/sun.nio.ch=ALL-UNNAMED --add-opens=java.base/sun.net.util=ALL-UNNAMED)
mapfile -t answer < <(java -cp '/opt/flink/lib/*' org.apache.flink.runtime.util.bash.BashJavaUtils "$question" --configDir "$conf" 2>/dev/null \
  | sed -n 's/^BASH_JAVA_UTILS_EXEC_RESULT://p')
[ "${#answer[@]}" = 2 ] || { echo "Flink could not work out its memory from FLINK_PROPERTIES" >&2; exit 1; }
read -r -a memory <<< "${answer[0]}"
read -r -a sizes <<< "${answer[1]}"
echo "Starting $main ${memory[*]}"
exec java "${memory[@]}" "${opens[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=info -cp '/opt/flink/lib/*' "$main" --configDir "$conf" "${sizes[@]}" "$@"
