#!/usr/bin/env bash
# debian-rootfs.sh <suite> <output.tar>: what a registry would give as debian:<suite>-slim, made from Debian's packages.
# Root only. Run it in a mount namespace of its own (unshare --mount), so that a killed run leaves no mounts behind.
set -euo pipefail

bootstrap() { debootstrap --variant=minbase "$1" "$2"; }

# Security updates belong into a base image; a mirror that does not carry them must not break every build that follows.
add_updates() {
  local suite=$1 root=$2 mirror
  mirror=$(awk '$1 == "deb" { print $2; exit }' "$root/etc/apt/sources.list")
  mirror=${mirror%/}
  cp "$root/etc/apt/sources.list" "$root/sources.main"
  {
    echo "deb $mirror $suite main"
    echo "deb $mirror $suite-updates main"
    echo "deb $mirror-security $suite-security main"
  } >"$root/etc/apt/sources.list"
  if chroot "$root" apt-get -o APT::Update::Error-Mode=any update --quiet; then
    DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get upgrade --yes --quiet
  else
    echo "no updates from $mirror: going on without"
    cp "$root/sources.main" "$root/etc/apt/sources.list"
  fi
  rm "$root/sources.main"
}

# The vendor's slim image leaves documentation out, also of packages installed later. What is built here must not come to
# depend on files that are missing there.
leave_out_documentation() {
  local root=$1
  cat >"$root/etc/dpkg/dpkg.cfg.d/docker" <<'CONFIG'
force-unsafe-io
path-exclude /usr/share/doc/*
path-include /usr/share/doc/*/copyright
path-exclude /usr/share/groff/*
path-exclude /usr/share/info/*
path-exclude /usr/share/linda/*
path-exclude /usr/share/lintian/*
path-exclude /usr/share/locale/*
path-include /usr/share/locale/locale.alias
path-exclude /usr/share/man/*
CONFIG
  find "$root/usr/share/doc" ! -type d ! -name copyright -delete
  find "$root/usr/share/doc" -type d -empty -delete
  rm -rf "$root"/usr/share/{groff,info,linda,lintian,man}/*
  find "$root/usr/share/locale" -mindepth 1 -maxdepth 1 ! -name locale.alias -exec rm -rf {} +
}

# In an image nothing starts services at installation, and package archives and indexes are only weight.
suit_containers() {
  local root=$1
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 0755 "$root/usr/sbin/policy-rc.d"
  cat >"$root/etc/apt/apt.conf.d/docker" <<'CONFIG'
DPkg::Post-Invoke { "rm -f /var/cache/apt/archives/*.deb /var/cache/apt/*.bin || true"; };
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
Apt::AutoRemove::SuggestsImportant "false";
CONFIG
  rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/* "$root"/var/log/* "$root/etc/resolv.conf" "$root/etc/hostname"
  mkdir -p "$root/var/cache/apt/archives/partial" "$root/var/lib/apt/lists/partial"
}

main() {
  local suite=$1 output=$2 root
  root=$(mktemp --directory "$(dirname "$output")/.rootfs.XXXXXX")
  # shellcheck disable=SC2064  # the path of now
  trap "rm -rf --one-file-system '$root'" EXIT
  bootstrap "$suite" "$root"
  add_updates "$suite" "$root"
  leave_out_documentation "$root"
  suit_containers "$root"
  tar --create --one-file-system --numeric-owner --directory "$root" --file "$output" .
}

if [[ "${BASH_SOURCE[0]}" == "$0" ]]; then main "$@"; fi
