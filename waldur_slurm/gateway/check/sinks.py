"""Would the ways that letters go take one? Asked without sending any."""

from waldur_slurm.gateway.post.letter import Method
from waldur_slurm.gateway.post.port import Greeter, Sender
from waldur_slurm.service.check.known import Known, known

ADVICE: dict[Method | None, str] = {
    Method.EMAIL: "see that SMTP_SERVER, SMTP_PORT and GATEWAY_SMTP_SECURITY are the relay's, that"
    " its certificate is trusted here, and SMTP_USERNAME and SMTP_PASSWORD what it knows",
    Method.GMAIL: "set GMAIL_CREDENTIALS_PATH to a file of Google's that the gateway's user may"
    " read, of somebody who may send as GATEWAY_SMTP_FROM",
    Method.SLACK: "set SLACK_BOT_TOKEN to that of a bot with chat:write, and see that this host"
    " reaches slack.com",
    Method.RABBITMQ: "see that RABBITMQ_HOST and RABBITMQ_PORT are the broker's, and that it knows"
    " RABBITMQ_USERNAME with RABBITMQ_PASSWORD in RABBITMQ_PATH",
    None: "see what docs/gateway.md says of that way",
}


def greeted(sender: Sender) -> Known[str] | None:
    """Return what was found; None of a way that cannot be asked without a letter."""
    return known(sender.greet) if isinstance(sender, Greeter) else None
