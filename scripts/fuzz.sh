#!/usr/bin/env bash
# Runs every parser in libFuzzer for some seconds each, and keeps the inputs that reach new code in
# tests/fuzz/corpus, as few and as small as cover it. Ends non-zero if a parser failed; the input then
# lies in the folder that is named.
#
#   ./scripts/fuzz.sh [SECONDS] [NAME…]     # 300 seconds and all parsers by default
#
# A stable toolchain does: coverage comes from LLVM's own pass, without a sanitizer. Our code has no
# unsafe to sanitize; what counts are panics, overflows, endless loops and memory without bound.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/setup.sh

seconds=${1:-300}
case "$seconds" in
  '' | *[!0-9]*) echo "usage: $0 [SECONDS] [NAME…]" >&2; exit 2 ;;
esac
[ $# -eq 0 ] || shift

setup build
setup_rust
work=$(setup_cache)/fuzz
host=$(rustc -vV | sed -n 's/^host: //p')
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$(setup_cache)/target}"
harness=tests/fuzz/harness
cp Cargo.lock "$harness/Cargo.lock"
coverage="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
coverage+=" -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
coverage+=" -Cllvm-args=-sanitizer-coverage-trace-compares"
RUSTFLAGS="$coverage" cargo build --release --manifest-path "$harness/Cargo.toml" --target "$host"
fuzz=$CARGO_TARGET_DIR/$host/release/fuzz

names=("$@")
[ ${#names[@]} -gt 0 ] || mapfile -t names < <(FUZZ_TARGET=list "$fuzz" 2>/dev/null)
failed=()
for name in "${names[@]}"; do
  kept=tests/fuzz/corpus/$name
  grown=$work/$name/grown least=$work/$name/least
  crashes=$work/$name/crashes
  rm -rf "$least"
  mkdir -p "$kept" "$grown" "$least" "$crashes"
  # 512 MB and 5 s an input: nothing that a peer sends may take more.
  if ! FUZZ_TARGET=$name "$fuzz" -max_total_time="$seconds" -max_len=16384 -rss_limit_mb=512 -timeout=5 \
    -print_final_stats=1 -verbosity=0 -artifact_prefix="$crashes/" "$grown" "$kept" >"$work/$name/log" 2>&1; then
    failed+=("$name: see $crashes and $work/$name/log")
    echo "FAILED  $name"
    continue
  fi
  # Edges, not counts: few files that reach all code that was reached.
  FUZZ_TARGET=$name "$fuzz" -set_cover_merge=1 -use_counters=0 -max_len=16384 -verbosity=0 "$least" "$kept" "$grown" \
    >"$work/$name/merge-log" 2>&1
  # At most 96 of all sizes, since the tests run them each time.
  find "$kept" -type f -delete
  find "$least" -type f -printf '%s %p\n' | sort -n | cut -d' ' -f2 \
    | awk '{ file[NR] = $0 } END { n = NR < 96 ? NR : 96; for (i = 0; i < n; i++) print file[int(i * NR / n) + 1] }' \
    | xargs -r cp -t "$kept"
  runs=$(sed -n 's/^stat::number_of_executed_units: *//p' "$work/$name/log")
  echo "ok      $name: ${runs:-?} runs, $(find "$kept" -type f | wc -l) inputs kept"
done
if [ ${#failed[@]} -gt 0 ]; then
  printf '%s\n' "${failed[@]}" >&2
  exit 1
fi
