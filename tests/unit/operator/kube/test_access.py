"""A kubeconfig that cannot be used is told in one line that says what is wrong with it."""

import ssl
from pathlib import Path

import pytest

from waldur_slurm.errors import SettingsError
from waldur_slurm.operator.errors import Silent
from waldur_slurm.operator.kube.access import Access, access_by_kubeconfig
from waldur_slurm.operator.kube.talk import Talk

WHOLE = """\
current-context: lab
contexts: [{name: lab, context: {cluster: lab, user: operator}}]
clusters: [{name: lab, cluster: {server: "https://127.0.0.1:1"}}]
users: [{name: operator, user: {token: t}}]
"""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("foo: [", "is no YAML: while parsing a flow node expected the node content"),
        ("- a", "is no kubeconfig"),
        ("foo: bar", "does not say which context is meant"),
        (WHOLE.replace("current-context: lab", "current-context: l"), "has no context 'l'"),
        (WHOLE.replace("cluster: lab, ", ""), "does not say which cluster is meant"),
        (WHOLE.replace("https", "http"), "has to begin with https://"),
        (WHOLE.replace("token: t", "exec: {}"), "give it a token instead"),
    ],
)
def test_what_is_wrong_with_a_kubeconfig_is_one_line(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "config"
    file.write_text(text)
    with pytest.raises(SettingsError) as raised:
        access_by_kubeconfig(file)

    (line,) = str(raised.value).splitlines()
    assert str(file) in line
    assert said in line


def test_a_kubeconfig_that_is_not_there_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"none cannot be read: No such file or directory$"):
        access_by_kubeconfig(tmp_path / "none")


def test_a_server_that_is_not_there_is_told_without_the_librarys_words() -> None:
    talk = Talk(Access("https://127.0.0.1:1", ssl.create_default_context()))
    with pytest.raises(Silent, match=r"^the API server did not answer: Connection refused$"):
        talk.get("/version")
