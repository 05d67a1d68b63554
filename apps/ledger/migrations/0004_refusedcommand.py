"""A command about value that a partition refused is kept, so that who asked hears why."""

from typing import Any

from django.conf import settings
from django.db import migrations, models

TABLE = "ledger_refusedcommand"
ONLY_GROWS = f"""
CREATE TRIGGER {TABLE}_only_grows BEFORE UPDATE OR DELETE ON {TABLE}
FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows();
"""


def take_rights_away(_apps: Any, schema_editor: Any) -> None:
    """Leave the services' role what it needs. (The owner of the table keeps its rights.)"""
    role = getattr(settings, "APP_DATABASE_ROLE", "")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role]
        )
        if cursor.fetchone() is not None:
            name = schema_editor.quote_name(role)
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {TABLE} FROM {name}")


class Migration(migrations.Migration):
    dependencies = [
        ("ledger", "0003_orders_ask_for_more"),
    ]

    operations = [
        migrations.CreateModel(
            name="RefusedCommand",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("partition", models.PositiveSmallIntegerField()),
                ("seq", models.BigIntegerField()),
                ("account", models.BigIntegerField()),
                ("reference", models.CharField(db_index=True, max_length=96)),
                ("code", models.CharField(max_length=40)),
                ("batch", models.BigIntegerField()),
                ("at", models.DateTimeField()),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("partition", "seq"), name="ledger_one_refusal")
                ],
            },
        ),
        migrations.RunSQL(ONLY_GROWS, f"DROP TRIGGER {TABLE}_only_grows ON {TABLE}"),
        migrations.RunPython(take_rights_away, migrations.RunPython.noop),
    ]
