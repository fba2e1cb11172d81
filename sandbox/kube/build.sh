#!/usr/bin/env bash
# Builds the parts of a Kubernetes from Debian's own source package, and prints where they lie.
#
#   sandbox/kube/build.sh            build what is not there yet; some 400 seconds of CPU
#   sandbox/kube/build.sh version    print what would be built
#
# Debian packages no API server, only the client; its source package holds them all. Nothing of the
# system changes: the compiler is unpacked beside the sources, and what is built lies in the user's
# cache, by its version, for every copy of this project.
set -euo pipefail

CACHE=${XDG_CACHE_HOME:-$HOME/.cache}/waldur-slurm/kube
PARTS=(kube-apiserver kube-controller-manager kube-scheduler kubelet)
TOOLS=(golang-1.19-go golang-1.19-src etcd-server golang-github-modern-go-reflect2-dev)
RECIPE=$(sha256sum <"${BASH_SOURCE[0]}" | cut -c1-8) # what is built depends on how

say() { printf 'kube: %s\n' "$*" >&2; }
die() { say "$*"; exit 1; }

candidate() { apt-cache policy kubernetes-client | sed -n 's/^ *Candidate: //p'; }

# apt with lists of its own, which name the sources too: the system's seldom do.
apt() { apt-get -o Dir::State::lists="$WORK/apt/lists" -o Dir::Cache="$WORK/apt/cache" \
  -o Dir::Etc::sourcelist="$WORK/apt/sources" -o Dir::Etc::sourceparts=/dev/null \
  -o APT::Sandbox::User=root -qq "$@"; }

name_sources() {
  mkdir -p "$WORK"/apt/{lists,cache/archives}/partial
  # shellcheck disable=SC2016  # apt fills these in
  apt-get indextargets --format '$(ORIGIN) [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $(REPO_URI) $(RELEASE) main' \
    'Created-By: Packages' | sed -n 's/^Debian //p' | sort -u |
    sed 'h; s/^/deb /p; g; s/^/deb-src /' >"$WORK/apt/sources"
  [ -s "$WORK/apt/sources" ] || die "apt knows no Debian archive; run apt-get update first"
  apt update
}

fetch() {
  mkdir "$WORK/packages"
  cd "$WORK/packages"
  apt download "${TOOLS[@]}"
  apt source --download-only "kubernetes=$VERSION"
  local package
  for package in *.deb; do dpkg -x "$package" "$WORK/tools"; done
  dpkg-source --no-check -x kubernetes_*.dsc "$WORK/source" >/dev/null
}

prepare_go() {
  export GOROOT=$WORK/tools/usr/lib/go-1.19 GOPATH=$WORK/gopath GOCACHE=$WORK/gocache
  export GO111MODULE=off GOFLAGS='' CGO_ENABLED=0 PATH="$WORK/tools/usr/lib/go-1.19/bin:$PATH"
  local part
  for part in src misc test api VERSION; do # Debian's links lead out of where this was unpacked
    ln -sfn "$WORK/tools/usr/share/go-1.19/$part" "$GOROOT/$part"
  done
}

prepare_source() {
  mkdir -p "$GOPATH/src/k8s.io"
  ln -s "$WORK/source" "$GOPATH/src/k8s.io/kubernetes"
  cd "$GOPATH/src/k8s.io/kubernetes"
  local staged
  for staged in staging/src/k8s.io/*; do
    ln -sfn "../../$staged" "vendor/k8s.io/${staged##*/}"
  done
  # The vendored one does not know this compiler: the server would die at its first custom resource.
  rm -r vendor/github.com/modern-go/reflect2
  cp -r "$WORK/tools/usr/share/gocode/src/github.com/modern-go/reflect2" vendor/github.com/modern-go/
}

# What the API server tells of its own types is generated, and not part of the source package.
generate_openapi() {
  local out=pkg/generated/openapi types
  [ ! -s $out/zz_generated.openapi.go ] || return 0
  go build -o "$WORK/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  types=$(grep -rl --include='*.go' '+k8s:openapi-gen=' . | xargs -n1 dirname | sort -u |
    grep -v -e '/vendor/k8s.io/kube-openapi' -e code-generator -e sample-apiserver -e _examples -e testdata |
    sed -e 's#^\./staging/src/##' -e 's#^\./vendor/##' -e 's#^\./#k8s.io/kubernetes/#' | sort -u | paste -sd,)
  "$WORK/openapi-gen" --go-header-file hack/boilerplate/boilerplate.generatego.txt \
    --output-base "$WORK/generated" --output-package k8s.io/kubernetes/$out \
    --output-file-base zz_generated.openapi --report-filename "$WORK/openapi.report" --input-dirs "$types"
  cp "$WORK/generated/k8s.io/kubernetes/$out/zz_generated.openapi.go" $out/
}

compile() {
  local part package told='' upstream=${VERSION##*really}
  upstream=${upstream%%-*}
  for package in k8s.io/kubernetes/vendor/k8s.io/component-base/version k8s.io/kubernetes/vendor/k8s.io/client-go/pkg/version; do
    told+=" -X $package.gitVersion=v$upstream -X $package.gitMajor=1 -X $package.gitMinor=${upstream:2:2}"
    told+=" -X $package.gitTreeState=clean -X $package.gitCommit=debian -X $package.buildDate=1970-01-01T00:00:00Z"
  done
  for part in "${PARTS[@]}"; do
    go build -ldflags "-s -w$told" -o "$MADE/$part" "./cmd/$part"
    say "$part is built"
  done
  cp "$WORK/tools/usr/bin/etcd" "$MADE/"
}

VERSION=$(candidate)
[ -n "$VERSION" ] || die "apt offers no kubernetes-client: the packages of Debian 12 are needed"
NAME=${VERSION//[^A-Za-z0-9.]/-}-$RECIPE
[ "${1:-}" != version ] || { echo "$NAME"; exit; }

mkdir -p "$CACHE"
exec 9>"$CACHE/lock"
flock 9
if [ ! -d "$CACHE/$NAME" ]; then
  WORK=$(mktemp -d "$CACHE/making-XXXXXX")
  trap 'chmod -R u+w "$WORK"; rm -rf "$WORK"' EXIT
  MADE=$WORK/made
  mkdir "$MADE"
  say "building Kubernetes $VERSION; it takes some minutes, once"
  begun=$SECONDS
  name_sources
  fetch
  prepare_go
  prepare_source
  generate_openapi
  compile
  mv "$MADE" "$CACHE/$NAME"
  say "Kubernetes is built ($((SECONDS - begun)) s)"
fi
echo "$CACHE/$NAME"
