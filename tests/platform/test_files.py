"""The files that others run: there is no container engine here, so they are read closely."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.core.config import Settings
from tests.rules.sources import ROOT

VARIABLES = {name.upper() for name in Settings.model_fields}
PINNED = re.compile(r":[\w.-]*\d[\w.-]*$")
PYTHON = re.compile(r"^PYTHON")


def instructions(text: str) -> list[tuple[str, str]]:
    """The instructions of a Dockerfile with their arguments, continued lines joined."""
    joined = re.sub(r"\\\n", " ", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [
        (word.upper(), rest.strip()) for word, _, rest in (line.partition(" ") for line in joined.splitlines()) if word
    ]


def variables(text: str) -> dict[str, str]:
    return dict(re.findall(r'(\w+)=("[^"]*"|\S+)', text))


def faults(text: str) -> list[str]:
    """What is wrong with a Dockerfile."""
    steps = instructions(text)
    words = [word for word, _ in steps]
    last = max(i for i, word in enumerate(words) if word == "FROM")
    images = [rest.split()[0] for word, rest in steps if word == "FROM"]
    users = [rest for word, rest in steps[last:] if word == "USER"]
    given = {name for word, rest in steps if word == "ENV" for name in variables(rest)} - {"PATH"}
    copies = [rest for word, rest in steps if word == "COPY"]
    packages = next((i for i, rest in enumerate(copies) if "requirements.txt" in rest), -1)
    program = next((i for i, rest in enumerate(copies) if re.match(r"(--\S+ )*(app|\.)\s", rest)), -1)
    found = [f"{image} has no pinned tag" for image in images if not PINNED.search(image)]
    found += [] if users and users[-1] not in {"root", "0"} else ["the last USER must not be root"]
    found += [] if "HEALTHCHECK" in words[last:] else ["there is no HEALTHCHECK"]
    found += [] if 0 <= packages < program else ["packages are installed before the program is copied"]
    found += [f"{word} must be in exec form" for word, rest in steps if word == "CMD" and not rest.startswith("[")]
    found += (
        [] if all("--require-hashes" in r for w, r in steps if w == "RUN" and "pip install" in r) else ["no hashes"]
    )
    for rest in (rest for word, rest in steps if word == "RUN" and "apt-get install" in rest):
        found += [] if "--no-install-recommends" in rest else ["apt-get installs what nobody needs"]
        found += [] if "rm -rf /var/lib/apt/lists" in rest else ["apt-get leaves its lists in the image"]
    found += ["ADD fetches and unpacks: use COPY"] if "ADD" in words else []
    found += [f"{name} is no setting" for name in sorted(given - VARIABLES) if not PYTHON.match(name)]
    return found


def test_the_dockerfile_is_sound() -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert faults(text) == []
    steps = dict(instructions(text))
    assert steps["CMD"] == '["python", "-m", "app", "serve"]'
    assert '"HOST": "0.0.0.0"' in str(variables(steps["ENV"])).replace("'", '"')
    assert "/livez" in steps["HEALTHCHECK"]
    image = text.rpartition("\nFROM ")[2]
    assert re.search(r"apt-get install [^&]*\bffmpeg\b", image), "uploads would have no renditions"
    for word, rest in instructions(text):
        if word == "COPY" and not rest.startswith("--"):
            assert all((ROOT / source).exists() for source in rest.split()[:-1]), rest


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("USER soundscore", "USER root", "root"),
        ("USER soundscore\n", "", "root"),
        ("python:3.13-slim-bookworm", "python:latest", "pinned"),
        ("HEALTHCHECK", "LABEL", "HEALTHCHECK"),
        ("COPY requirements.txt /", "COPY app /app", "before"),
        (" --require-hashes", "", "hashes"),
        (" --no-install-recommends", "", "nobody needs"),
        ("rm -rf /var/lib/apt/lists", "ls /var/lib/apt/lists", "lists"),
        ('CMD ["python", "-m", "app", "serve"]', "CMD python -m app serve", "exec form"),
        ("LOG_FORMAT=json", "LOG_FROMAT=json", "LOG_FROMAT"),
    ],
)
def test_the_linter_sees_faults(old: str, new: str, fault: str) -> None:
    text = (ROOT / "Dockerfile").read_text()
    assert old in text
    assert any(fault in found for found in faults(text.replace(old, new)))


def test_the_image_gets_only_what_it_copies() -> None:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    assert lines[1] == "*"
    wanted = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for word, rest in instructions((ROOT / "Dockerfile").read_text())
        if word == "COPY" and not rest.startswith("--")
        for source in rest.split()[:-1]
    }
    assert wanted == copied


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return yaml.safe_load((ROOT / "compose.yaml").read_text())


def test_compose_has_every_part(compose: dict[str, Any]) -> None:
    services = compose["services"]
    assert {"app", "worker", "consumer", "postgres", "redis", "rabbitmq", "minio", "mailpit"} <= services.keys()
    assert services["postgres"]["image"] == "pgvector/pgvector:pg17"
    for name, service in services.items():
        assert "build" in service or PINNED.search(service["image"]), f"{name} has no pinned image"
        if "build" not in service:
            assert service["healthcheck"]["test"], f"{name} has no healthcheck"


def test_compose_waits_for_what_it_needs(compose: dict[str, Any]) -> None:
    services = compose["services"]
    for name in ("app", "worker", "consumer"):
        needs = services[name]["depends_on"]
        assert needs["migrate"] == {"condition": "service_completed_successfully"}
        assert needs["postgres"] == needs["redis"] == {"condition": "service_healthy"}
    for name, service in services.items():
        assert service.get("depends_on", {}).keys() <= services.keys(), name
        for volume in service.get("volumes", []):
            assert volume.partition(":")[0] in compose["volumes"], f"{name}: {volume}"


def test_compose_starts_alone_what_the_server_needs(compose: dict[str, Any]) -> None:
    """What has a profile starts only with it, and nothing without one may insist on it."""
    services = compose["services"]
    extra = {name for name, service in services.items() if "profiles" in service}
    assert extra == {"consumer", "rabbitmq", "minio", "mailpit"}
    assert all(services[name]["profiles"] == ["full"] for name in extra)
    assert "docker compose --profile full up" in (ROOT / "README.md").read_text()
    for name in services.keys() - extra:
        for needed, how in services[name].get("depends_on", {}).items():
            assert needed not in extra or how["required"] is False, f"{name} needs {needed}"


def test_compose_speaks_of_settings_that_exist_and_fit(
    compose: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    services = compose["services"]
    for name in ("app", "worker", "consumer", "migrate"):
        given = services[name]["environment"]
        assert given.keys() <= VARIABLES, given.keys() - VARIABLES
        plain = {key: re.sub(r"\$\{\w+:[?-]([^}]*)\}", r"\1", value) for key, value in given.items()}
        assert plain["SMTP_URL"] == "", "Mailpit is not there by default"
        for key in VARIABLES & os.environ.keys():
            monkeypatch.delenv(key)
        for key, value in (plain | {"SECRET_KEY": "0" * 64}).items():
            monkeypatch.setenv(key, value)
        settings = Settings(_env_file=None)
        assert settings.environment == "production"
        assert bool(settings.rabbitmq_url) == (name == "consumer"), "RabbitMQ is not there by default"
        for url in filter(None, (settings.database_url, settings.redis_url, settings.rabbitmq_url)):
            assert re.split(r"[@/]+", url)[-2 if url.count("/") > 2 else -1].partition(":")[0] in services, url


def test_railway_migrates_first_and_restarts_three_times() -> None:
    railway = tomllib.loads((ROOT / "railway.toml").read_text())
    assert railway["build"] == {"builder": "DOCKERFILE", "dockerfilePath": "Dockerfile"}
    deploy = railway["deploy"]
    assert deploy["preDeployCommand"] == ["python -m app migrate"]
    assert deploy["healthcheckPath"] == "/health"
    assert (deploy["restartPolicyType"], deploy["restartPolicyMaxRetries"]) == ("ON_FAILURE", 3)


def test_the_example_sets_nothing_and_names_everything() -> None:
    lines = (ROOT / ".env.example").read_text().splitlines()
    assert [line for line in lines if line and not line.startswith("#")] == []
    named = re.findall(r"^#([A-Z][A-Z0-9_]+)=", "\n".join(lines), re.MULTILINE)
    assert sorted(named) == sorted(VARIABLES)


def test_the_examples_values_are_the_defaults(tmp_path: Path) -> None:
    example = (ROOT / ".env.example").read_text()
    file = tmp_path / ".env"
    file.write_text(re.sub(r"^#(?=[A-Z][A-Z0-9_]+=)", "", example, flags=re.MULTILINE))
    assert Settings(_env_file=file) == Settings(_env_file=None)


def pins(name: str) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9][a-z0-9._-]*(?:\[[^]]+\])?)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))


def test_requirements_are_hashed_without_an_index_and_tested_as_they_run() -> None:
    run, dev = pins("requirements.txt"), pins("requirements-dev.txt")
    assert len(run) > 50
    assert {name: dev.get(name) for name in run} == run, "tests run with other versions than the server"
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        entries = re.split(r"\n(?=[a-z0-9])", text)
        assert all("--hash=sha256:" in entry for entry in entries if "==" in entry)
        assert not re.search(r"index-url|https?://|find-links", text)


@pytest.mark.parametrize("script", [".ci/run", ".ci/venv", ".ci/install", ".ci/drift"])
def test_scripts_are_well_formed(script: str) -> None:
    text = (ROOT / script).read_text()
    shell = "bash" if text.startswith("#!/usr/bin/env bash") else "sh"
    assert subprocess.run([shell, "-n", ROOT / script], check=False).returncode == 0
    assert re.search(r"^set -eu", text, re.MULTILINE)


def test_make_help_names_every_target() -> None:
    makefile = (ROOT / "Makefile").read_text()
    targets = re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE)
    told = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in targets if name != "help" and f"make {name} " not in told] == []


def test_a_python_that_is_too_old_is_told_so(tmp_path: Path) -> None:
    for name in ("python3", "python3.14", "python3.13", "python3.12", "python3.11", "python"):
        old = tmp_path / "bin" / name
        old.parent.mkdir(exist_ok=True)
        old.write_text("#!/bin/sh\nexit 1\n")
        old.chmod(0o755)
    ended = subprocess.run(
        ["/bin/sh", ROOT / ".ci" / "venv"],
        cwd=tmp_path,
        env={"PATH": f"{tmp_path}/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 1
    assert ended.stderr == (
        "error: Python 3.11 or later is needed. Install it, or name it: make run PYTHON=/path/to/python3\n"
    )
    assert not (tmp_path / ".venv").exists()
