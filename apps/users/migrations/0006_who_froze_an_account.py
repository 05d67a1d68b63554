"""An account is frozen by the house, by its owner, or by both: each lifts only its own."""

from typing import Any

from django.db import migrations, models
from django.db.models import F, Q


def by_the_house(apps: Any, _editor: Any) -> None:
    """Until now only the house froze."""
    frozen = apps.get_model("users", "TradingAccount").objects.filter(is_frozen=True)
    frozen.update(frozen_by_house=F("is_frozen"))


class Migration(migrations.Migration):
    dependencies = [("users", "0005_proofs_and_mails")]

    operations = [
        migrations.AddField(
            model_name="tradingaccount",
            name="frozen_by_house",
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name="tradingaccount",
            name="frozen_by_owner",
            field=models.BooleanField(default=False),
        ),
        migrations.RunPython(by_the_house, migrations.RunPython.noop),
        migrations.AddConstraint(
            model_name="tradingaccount",
            constraint=models.CheckConstraint(
                condition=Q(frozen_by_house=False, frozen_by_owner=False, is_frozen=False)
                | Q(frozen_by_house=True, is_frozen=True)
                | Q(frozen_by_owner=True, is_frozen=True),
                name="a_frozen_account_was_frozen_by_somebody",
            ),
        ),
    ]
