"""What Kubernetes says no with."""

from waldur_slurm.errors import ExpectedError


class KubeError(ExpectedError):
    """Kubernetes did not do what was asked of it."""


class ChangedMeanwhile(KubeError):
    """It is not what it was any more; read it again and decide anew."""


class Gone(KubeError):
    """There is no such thing any more."""


class NotAllowed(KubeError):
    """The operator's account may not; the words say what it lacks."""


class Silent(KubeError):
    """Nobody answered; it may be asked again."""

    transient = True


class Invalid(KubeError):
    """The API server will not have it so."""
