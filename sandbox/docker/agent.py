"""The images of the three fronts, built from this tree when its content changed.

Rule: where no registry can be reached, a build has no package index either; the packages then
come from this machine.
"""

import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from sandbox.docker.command import docker
from sandbox.docker.engine import ROOT
from sandbox.docker.images import BUILD_S, LABEL, Release, base_of, digest_of, recipe_of
from sandbox.docker.packages import proxies
from sandbox.slurm.keeping import locked
from sandbox.wheels import bring_wheels

TAG = "waldur-slurm-agent:sandbox"
GATEWAY_TAG = "slurm-gateway:sandbox"
LOCK = ROOT / ".cache" / "images.lock"
SOURCES = (
    *("Dockerfile", ".dockerignore", "docker-entrypoint"),
    *("LICENSE", "README.md", "pyproject.toml", "setup.cfg"),
)
GATEWAY = "systemd-conf/gateway"


@dataclass(frozen=True)
class PythonRelease(Release):
    """A base with Python; the one that is made here is the same Debian as Slurm's."""

    @property
    def public_base(self) -> str:
        return "python:3.11-slim"


BASE = PythonRelease("22.05", "bookworm")


@dataclass(frozen=True)
class Product:
    """One target of the Dockerfile."""

    tag: str
    target: str
    sources: tuple[str, ...] = SOURCES
    arguments: tuple[str, ...] = ()

    @property
    def files(self) -> list[Path]:
        found = [ROOT / name for name in self.sources if (ROOT / name).exists()]
        package = ROOT / "waldur_slurm"
        found += [each for each in package.rglob("*") if each.is_file() and each.suffix != ".pyc"]
        return sorted(found)


AGENT = Product(TAG, "agent")
OPERATOR = Product("slurm-operator:sandbox", "operator")


def ensure_agent_image() -> str:
    """Return its name."""
    return _ensure(AGENT)


def ensure_operator_image() -> str:
    """Return the name of the operator's."""
    return _ensure(OPERATOR)


def ensure_gateway_image(slurm: str) -> str:
    """Return the name of the gateway's, beside the Slurm of that image."""
    more = (f"{GATEWAY}/hand.conf", f"{GATEWAY}/slurm-gateway-hand.sudoers")
    arguments = (f"--build-arg=SLURM={slurm}",)
    return _ensure(Product(GATEWAY_TAG, "gateway", (*SOURCES, *more), arguments))


def _ensure(product: Product) -> str:
    files = product.files
    recipe = digest_of(files, ROOT)
    with locked(LOCK, BUILD_S):
        _build_where_needed(product, files, recipe)
    return product.tag


def _build_where_needed(product: Product, files: list[Path], recipe: str) -> None:
    if recipe_of(product.tag) != recipe:
        sys.stderr.write(f"building {product.tag}; this takes about half a minute\n")
        with tempfile.TemporaryDirectory(prefix="waldur-slurm-agent-") as place:
            for file in files:
                copy = Path(place) / file.relative_to(ROOT)
                copy.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, copy)
            _build(product, Path(place), recipe)


def _build(product: Product, context: Path, recipe: str) -> None:
    base = base_of(BASE)
    argv = [f"--tag={product.tag}", f"--label={LABEL}={recipe}", f"--build-arg=BASE={base}"]
    argv += [f"--target={product.target}", *product.arguments]
    if base == BASE.local_base:
        bring_wheels(context)
        argv.append("--build-arg=PIP_NO_INDEX=1")
    docker(
        *("build", "--build-arg=http_proxy", "--build-arg=https_proxy", *argv, str(context)),
        timeout=BUILD_S,
        environ={**proxies(), "DOCKER_BUILDKIT": "0"},
    )
