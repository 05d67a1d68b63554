"""House rules that no linter knows. Each message says what to do instead."""

from __future__ import annotations

import ast
import importlib
import inspect
import json
import pkgutil
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from apps.common import config
from tests.helpers.source_tree import tree_of

ROOT = Path(__file__).resolve().parents[2]
TOP_LEVEL = {
    "README.md", "ARCHITECTURE.md", "CHANGELOG.md", "LICENSE", "NOTICE", "SECURITY.md",
    "Makefile", "manage.py", "pyproject.toml", "package.json", "package-lock.json",
    "requirements.in", "requirements.txt", "requirements-dev.in", "requirements-dev.txt",
    "requirements-bench.in", "requirements-bench.txt",
    ".ci", ".editorconfig", ".env.example", ".gitattributes", ".gitignore", ".importlinter",
    ".npmrc",
    "apps", "docs", "exchange_site", "matching_worker", "static", "templates", "tests",
}  # fmt: skip
LINES_MAX = 400
ONE_FILE = {"static/proofs/fairbook_verify.py"}  # A trader takes it away as it is.
CLOCKS_AND_DICE = {
    "time", "datetime", "random", "uuid", "secrets", "os", "threading", "asyncio", "socket",
}  # fmt: skip
PURE = ["matching_worker/engine", "apps/risk/engine", "apps/common/kernel"]
MAY_READ_ENVIRONMENT = ("apps/common/config.py", "exchange_site/ops/", "tests/")


def _tracked(*endings: str) -> list[Path]:
    """Return the files that git knows or would take, so that nothing generated is looked at."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    paths = (ROOT / line for line in done.stdout.splitlines())
    return [path for path in paths if path.is_file() and path.name.endswith(endings or ("",))]


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _sources(folder: str) -> list[Path]:
    return [
        p for p in _tracked(".py") if _name(p).startswith(folder) and "/migrations/" not in _name(p)
    ]


def _imported(path: Path) -> Iterator[str]:
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_the_top_level_tells_the_architecture():
    found = {_name(path).partition("/")[0] for path in _tracked()}
    assert found <= TOP_LEVEL, f"move {sorted(found - TOP_LEVEL)} to where it belongs"


def test_no_file_is_longer_than_a_person_reads():
    endings = (".py", ".js", ".css", ".html")
    long = {
        _name(p): n
        for p in _tracked(*endings)
        if (n := len(p.read_text().splitlines())) > LINES_MAX and _name(p) not in ONE_FILE
    }
    assert not long, f"make a package of the same name out of {long}"


def test_locks_have_one_home():
    wrong = [
        _name(path)
        for path in _sources("apps/")
        if "select_for_update" in path.read_text()
        and path.name != "locks.py"
        and "/locks/" not in _name(path)
    ]
    assert not wrong, f"{wrong}: call a function of the app's locks.py instead"


def test_services_say_nothing_before_it_is_true():
    """A task or an entry sent inside a transaction can speak of something that is rolled back."""
    sent = re.compile(r"\.(delay|apply_async|xadd)\(")
    wrong = [
        _name(path)
        for path in _sources("apps/")
        if (path.name == "services.py" or "/services/" in _name(path))
        and sent.search(path.read_text())
    ]
    assert not wrong, f"{wrong}: write an outbox row, or let the door send it after the commit"


@pytest.mark.parametrize("folder", PURE)
def test_the_engines_read_no_clock_and_throw_no_dice(folder):
    """Replay is exact only while everything an engine knows came in a command."""
    for path in _sources(folder + "/"):
        found = {name.partition(".")[0] for name in _imported(path)} & CLOCKS_AND_DICE
        assert not found, f"{_name(path)}: take {sorted(found)} from the command instead"


@pytest.mark.parametrize("folder", PURE)
def test_the_engines_use_no_floats(folder):
    for path in _sources(folder + "/"):
        for node in ast.walk(tree_of(path)):
            is_float = isinstance(node, ast.Constant) and isinstance(node.value, float)
            is_divided = isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div)
            if is_float or is_divided:
                pytest.fail(f"{_name(path)}:{node.lineno}: use whole numbers and //")


def test_only_the_registry_reads_the_environment():
    """A setting that is read elsewhere has no default, no help and no line in .env.example."""
    reads = re.compile(r"os\.environ(\.get\(|\[)|os\.getenv\(")
    allowed_names = (
        "DJANGO_SETTINGS_MODULE",
        "FAIRBOOK_SERVICE",
        "FAIRBOOK_BUILD",
        "FAIRBOOK_LOG_LEVEL",
    )
    wrong = [
        f"{_name(path)}:{number}"
        for path in _tracked(".py")
        if not _name(path).startswith(MAY_READ_ENVIRONMENT)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if reads.search(line) and not any(name in line for name in allowed_names)
    ]
    assert not wrong, (
        f"{wrong}: register the variable in apps/common/registry.py, ask `config` for it"
    )


def test_an_app_keeps_its_tables_to_itself():
    """Others get contracts through services and selectors. Staff pages live in monitoring."""
    wrong = [
        f"{_name(path)} imports {name}"
        for path in _sources("apps/")
        for name in _imported(path)
        if (match := re.match(r"apps\.(\w+)\.models", name))
        and _name(path).split("/")[1] not in (match[1], "monitoring")
    ]
    assert not wrong, f"{wrong}: ask the other app's selectors or services"


def test_signals_are_not_used():
    found = [
        _name(p)
        for p in _sources("apps/")
        if re.search(r"(post|pre)_(save|delete)\b", p.read_text())
    ]
    assert not found, f"{found}: call the service that should hear of it"


def test_env_example_is_current():
    text = (ROOT / ".env.example").read_text()
    assert text == config.env_example(), "run: python manage.py config --env-example > .env.example"


def test_lock_files_name_no_private_place():
    """Hashes say what is installed; where it comes from is each machine's own affair."""
    lock = json.loads((ROOT / "package-lock.json").read_text())
    assert not [name for name, entry in lock["packages"].items() if "resolved" in entry]
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "--hash=sha256:" in text
        assert not re.search(r"^\s*--(extra-)?index-url|^\s*--find-links", text, re.MULTILINE), name


def _message_modules() -> Iterator[str]:
    for package in ("matching_worker.contracts", "apps.risk.contracts", "apps.journals.contracts"):
        try:
            module = importlib.import_module(package)
        except ModuleNotFoundError:
            continue
        yield package
        for found in pkgutil.iter_modules(getattr(module, "__path__", [])):
            yield f"{package}.{found.name}"


def test_messages_are_frozen():
    """A message that changes after it was said is a lie in the journal."""
    for name in _message_modules():
        for _, struct in inspect.getmembers(importlib.import_module(name), inspect.isclass):
            if issubclass(struct, msgspec.Struct) and struct.__module__ == name:
                assert struct.__struct_config__.frozen, f"{name}.{struct.__name__}: add frozen=True"
