#!/usr/bin/env bash
# Prints every figure of one part with its target, one line each:
#   P number, name, value, unit, target, and ok or miss ("-" where there is no target).
# Ends with 0 when it could measure, whatever the figures are.
#
#   ./scripts/bench.sh crypto
#   ./scripts/bench.sh media
#   ./scripts/bench.sh transport --netlab PROGRAM [--only NAME] [--keep DIR]
#   ./scripts/bench.sh mesh
#   ./scripts/bench.sh long [--minutes N] [--keep DIR]
#   ./scripts/bench.sh epochs [removal] [renewal] [storm] [--seconds N] [--members N] [--removals N]
#
# transport makes calls over bad networks, which the network emulator netlab (a program of its own) lays out in network
# namespaces: it needs root and takes some fifteen minutes; 200 drawn paths in virtual time come first. mesh: calls with one, two
# and five guests. long: an hour of one call, with sound clocks that run apart. epochs takes some four minutes: 50 removals one after
# the other, and two calls of --seconds (20) each.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

usage() {
  echo "usage: $0 crypto | media | transport --netlab PROGRAM [OPTIONS] | mesh | long [OPTIONS] | epochs [OPTIONS]" >&2
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
  media)
    [ $# -eq 0 ] || usage
    setup build speech
    setup_rust
    cargo build --quiet --release --locked -p tests --bin quietroom-content
    programs=${CARGO_TARGET_DIR:-target}/release
    . scripts/content.sh
    machine
    cargo bench --quiet --locked -p media --bench figures -- "$(cd "$content" && pwd)"
    ;;
  transport | mesh | long)
    setup build speech
    if [ "$part" = transport ]; then
      setup network relay
    fi
    setup_rust
    # Two builds: the program for patients does not compile with the feature `lab`.
    build() { cargo build --quiet --release --locked -p client -p signaling -p tests "$@"; }
    build --bin quietroom --bin quietroom-server --bin quietroom-demo --bin quietroom-content --bin quietroom-check \
      --bin quietroom-bench
    build --features client/lab --bin quietroom-lab
    programs=${CARGO_TARGET_DIR:-target}/release
    . scripts/content.sh
    # From memory where there is room: a camera does not wait for a disk.
    if [ "$(df --output=avail -k /dev/shm 2>/dev/null | tail -n1)" -gt 3000000 ] 2>/dev/null; then
      memory=$(mktemp -d /dev/shm/quietroom.XXXXXX)
      trap 'rm -rf "$memory"' EXIT
      cp -r "$content" "$memory/content"
      content=$memory/content
      if [ "$part" = mesh ]; then
        cp -r "$half" "$memory/half"
        half=$memory/half
      fi
    fi
    machine
    case "$part" in
      transport)
        case " $* " in
          *" --only "*) ;;
          *)
            cargo test --quiet --locked -p media --lib -- --nocapture two_hundred_paths | grep '^-  '
            ;;
        esac
        "$programs/quietroom-bench" transport --content "$content" "$@"
        ;;
      mesh) "$programs/quietroom-bench" mesh --content "$content" --half "$half" "$@" ;;
      long) "$programs/quietroom-bench" long --content "$content" "$@" ;;
    esac
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
