"""A node of a bed: containerd and kubelet, whose mounts, settings and groups are a bed's own.

Both live in a mount namespace that vanishes with them. Every kubelet sets what the whole kernel
does; here it finds files in its place, so the machine's settings stay as they are.
"""

import json
import os
from collections.abc import Iterator
from pathlib import Path

from sandbox.kube.people import NODE
from sandbox.kube.place import Place

NAMES = ("containerd", "kubelet")

SETTINGS = {
    "vm/overcommit_memory": "1",
    "vm/panic_on_oom": "0",
    "kernel/panic": "10",
    "kernel/panic_on_oops": "1",
    "kernel/keys/root_maxkeys": "1000000",
    "kernel/keys/root_maxbytes": "25000000",
    "net/ipv4/ip_forward": "1",
}
"""What a kubelet and the pods' network want of the kernel, as they want to find it."""

PAUSE = "bed.local/pause:1"
_HIERARCHIES = Path("/sys/fs/cgroup")
_CNI = "/usr/lib/cni"


def directory(place: Place) -> Path:
    return place.directory / "node"


def socket(place: Place) -> Path:
    return directory(place) / "containerd.sock"


def argv(place: Place, name: str, programs: Path, containerd: int) -> list[str]:
    """`containerd` is the process whose namespace the kubelet enters."""
    if name == "containerd":
        return ["unshare", "--mount", "sh", str(directory(place) / "enter.sh")]
    own = directory(place)
    flags = (
        f"config={own}/kubelet.json",
        f"kubeconfig={place.kubeconfig('kubelet')}",
        f"root-dir={own}/kubelet",
        f"cert-dir={own}/kubelet/pki",
        f"hostname-override={NODE}",
        "container-runtime=remote",
        f"container-runtime-endpoint=unix://{socket(place)}",
        f"image-service-endpoint=unix://{socket(place)}",
    )
    kubelet = [str(programs / "kubelet"), *(f"--{flag}" for flag in flags)]
    return ["nsenter", f"--target={containerd}", "--mount", "--", *kubelet]


def groups(place: Place) -> list[Path]:
    """Name the group of this bed in each hierarchy; a keeper removes them at the end."""
    return [each / _group(place) for each in _hierarchies()]


def prepare(place: Place) -> None:
    """Write what must be there before the first of them starts."""
    own = directory(place)
    for name in ("kubelet", "containerd", "kernel", "network"):
        (own / name).mkdir(parents=True, exist_ok=True)
    for setting, value in SETTINGS.items():
        (own / "kernel" / setting.replace("/", ".")).write_text(f"{value}\n")
    (own / "enter.sh").write_text(_enter(place))
    (own / "containerd.toml").write_text(_containerd(place))
    (own / "kubelet.json").write_text(json.dumps(_kubelet(place), indent=1))
    (own / "network" / "bed.conflist").write_text(json.dumps(_network(place), indent=1))
    for group in groups(place):
        _make_group(group)


def _group(place: Place) -> str:
    return f"wsat-kube-{place.first_port}"


def _hierarchies() -> Iterator[Path]:
    for each in sorted(_HIERARCHIES.iterdir()):
        if each.is_dir() and not each.is_symlink() and each.name != "unified":
            yield each


def _make_group(group: Path) -> None:
    """A set of processors begins empty, and takes no process so."""
    group.mkdir(exist_ok=True)
    for name in ("cpuset.cpus", "cpuset.mems"):
        if (group / name).exists():
            (group / name).write_text((group.parent / name).read_text())


def _enter(place: Place) -> str:
    own = directory(place)
    lines = ["set -e", "mount --make-rprivate /"]
    for setting in SETTINGS:
        lines.append(f"mount --bind {own}/kernel/{setting.replace('/', '.')} /proc/sys/{setting}")
    # Places that these programs know by heart, and that are the machine's own.
    lines += [f"mount -t tmpfs none {path}" for path in ("/run", "/var/lib", "/var/log")]
    for shared in ("kubelet", "containerd"):
        lines.append(f"mount --bind {own}/{shared} {own}/{shared}")
        lines.append(f"mount --make-rshared {own}/{shared}")
    lines.append(f"exec containerd --config {own}/containerd.toml --log-level warn")
    return "\n".join(lines) + "\n"


def _containerd(place: Place) -> str:
    own = directory(place)
    unused = ("internal.v1.opt", *(f"snapshotter.v1.{name}" for name in ("aufs", "btrfs", "zfs")))
    disabled = [f"io.containerd.{name}" for name in (*unused, "snapshotter.v1.devmapper")]
    return f"""\
version = 2
root = "{own}/containerd/root"
state = "{own}/containerd/state"
disabled_plugins = {json.dumps(disabled)}
[grpc]
  address = "{socket(place)}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  disable_apparmor = true
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{_CNI}"
    conf_dir = "{own}/network"
"""


def _kubelet(place: Place) -> dict[str, object]:
    keys = place.keys
    return {
        "kind": "KubeletConfiguration",
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "address": "127.0.0.1",
        "port": place.kubelet_port,
        "healthzPort": 0,
        "readOnlyPort": 0,
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{keys}/authority.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "tlsCertFile": f"{keys}/kubelet.crt",
        "tlsPrivateKeyFile": f"{keys}/kubelet.key",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{_group(place)}",
        "enforceNodeAllocatable": [],
        "failSwapOn": False,
        "evictionHard": {
            "nodefs.available": "1%",
            "imagefs.available": "1%",
            "memory.available": "50Mi",
        },
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        "syncFrequency": "5s",
        "registerNode": True,
        "makeIPTablesUtilChains": False,
        "resolvConf": "",
        "volumePluginDir": f"{directory(place)}/kubelet/plugins",
    }


def _network(place: Place) -> dict[str, object]:
    """Join each pod to this machine by a pair of devices of its own, in a network a bed."""
    subnet = f"10.87.{place.first_port // 64 % 256}.0/24"
    addresses = {
        "type": "host-local",
        "dataDir": f"{directory(place)}/addresses",
        "subnet": subnet,
        "routes": [{"dst": "0.0.0.0/0"}],
    }
    return {
        "cniVersion": "0.4.0",
        "name": "bed",
        "plugins": [{"type": "ptp", "ipMasq": False, "ipam": addresses}],
    }


def may_be_here() -> str:
    """Say what is missing for a node; nothing where it may be."""
    if os.geteuid() != 0:
        return "only root may run a node"
    if not (_HIERARCHIES / "cpuset").is_dir():
        return "a node needs control groups of version 1 here"
    return ""
