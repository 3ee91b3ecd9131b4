#!/usr/bin/env bash
# Proves the encryption of a call to an outsider: plays an assessor call without a display, in a network of its own,
# captures everything that travels there, and accounts for every byte of it. Then it adds one foreign packet to a copy of
# the capture, which must be found and named.
#
#   ./scripts/proof.sh [SECONDS] [FOLDER]
#
# FOLDER keeps the capture, the key files and the tables; without it they are deleted. Linux only: the network of its own
# is a namespace, so that nothing of this computer's other traffic has to be explained.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

seconds=${1:-20}
setup build capture
setup_rust
profile=${QUIETROOM_PROFILE:-release}
cargo build --profile "$profile" --locked -p client -p signaling -p tests \
  --bin quietroom --bin quietroom-server --bin quietroom-demo --bin e2ee-proof
programs=${CARGO_TARGET_DIR:-target}/${profile/#dev/debug}

if [ $# -gt 1 ]; then
  mkdir -p "$2"
  folder=$(cd "$2" && pwd)
else
  folder=$(mktemp -d)
  trap 'rm -rf "$folder"' EXIT
fi
rm -f "$folder"/{host,patient}.keys.json "$folder"/{call,foreign,injected}.pcap

alone=(unshare --net)
[ "$(id -u)" -eq 0 ] || alone+=(--map-root-user)
"${alone[@]}" bash -euo pipefail -c '
  ip link set lo up
  dumpcap -q -i lo -P -B 64 -w "$2/call.pcap" 2>"$2/dumpcap.log" &
  capture=$!
  trap "kill -INT $capture 2>/dev/null || true" EXIT
  for _ in $(seq 100); do [ -s "$2/call.pcap" ] && break; sleep 0.1; done
  "$1/quietroom-demo" --headless --seconds "$3" --proof "$2"
  sleep 1
  kill -INT "$capture"
  wait "$capture"
  trap - EXIT
' proof "$programs" "$folder" "$seconds"
tail -n 1 "$folder/dumpcap.log"
grep -q "/0 (pcap:0/dumpcap:0/" "$folder/dumpcap.log" || { echo "proof: the capture lost packets; try again" >&2; exit 1; }

judge() {
  "$programs/e2ee-proof" "$1" --keys "$folder/host.keys.json" --keys "$folder/patient.keys.json" --server "$(cat "$folder/server")"
}
echo "== the capture of the call"
judge "$folder/call.pcap" | tee "$folder/call.txt"

echo
echo "== the same with one foreign packet"
printf '000000 66 6f 72 65 69 67 6e 2c 20 61 6e 64 20 69 6e 20 63 6c 65 61 72\n' >"$folder/foreign.txt"
text2pcap -q -F pcap -4 127.0.0.1,127.0.0.1 -u 5353,9999 "$folder/foreign.txt" "$folder/foreign.pcap" >/dev/null 2>&1
mergecap -F pcap -a -w "$folder/injected.pcap" "$folder/call.pcap" "$folder/foreign.pcap"
if judge "$folder/injected.pcap" >"$folder/injected.txt"; then
  echo "proof: FAILED: the foreign packet was not found" >&2
  exit 1
fi
tail -n 2 "$folder/injected.txt"
grep -q "127.0.0.1:5353 to 127.0.0.1:9999, 21 bytes, first 666f726569676e" "$folder/injected.txt"

echo
echo "== the capture of the call, without any key"
"$programs/e2ee-proof" "$folder/call.pcap" --real --server "$(cat "$folder/server")" | tee "$folder/real.txt"
echo
echo "proof: every byte of the call was accounted for, and the foreign packet was found and named"
