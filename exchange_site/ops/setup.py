"""Make a fresh machine ready: environment, packages of Python and Node, vendored files, words.

Run by the system's Python (3.11 or later), standard library only:

    python3 exchange_site/ops/setup.py

Each step leaves a stamp (a hash of what it was made from) and is skipped while the stamp fits, so
a second run costs milliseconds and a broken-off run goes on where it stopped. Works as root and as
an ordinary user; writes only into .venv, node_modules,
static/vendor, static/words and beside the catalogues of exchange_site/locale.
Exit codes: 0 ready · 1 a step failed · 2 this machine cannot run it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import sysconfig
import time
import urllib.request
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
VENV = ROOT / ".venv"
BIN = VENV / "bin"
NODE_MODULES = ROOT / "node_modules"
UV_REQUIREMENTS = Path(__file__).with_name("requirements-uv.txt")
OLDEST = (3, 11)


class StepFailed(Exception):
    """A step did not work. The message has what the tool said."""


def is_production() -> bool:
    """Whether only what production runs is installed."""
    return os.environ.get("FAIRBOOK_ENV") == "production"


def run(*command: str | Path, **extra: str) -> None:
    """Run a tool quietly; when it fails, show what it said."""
    done = subprocess.run(
        [str(word) for word in command],
        cwd=ROOT,
        env=os.environ | extra,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise StepFailed(f"{Path(command[0]).name} failed:\n{done.stdout.strip()[-3000:]}")


@contextlib.contextmanager
def step(text: str, stamp: Path, *parts: object) -> Iterator[bool]:
    """Yield whether the step is to be done; stamp it when it went through."""
    content = "\0".join(part.read_text() if isinstance(part, Path) else str(part) for part in parts)
    wanted = hashlib.sha256(content.encode()).hexdigest()
    if stamp.is_file() and stamp.read_text().strip() == wanted:
        yield False
        return
    started = time.monotonic()
    if sys.stdout.isatty():
        print(f"  {text} …", end="\r", flush=True)
    try:
        yield True
    except BaseException:
        print(f"  {text}: failed", flush=True)
        raise
    stamp.write_text(wanted + "\n")
    print(f"  {text.ljust(46)} {time.monotonic() - started:6.1f} s", flush=True)


# -- Python


def has_pip_of_its_own() -> bool:
    """Whether this Python can put pip into a virtual environment (Debian splits that part off)."""
    try:
        import ensurepip
    except ImportError:
        return False
    return bool(ensurepip.version())


def make_venv() -> None:
    """Make the virtual environment, or make a broken one again."""
    here = f"{sys.version_info[:2]} {sysconfig.get_platform()}"
    works = (BIN / "python").exists() and not subprocess.run(
        [str(BIN / "python"), "-c", "pass"], capture_output=True, check=False
    ).returncode
    if works and not (VENV / ".made").exists():
        (VENV / ".made").write_text(hashlib.sha256(here.encode()).hexdigest() + "\n")
    if not works:
        (VENV / ".made").unlink(missing_ok=True)
    with step("virtual environment", VENV / ".made", here) as needed:
        if needed:
            venv.create(VENV, clear=True, symlinks=True, with_pip=has_pip_of_its_own())


def install_uv() -> None:
    """Install uv, which installs the rest five times faster than pip."""
    with step("installer", VENV / ".uv", UV_REQUIREMENTS) as needed:
        if not needed:
            return
        flags = ["--quiet", "--disable-pip-version-check", "--require-hashes", "--no-deps"]
        if (BIN / "pip").exists():
            run(BIN / "python", "-m", "pip", "install", *flags, "-r", UV_REQUIREMENTS)
        else:
            fetch_uv()


def fetch_uv() -> None:
    """Take uv's program straight from its wheel, where there is no pip. The hash is checked."""
    text = UV_REQUIREMENTS.read_text()
    version = re.search(r"^uv==([\w.]+)", text, re.MULTILINE)
    hashes = set(re.findall(r"sha256:([0-9a-f]{64})", text))
    index = os.environ.get("PIP_INDEX_URL", "https://pypi.org/simple").rstrip("/")
    question = urllib.request.Request(  # noqa: S310 - the person's own index, or the public one
        f"{index}/uv/", headers={"Accept": "application/vnd.pypi.simple.v1+json"}
    )
    with urllib.request.urlopen(question, timeout=60) as answer:  # noqa: S310  # nosec B310
        files = json.load(answer)["files"]
    libc = "musllinux" if not platform.libc_ver()[0] else "manylinux"
    for file in files:
        name = file["filename"]
        fits = libc in name and name.endswith(f"_{platform.machine()}.whl")
        if not (version and name.startswith(f"uv-{version[1]}-") and fits):
            continue
        with urllib.request.urlopen(file["url"], timeout=120) as answer:  # noqa: S310  # nosec B310
            body = answer.read()
        if hashlib.sha256(body).hexdigest() not in hashes:
            raise StepFailed(f"{name} has another hash than {UV_REQUIREMENTS.name} says")
        wheel = VENV / name
        wheel.write_bytes(body)
        with zipfile.ZipFile(wheel) as archive:
            (member,) = (m for m in archive.namelist() if m.endswith(".data/scripts/uv"))
            (BIN / "uv").write_bytes(archive.read(member))
        (BIN / "uv").chmod(0o755)
        wheel.unlink()
        return
    raise StepFailed(f"no uv for {platform.machine()} on {index}")


