"""Every text that people read is marked, and said in every language; numbers in one way only."""

from __future__ import annotations

import importlib
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from exchange_site.words import catalogues, sources

ROOT = Path(__file__).resolve().parents[2]
PLACES = re.compile(r"%\(\w+\)s|\{\w+\}|%%|</?\w+[^>]*>")
LETTERS = re.compile(r"[^\W\d_]{2}")
SHOWN_ATTRIBUTES = {"aria-label", "alt", "title", "placeholder", "aria-valuetext"}
# The same in every language: names, units, and examples of what is typed.
SAME_EVERYWHERE = {
    "Fairbook", "UTC", "curl", "ms", "p95", "1m", "5m", "15m", "1h", "engineSeq + journalHash",
    "kill -9", "-----BEGIN PUBLIC KEY-----", "192.0.2.7, 2001:db8::/48",
}  # fmt: skip
BLOCKS = re.compile(
    r"\{% comment %\}.*?\{% endcomment %\}|\{#.*?#\}"
    r"|\{% blocktranslate.*?\{% endblocktranslate %\}"
    r"|\{% block (?:coltype|bodyclass) %\}.*?\{% endblock %\}",  # Names of styles, not texts.
    re.DOTALL,
)
TAGS = re.compile(r"\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)


@pytest.fixture(scope="module")
def marked():
    return {message.id: message for message in catalogues.texts_of(sources.catalogue())}


@pytest.mark.parametrize("language", catalogues.languages())
def test_every_marked_text_is_in_every_catalogue_and_no_other(marked, language):
    known = {message.id for message in catalogues.texts_of(catalogues.read(language))}

    assert sorted(map(str, known ^ set(marked))) == [], "run `make words`, and translate"


@pytest.mark.parametrize("language", catalogues.languages())
def test_every_text_is_translated_with_the_same_placeholders(language):
    for message in catalogues.texts_of(catalogues.read(language)):
        forms = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(forms), f"{message.id!r} is not translated"
        assert not message.fuzzy, f"{message.id!r}: look at its translation, and take `fuzzy` away"
        said = message.id if isinstance(message.id, tuple) else (message.id,)
        for form in forms:
            wanted = {tuple(sorted(PLACES.findall(text))) for text in said}
            assert tuple(sorted(PLACES.findall(form))) in wanted, f"{form!r} has other placeholders"
            assert form.endswith(" ") == said[0].endswith(" "), f"{form!r}: mind the space"


class _Texts(HTMLParser):
    """Collects what a browser would show of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self.open: list[str] = []

    def handle_starttag(self, tag, attrs):
        """Take the attributes that are shown or read out."""
        self.open.append(tag)
        given = dict(attrs)
        shown = SHOWN_ATTRIBUTES & given.keys()
        if tag == "input" and given.get("type") == "submit":
            shown |= {"value"} & given.keys()
        self.found += [given[name] or "" for name in shown]

    def handle_data(self, data):
        """Take text, but no styles."""
        if not self.open or self.open[-1] not in {"script", "style"}:
            self.found += re.split(r"\s·\s|\n", data)


def _bare_texts(template: str) -> list[str]:
    plain = TAGS.sub(" \x00 ", BLOCKS.sub("\x00", template))
    parser = _Texts()
    parser.feed(plain)
    found = [part.strip(" :,()/›·–\n") for text in parser.found for part in text.split("\x00")]
    return [text for text in found if LETTERS.search(text) and text not in SAME_EVERYWHERE]


def test_this_test_sees_a_text_that_is_not_marked():
    marked = '<p title="{% translate "yes" %}">{% translate "Yes" %} · Fairbook {{ more }}</p>'

    assert _bare_texts(marked) == []
    assert _bare_texts("<p>{{ more }} left</p>") == ["left"]
    assert _bare_texts('<p aria-label="Close">{% if x %}Yes{% endif %}</p>') == ["Close", "Yes"]


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "templates").rglob("*.*")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_no_text_of_a_template_stands_outside_of_a_translate_tag(path):
    bare = _bare_texts(path.read_text())

    assert bare == [], "put it into {% translate %} or {% blocktranslate %} (docs/languages.md)"


def test_no_sentence_of_a_script_stands_outside_of_t():
    literal = r'"(?:[^"\\\n]|\\.)*"'
    in_marks = re.compile(rf"\bt\({literal}|\btn\({literal},\s*{literal}")
    sentence = re.compile(
        r'"[A-Z][a-z]+[,.]? [^"\n]*[a-z]{2}[^"\n]*"(?!:)|`[A-Z][a-z]+ [a-z][^`\n]*`'
    )
    for path in sorted((ROOT / "static" / "js").rglob("*.js")):
        code = re.sub(r"/\*.*?\*/|(?<!:)//[^\n]*", "", path.read_text(), flags=re.DOTALL)
        bare = sentence.findall(in_marks.sub("", code))
        assert not bare, f"{path.name}: {bare} belong into t(…) of lib/words.js"


@pytest.mark.parametrize("language", catalogues.languages())
def test_numbers_are_written_as_in_english(language):
    """A price that is read with a comma and typed with a point is a price that is wrong by 1000."""
    formats = importlib.import_module(f"exchange_site.formats.{language}.formats")

    assert (formats.DECIMAL_SEPARATOR, formats.THOUSAND_SEPARATOR) == (".", ",")
    english = importlib.import_module("exchange_site.formats.en.formats")
    for name in ("DATE_FORMAT", "DATETIME_FORMAT", "TIME_FORMAT"):
        assert getattr(formats, name) == getattr(english, name), name
