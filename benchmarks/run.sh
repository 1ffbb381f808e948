#!/usr/bin/env bash
# Measures the gateway against its peers on this machine's loopback. Needs the .NET SDK; installs the rest itself.
#   benchmarks/run.sh                                           everything, in eight minutes: writes benchmarks/results.md and results.svg
#   benchmarks/run.sh --quick                                   the main goals by rate, in two minutes, printed
#   benchmarks/run.sh --only pass,yarp --rounds 3 --seconds 4   only these, printed; --help names them all
set -euo pipefail
cd "$(dirname "$0")"
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
export PATH="$PATH:/usr/sbin"

missing=()
for need in wrk:wrk haproxy:haproxy nginx:nginx redis-server:redis-server h2load:nghttp2-client; do
  command -v "${need%%:*}" >/dev/null || missing+=("${need##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}"
fi

dotnet publish ../src/Gateway -c Release -o bin/gateway -v q
dotnet publish Peers -c Release -o bin/peers -v q
dotnet build Edge -c Release -v q
exec dotnet Edge/bin/Release/net10.0/Edge.dll --published "$PWD/bin" --results "$PWD" --spent "$SECONDS" "$@"
