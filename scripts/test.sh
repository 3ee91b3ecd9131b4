#!/usr/bin/env bash
# Every check of the project: format, lints, tests, documentation, dependencies.
# Runs all of them also when one fails, then prints a summary and ends non-zero if any failed.
#
#   ./scripts/test.sh               # what is missing is installed first
#   ./scripts/test.sh --with-deny   # also builds cargo-deny once (several minutes) when it is absent
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

with_deny=no
for argument in "$@"; do
  case "$argument" in
    --with-deny) with_deny=yes ;;
    *) echo "usage: $0 [--with-deny]" >&2; exit 2 ;;
  esac
done

setup build
setup_rust rustfmt clippy

started=$SECONDS
failed=0
summary=()
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# step NAME COMMAND…: runs it, keeps its output in $log, notes the result.
step() {
  local name=$1 from=$SECONDS
  shift
  echo "== $name: $*"
  if "$@" 2>&1 | tee "$log"; then
    summary+=("ok      $name ($((SECONDS - from)) s)")
  else
    summary+=("FAILED  $name ($((SECONDS - from)) s)")
    failed=1
  fi
}

unchecked() {
  echo "== $1: not checked ($2)"
  summary+=("-       $1: not checked ($2)")
}

# Those of other systems, too: tests read the licences of the whole tree, offline.
step "crates" cargo fetch --locked
step "format" cargo fmt --all --check
step "lints" cargo clippy --workspace --all-targets --locked -- -D warnings
count() {
  summary+=("        $(awk '/^test result:/ { n += $4 } END { print n + 0 }' "$log") tests passed")
}
step "tests" cargo test --workspace --locked --no-fail-fast
count
# The measuring aids are never in the programs that people get, so they are built apart; of the whole workspace, so that
# what lies below is not compiled again.
lab=(--workspace --features client/lab,media/lab,tests/lab --locked --lib --test tests)
step "lints of the measuring aids" cargo clippy "${lab[@]}" --bin quietroom-lab --example epochs --example screens -- -D warnings
step "tests behind SRTP and of the measuring aids" cargo test "${lab[@]}" -- confidentiality attacks::media tap dump auto fuzz
count
RUSTDOCFLAGS="-D warnings" step "documentation" cargo doc --workspace --no-deps --locked

deny=$(setup_cache)/tools/bin/cargo-deny
command -v cargo-deny >/dev/null && deny=$(command -v cargo-deny)
if [ ! -x "$deny" ] && [ "$with_deny" = yes ]; then
  echo "== building cargo-deny once into $(setup_cache)/tools"
  cargo install --locked --root "$(setup_cache)/tools" cargo-deny \
    || echo "cargo-deny could not be built"
fi
if [ -x "$deny" ]; then
  step "bans, licences, sources (cargo-deny)" "$deny" --all-features check bans licenses sources
  if "$deny" fetch db >/dev/null 2>&1; then
    step "advisories" "$deny" --all-features check --disable-fetch advisories
  else
    unchecked "advisories" "the advisory database could not be fetched"
  fi
else
  unchecked "bans, licences, sources by cargo-deny" "it is absent; --with-deny builds it; tests/structure.rs has checked the same rules of deny.toml"
  unchecked "advisories" "cargo-deny is absent"
fi

echo
echo "== summary, $((SECONDS - started)) s"
printf '%s\n' "${summary[@]}"
exit "$failed"
