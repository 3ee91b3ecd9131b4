#!/usr/bin/env bash
# Installs what a step needs and nothing that is there already.
#
#   ./scripts/setup.sh build window …     # as a command
#   . scripts/setup.sh; setup build       # from another script
#
# Groups: build, window, speech, display, sound, capture, network, relay, key-store.
# Debian and Ubuntu only; elsewhere it names the packages and goes on.

# The packages of one group.
setup_packages() {
  case "$1" in
    # Compilers of the bundled codecs, the headers of ALSA, and libclang for bindings.
    build) echo "ca-certificates pkg-config g++ make cmake nasm libasound2-dev libclang-dev" ;;
    # What the window loads at run time.
    window) echo "libgl1 libgl1-mesa-dri libegl1 libx11-6 libx11-xcb1 libxcursor1 libxi6 libxrandr2 libxkbcommon0 libxkbcommon-x11-0 fonts-dejavu-core" ;;
    # Voices for the stand-in participants.
    speech) echo "espeak-ng" ;;
    # A display without a screen, for screenshots.
    display) echo "xvfb openbox imagemagick x11-utils" ;;
    # A sound server without a sound card.
    sound) echo "pulseaudio pulseaudio-utils" ;;
    # A packet capture.
    capture) echo "tshark iproute2" ;;
    # Network namespaces.
    network) echo "iproute2 util-linux" ;;
    # A relay.
    relay) echo "coturn" ;;
    # A key store of the desktop's kind, without a desktop.
    key-store) echo "dbus dbus-daemon gnome-keyring libsecret-tools" ;;
    *) echo "setup: no group is called '$1'" >&2; return 2 ;;
  esac
}

setup_installed() {
  [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

# Installs the missing packages of the given groups.
setup() {
  local group package packages missing=() as_root=()
  for group in "$@"; do
    packages=$(setup_packages "$group") || return 2
    for package in $packages; do
      if ! command -v dpkg-query >/dev/null; then
        echo "setup: not a Debian or Ubuntu machine; please install what matches: $packages" >&2
        break
      fi
      setup_installed "$package" || missing+=("$package")
    done
  done
  [ ${#missing[@]} -gt 0 ] || return 0
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null; then
      echo "setup: run this as root, or install: ${missing[*]}" >&2
      return 1
    fi
    as_root=(sudo)
  fi
  echo "setup: installing ${missing[*]}" >&2
  "${as_root[@]}" apt-get update -qq >&2 || echo "setup: the package lists could not be refreshed; trying with those at hand" >&2
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
  # Its package starts a relay for everybody; ours are started where they are needed.
  if [[ " ${missing[*]} " == *" coturn "* ]] && [ -d /run/systemd/system ]; then
    "${as_root[@]}" systemctl disable --now coturn >&2 || true
  fi
}

# Checks the Rust toolchain, and adds the named components where rustup can.
setup_rust() {
  local version component
  if ! command -v cargo >/dev/null && [ -x "$HOME/.cargo/bin/cargo" ]; then
    PATH="$HOME/.cargo/bin:$PATH"
    export PATH
  fi
  if ! command -v cargo >/dev/null; then
    echo "setup: no Rust toolchain found; install 1.95 or newer from https://rustup.rs" >&2
    return 1
  fi
  version=$(rustc --version | cut -d' ' -f2)
  if [ "$(printf '1.95\n%s\n' "$version" | sort -V | head -n1)" != 1.95 ]; then
    echo "setup: Rust $version found, 1.95 or newer needed (rustup update stable)" >&2
    return 1
  fi
  for component in "$@"; do
    cargo "${component/rustfmt/fmt}" --version >/dev/null 2>&1 && continue
    if ! command -v rustup >/dev/null; then
      echo "setup: this Rust toolchain has no $component" >&2
      return 1
    fi
    echo "setup: adding $component to the Rust toolchain" >&2
    rustup component add "$component" >&2
  done
}

# Where clips and tools are kept between runs.
setup_cache() {
  echo "${XDG_CACHE_HOME:-$HOME/.cache}/quietroom"
}

if [ "${BASH_SOURCE[0]}" = "$0" ]; then
  set -euo pipefail
  [ $# -gt 0 ] || set -- build window speech
  setup "$@"
  setup_rust
fi
