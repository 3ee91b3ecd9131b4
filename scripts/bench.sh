#!/usr/bin/env bash
# Prints every figure of one part with its target, one line each:
#   P number, name, value, unit, target, and ok or miss ("-" where there is no target).
# Ends with 0 when it could measure, whatever the figures are.
#
#   ./scripts/bench.sh crypto
#   ./scripts/bench.sh epochs [removal] [renewal] [storm] [--seconds N] [--members N] [--removals N]
#
# The second takes some four minutes: 50 removals one after the other, and two calls of --seconds (20) each.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

usage() {
  echo "usage: $0 crypto | epochs [OPTIONS]" >&2
  exit 2
}

machine() {
  echo "# $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n1)"
}

[ $# -ge 1 ] || usage
part=$1
shift
case "$part" in
  crypto)
    [ $# -eq 0 ] || usage
    setup build
    setup_rust
    machine
    cargo bench --quiet --locked -p crypto --bench figures
    ;;
  epochs)
    setup build
    setup_rust
    cargo build --quiet --release --locked -p media --features lab --example epochs
    machine
    cargo run --quiet --release --locked -p media --features lab --example epochs -- "$@"
    ;;
  *) usage ;;
esac
