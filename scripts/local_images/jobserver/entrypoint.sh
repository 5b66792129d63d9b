#!/usr/bin/env bash
set -euo pipefail
opens=()
for package in lang util nio io net lang.invoke lang.reflect util.concurrent util.concurrent.atomic util.concurrent.locks time text; do
  opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
done
exec java "${opens[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=info -cp '/opt/flink/lib/*' org.apache.beam.runners.flink.FlinkJobServerDriver "$@"
