#!/usr/bin/env bash
# Brings a Debian or Ubuntu machine to where the tests run; what is there already is skipped.
#
#   sandbox/setup.sh venv    the virtual environment with the Python packages, nothing else
#   sandbox/setup.sh slurm   also Slurm and MariaDB: what the demo runs on
#   sandbox/setup.sh all     also Docker, the two container images and the programs of a Kubernetes,
#                            which take minutes to build, once: what the tests run on
#
# It refuses on a machine that serves a Slurm of its own; SANDBOX_I_KNOW=1 overrides that.
# Installed packages neither start a service nor enable one.
set -euo pipefail
cd "$(dirname "$0")/.."
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

VENV=.venv
INSTALLED=/var/lib/waldur-slurm-sandbox/installed # one package a line: what was installed here
POLICY=/usr/sbin/policy-rc.d
SLURM_PACKAGES=(slurm-client slurmctld slurmd slurmdbd slurmrestd slurm-wlm-jwt-plugin)

# what must be there            package             what the tests need it for
NEEDED_FOR_SLURM='
slurmctld                       slurmctld           a private Slurm: its controller
slurmdbd                        slurmdbd            a private Slurm: its accounting
slurmd                          slurmd              a private Slurm: its nodes
sacctmgr                        slurm-client        a private Slurm: its commands
munged                          munge               a private Slurm: how its parts trust each other
mariadbd                        mariadb-server      a private Slurm: the database of its accounting
cc                              gcc                 two small libraries that a private Slurm is run with; the executor
/usr/include/stdio.h            libc6-dev           the same
/usr/lib/*/faketime/libfaketimeMT.so.1 libfaketime  a private Slurm whose clock crosses a month
'
NEEDED="$NEEDED_FOR_SLURM"'
slurmrestd                      slurmrestd          Slurm by HTTP: one of the ways of the gateway
/usr/lib/*/slurm*/auth_jwt.so   slurm-wlm-jwt-plugin the same: its tokens
dockerd                         docker.io           Slurm in containers: the engine
docker                          docker-cli          Slurm in containers: the command
iptables                        iptables            Slurm in containers: their network
sshd                            openssh-server      Slurm on another host: a private sshd on loopback
ssh                             openssh-client      Slurm on another host: the command
docker-compose                  docker-compose      the example site in examples/docker-compose
debootstrap                     debootstrap         images where no registry can be reached
kubectl                         kubernetes-client   a private Kubernetes: its command
containerd                      containerd          the same: its node
/usr/lib/cni/ptp                containernetworking-plugins the same: the network of its pods
busybox                         busybox-static      the same: something to run in a pod
dpkg-source                     dpkg-dev            the same: its programs are built from source
sudo                            sudo                acting as another user: one of its ways
nginx                           nginx-light         the gateway behind a proxy
/usr/lib/rabbitmq/bin/rabbitmq-server rabbitmq-server letters into queues: a private broker
chromium                        chromium            the dashboard in a real browser
/usr/share/keyrings/debian-archive-keyring.gpg debian-archive-keyring  the same
'

say() { printf 'setup: %s\n' "$*"; }
die() { printf 'setup: %s\n' "$*" >&2; exit 1; }
as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi; }
is_installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# --- the machine's own Slurm -----------------------------------------------------------------------

refuse_on_a_head_node() {
  local found
  [ "${SANDBOX_I_KNOW:-}" != 1 ] || return 0
  found=$(running_slurm || configured_slurm || foreign_slurm) || return 0
  die "$found. This machine seems to serve a Slurm of its own, which the sandbox must not touch:" \
    "use another machine, or say SANDBOX_I_KNOW=1 if you are sure"
}

