"""Loads the fixtures; what they are stands in the modules named here."""

pytest_plugins = [
    "tests.fixtures_docker",
    "tests.fixtures_program",
    "tests.fixtures_slurm",
    "tests.fixtures_executor",
    "tests.fixtures_hand",
    "tests.fixtures_hypothesis",
    "tests.fixtures_kube",
    "tests.fixtures_rabbitmq",
    "tests.fixtures_ssh",
    "tests.fixtures_waldur",
    "tests.trust.tally",
    "tests.units",
]
