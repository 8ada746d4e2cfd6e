"""The files around the package agree with it, and with each other."""

import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from pymongo.uri_parser import parse_uri

from tests import engines, fetch_servers
from tests.project import EXTRAS, PROJECT

ROOT = Path(__file__).parents[1]
COMPOSE_FILE = ROOT / "docker-compose.yml"
WORKFLOW_FILE = ROOT / ".github" / "workflows" / "tests.yml"
MAKEFILE = (ROOT / "Makefile").read_text()
# MongoDB's major versions from the oldest that the store supports to that of the compose file.
MONGODB_MAJORS = ["4.4", "5.0", "6.0", "7.0", "8.0"]
ACTIONS = {
    "actions/checkout",
    "actions/setup-python",
    "actions/upload-artifact",
    "actions/download-artifact",
    "actions/attest-build-provenance",
    "actions/upload-pages-artifact",
    "actions/deploy-pages",
    "pypa/gh-action-pypi-publish",
}
CHECKS = ["lint", "types", "audit", "site"]
URI = re.compile(r"mongodb://[^\s'\"`)]+:[^\s'\"`)]+@127\.0\.0\.1[^\s'\"`)]*")

PYTHONS = [
    classifier.rpartition(" ")[2]
    for classifier in PROJECT.get_all("Classifier") or []
    if re.fullmatch(r"Programming Language :: Python :: 3\.\d+", classifier)
]


@pytest.fixture
def service() -> Any:
    """The one service of the compose file."""
    compose = yaml.safe_load(COMPOSE_FILE.read_text())
    [service] = compose["services"].values()
    named = {volume.partition(":")[0] for volume in service["volumes"]}
    assert named == set(compose["volumes"])
    return service


@pytest.fixture
def jobs() -> Any:
    """The jobs of the workflow, by name."""
    return yaml.safe_load(WORKFLOW_FILE.read_text())["jobs"]


def local_uri(service: Any) -> str:
    """The URI that the compose file's server is reached by."""
    user, password = (
        service["environment"][f"MONGO_INITDB_ROOT_{name}"] for name in ("USERNAME", "PASSWORD")
    )
    host, port, _ = service["ports"][0].split(":")
    return f"mongodb://{user}:{password}@{host}:{port}/?replicaSet={replica_set(service)}"


def replica_set(service: Any) -> str:
    return options(service)["--replSet"]


def options(service: Any) -> dict[str, str]:
    return dict(argument.split("=") for argument in service["command"][1:])


def test_compose_pins_mongodb(service: Any) -> None:
    assert re.fullmatch(r"mongo:\d+\.\d+\.\d+", service["image"])
    assert service["image"].startswith(f"mongo:{MONGODB_MAJORS[-1]}.")


def test_compose_serves_this_machine_alone(service: Any) -> None:
    assert [port.rpartition(":")[0] for port in service["ports"]] == ["127.0.0.1:27017"]
    assert "network_mode" not in service


def test_compose_keeps_the_data_and_the_key_in_named_volumes(service: Any) -> None:
    folders = [volume.partition(":")[2] for volume in service["volumes"]]

    assert folders == ["/data/db", "/data/configdb"]
    assert options(service)["--keyFile"].startswith("/data/configdb/")


def test_compose_waits_for_a_primary_that_clients_find(service: Any) -> None:
    kind, check = service["healthcheck"]["test"]

    assert kind == "CMD-SHELL"
    [(name, host)] = re.findall(
        r'rs\.initiate\({_id: "(\w+)", members: \[{_id: 0, host: "([^"]+)"}]}\)', check
    )
    assert name == replica_set(service)
    assert host == service["ports"][0].rpartition(":")[0]
    assert "quit(db.hello().isWritablePrimary ? 0 : 1)" in check
    for variable in service["environment"]:
        assert f'"$${variable}"' in check