def uv_environment() -> dict[str, str]:
    """Let uv use the index and the certificates that pip was told to use."""
    known = {"VIRTUAL_ENV": str(VENV), "UV_SYSTEM_CERTS": "1", "UV_LINK_MODE": "copy"}
    index = os.environ.get("PIP_INDEX_URL", "")
    if not index and (BIN / "pip").exists():
        asked = subprocess.run(
            [str(BIN / "python"), "-m", "pip", "config", "get", "global.index-url"],
            capture_output=True,
            text=True,
            check=False,
        )
        index = asked.stdout.strip()
    if index and "UV_DEFAULT_INDEX" not in os.environ:
        known["UV_DEFAULT_INDEX"] = index
    return known


def install_python_packages() -> None:
    """Install exactly what the lock file names, by hash."""
    lock = ROOT / ("requirements.txt" if is_production() else "requirements-dev.txt")
    with step("Python packages", VENV / ".packages", lock, str(BIN)) as needed:
        if needed:
            flags = ["--quiet", "--require-hashes", "--compile-bytecode"]
            run(BIN / "uv", "pip", "install", *flags, "-r", lock, **uv_environment())


def compile_engine() -> None:
    """Compile the engine's quick way. Without a compiler markets run as well, on the pure one."""
    engine = ROOT / "matching_worker" / "engine"
    sources = (engine / "quick.pyx", engine / "fields.pxi")
    program = Path(__file__).with_name("compile.py")
    with step("compiled engine", VENV / ".engine", *sources, program, sys.version) as needed:
        if not needed:
            return
        try:
            run(BIN / "python", "-m", "exchange_site.ops.compile")
        except StepFailed as error:
            print(f"  note: {str(error).splitlines()[-1]}: markets take the pure way", flush=True)


# -- Node


def install_node_packages() -> None:
    """Install what package-lock.json names, running no scripts, and copy what pages serve."""
    lock, manifest = ROOT / "package-lock.json", ROOT / "package.json"
    flags = ["--omit=dev"] if is_production() else []
    with step("Node packages", NODE_MODULES / ".stamp", lock, manifest, *flags) as needed:
        if needed:
            path = f"{BIN}{os.pathsep}{os.environ.get('PATH', '')}"
            run(BIN / "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", *flags, PATH=path)
    vendor = ROOT / "static" / "vendor"
    vendor.mkdir(parents=True, exist_ok=True)
    with step("files for pages", vendor / ".stamp", lock, manifest) as needed:
        if needed:
            for name in json.loads(manifest.read_text())["fairbook"]["vendor"]:
                shutil.copyfile(ROOT / name, vendor / Path(name).name)


# -- languages


def compile_words() -> None:
    """Compile the catalogues of other languages, where one is new or something is missing."""
    catalogues = sorted((ROOT / "exchange_site" / "locale").glob("*/LC_MESSAGES/django.po"))
    scripts = ROOT / "static" / "words"
    scripts.mkdir(parents=True, exist_ok=True)
    made = [path.with_suffix(".mo") for path in catalogues]
    made += [scripts / f"{path.parent.parent.name}.js" for path in catalogues]
    if not all(path.is_file() for path in made):
        (scripts / ".stamp").unlink(missing_ok=True)
    compiler = ROOT / "exchange_site" / "words" / "catalogues.py"
    with step("languages", scripts / ".stamp", compiler, *catalogues) as needed:
        if needed:
            run(BIN / "python", "-m", "exchange_site.words", "compile")


# -- all of it


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Hold the set-up: two at once (make up, make test) wait for each other."""
    VENV.mkdir(exist_ok=True)
    handle = os.open(ROOT / ".venv", os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def main() -> int:
    """Do every step that is not done yet."""
    if sys.version_info < OLDEST:
        for minor in range(14, 10, -1):
            if better := shutil.which(f"python3.{minor}"):
                os.execv(better, [better, *sys.argv])
        print(
            f"Python 3.11 or later is needed; this is {platform.python_version()}. Install one, "
            "or name it: make PYTHON=/path/to/python3.11 up",
            file=sys.stderr,
        )
        return 2
    if sys.platform != "linux":
        print("note: only Linux is tried and tested", file=sys.stderr)
    started = time.monotonic()
    try:
        with alone():
            make_venv()
            install_uv()
            install_python_packages()
            compile_engine()
            install_node_packages()
            compile_words()
    except StepFailed as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    except OSError as error:
        print(f"\nset-up failed: {error}", file=sys.stderr)
        return 1
    if (seconds := time.monotonic() - started) > 1:
        print(f"  ready to run after {seconds:.1f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
