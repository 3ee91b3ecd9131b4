#!/usr/bin/env bash
# The client against a real key store (GNOME Keyring) on a session bus of its own. Opt-in: nothing else needs one.
#
#   ./scripts/key-store.sh
#
# It restores a practice key from a sheet that is no secret, sees that half of its lock is in the key store, takes that
# half away, and restores the key once more. Your own key store is not touched.
set -euo pipefail
cd "$(dirname "$0")/.."

if [ "${1:-}" != inside ]; then
  . scripts/setup.sh
  setup build key-store
  setup_rust
  cargo build -p client --bin quietroom
  client=${CARGO_TARGET_DIR:-target}/debug/quietroom
  home=$(mktemp -d)
  trap 'rm -rf "$home"' EXIT
  env -u DBUS_SESSION_BUS_ADDRESS HOME="$home" XDG_DATA_HOME="$home/data" XDG_RUNTIME_DIR="$home" \
    dbus-run-session -- "$0" inside "$(realpath "$client")" "$home"
  exit
fi

client=$2 home=$3
# The daemon unlocks its login collection with the line it reads; it ends with the session bus.
printf 'a password' | gnome-keyring-daemon --unlock --components=secrets >/dev/null

fail() { echo "key-store: $*" >&2; exit 1; }
expect() { grep -qF "$1" <<<"$2" || fail "expected \"$1\" in: $2"; }

# The sheet of the seed 0707…07, which is no secret.
sheet="april broccoli herb weather april broccoli herb topaz april broccoli herb wicker april broccoli herb workshop april broccoli herb tuxedo april broccoli herb street april broccoli herb workshop april broccoli herb widget lung sloth thread fresh"
recover() { printf '%s\n%s\n' "$sheet" "correct horse" | "$client" --data "$1" practice recover; }

said=$(recover "$home/first")
expect "kept in this computer's key store" "$said"
said=$("$client" --data "$home/first" practice status)
expect "kept in this computer's key store" "$said"
printed=$(echo "correct horse" | "$client" --data "$home/first" practice recovery-sheet)
expect "$(cut -d' ' -f1 <<<"$sheet")" "$printed"
echo "kept: the passphrase and the key store open the practice key"

cp -r "$home/first" "$home/copy"
entry=$(od -An -v -tx1 -j20 -N16 "$home/first/keystore.head" | tr -d ' \n')
secret-tool lookup username "$entry" >/dev/null || fail "the entry $entry is not in the key store"
said=$(echo "correct horse" | env -u DBUS_SESSION_BUS_ADDRESS "$client" --data "$home/copy" practice recovery-sheet 2>&1) \
  && fail "a copied folder opened without the key store"
expect "key store is locked or does not answer" "$said"
echo "copied: the folder alone does not open, with the right passphrase"

secret-tool clear username "$entry"
said=$(echo "correct horse" | "$client" --data "$home/first" practice recovery-sheet 2>&1) && fail "it opened without its other half"
expect "has lost its part" "$said"
said=$(recover "$home/second")
expect "The practice key is back" "$said"
echo "lost: the sheet restores the practice key in a new folder"
