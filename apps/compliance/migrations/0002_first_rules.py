"""The rules that are shipped: a sample, not legal advice (docs/compliance.md). Tables only grow."""

from django.conf import settings
from django.db import migrations
from django.utils import timezone

TABLES = ("compliance_ruleversion", "compliance_countryrule", "compliance_ruledecision")
REASON = "The sample that is shipped."
# Country: from which tier spot, perpetuals, deposits and withdrawals are open; None: to nobody.
FIRST = {
    "*": (1, 2, 1, 1),
    "CA": (1, None, 1, 1),
    "CN": (None, None, None, 1),
    "GB": (1, None, 1, 1),
    "JP": (2, None, 2, 2),
    "SG": (1, 3, 1, 1),
    "US": (2, None, 2, 2),
}
SANCTIONED = ("CU", "IR", "KP", "SY")

ONLY_GROWS = """
CREATE FUNCTION compliance_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'compliance: % only grows; what was decided stays', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
""" + "".join(
    f"""
CREATE TRIGGER {table}_keeps BEFORE DELETE ON {table}
FOR EACH ROW EXECUTE FUNCTION compliance_only_grow();
CREATE TRIGGER {table}_stays BEFORE UPDATE ON {table}
FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION compliance_only_grow();
"""
    for table in TABLES
)


def ship(apps, schema_editor) -> None:
    """Write the first version, in force from the start."""
    now = timezone.now().replace(microsecond=0)
    version = apps.get_model("compliance", "RuleVersion").objects.create(
        proposed_at=now, effective_from=now, reason=REASON
    )
    rule = apps.get_model("compliance", "CountryRule")
    names = ("spot_from", "perpetual_from", "deposits_from", "withdrawals_from")
    rule.objects.bulk_create(
        rule(version=version, country=country, **dict(zip(names, firsts, strict=True)))
        for country, firsts in FIRST.items()
    )
    rule.objects.bulk_create(
        rule(version=version, country=country, is_sanctioned=True) for country in SANCTIONED
    )
    apps.get_model("compliance", "RuleDecision").objects.create(
        version=version, is_approved=True, decided_at=now, effective_at=now, reason=REASON
    )


def take_rights_away(apps, schema_editor) -> None:
    """Leave the services' role what it needs. (The owner of the tables keeps its rights.)"""
    role = getattr(settings, "APP_DATABASE_ROLE", "")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role]
        )
        if cursor.fetchone() is not None:
            name = schema_editor.quote_name(role)
            for table in TABLES:
                cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {name}")


class Migration(migrations.Migration):
    dependencies = [("compliance", "0001_rules")]

    operations = [
        migrations.RunSQL(ONLY_GROWS, "DROP FUNCTION compliance_only_grow() CASCADE"),
        migrations.RunPython(ship, migrations.RunPython.noop),
        migrations.RunPython(take_rights_away, migrations.RunPython.noop),
    ]
