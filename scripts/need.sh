# Sourced by the scripts here, after cd to the repository: how they speak, and how
# they install what a machine is missing.

say() { printf '\n==> %s\n' "$*"; }
die() { printf '%s: %s\n' "$0" "$*" >&2; exit 1; }

# need COMMAND PACKAGE…: installs the packages unless the command is there.
need() {
  local command=$1 root=()
  shift
  if command -v "$command" >/dev/null; then return; fi
  command -v apt-get >/dev/null || die "$command is missing: install $* and run this again"
  if [ "$(id -u)" != 0 ]; then
    sudo -n true 2>/dev/null || die "$command is missing: as root, run apt-get install $*, then this again"
    root=(sudo)
  fi
  say "installing $* (for $command)"
  "${root[@]}" apt-get update -qq
  "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@"
}
