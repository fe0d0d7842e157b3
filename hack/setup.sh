#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Install what building and testing holdfast needs on Debian 12, grouped by purpose.
#
#   hack/setup.sh [--check] [build|demo|test|e2e|arch|image|images|static|dist|page|bench|ci ...]      default: build
#
# --check only reports. Without the right to install, it names exactly the packages that are missing and fails.
set -euo pipefail

build="gcc make pkg-config libcurl4-openssl-dev libssl-dev libyaml-dev libjansson-dev libwebsockets-dev
  libwebsockets-evlib-uv libuv1-dev libzstd-dev liblzma-dev libsystemd-dev zlib1g-dev libtss2-dev
  musl-tools"
demo="python3 check"
test="check clang clang-format clang-tidy cppcheck libclang-rt-14-dev llvm gcovr python3 python3-yaml strace openssl
  curl dbus jq python3-h2 prometheus xz-utils zstd file groff procps util-linux mosquitto
  systemd-journal-remote faketime swtpm swtpm-tools systemd iproute2 iptables libtcmalloc-minimal4 btrfs-progs xfsprogs"
[ "$(dpkg --print-architecture 2>/dev/null)" != amd64 ] || test="$test user-mode-linux"  # Debian has it for no other architecture of ours
e2e="debootstrap systemd-container buildah containerd runc iproute2 iptables dbus e2fsprogs xfsprogs libsqlite3-dev libc6-dev openssl
  ca-certificates python3 util-linux"
arch="gcc-arm-linux-gnueabihf libc6-dev-armhf-cross gcc-aarch64-linux-gnu libc6-dev-arm64-cross
  gcc-s390x-linux-gnu libc6-dev-s390x-cross gcc-riscv64-linux-gnu libc6-dev-riscv64-cross
  qemu-user xz-utils python3 check dpkg-dev"
static="python3 python3-jinja2 meson ninja-build cmake gperf dpkg-dev libcap-dev liblz4-dev libnghttp2-dev binutils"
image="python3 binutils ca-certificates tzdata"
images="$image gcc-arm-linux-gnueabihf libc6-dev-armhf-cross gcc-aarch64-linux-gnu libc6-dev-arm64-cross qemu-user git $static"
dist="git gnupg lintian openssl python3-yaml squashfs-tools"
page="chromium fonts-dejavu-core python3"
ci="ccache"
bench="check bsdiff xdelta3 rdiff casync ostree python3-venv time libsqlite3-dev"

say() { printf 'setup: %s\n' "$*"; }

check_only=no
groups=()
for word in "$@"; do
  case $word in
    --check) check_only=yes ;;
    build | demo | test | e2e | arch | image | images | static | dist | page | bench | ci) groups+=("$word") ;;
    -h | --help) sed -n '3,7s/^# \{0,1\}//p' "$0"; exit 0 ;;
    *) say "unknown word '$word'; known: --check build demo test e2e arch image images static dist page bench ci" >&2; exit 2 ;;
  esac
done
[ ${#groups[@]} -gt 0 ] || groups=(build)

# The agents of demo and tests judge this machine's disk, and from spec.disk.criticalPercent on they start no release.
used=$(df --output=pcent . | tr -dc 0-9)
if [[ " ${groups[*]} " =~ \ (demo|test)\  ]] && [ "$used" -ge 85 ]; then
  say "the file system of $PWD is $used % full: an agent starts no release from 85 % on, so nothing here would update; free space" >&2
  exit 1
fi

command -v dpkg-query >/dev/null || { say "this is not a Debian system: install by hand what hack/setup.sh lists" >&2; exit 1; }

missing=()
for group in "${groups[@]}"; do
  for package in ${!group}; do
    state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$state" = installed ] || missing+=("$package")
  done
done
[ ${#missing[@]} -gt 0 ] || exit 0

if [ "$check_only" = yes ]; then
  say "missing packages for ${groups[*]}: ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if sudo -n true 2>/dev/null; then
    as_root=(sudo)
  else
    say "cannot install without root; missing packages for ${groups[*]}:" >&2
    printf '  apt-get install --no-install-recommends %s\n' "${missing[*]}" >&2
    exit 1
  fi
fi

say "installing for ${groups[*]}: ${missing[*]}"
install=("${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -q --no-install-recommends "${missing[@]}")
if ! "${install[@]}" >/dev/null 2>&1; then
  # A mirror in the middle of a sync makes the update fail for one list; what is needed may be had all the same.
  updated=$("${as_root[@]}" apt-get update -q 2>&1) && updated=
  if ! installed=$("${install[@]}" 2>&1); then
    printf '%s\n' ${updated:+"$updated"} "$installed" >&2
    say "apt-get could not install for ${groups[*]}: ${missing[*]}" >&2
    exit 1
  fi
fi
say "done"
