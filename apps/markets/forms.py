"""The staff's forms: a market's numbers as people write them, and the reason for an act."""

from __future__ import annotations

from typing import Any

import msgspec
from django import forms
from django.utils.translation import gettext_lazy as _

from apps.common.forms import ReasonForm
from apps.markets import listings, terms
from matching_worker.contracts.market import MarketSpec


def _number(label: Any, hint: Any = "", **options: Any) -> forms.DecimalField:
    # Enough digits for anything sensible, and few enough that arithmetic on them stays exact.
    return forms.DecimalField(
        label=label, help_text=hint, max_digits=24, decimal_places=18, **options
    )


STATES = (
    ("trading", _("Trading: all orders")),
    ("post_only", _("Post-only: orders that rest, no trades")),
    ("auction", _("Auction: orders gather, and trade at one price when it ends")),
    ("cancel_only", _("Cancel-only: no orders")),
    ("halted", _("Halted: no orders, until somebody opens it")),
    ("pre_open", _("Pre-open: not yet")),
)
"""What operators may tell a book; the last state, delisted, is a listing's end."""


class StateForm(ReasonForm):
    """The state that a market is to be in, and why."""

    state = forms.ChoiceField(choices=STATES)
    field_order = ("state", "reason")


class ListingForm(ReasonForm):
    """A market's numbers. `spec` is what engines will count with, once the form is valid."""

    symbol = forms.CharField(max_length=21, help_text=_("Base and quote, such as SOL-USDT."))
    base = forms.CharField(max_length=10, help_text=_("The asset that is traded."))
    base_decimals = forms.IntegerField(
        initial=9, help_text=_("Its minor unit is 10^-decimals. Never changes.")
    )
    quote = forms.CharField(max_length=10, initial="USDT", help_text=_("What prices are in."))
    quote_decimals = forms.IntegerField(initial=8)
    tick_size = _number(_("Tick"), _("The smallest step of a price."))
    lot_size = _number(_("Lot"), _("The smallest step of a size."))
    min_quantity = _number(_("Least quantity"))
    max_quantity = _number(_("Greatest quantity"))
    min_notional = _number(_("Least notional"), _("In quote: price times size of an order."))
    band_percent = _number(
        _("Band, %"), _("How far from the reference a price may be."), initial=10
    )
    reference_price = _number(_("Reference price"), _("Until the first trade."))
    maker_fee_percent = _number(_("Maker fee, %"), _("Negative: a rebate."), initial="0.1")
    taker_fee_percent = _number(_("Taker fee, %"), initial="0.15")
    orders_per_account_max = forms.IntegerField(
        label=_("Open orders per account"), initial=terms.ORDERS_PER_ACCOUNT_MAX
    )

    field_order = ("symbol",)  # Then the others as they stand, and the reason at the end.
    spec: MarketSpec | None = None

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Put the reason behind the numbers."""
        super().__init__(*args, **kwargs)
        self.order_fields([*(name for name in self.fields if name != "reason"), "reason"])

    def clean(self) -> dict[str, Any] | None:
        """Say what is wrong with the numbers together, under the field that is to be changed."""
        cleaned = super().clean()
        if self.errors or cleaned is None:
            return cleaned
        numbers = {name: cleaned[name] for name in terms.Terms.__struct_fields__}
        try:
            self.spec = terms.spec_of(terms.Terms(**numbers))
            listings.check_is_new(self.spec)
        except terms.BadTerms as bad:
            for name, text in bad.fields.items():
                self.add_error(name, text)
        return cleaned

    def facts(self) -> list[tuple[str, str]]:
        """Return label and value of each field, for a person to confirm."""
        return [(str(bound.label), str(self.cleaned_data[bound.name])) for bound in self]

    def counted(self) -> list[tuple[str, str]]:
        """Return what engines will count with."""
        spec = msgspec.to_builtins(self.spec) if self.spec else {}
        return [(name, str(value)) for name, value in spec.items() if name != "type"]
