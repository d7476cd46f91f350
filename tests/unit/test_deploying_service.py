"""What `deploy/` starts can be started: commands parse, variables are settings, ports and paths are there."""

import configparser
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml

from kameng_escrow.cli.app import build
from kameng_escrow.cli.serving import PARTS
from kameng_escrow.settings import TABLE, Settings

ROOT = Path(__file__).resolve().parents[2]
DOCKER, SYSTEMD = ROOT / "deploy" / "docker", ROOT / "deploy" / "systemd"
COMPOSE: dict[str, Any] = yaml.safe_load((DOCKER / "docker-compose.yml").read_text("utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if service["image"].startswith("kameng-escrow")}
UNITS = sorted(SYSTEMD.glob("*.service"))
VARIABLES = {row.env for row in TABLE}
HEALTH = re.compile(r"http://127\.0\.0\.1:(\d+)(/\w+)")


def env_file(path: Path) -> dict[str, str]:
    """An environment file: as Compose and systemd read it, none of whose lines need quoting."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line and not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Z_]+=[^\s'\"#$\\]+", line) for line in lines)
    return dict(line.split("=", 1) for line in lines)


@cache
def tree() -> Any:
    return build()


def parsed(arguments: Sequence[str]) -> dict[str, Any]:
    """The options of `kameng …`, as the command line itself reads them. Nothing is run."""
    command = tree()
    context = command.make_context("kameng", list(arguments[:1]), resilient_parsing=True)
    _, found, _ = command.resolve_command(context, list(arguments))
    return dict(found.make_context(arguments[0], list(arguments[1:]), parent=context).params)


def check(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[dict[str, Any], Settings]:
    """What a service is started with, which has to be sound."""
    assert environment.keys() <= VARIABLES, "not a setting"
    options = parsed(arguments)
    assert set(options["only"].split(",")) <= set(PARTS)
    return options, Settings.load(environment)


def ports_of(options: Mapping[str, Any], settings: Settings) -> dict[int, set[str]]:
    """Which ports answer which paths about the process's health."""
    ports = {} if options["metrics"] is None else {options["metrics"]: {"/healthz", "/readyz", "/metrics"}}
    if "api" in options["only"]:
        ports[int(settings.listen.rpartition(":")[2])] = {"/healthz", "/readyz"}
    return ports


# -------------------------------------------------------------------------------------------------------------- Compose


@pytest.mark.parametrize("name", OURS)
def test_a_container_starts_what_there_is(name: str) -> None:
    service = OURS[name]
    environment = {**env_file(DOCKER / "kameng.env.example"), **service["environment"]}
    options, settings = check(service["command"], environment)
    for test in (service["healthcheck"]["test"],):
        [(port, path)] = HEALTH.findall(test[-1])
        assert path in ports_of(options, settings)[int(port)]
    assert settings.store.startswith("postgresql://")


@pytest.mark.parametrize("name", OURS)
def test_a_container_has_the_secrets_that_it_names_and_no_others(name: str) -> None:
    service = OURS[name]
    wanted = set(re.findall(r"/run/secrets/(\w+)", " ".join(service["environment"].values())))
    assert wanted == set(service["secrets"])
    assert wanted <= COMPOSE["secrets"].keys()
    assert all("PASSWORD" not in variable for variable in service["environment"])


@pytest.mark.parametrize("name", OURS)
def test_a_container_may_do_little(name: str) -> None:
    service = OURS[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["restart"] == "unless-stopped"
    assert "ports" not in service  # only the proxy is reached from outside
    written = [volume.split(":")[1] for volume in service.get("volumes", ())]
    assert written in ([], [env_of_image()["KAMENG_FILES"]])


def test_every_part_runs_in_some_container() -> None:
    started = [part for service in OURS.values() for part in parsed(service["command"])["only"].split(",")]
    assert sorted(started) == sorted(PARTS)
    assert {name: COMPOSE["services"][name]["deploy"]["replicas"] for name in ("api", "mirror")} == {
        "api": 2,
        "mirror": 2,
    }


def test_containers_wait_for_what_they_need() -> None:
    for name, service in OURS.items():
        [(other, how)] = service["depends_on"].items()
        assert (other, how["condition"]) == ("postgres" if name == "mirror" else "mirror", "service_healthy")
    for service in COMPOSE["services"].values():
        assert service.get("depends_on", {}).keys() <= COMPOSE["services"].keys()
        volumes = {volume.partition(":")[0] for volume in service.get("volumes", ())}
        assert {volume for volume in volumes if not volume.startswith(".")} <= COMPOSE["volumes"].keys()
        assert all((DOCKER / volume).is_file() for volume in volumes if volume.startswith("."))


def test_the_proxy_passes_on_to_the_port_that_is_listened_on() -> None:
    port = OURS["api"]["environment"]["KAMENG_LISTEN"].rpartition(":")[2]
    passing = (DOCKER / "Caddyfile").read_text("utf-8")
    [replicas] = re.findall(r"dynamic a \{([^}]*)\}", passing)
    found = dict(line.split() for line in replicas.strip().splitlines())
    assert found == {"name": "api", "port": port, "refresh": "2s"}
    assert "{$KAMENG_PUBLIC_URL}" in passing
    assert COMPOSE["services"]["proxy"]["env_file"] == ["kameng.env"]
    assert OURS["api"]["environment"]["KAMENG_PROXIES"] == "1"


# ---------------------------------------------------------------------------------------------------------------- image


def dockerfile() -> list[tuple[str, str]]:
    """Its instructions."""
    text = (DOCKER / "Dockerfile").read_text("utf-8")
    lines = re.sub(r"\\\n\s*", "", "\n".join(line for line in text.splitlines() if not line.startswith("#")))
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines.splitlines() if line.strip()]


def env_of_image() -> dict[str, str]:
    return dict(pair.split("=", 1) for word, rest in dockerfile() if word == "ENV" for pair in rest.split())


def test_the_image_is_made_of_the_wheel_and_runs_as_nobody_in_particular() -> None:
    steps = dockerfile()
    copied = [rest.split()[:-1] for word, rest in steps if word == "COPY" and not rest.startswith("--from")]
    assert copied == [["constraints/web3-7.txt"], ["dist/kameng_escrow-*.whl"]]
    assert (ROOT / "constraints" / "web3-7.txt").is_file()
    kept = {line[1:] for line in (DOCKER / "Dockerfile.dockerignore").read_text("utf-8").splitlines() if line[0] == "!"}
    assert kept == {one for files in copied for one in files}, "all else is left out of the build's context"
    [user] = [rest for word, rest in steps if word == "USER"]
    assert any(f"--uid {user} " in rest for word, rest in steps if word == "RUN")
    assert [rest for word, rest in steps if word == "ENTRYPOINT"] == ['["kameng"]']
    assert {name for name in env_of_image() if name.startswith("KAMENG_")} <= VARIABLES


def test_the_extras_of_the_image_are_there() -> None:
    [run] = [rest for word, rest in dockerfile() if "pip install" in rest]
    [(extras)] = re.findall(r"kameng-escrow\[([\w,]+)\]", run)
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    assert all(f"\n{extra} = [" in project for extra in extras.split(","))


# -------------------------------------------------------------------------------------------------------------- systemd


def unit(path: Path) -> dict[str, list[str]]:
    """The settings of a unit, each of which may be there several times."""
    found: dict[str, list[str]] = {}
    for line in path.read_text("utf-8").splitlines():
        if "=" in line and not line.startswith("#"):
            name, _, value = line.partition("=")
            found.setdefault(name, []).append(value)
    return found


def variables(settings: Mapping[str, list[str]]) -> Iterator[tuple[str, str]]:
    for value in settings.get("Environment", ()):
        name, _, said = value.partition("=")
        yield name, said.replace("%i", "8081").replace("%d", "/run/credentials/kameng")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_starts_what_there_is(path: Path) -> None:
    settings = unit(path)
    [line] = settings["ExecStart"]
    program, *arguments = line.split()
    assert program == "/opt/kameng/bin/kameng"
    assert settings["EnvironmentFile"] == ["/etc/kameng/kameng.env"]
    environment = {**env_file(SYSTEMD / "kameng.env.example"), **dict(variables(settings))}
    options, chosen = check(arguments, environment)
    ours = [chosen.deployments, chosen.store] + ([chosen.files] if "api" in options["only"] else [])
    assert not any(str(one).startswith(str(Path.home())) for one in ours), "homes are closed to units"
    given = {value.partition(":")[0] for value in settings.get("LoadCredential", ())}
    used = {value.rpartition("/")[2] for value in settings.get("Environment", ()) if "%d/" in value}
    assert given == used


def test_units_start_every_part_on_ports_of_their_own() -> None:
    commands = [parsed(unit(path)["ExecStart"][0].split()[1:]) for path in UNITS]
    assert sorted(part for one in commands for part in one["only"].split(",")) == sorted(PARTS)
    ports = [one["metrics"] for one in commands if one["metrics"] is not None]
    assert len(set(ports)) == len(ports) == len(UNITS) - 1  # the API has its own paths


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_a_unit_may_do_little(path: Path) -> None:
    settings = unit(path)
    assert settings["User"] == ["kameng"]
    wanted = {
        "NoNewPrivileges": "yes",
        "ProtectSystem": "strict",
        "ProtectHome": "yes",
        "PrivateDevices": "yes",
        "CapabilityBoundingSet": "",
        "SystemCallFilter": "@system-service",
        "Restart": "always",
    }
    assert {name: settings[name] for name in wanted} == {name: [value] for name, value in wanted.items()}


def test_the_target_wants_units_that_there_are() -> None:
    target = configparser.ConfigParser(strict=False, interpolation=None)
    target.read(SYSTEMD / "kameng.target")
    wanted = " ".join(unit(SYSTEMD / "kameng.target")["Wants"]).split()
    assert {re.sub(r"@\w+", "@", one) for one in wanted} == {path.name for path in UNITS}
    assert target.has_section("Install")


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_understands_the_unit(path: Path, tmp_path: Path) -> None:
    """By its own check where the machine has it; its parts are held above in any case."""
    checker = shutil.which("systemd-analyze")
    if checker is None:
        return
    for file in SYSTEMD.iterdir():
        text = file.read_text("utf-8").replace("/opt/kameng/bin/kameng", "/bin/true")  # which is not installed here
        (tmp_path / file.name).write_text(text, "utf-8")
    done = subprocess.run(
        [checker, "verify", "--man=no", str(tmp_path / path.name)], capture_output=True, text=True, timeout=60
    )
    ours = [line for line in done.stderr.splitlines() if line.startswith((path.name, str(tmp_path), "kameng"))]
    assert ours == []
