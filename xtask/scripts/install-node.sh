#!/usr/bin/env bash
# Unpacks a real bitcoind for the tests into PREFIX, without root and without touching the system.
#
#   usage: install-node.sh PREFIX        then: PREFIX/bin/bitcoind -regtest …
#
# The node is Debian's package bitcoin-knots. Only Debian's unstable suite carries it, so its
# libraries are newer than those of a stable system. Therefore nothing is installed: an apt of its
# own (private lists, an empty list of installed packages) resolves everything down to the C
# library, the packages are unpacked, and each program starts through the dynamic loader that was
# unpacked with it. The suite moves, so the version is whatever it holds today.
#
# The mirror is the system's own. On a system that is not Debian, name one in DEBIAN_MIRROR.
set -euo pipefail

[ $# -eq 1 ] || { echo "usage: $0 PREFIX" >&2; exit 2; }
prefix=$(realpath -m "$1")
suite=${DEBIAN_SUITE:-sid}
keyring=${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}

fail() { echo "install-node: $*" >&2; exit 1; }

if "$prefix/bin/bitcoind" --version >/dev/null 2>&1; then
  echo "install-node: $prefix already holds a node" >&2
  exit 0
fi
# What is replaced below must be ours or empty.
if [ -d "$prefix" ] && [ ! -e "$prefix/root/usr/bin/bitcoind" ] && [ -n "$(ls -A "$prefix")" ]; then
  fail "$prefix is not empty and holds no node of ours: name another folder"
fi
for tool in apt-get dpkg dpkg-deb; do
  command -v "$tool" >/dev/null || fail "needs $tool, which Debian and its relatives have"
done
[ -r "$keyring" ] || fail "no Debian keys in $keyring: install debian-archive-keyring"

# The first mirror named in the system's sources, in the new format or the old one.
mirror=${DEBIAN_MIRROR:-$(
  cat /etc/apt/sources.list.d/*.sources /etc/apt/sources.list 2>/dev/null |
    awk '/^URIs:/ { print $2; exit }
         /^deb /  { for (i = 2; i <= NF; i++) if ($i ~ /^https?:/) { print $i; exit } }' || true
)}
[ -n "$mirror" ] || fail "no mirror in /etc/apt: set DEBIAN_MIRROR"

# Everything is made beside the prefix and renamed into place, so that a run cut short leaves
# nothing that looks whole.
work=$prefix.partial
rm -rf "$work"
trap 'rm -rf "$work"' EXIT
mkdir -p "$work"/apt/{lists/partial,cache/archives/partial} "$work"/{debs,root,bin}
: > "$work/apt/status"
arch=$(dpkg --print-architecture)
cat > "$work/apt/node.sources" <<SOURCES
Types: deb
URIs: $mirror
Suites: $suite
Components: main
Architectures: $arch
Signed-By: $keyring
SOURCES
apt() {
  apt-get -qq \
    -o Dir::Etc::sourcelist="$work/apt/node.sources" -o Dir::Etc::sourceparts=/dev/null \
    -o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
    -o Dir::State="$work/apt" -o Dir::State::lists="$work/apt/lists" \
    -o Dir::State::status="$work/apt/status" -o Dir::Cache="$work/apt/cache" \
    -o APT::Architecture="$arch" -o APT::Sandbox::User=root \
    -o Acquire::Languages=none -o Acquire::Retries=3 "$@"
}

apt update || fail "cannot read the package lists of $mirror ($suite)"

# What the node needs, by apt's own resolver. Left out: what only the packages' installation
# scripts would use, which are not run here.
left_out='^(systemd|libsystemd-shared|debconf|libc-gconv-modules-extra|openssl-provider-legacy)$'
mapfile -t packages < <(
  apt --simulate --no-install-recommends install bitcoin-knots |
    awk '$1 == "Inst" { sub(/:.*/, "", $2); print $2 }' | grep -vE "$left_out"
)
[ "${#packages[@]}" -gt 0 ] || fail "the suite $suite has no package bitcoin-knots for $arch"
(cd "$work/debs" && apt download "${packages[@]}") || fail "downloading the packages failed"
for deb in "$work"/debs/*.deb; do dpkg-deb -x "$deb" "$work/root"; done

loader=$(cd "$work" && find root -name 'ld-linux*.so.*' -print -quit)
[ -n "$loader" ] || fail "no dynamic loader among the packages"
libraries=$(cd "$work" && find root/usr/lib -name 'libc.so.6' -printf '%h\n' -quit)
for program in "$work"/root/usr/bin/bitcoin*; do
  name=$(basename "$program")
  cat > "$work/bin/$name" <<WRAPPER
#!/bin/sh
# Starts $name with the libraries that were unpacked beside it.
here=\$(dirname "\$(dirname "\$(readlink -f "\$0")")")
exec "\$here/$loader" --library-path "\$here/$libraries" --argv0 "\$0" "\$here/root/usr/bin/$name" "\$@"
WRAPPER
  chmod +x "$work/bin/$name"
done

version=$("$work/bin/bitcoind" --version) || fail "the unpacked node does not start"
rm -rf "$work/apt" "$work/debs"
rm -rf "$prefix"
mv "$work" "$prefix"
echo "install-node: ${version%%$'\n'*} in $prefix" >&2
