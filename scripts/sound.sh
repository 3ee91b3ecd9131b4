#!/usr/bin/env bash
# Real sound devices end to end: each side has a sound server of its own, with a tone as its microphone and a sink
# without a loudspeaker; what comes out at the far end is recorded and must be the other side's tone.
#
#   ./scripts/sound.sh [SECONDS]
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh
setup build speech sound
seconds=${1:-10}
folder=$(mktemp -d)
children=()
finish() {
  for child in "${children[@]}"; do kill "$child" 2>/dev/null || true; done
  rm -rf "$folder"
}
trap finish EXIT

# server SIDE HZ: a sound server with a tone for a microphone and a silent sink.
server() {
  cat >"$folder/$1.pa" <<CONFIG
load-module module-null-sink sink_name=speaker rate=48000
load-module module-null-sink sink_name=micfeed rate=48000
load-module module-remap-source master=micfeed.monitor source_name=mic
load-module module-sine sink=micfeed frequency=$2
set-default-sink speaker
set-default-source mic
load-module module-native-protocol-unix socket=$folder/$1.socket auth-anonymous=1
CONFIG
  mkdir -p "$folder/$1"
  HOME="$folder/$1" XDG_RUNTIME_DIR="$folder/$1" XDG_CONFIG_HOME="$folder/$1" pulseaudio -n -F "$folder/$1.pa" \
    --exit-idle-time=-1 --daemonize=no --realtime=no --use-pid-file=no >"$folder/$1.log" 2>&1 &
  children+=($!)
  for _ in $(seq 50); do
    if PULSE_SERVER="unix:$folder/$1.socket" pactl info >/dev/null 2>&1; then return; fi
    sleep 0.1
  done
  echo "sound: the sound server of the $1 did not start" >&2
  cat "$folder/$1.log" >&2
  return 1
}

# record SIDE: what comes out of that side's sink.
record() {
  PULSE_SERVER="unix:$folder/$1.socket" parecord --device=speaker.monitor --latency-msec=20 --rate=48000 --channels=1 --format=s16le \
    --file-format=wav "$folder/$1.wav" &
  children+=($!)
  recorders+=($!)
}

server host 997
server patient 1499
recorders=()
record host
record patient
./scripts/demo.sh --headless --seconds "$seconds" --sound "unix:$folder/host.socket" --sound-b "unix:$folder/patient.socket"
for recorder in "${recorders[@]}"; do kill -INT "$recorder" 2>/dev/null || true; done
wait "${recorders[@]}" 2>/dev/null || true
check=${CARGO_TARGET_DIR:-target}/release/quietroom-check
echo "at the patient: $("$check" tone "$folder/patient.wav" --hz 997 --at-least 0.9)"
echo "at the host:    $("$check" tone "$folder/host.wav" --hz 1499 --at-least 0.9)"
