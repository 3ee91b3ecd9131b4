#!/usr/bin/env bash
# What is left of a consultation's secrets: plays one without a display, and looks for link, code, passphrase,
# second factor, the patient's card, and the keys of media and group in the memory of the server and of both clients,
# in the database and in all logs. The keys are those that lie in the clients' memory during the call.
# Ends non-zero when one is found where it must not be, or when the search misses what must be there for it.
#
#   ./scripts/canaries.sh [SECONDS]
#
# The same with windows: ./scripts/demo.sh --auto --seconds 5 --canaries
#
# Reading another program's memory takes Linux, and root or CAP_SYS_PTRACE; without it this fails and says so.
set -euo pipefail
cd "$(dirname "$0")/.."
exec ./scripts/demo.sh --headless --seconds "${1:-5}" --canaries
