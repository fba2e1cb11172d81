"""An admin who tries his settings of letters, and looks what became of them."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.rabbitmq import PASSWORD, USER, Broker
from tests.fakes.letters import FakeLetters
from tests.unit.gateway.post.sinks import make_certificate, relaying, serving
from waldur_slurm.errors import SettingsError
from waldur_slurm.gateway.posting import gate_of, postman_of
from waldur_slurm.gateway.settings import Settings

SECRET = "a-secret-of-the-site"


class Admin:
    def __init__(self, state: Path, **environ: str) -> None:
        self.environ = {"PATH": os.defpath, "GATEWAY_STATE_DIR": str(state), **environ}

    def type(self, *words: str) -> "subprocess.CompletedProcess[str]":
        argv = [sys.executable, "-m", "waldur_slurm.gateway.main", "letter", *words]
        return subprocess.run(
            argv, check=False, capture_output=True, text=True, timeout=60, env=self.environ
        )

    def show(self) -> str:
        argv = [sys.executable, "-m", "waldur_slurm.gateway.main", "settings"]
        return subprocess.check_output(argv, text=True, timeout=60, env=self.environ)


def mailing(state: Path, port: int) -> Admin:
    return Admin(
        state,
        SMTP_SERVER="127.0.0.1",
        SMTP_PORT=str(port),
        GATEWAY_SMTP_SECURITY="none",
        GATEWAY_SMTP_FROM="slurm@hpc.example.org",
    )


def test_a_letter_to_try_it_arrives_and_is_listed(tmp_path: Path) -> None:
    with relaying() as relay:
        admin = mailing(tmp_path, relay.port)
        sent = admin.type("test", "--method", "email", "--to", "ann@example.org")

        assert sent.returncode == 0, sent.stderr
        assert sent.stdout.endswith("was taken by email.\n")
        (message,) = relay.taken
        assert message["To"] == "ann@example.org"
        assert "no job is concerned" in message.get_content()

    (listed,) = json.loads(admin.type("list", "--json").stdout)
    assert (listed["stage"], listed["tries"], listed["to"]) == ("delivered", 1, "ann@example.org")
    assert f"<{listed['message_id']}@hpc.example.org>" == message["Message-ID"]
    assert listed["message_id"] in admin.type("list").stdout


def test_a_letter_that_is_refused_or_not_taken_says_why(tmp_path: Path) -> None:
    with relaying() as relay:
        admin = mailing(tmp_path, relay.port)
        words = ("test", "--method", "email", "--to", "ann@example.org")
        relay.to_recipient = "550 nobody of that name"
        refused = admin.type(*words)
        relay.to_recipient = "451 greylisted"
        later = admin.type(*words)

    assert refused.returncode == 1
    assert "550 nobody of that name" in refused.stdout
    assert later.returncode == 75
    assert "451 greylisted" in later.stdout
    newest, oldest = json.loads(admin.type("list", "--json").stdout)
    assert (newest["stage"], oldest["stage"]) == ("waiting", "dead")
    assert newest["next_try"]
    assert oldest["next_try"] is None
    assert "nobody of that name" in oldest["last_words"]


def test_a_program_of_the_sites_own_net_is_told_where_the_settings_say_so(tmp_path: Path) -> None:
    with serving() as sink:
        words = ("test", "--method", "webhook", "--to", f"http://127.0.0.1:{sink.port}/")
        stranger = Admin(tmp_path, GATEWAY_WEBHOOK_SECRET=SECRET)
        refused = stranger.type(*words)
        stranger.environ["GATEWAY_WEBHOOK_NETWORKS"] = "127.0.0.0/8"
        told = stranger.type(*words)

    assert refused.returncode == 1
    assert "GATEWAY_WEBHOOK_NETWORKS" in refused.stdout
    assert told.returncode == 0
    assert len(sink.heard) == 1
    assert SECRET not in refused.stdout + refused.stderr + told.stdout + told.stderr


@pytest.mark.parametrize("security", ["starttls", "tls", "none"])
def test_mail_goes_as_the_settings_say_and_in_the_open_only_where_they_do(
    tmp_path: Path, security: str
) -> None:
    certificate = make_certificate(tmp_path)
    options: dict[str, dict[str, object]] = {
        "starttls": {"tls_context": certificate.server(), "require_starttls": True},
        "tls": {"ssl_context": certificate.server()},
        "none": {},
    }
    with relaying(**options[security]) as relay:
        admin = mailing(tmp_path / "state", relay.port)
        admin.environ |= {"SMTP_SERVER": "localhost", "GATEWAY_SMTP_SECURITY": security}
        untrusted = admin.type("test", "--method", "email", "--to", "ann@example.org")
        admin.environ["SSL_CERT_FILE"] = str(certificate.file)
        trusted = admin.type("test", "--method", "email", "--to", "ann@example.org")

    assert untrusted.returncode == (0 if security == "none" else 75)
    assert trusted.returncode == 0, trusted.stdout
    assert len(relay.taken) == (2 if security == "none" else 1)


def test_a_queue_of_a_real_broker_gets_a_letter_by_either_name_of_the_way(
    tmp_path: Path, rabbitmq: Broker
) -> None:
    admin = Admin(
        tmp_path,
        RABBITMQ_HOST="127.0.0.1",
        RABBITMQ_PORT=str(rabbitmq.port),
        RABBITMQ_USERNAME=USER,
        RABBITMQ_PASSWORD=PASSWORD,
    )
    done = [
        admin.type("test", "--method", method, "--to", f"trial.{method}")
        for method in ("rabbitmq", "rabbithq")
    ]
    admin.environ |= {
        "RABBITMQ_HOST": "localhost",
        "RABBITMQ_PORT": str(rabbitmq.tls_port),
        "GATEWAY_RABBITMQ_TLS": "true",
        "SSL_CERT_FILE": str(rabbitmq.directory / "localhost.pem"),
    }
    by_tls = admin.type("test", "--method", "rabbitmq", "--to", "trial")
    admin.environ["RABBITMQ_PASSWORD"] = SECRET
    later = admin.type("test", "--method", "rabbitmq", "--to", "trial")

    assert [each.returncode for each in done] == [0, 0], done[0].stderr
    assert all("was taken by rabbitmq" in each.stdout for each in done)
    assert by_tls.returncode == 0, by_tls.stdout
    assert later.returncode == 75
    assert "the password, is refused" in later.stdout
    assert SECRET not in later.stdout + later.stderr


def test_a_target_of_apprise_is_told_and_its_url_shown_to_nobody(tmp_path: Path) -> None:
    with serving() as sink:
        url = f"json://user:{SECRET}@127.0.0.1:{sink.port}/"
        admin = Admin(tmp_path, GATEWAY_APPRISE_TARGETS=f"ops={url} ops={url}again")
        told = admin.type("test", "--method", "apprise", "--to", "ops")
        unknown = admin.type("test", "--method", "apprise", "--to", url)
        settings = admin.show()

    assert told.returncode == 0, told.stderr
    assert len(sink.heard) == 2
    assert unknown.returncode == 1
    assert "GATEWAY_APPRISE_TARGETS" in settings
    said = told.stdout + told.stderr + unknown.stderr + settings
    assert SECRET not in said


@pytest.mark.parametrize("method", ["pigeon", "apprise:ops"])
def test_a_way_that_is_none_is_a_wrong_usage(tmp_path: Path, method: str) -> None:
    done = Admin(tmp_path).type("test", "--method", method)

    assert done.returncode == 2
    assert "expected email or gmail" in done.stderr


@pytest.mark.parametrize(
    ("environ", "extra"),
    [
        ({"RABBITMQ_HOST": "broker"}, "rabbitmq"),
        ({"GATEWAY_APPRISE_TARGETS": "a=json://b"}, "apprise"),
    ],
)
def test_a_way_whose_extra_is_not_installed_says_how_to(
    environ: dict[str, str], extra: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, f"waldur_slurm.gateway.post.senders.{extra}", None)
    told = Settings.from_environ(environ).letters

    with pytest.raises(SettingsError) as refused:
        postman_of(told, FakeLetters(), gate_of(told), dict, lambda _event: None, str)

    assert f"pip install 'waldur-slurm-agent[gateway,{extra}]'" in str(refused.value)


def test_a_way_that_is_not_set_up_says_what_it_needs(tmp_path: Path) -> None:
    done = Admin(tmp_path).type("test", "--method", "email", "--to", "ann@example.org")

    assert (done.returncode, done.stdout) == (78, "")
    assert "SMTP_SERVER is not set" in done.stderr
    assert not [*tmp_path.iterdir()]


def test_the_log_takes_a_letter_always(tmp_path: Path) -> None:
    done = Admin(tmp_path).type("test", "--method", "test")

    assert done.returncode == 0
    assert "letter.test" in done.stderr


MAIL = {"SMTP_SERVER": "relay.example.org", "GATEWAY_SMTP_FROM": "slurm@example.org"}


@pytest.mark.parametrize(
    ("environ", "mistake"),
    [
        ({**MAIL, "GATEWAY_SMTP_FROM": ""}, "GATEWAY_SMTP_FROM is not set"),
        ({**MAIL, "GATEWAY_SMTP_FROM": "Slurm <a@b.org>"}, "one bare e-mail address"),
        ({**MAIL, "SMTP_USERNAME": "post"}, "of SMTP_USERNAME and SMTP_PASSWORD one is set"),
        (
            {
                **MAIL,
                "SMTP_USERNAME": "post",
                "SMTP_PASSWORD": SECRET,
                "GATEWAY_SMTP_SECURITY": "none",
            },
            "GATEWAY_SMTP_SECURITY is none",
        ),
        ({"GATEWAY_APPRISE_TARGETS": f"json://host/{SECRET}"}, "targets such as ops="),
        ({"GATEWAY_LETTERS_ALLOWED": "* may everything"}, "sentences such as"),
        ({"GATEWAY_WEBHOOK_NETWORKS": "0.0.0.0/0"}, "a network that is not everybody"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(
    environ: dict[str, str], mistake: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ(environ)

    (told,) = refused.value.mistakes
    assert mistake in told
    assert SECRET not in told
