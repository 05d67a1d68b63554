"""The sandbox provider: it decides by what a specimen paper says, and never by chance.

It reads the strip on a paper (`strip`) and compares it with what the person declared. Rules, in
this order, each with its code:

- a paper whose strip cannot be read is referred (`unreadable`);
- a paper of another kind, or one whose name, birth date, number or country is not what was
  declared, fails (`does_not_match`); countries that disagree are referred (`countries_disagree`);
- an ID that is over fails (`document_expired`); an address proof that is older than 90 days fails
  (`proof_too_old`);
- an ID number that begins with LOST fails (`reported_lost`), with SUSPECT is referred
  (`looks_altered`);
- a selfie with liveness below 50 fails (`not_alive`), below 80 is referred (`perhaps_not_alive`),
  and one that shows another ID fails;
- names on its lists: the last word "Barred" fails (`on_a_barred_list`), "Listed" is referred
  (`perhaps_on_a_list`).
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from apps.kyc.providers import strip
from apps.kyc.providers.base import Case, Finding
from apps.kyc.requirements import ADDRESS_PROOF_DAYS
from apps.kyc.sealed import plain

Says = dict[str, str]


class SandboxProvider:
    """Decides by what specimens say."""

    name = "sandbox"

    def check(self, kind: str, case: Case, *, timeout_s: float) -> Finding:
        """Answer at once: nothing here can be late."""
        rules: dict[str, Callable[[Case], Finding]] = {
            "person": self._person,
            "identity": self._identity,
            "liveness": self._liveness,
            "address": self._address,
            "funds": self._funds,
            "company": self._company,
        }
        return rules[kind](case)

    def _person(self, case: Case) -> Finding:
        last = plain((case.answers["legal_name"].split() or [""])[-1])
        if last == "barred":
            return _fail("on_a_barred_list")
        return _refer("perhaps_on_a_list") if last == "listed" else _pass()

    def _identity(self, case: Case) -> Finding:
        says = _read(case, "government_id")
        if says is None:
            return _refer("unreadable")
        expires = _day(says.get("expires", ""))
        told, number = case.answers, says.get("number", "")
        same = (
            _same(says.get("name", ""), told["legal_name"])
            and says.get("born") == told["birth_date"]
            and _same(number, told["id_number"])
        )
        if not same or says.get("kind") != "government_id" or expires is None:
            return _fail("does_not_match")
        verdicts = (
            (expires <= case.today, _fail("document_expired")),
            (number.startswith("LOST"), _fail("reported_lost")),
            (number.startswith("SUSPECT"), _refer("looks_altered")),
            (says.get("country") != told["id_country"], _refer("countries_disagree")),
        )
        found = Finding(outcome="pass", valid_until=expires)
        return next((verdict for is_so, verdict in verdicts if is_so), found)

    def _liveness(self, case: Case) -> Finding:
        says = _read(case, "selfie")
        if says is None or not says.get("liveness", "").isdigit():
            return _refer("unreadable")
        if not _same(says.get("number", ""), case.answers["id_number"]):
            return _fail("does_not_match")
        score = int(says["liveness"])
        if score < 50:
            return _fail("not_alive")
        return _pass() if score >= 80 else _refer("perhaps_not_alive")

    def _address(self, case: Case) -> Finding:
        says = _read(case, "address_proof")
        issued = _day((says or {}).get("issued", ""))
        if says is None or issued is None:
            return _refer("unreadable")
        if not _same(says.get("name", ""), case.answers["legal_name"]):
            return _fail("does_not_match")
        if not 0 <= (case.today - issued).days <= ADDRESS_PROOF_DAYS:
            return _fail("proof_too_old")
        if says.get("country") != case.answers["address_country"]:
            return _refer("countries_disagree")
        return _pass()

    def _funds(self, case: Case) -> Finding:
        says = _read(case, "funds_proof")
        if says is None:
            return _refer("unreadable")
        return _pass() if _same(says.get("name", ""), case.answers["legal_name"]) else _fail()

    def _company(self, case: Case) -> Finding:
        papers = [
            _read(case, kind) for kind in ("company_papers", "owners_register", "board_resolution")
        ]
        if None in papers:
            return _refer("unreadable")
        number = case.answers["company_number"]
        match = all(_same((says or {}).get("number", ""), number) for says in papers)
        return _pass() if match else _fail()


def _read(case: Case, kind: str) -> Says | None:
    pages = case.papers.get(kind, ())
    return strip.read(pages[0]) if pages else None


def _same(one: str, other: str) -> bool:
    return plain(one) == plain(other) != ""


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _pass() -> Finding:
    return Finding(outcome="pass")


def _fail(code: str = "does_not_match") -> Finding:
    return Finding(outcome="fail", codes=(code,))


def _refer(code: str) -> Finding:
    return Finding(outcome="refer", codes=(code,))