@pytest.mark.skipif(sys.platform != "linux", reason="runs with the tools of a Linux image")
def test_compose_makes_the_key_once(service: Any, tmp_path: Path) -> None:
    key = tmp_path / "key"
    entrypoint = tmp_path / "docker-entrypoint.sh"
    entrypoint.write_text('#!/bin/sh\necho "$@"\n')
    entrypoint.chmod(0o755)
    shell, flags, script, name = service["entrypoint"]
    script = script.replace("$$", "$").replace(options(service)["--keyFile"], str(key))
    search = {**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}

    keys = []
    for _ in range(2):
        started = subprocess.run(
            [shell, flags, script, name, *service["command"]],
            env=search,
            check=True,
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert started.stdout.split() == service["command"]
        keys.append(key.read_text())

    assert keys[0] == keys[1]
    # MongoDB's rule for key files: 6 to 1024 base64 characters, for their owner alone.
    assert re.fullmatch(r"[A-Za-z0-9+/=]{6,1024}", keys[0])
    assert stat.S_IMODE(key.stat().st_mode) == 0o600


def test_every_uri_is_that_of_the_compose_file(service: Any) -> None:
    uri = local_uri(service)
    parse_uri(uri)
    documents = [COMPOSE_FILE, WORKFLOW_FILE, *ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")]

    for document in documents:
        text = document.read_text()
        assert set(URI.findall(text)) <= {uri}, document.name
        if "docker compose up" in text:
            assert "docker compose up -d --wait" in text, document.name
            assert uri in text, document.name


def test_the_workflow_runs_every_python_and_mongodb(jobs: Any) -> None:
    matrix = jobs["suite"]["strategy"]["matrix"]
    versions = {job["mongodb"] for job in matrix["include"]} | set(matrix["mongodb"])

    assert matrix["python"] == PYTHONS
    assert {job["python"] for job in matrix["include"]} <= set(PYTHONS)
    assert sorted(versions) == MONGODB_MAJORS


def test_the_workflow_runs_the_oldest_pymongo_on_the_oldest_mongodb(jobs: Any) -> None:
    [pymongo] = [
        requirement
        for requirement in PROJECT.get_all("Requires-Dist") or []
        if requirement.startswith("pymongo") and "extra" not in requirement
    ]
    [oldest] = re.findall(r">=([\d.]+)", pymongo)
    [job] = [
        job
        for job in jobs["suite"]["strategy"]["matrix"]["include"]
        if job["mongodb"] == MONGODB_MAJORS[0]
    ]

    assert job["pymongo"] == f"pymongo=={oldest}.*"


def test_the_workflow_runs_replica_sets_and_one_standalone_server(jobs: Any) -> None:
    matrix = jobs["suite"]["strategy"]["matrix"]
    topologies = [*matrix["topology"], *(job["topology"] for job in matrix["include"])]

    assert topologies.count("standalone") == 1
    assert topologies.count("replica set") == len(MONGODB_MAJORS)


def test_a_claimed_version_has_to_be_the_servers(monkeypatch: pytest.MonkeyPatch) -> None:
    for claimed, version in [("", "6.0.5"), ("6.0", "6.0.5"), ("6.0.5", "6.0.5")]:
        monkeypatch.setattr(engines, "CLAIMED_VERSION", claimed)
        engines._check_version(version)
    for claimed, version in [("6.0.2", "6.0.27"), ("4.4", "6.0.5"), ("6.0.5", "6.0")]:
        monkeypatch.setattr(engines, "CLAIMED_VERSION", claimed)
        with pytest.raises(RuntimeError, match=f"says {claimed}, and this is {version}"):
            engines._check_version(version)


def test_make_servers_runs_versions_that_can_be_fetched() -> None:
    assert variable("SERVERS").split() == list(fetch_servers.SERVERS)
    assert [".".join(version.split(".")[:2]) for version in fetch_servers.SERVERS] == (
        MONGODB_MAJORS[:3]
    )


def test_ci_runs_everything_that_make_offers_for_it() -> None:
    script = (ROOT / ".ci" / "run").read_text()

    assert re.findall(r"(?m)^ +time make (\w+)$", script) == ["test", "servers", "demo", "dist"]


def test_the_workflows_use_few_actions_and_pin_them() -> None:
    used = [
        step["uses"]
        for workflow in WORKFLOW_FILE.parent.glob("*.yml")
        for job in yaml.safe_load(workflow.read_text())["jobs"].values()
        for step in job["steps"]
        if "uses" in step
    ]

    assert {action.partition("@")[0] for action in used} == ACTIONS
    assert all(re.fullmatch(r"[\w/-]+@[0-9a-f]{40}", action) for action in used)


def test_a_release_is_published_without_a_password_by_one_job_alone() -> None:
    text = (WORKFLOW_FILE.parent / "release.yml").read_text()
    workflow = yaml.safe_load(text)
    jobs = workflow["jobs"]

    assert "secrets." not in text
    assert workflow["permissions"] == {"contents": "read"}
    assert jobs["publish"]["permissions"] == {"id-token": "write"}
    assert jobs["publish"]["needs"] == "build"
    assert jobs["publish"]["environment"] == "pypi"
    assert [step["uses"].partition("@")[0] for step in jobs["publish"]["steps"]] == [
        "actions/download-artifact",
        "pypa/gh-action-pypi-publish",
    ]


def test_the_templates_and_dependabot_can_be_read() -> None:
    templates = ROOT / ".github" / "ISSUE_TEMPLATE"
    forms = [yaml.safe_load(path.read_text()) for path in templates.glob("*.yml")]

    assert len([form for form in forms if form.keys() >= {"name", "description", "body"}]) == 2
    updated = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())["updates"]
    assert {one["package-ecosystem"] for one in updated} >= {"pip", "github-actions"}


def test_the_workflow_runs_what_make_test_and_make_demo_run(jobs: Any) -> None:
    commands = " ".join(
        step.get("run", "").replace("${{ matrix.sdk }}", version)
        for job in jobs.values()
        for step in job["steps"]
        for version in job.get("strategy", {}).get("matrix", {}).get("sdk", [""])
    )
    made = {
        target
        for targets in re.findall(r"make ((?:[\w-]+ )+)PYTHON=", commands)
        for target in targets.split()
    }

    lines = [f"matrix-{line}" for line in variable("MATRIX").split()]
    assert made == {*CHECKS, "suite", "demo", "coverage", "lowest", "dist", *lines}
    assert f"\ntest: {' '.join(CHECKS)} suite matrix\n" in MAKEFILE


def test_the_extras_that_make_installs_exist() -> None:
    named = re.findall(r"(?m)EXTRAS :?= (.*)$|--editable '\.\[(\w.*)]'", MAKEFILE)
    installed = {
        extra.replace("$(@D:.venv-%=%)", f"crm{line}")
        for extras in map("".join, named)
        for extra in extras.split(",")
        for line in variable("MATRIX").split()
    }

    assert {"crm5", "crm8", "dev", "suite", "bench"} <= installed <= EXTRAS


def variable(name: str) -> str:
    """A variable of the Makefile."""
    [value] = re.findall(rf"(?m)^{name} [:?]= (.*)$", MAKEFILE)
    return str(value)


def test_no_import_runs_upward_and_there_is_no_circle() -> None:
    """The contracts of import-linter in pyproject.toml."""
    lint = (
        "from importlinter.cli import lint_imports; raise SystemExit(lint_imports(no_cache=True))"
    )
    checked = subprocess.run(
        [sys.executable, "-c", lint], cwd=ROOT, capture_output=True, text=True, timeout=120
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr
