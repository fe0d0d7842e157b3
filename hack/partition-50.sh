#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# A node is cut off, takes 50 payloads meanwhile, gets its link back: each is received exactly once. Needs no cluster; as root in
# network namespaces of its own with a link that goes down, else on loopback with a receiver that goes away.
#
#   hack/partition-50.sh [--payloads N] [--seconds S]        exit code 0: so it was
set -euo pipefail
cd "$(dirname "$0")/.."

case ${1:-} in
  -h | --help) sed -n '3,6s/^# \{0,1\}//p' "$0"; exit 0 ;;
esac
hack/setup.sh build demo
make --no-print-directory all >/dev/null
exec python3 tests/system/telemetry/partition.py "$@"
