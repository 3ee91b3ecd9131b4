#!/usr/bin/env bash
# Prints every figure of one part with its target, one line each:
#   P number, name, value, unit, target, and ok or miss ("-" where there is no target).
# Ends with 0 when it could measure, whatever the figures are.
#
#   ./scripts/bench.sh crypto
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

usage() {
  echo "usage: $0 crypto" >&2
  exit 2
}

[ $# -eq 1 ] || usage
case "$1" in
  crypto)
    setup build
    setup_rust
    echo "# $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1)"
    cargo bench --quiet --locked -p crypto --bench figures
    ;;
  *) usage ;;
esac
