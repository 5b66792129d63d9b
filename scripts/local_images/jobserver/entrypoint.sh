#!/usr/bin/env bash
set -euo pipefail
opens=()
for package in lang util nio io net lang.invoke lang.reflect util.concurrent util.concurrent.atomic util.concurrent.locks time text; do
  opens+=("--add-opens=java.base/java.$package=ALL-UNNAMED")
done
# The job server sends its own class path to the cluster with each job, here 118 MB, which these TaskManagers have already. What lies on the
# boot class path is not sent; Flink's and Beam's own classes have to have a class loader.
boot=() sent=()
for jar in /opt/flink/lib/*.jar; do
  case ${jar##*/} in
    flink-shaded* | flink-rpc-akka-loader*) boot+=("$jar") ;;
    flink-* | beam-runners* | beam-sdks*) sent+=("$jar") ;;
    *) boot+=("$jar") ;;
  esac
done
joined() { local IFS=:; echo "$*"; }
exec java "${opens[@]}" -Dorg.slf4j.simpleLogger.defaultLogLevel=info "-Xbootclasspath/a:$(joined "${boot[@]}")" -cp "$(joined "${sent[@]}")" \
  org.apache.beam.runners.flink.FlinkJobServerDriver "$@"
