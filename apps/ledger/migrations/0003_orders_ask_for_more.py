"""Columns for what few orders ask for. Their defaults are a plain order's: no row is rewritten."""

from django.db import migrations, models


def _field(name, field):
    return migrations.AddField(model_name="settledorder", name=name, field=field)


class Migration(migrations.Migration):
    dependencies = [("ledger", "0002_last_word")]
    operations = [
        _field("expires_ns", models.BigIntegerField(db_default=0)),
        _field("other_leg", models.BigIntegerField(db_default=0)),
        _field("self_trade", models.CharField(db_default="T", max_length=1)),
        _field("trail_ppm", models.IntegerField(db_default=0)),
        _field("trigger", models.CharField(blank=True, db_default="", max_length=6)),
        _field("trigger_by", models.CharField(db_default="last", max_length=4)),
        _field("trigger_ticks", models.BigIntegerField(db_default=0)),
        _field("triggered_at", models.DateTimeField(blank=True, null=True)),
    ]
