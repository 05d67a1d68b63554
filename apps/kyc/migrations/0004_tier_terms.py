"""The published terms of each tier, as version 1."""

from datetime import UTC, datetime
from typing import Any

from django.db import migrations

TERMS = [  # tier, per day and per 30 days in US cents, spot, perpetual, sub-accounts
    (0, 0, 0, False, False, False),
    (1, 1_000_00, 10_000_00, True, False, False),
    (2, 50_000_00, 500_000_00, True, True, False),
    (3, None, None, True, True, False),  # No limit by number; watched.
    (4, None, None, True, True, True),  # By contract.
]
SINCE = datetime(2026, 1, 1, tzinfo=UTC)


def seed(apps: Any, _editor: Any) -> None:
    """Write the table."""
    terms = apps.get_model("kyc", "TierTerms").objects
    for tier, day, month, spot, perpetual, subs in TERMS:
        terms.create(
            tier=tier,
            version=1,
            since=SINCE,
            day_cents=day,
            month_cents=month,
            spot=spot,
            perpetual=perpetual,
            sub_accounts=subs,
            reason="As published.",
        )


class Migration(migrations.Migration):
    dependencies = [("kyc", "0003_state_machine")]

    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
