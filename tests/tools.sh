#!/usr/bin/env bash
# Builds the real parts that the tests run against, each from its own pinned module, and nothing else.
#
#   tests/tools.sh            all of them
#   tests/tools.sh NAME…      some: etcd kube-apiserver helm versitygw glua chromium
#
# KUBEBUILDER_ASSETS   where etcd, kube-apiserver and kubectl go      (default: target/kubebuilder)
# TENANTRY_TEST_TOOLS  where helm, versitygw and glua go              (default: target/tools)
#
# A tool that already prints the pinned version is left alone, so a second run costs nothing. The pins are in
# tests/{kube,helm,lua,s3}/go.mod. Starts no service. Installs a package of the system only for chromium, and only as root.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kube_dir=${KUBEBUILDER_ASSETS:-$here/../target/kubebuilder}
tool_dir=${TENANTRY_TEST_TOOLS:-$here/../target/tools}
# Two cores build a tool in minutes; a larger machine may use more.
jobs=${TENANTRY_TOOL_JOBS:-2}

# No cgo and no other Go than the machine's: the build is the same everywhere, and go.sum is never changed by it.
export CGO_ENABLED=0 GOTOOLCHAIN=local GOFLAGS="-mod=readonly -buildvcs=false"

say() { printf 'tools: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

# pin MODULE_DIR MODULE: the version that its go.mod requires, with the v.
pin() { awk -v module="$2" '$1 == module { print $2; exit }' "$here/$1/go.mod"; }

# prints WANTED COMMAND…: whether the command runs and its output has the wanted word in it.
prints() {
  local wanted=$1 out
  shift
  out=$("$@" 2>/dev/null) || return 1
  [[ " ${out//[$'\n\t ,\"{\}']/ } " == *" $wanted "* ]]
}

# compile MODULE_DIR OUTPUT LDFLAGS PACKAGE…
compile() {
  local module=$1 output=$2 ldflags=$3
  shift 3
  command -v go >/dev/null || die "Go is needed to build $* (the version is in tests/$module/go.mod); install it and run this again."
  mkdir -p "$(dirname "$output/x")"
  say "building $* with $(go env GOVERSION)"
  (cd "$here/$module" && go build -p "$jobs" -trimpath -ldflags "-s -w $ldflags" -o "$output" "$@")
}

packages_listed=
list_packages() {
  [[ -n $packages_listed ]] && return
  if [[ $(id -u) == 0 ]]; then apt-get update -qq; fi
  packages_listed=yes
}

tool_etcd() {
  [[ -x $kube_dir/etcd ]] && "$kube_dir/etcd" --version >/dev/null 2>&1 && return
  mkdir -p "$kube_dir"
  if command -v etcd >/dev/null; then
    ln -sf "$(command -v etcd)" "$kube_dir/etcd"
    return
  fi
  command -v apt-get >/dev/null || die "etcd is not on the PATH and there is no apt-get to fetch it with; install etcd 3.4 or later and run this again."
  list_packages
  say "unpacking Debian's etcd-server (it is not installed and no service starts)"
  local unpacked
  unpacked=$(mktemp -d)
  chmod 755 "$unpacked"
  (cd "$unpacked" && apt-get download -qq etcd-server 2>/dev/null && dpkg -x etcd-server_*.deb .) || die "apt-get could not fetch etcd-server."
  install -m 755 "$unpacked/usr/bin/etcd" "$kube_dir/etcd"
  rm -rf "$unpacked"
  "$kube_dir/etcd" --version >/dev/null || die "the unpacked etcd does not run."
}

tool_kube-apiserver() {
  local version minor stamp=k8s.io/component-base/version
  version=$(pin kube k8s.io/kubernetes)
  prints "$version" "$kube_dir/kube-apiserver" --version && prints "$version" "$kube_dir/kubectl" version --client && return
  minor=${version#v1.}
  compile kube "$kube_dir/" \
    "-X $stamp.gitVersion=$version -X $stamp.gitMajor=1 -X $stamp.gitMinor=${minor%%.*} -X $stamp.gitTreeState=clean" \
    k8s.io/kubernetes/cmd/kube-apiserver k8s.io/kubernetes/cmd/kubectl
  prints "$version" "$kube_dir/kube-apiserver" --version || die "the built kube-apiserver does not print $version."
}

tool_helm() {
  local version
  version=$(pin helm helm.sh/helm/v4)
  prints "$version" "$tool_dir/helm" version --template '{{.Version}}' && return
  compile helm "$tool_dir/" "-X helm.sh/helm/v4/internal/version.version=$version" helm.sh/helm/v4/cmd/helm
  prints "$version" "$tool_dir/helm" version --template '{{.Version}}' || die "the built helm does not print $version."
}

tool_versitygw() {
  local version
  version=$(pin s3 github.com/versity/versitygw)
  prints "$version" "$tool_dir/versitygw" --version && return
  compile s3 "$tool_dir/" "-X main.Version=$version" github.com/versity/versitygw/cmd/versitygw
  prints "$version" "$tool_dir/versitygw" --version || die "the built versitygw does not print $version."
}

# The Lua that Argo CD runs health checks in. It prints no version of its own: the pin is written beside it.
tool_glua() {
  local version
  version=$(pin lua github.com/yuin/gopher-lua)
  [[ -x $tool_dir/glua && $(cat "$tool_dir/glua.version" 2>/dev/null) == "$version" ]] && return
  compile lua "$tool_dir/" "" github.com/yuin/gopher-lua/cmd/glua
  printf '%s\n' "$version" >"$tool_dir/glua.version"
}

tool_chromium() {
  local name
  for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && return
  done
  if ! command -v apt-get >/dev/null || [[ $(id -u) != 0 ]]; then
    die "chromium is not on the PATH and installing it needs apt-get and root; install it and run this again."
  fi
  list_packages
  say "installing chromium from Debian"
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium >/dev/null
}

# What takes seconds comes first, so that a machine without its packages is found out before the long builds.
[[ $# -gt 0 ]] || set -- etcd chromium glua versitygw helm kube-apiserver
for name in "$@"; do
  declare -F "tool_$name" >/dev/null || die "unknown tool '$name'; known: etcd chromium glua versitygw helm kube-apiserver (kubectl comes with it)."
  "tool_$name"
done
