"""What the gateway says no with: a closed set, each with the status that every surface gives it.

ExpectedError
└── GatewayError
    ├── NotSignedIn       401
    ├── Denied            403
    ├── NotThere          404
    ├── WrongAsk          400
    ├── WrongMethod       405
    ├── OtherBody         409
    ├── Busy              409  (transient)
    ├── NotThisJob        412
    ├── TooLarge          413
    ├── WrongType         415
    ├── BeyondEnd         416
    ├── Refused           422
    ├── TooFast           429  (transient)
    ├── NotOffered        501
    ├── NotNow            503  (transient)
    ├── OutcomeUnknown    504  (transient)
    └── NotTrusted        -    (of the client alone: who answers is not known to be the gateway)

`kind` is the last part of the problem's type, which programs may act upon; it never changes.
"""

from typing import ClassVar

from waldur_slurm.errors import ExpectedError


class GatewayError(ExpectedError):
    """Root of what a request may be answered with instead of what it asked for."""

    kind: ClassVar[str] = "failed"
    status: ClassVar[int] = 500
    title: ClassVar[str] = "The gateway failed"


class NotSignedIn(GatewayError):
    """Nobody is known to ask, or what he showed is not, or no longer, valid."""

    kind = "not-signed-in"
    status = 401
    title = "A valid token is needed"


class Denied(GatewayError):
    """Who asks is known, and may not do this."""

    kind = "denied"
    status = 403
    title = "Not allowed"


class LetterDenied(Denied):
    """He may come in, and may not have letters sent by this way, or to this place."""


class NotThere(GatewayError):
    """There is no such thing, or none that the one who asks may see."""

    kind = "not-there"
    status = 404
    title = "There is no such thing"


class NoSuchAddress(NotThere):
    """No route has this path."""


class WrongAsk(GatewayError):
    """The request does not say what it should; the text says where."""

    kind = "wrong-ask"
    status = 400
    title = "The request is not understood"


class WrongMethod(GatewayError):
    kind = "wrong-method"
    status = 405
    title = "It is not asked in this way"


class OtherBody(GatewayError):
    """The same key, or the same name, was used for something else already."""

    kind = "other-body"
    status = 409
    title = "The key was used for another request"


class NotThisJob(GatewayError):
    """There is a job of that number, but not the one that is meant; it was left alone."""

    kind = "not-this-job"
    status = 412
    title = "It is another job"


class TooLarge(GatewayError):
    kind = "too-large"
    status = 413
    title = "The request is too large"


class WrongType(GatewayError):
    kind = "wrong-type"
    status = 415
    title = "It is not of the expected type"


class BeyondEnd(GatewayError):
    """What is asked for begins beyond the end of what is there; of `size` bytes."""

    kind = "beyond-end"
    status = 416
    title = "It ends before that"

    def __init__(self, words: str, size: int) -> None:
        super().__init__(words)
        self.size = size


class NotTrusted(GatewayError):
    """Who answers shows a certificate that is not trusted, so nothing was asked of him."""


class Refused(GatewayError):
    """Slurm, or the user's own system, refused it; asked again in the same way it will again."""

    kind = "refused"
    status = 422
    title = "It was refused"

    def __init__(self, words: str, refusal: str = "other", limit: str | None = None) -> None:
        """`refusal` is one of `model.batch.Refusal`; `limit` what was met, where Slurm names it."""
        super().__init__(words)
        self.refusal = refusal
        self.limit = limit


class NotOffered(GatewayError):
    """This gateway was not set up to do it; the text says which setting is missing."""

    kind = "not-offered"
    status = 501
    title = "Not offered here"


class TryLater(GatewayError):
    """Nothing was done, and the same request may succeed after a while."""

    transient = True

    def __init__(self, words: str, after_s: float = 1.0) -> None:
        super().__init__(words)
        self.after_s = after_s


class TooFast(TryLater):
    kind = "too-fast"
    status = 429
    title = "Too many requests"


class NotNow(TryLater):
    """Slurm does not answer, or too many wait already."""

    kind = "not-now"
    status = 503
    title = "Not now"


class Busy(TryLater):
    """Something that excludes this is being done to the same thing at the moment."""

    kind = "busy"
    status = 409
    title = "Something is being done to it already"


class OutcomeUnknown(TryLater):
    """It may have been done or not: the same request, or a look, tells later which."""

    kind = "outcome-unknown"
    status = 504
    title = "It is not known whether it was done"
