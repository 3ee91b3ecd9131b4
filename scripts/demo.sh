#!/usr/bin/env bash
# One consultation on this machine, end to end.
#
#   ./scripts/demo.sh                                      # two windows; what is to be typed stands in the terminal
#   ./scripts/demo.sh --auto                               # the same, clicked through by itself
#   ./scripts/demo.sh --headless --seconds N --report DIR  # no display; one JSON report a participant
#   ./scripts/demo.sh --attack NAME                        # a hostile server between them, see client/docs/assessor.md
#   ./scripts/demo.sh --spoil altered|bare                 # a patient whose client sends what it did not seal
#
# More with --headless: --kbps K, --video FILE.y4m --audio FILE.wav (host), --video-b FILE --audio-b FILE (patient),
# --dump DIR (every 10th received picture and the played sound), --guests N (up to five), --relay udp|tcp|tls [--relay-only]
# (through coturn), --netlab PROGRAM --link … --at … [--ipv6] (a bad network; needs root), --timeline DIR (moment by moment).
# Installs what is missing, builds, and leaves nothing behind but the build and the stand-ins' clips.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

headless=no lab=no groups=(build speech)
for argument in "$@"; do
  case "$argument" in
    --headless) headless=yes ;;
    --auto | --dump | --dump=* | --spoil | --spoil=* | --timeline | --timeline=*) lab=yes ;;
    --relay | --relay=*) groups+=(relay) ;;
    --netlab | --netlab=*) groups+=(network) ;;
  esac
done

setup "${groups[@]}"
if [ "$headless" = no ]; then
  setup window
  if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    echo "demo: no display here; try --headless, or xvfb-run" >&2
    exit 1
  fi
fi
setup_rust

# One build for all programs: cargo then compiles each library once.
build() { cargo build --release --locked -p client -p signaling -p tests "$@"; }
build --bin quietroom --bin quietroom-server --bin quietroom-content --bin quietroom-demo --bin quietroom-check \
  --bin quietroom-hostile
if [ "$lab" = yes ]; then
  build --features client/lab --bin quietroom-lab
fi
programs=${CARGO_TARGET_DIR:-target}/release

. scripts/content.sh

exec "$programs/quietroom-demo" --content "$content" "$@"
