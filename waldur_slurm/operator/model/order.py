"""What one companion is to do, as it stands in the Secret that is mounted into its pod."""

import json
from dataclasses import asdict, dataclass

from waldur_slurm.operator.model.slurm_job import When

ORDER, TOKEN, TRUST = "order", "token", "ca.crt"
"""The keys of the Secret, and so the names of the files; the last is there where it is needed."""

TRUSTING = (
    f"where the site signs its own certificates, an administrator puts the signer's as {TRUST} into"
    " the cluster's Secret, beside the token"
)


@dataclass(frozen=True, slots=True)
class Order:
    """`cluster` is what the gateway calls it; without one it is the only one there."""

    url: str
    job_id: str
    folder: str
    """The directory in the claim."""
    source: str = ""
    when: When = When.SUCCEEDED
    cluster: str = ""

    def to_text(self) -> str:
        return json.dumps(asdict(self))


def read_order(text: str) -> Order:
    """Read one; raises `ValueError` where it is none."""
    try:
        said = {str(name): str(value) for name, value in json.loads(text).items()}
        when = When(said.pop("when", When.SUCCEEDED))
        order = Order(when=when, **said)
    except (TypeError, AttributeError) as error:
        raise ValueError(f"it is no order: {error}") from error
    if order.folder in ("", ".", "..") or "/" in order.folder:
        raise ValueError(f"{order.folder!r} is no directory's name")
    return order
