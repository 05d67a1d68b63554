"""The published spot fee table."""

from typing import Any

from django.db import migrations, models

SPOT = [  # tier, 30-day volume from (USD), maker and taker in millionths
    (0, 0, 1_000, 1_500),
    (1, 50_000, 800, 1_300),
    (2, 500_000, 600, 1_100),
    (3, 2_000_000, 400, 900),
    (4, 10_000_000, 200, 700),
    (5, 50_000_000, 100, 500),
    (6, 100_000_000, 0, 300),
]


def seed(apps: Any, _editor: Any) -> None:
    """Write the table."""
    tiers = apps.get_model("users", "FeeTier").objects
    for tier, volume, maker, taker in SPOT:
        tiers.create(
            kind="spot", tier=tier, volume_from_usd=volume, maker_ppm=maker, taker_ppm=taker
        )


class Migration(migrations.Migration):
    dependencies = [("users", "0001_initial")]

    operations = [
        migrations.CreateModel(
            name="FeeTier",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(default="spot", max_length=8)),
                ("tier", models.PositiveSmallIntegerField()),
                ("volume_from_usd", models.BigIntegerField()),
                ("maker_ppm", models.IntegerField()),
                ("taker_ppm", models.IntegerField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("kind", "tier"), name="one_fee_per_tier")
                ],
            },
        ),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
