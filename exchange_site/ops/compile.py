"""Compile the quick way of the matching engine, where this machine has a C compiler.

    python -m exchange_site.ops.compile [FOLDER]    # FOLDER: a copy of the repository's code

Markets run without it, on the pure Python way, which decides the same and is slower. Exit codes:
0 compiled · 1 it cannot be compiled here; the last line says why.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from apps.common.config import ROOT

SOURCE = "matching_worker/engine/quick.pyx"
MODULE = "matching_worker.engine.quick"
BUILD = "var/build"


def compile_in_place() -> None:
    """Put the compiled module beside its source, below the working directory."""
    from Cython.Build import cythonize
    from setuptools import Extension, setup

    # No -g: it would double the file. The rest of the flags are those of this Python.
    extension = Extension(MODULE, [SOURCE], extra_compile_args=["-O2", "-g0"])
    modules = cythonize([extension], build_dir=BUILD, quiet=True)
    words = ["--quiet", "build_ext", "--inplace", "--build-temp", BUILD]
    setup(name="fairbook", packages=[], py_modules=[], ext_modules=modules, script_args=words)


def main() -> int:
    """Compile; say why not if that fails."""
    os.chdir(sys.argv[1] if len(sys.argv) > 1 else ROOT)
    for old in Path(SOURCE).parent.glob("quick.*.so"):
        old.unlink()
    try:
        compile_in_place()
    except (Exception, SystemExit) as error:
        print(f"the engine's quick way cannot be compiled here: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
