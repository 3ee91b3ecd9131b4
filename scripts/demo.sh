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
# --dump DIR (every 10th received picture and the played sound).
# Installs what is missing, builds, and leaves nothing behind but the build and the stand-ins' clips.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

headless=no lab=no
for argument in "$@"; do
  case "$argument" in
    --headless) headless=yes ;;
    --auto | --dump | --dump=* | --spoil | --spoil=*) lab=yes ;;
  esac
done

setup build speech
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

# The stand-ins' clips and voices, made once.
content=$(setup_cache)/content-1
if [ ! -f "$content/complete" ]; then
  mkdir -p "$content"
  echo "demo: making two clips of 10 s in $content (830 MB)" >&2
  espeak-ng -v en-gb -s 150 -w "$content/host.speech.wav" \
    "Good morning, and thank you for coming. Before we begin, please tell me your full name and your date of birth. I can see you well; can you hear me clearly? Today we will go through the results of your blood test, and then talk about how you have been sleeping."
  espeak-ng -v en-us+f3 -s 160 -p 60 -w "$content/patient.speech.wav" \
    "Hello doctor, yes, I hear you very well. I am at home, nobody else is in the room, and it is quiet here. Since last week the headaches are much better, but in the evenings I still feel rather tired, and I wanted to ask whether that comes from the new tablets."
  for who in host patient; do
    "$programs/quietroom-content" "$content/$who.y4m" "$content/$who.wav" --variant "$who" --speech "$content/$who.speech.wav"
  done
  touch "$content/complete"
fi

exec "$programs/quietroom-demo" --content "$content" "$@"
