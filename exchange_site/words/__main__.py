"""`python -m exchange_site.words update|compile`: bring catalogues up to date, or compile them.

Exit codes: 0 done · 1 some text is not translated · 2 no such act.
"""

from __future__ import annotations

import sys

from exchange_site.words import catalogues


def update() -> int:
    """Take new texts into each catalogue, drop those that are gone, and name what is missing."""
    from exchange_site.words import sources  # Django's reader of templates, which set-up lacks.

    wanted = sources.catalogue()
    is_missing = False
    for language in catalogues.languages():
        known = catalogues.read(language)
        known.update(wanted, no_fuzzy_matching=True, update_creation_date=False)
        catalogues.write(language, known)
        missing = [one.id for one in catalogues.texts_of(known) if not one.string or one.fuzzy]
        print(f"{language}: {len(known)} texts, {len(missing)} without a translation")
        for text in missing[:20]:
            print(f"  {text!r}")
        is_missing |= bool(missing)
    catalogues.compile_all()
    return int(is_missing)


def main(words: list[str]) -> int:
    """Do what the command line says."""
    match words:
        case ["update"]:
            return update()
        case ["compile"]:
            catalogues.compile_all()
            return 0
        case _:
            print(__doc__, file=sys.stderr)
            return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