running_slurm() {
  local process name
  for process in /proc/[0-9]*; do
    { read -r name <"$process/comm"; } 2>/dev/null || continue
    case $name in slurmctld | slurmdbd | slurmd | sackd) ;; *) continue ;; esac
    belongs_to_a_container "$process" || belongs_to_a_sandbox "$process" || {
      echo "$name runs here (process ${process#/proc/})"
      return
    }
  done
  return 1
}
belongs_to_a_container() {
  local theirs
  theirs=$(readlink "$1/ns/pid" 2>/dev/null || as_root readlink "$1/ns/pid") &&
    [ "$theirs" != "$(readlink /proc/self/ns/pid)" ]
}
belongs_to_a_sandbox() {
  local conf
  conf=$({ cat "$1/environ" 2>/dev/null || as_root cat "$1/environ"; } | tr '\0' '\n' | sed -n 's/^SLURM_CONF=//p')
  is_a_sandboxs "$conf"
}
is_a_sandboxs() { # it has a record beside it, or lies where nobody's production does
  case $1 in
    '') return 1 ;;
    /tmp/* | /var/tmp/*) ;;
    *) [ -e "${1%/etc/slurm.conf}/cluster.json" ] ;;
  esac
}

configured_slurm() {
  local file
  for file in "${SLURM_CONF:-}" /etc/slurm{,-llnl}/slurm{,dbd}.conf /usr/local/etc/slurm{,dbd}.conf; do
    [ ! -e "$file" ] || is_a_sandboxs "$file" || { echo "Slurm is configured here ($file)"; return; }
  done
  return 1
}

foreign_slurm() {
  local package program missing=() foreign=()
  while read -r program package _; do
    case " ${SLURM_PACKAGES[*]} " in *" $package "*) ;; *) continue ;; esac
    if ! is_installed "$package"; then
      missing+=("$package")
      program=$(command -v "$program") || continue
      echo "$program is here and not from Debian's package $package"
      return
    fi
    grep -qsx "$package" "$INSTALLED" || foreign+=("$package")
  done <<<"$NEEDED"
  # All there and nothing configured: there is nothing to add and nothing to hurt.
  [ ${#missing[@]} -gt 0 ] && [ ${#foreign[@]} -gt 0 ] || return 1
  echo "${foreign[*]} is installed and ${missing[*]} is not"
}

# --- system packages -------------------------------------------------------------------------------

is_there() {
  case $1 in
    dockerd | iptables) command -v "$1" || docker version ;; # an engine may answer from elsewhere
    docker-compose) command -v docker-compose || docker compose version ;;
    /*) compgen -G "$1" ;;
    *) command -v "$1" ;;
  esac >/dev/null 2>&1
}

install_packages() {
  local thing package why packages=()
  while read -r thing package why; do
    if [ -z "$thing" ] || is_there "$thing"; then continue; fi
    packages+=("$package $why")
  done <<<"$1"
  [ ${#packages[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || die "not Debian or Ubuntu; please install what corresponds to:" \
    "$(printf '%s; ' "${packages[@]}")"
  [ "$(id -u)" = 0 ] || command -v sudo >/dev/null || die "neither root nor sudo; please install:" \
    "$(printf '%s; ' "${packages[@]}")"
  as_root apt-get update -qq || say "apt-get update had trouble; going on with the lists that are there"
  local names=() row
  for row in "${packages[@]}"; do
    # In Debian 12 and Ubuntu the docker command is part of docker.io.
    [ "${row%% *}" != docker-cli ] || is_offered docker-cli || continue
    say "installing ${row%% *}: ${row#* }"
    names+=("${row%% *}")
  done
  apt_install "${names[@]}"
}
is_offered() { [ -n "$(apt-cache policy "$1" | sed -n '/Candidate: [^(]/p')" ]; }

apt_install() {
  local before after begun=$SECONDS
  before=$(dpkg-query -W -f '${Package}\n' | sort)
  as_root mkdir -p "${INSTALLED%/*}"
  printf '%s\n' "$@" | as_root tee -a "$INSTALLED" >/dev/null
  hold_services
  as_root env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends --no-remove \
    -o DPkg::Lock::Timeout=300 -o Dpkg::Options::=--force-unsafe-io "$@" </dev/null >.cache/apt.log 2>&1 || {
    tail -n 20 .cache/apt.log >&2
    die "apt-get install failed; all it said is in .cache/apt.log"
  }
  release_services
  after=$(dpkg-query -W -f '${Package}\n' | sort)
  disable_services "$(comm -13 <(echo "$before") <(echo "$after"))"
  say "the system packages are installed ($((SECONDS - begun)) s)"
}

# Debian starts the services of what it installs, unless this file says no.
hold_services() {
  if [ -e "$POLICY" ] && ! grep -qs waldur-slurm-sandbox "$POLICY"; then return; fi
  trap release_services EXIT
  printf '#!/bin/sh\n# waldur-slurm-sandbox: only while it installs packages\nexit 101\n' |
    as_root tee "$POLICY" >/dev/null
  as_root chmod 755 "$POLICY"
}
release_services() {
  ! grep -qs waldur-slurm-sandbox "$POLICY" || as_root rm -f "$POLICY"
}
disable_services() {
  local units
  command -v systemctl >/dev/null || return 0
  # shellcheck disable=SC2086  # one word a package
  units=$(dpkg -L $1 2>/dev/null | sed -nE 's#^(/usr)?/lib/systemd/system/([^/@]+\.(service|socket|timer))$#\2#p')
  # shellcheck disable=SC2086  # one word a unit
  [ -z "$units" ] || as_root systemctl disable --quiet $units 2>/dev/null || say "some of these stay enabled:" $units
}

# --- Python packages -------------------------------------------------------------------------------

find_python() {
  local candidate
  for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
    ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || {
      command -v "$candidate"
      return
    }
  done
  die "Python 3.11 or newer is needed (PYTHON=... names one)"
}

wanted_packages() { { cat setup.cfg pyproject.toml; "$PYTHON" -V; pwd; } | sha256sum | cut -c1-16; }

has_packages() {
  [ -L "$VENV" ] || [ "$(cat "$VENV/packages" 2>/dev/null)" = "$(wanted_packages)" ] # a link is its owner's business
}

make_venv() {
  # Without its record it may be half made.
  { [ -e "$VENV/packages" ] || "$PYTHON" -m venv --clear "$VENV"; } && rm -f "$VENV/packages" &&
    "$VENV/bin/python" -m pip install --quiet --disable-pip-version-check -e '.[gateway,test,check]' &&
    wanted_packages >"$VENV/packages"
}

ensure_venv() {
  ! has_packages || return 0
  local begun=$SECONDS
  say "installing the Python packages that setup.cfg names into $VENV"
  make_venv </dev/null >.cache/venv.log 2>&1 || {
    tail -n 20 .cache/venv.log >&2
    die "no virtual environment; all that was said is in .cache/venv.log"
  }
  say "the Python packages are installed ($((SECONDS - begun)) s)"
}

prepare_python() {
  command -v "${PYTHON:-python3}" >/dev/null || install_packages 'python3 python3 everything here
    venv python3-venv the virtual environment'
  PYTHON=$(find_python)
  has_packages || "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null ||
    install_packages "venv python3-venv the virtual environment"
}

install_all() {
  refuse_on_a_head_node
  release_services # a run that was killed could not
  prepare_python
  ensure_venv &
  install_packages "$1"
}

# --- containers ------------------------------------------------------------------------------------

prepare_containers() {
  # Who is root needs no help: making the images starts an engine where none answers.
  [ "$(id -u)" = 0 ] || docker version >/dev/null 2>&1 ||
    sudo "$PYTHON" -m sandbox docker engine --owner "$(id -u)"
  "$PYTHON" -m sandbox docker images
}

# ---------------------------------------------------------------------------------------------------

mkdir -p .cache
exec 9>.cache/setup.lock
flock 9
case ${1:-} in
  venv)
    prepare_python
    ensure_venv
    ;;
  slurm)
    install_all "$NEEDED_FOR_SLURM"
    wait $! # for the environment
    ;;
  all)
    install_all "$NEEDED"
    environment=$!
    nice sandbox/kube/build.sh >/dev/null &
    kubernetes=$!
    prepare_containers
    wait $environment
    wait $kubernetes || say "there is no Kubernetes here: what needs one is not tested"
    ;;
  *) die "say venv, slurm or all" ;;
esac
