"""What was recorded stays as it was: the audit log only grows, whoever asks."""

from django.conf import settings
from django.db import migrations

TABLES = ("common_auditrecord", "common_auditseal")
ONLY_GROWS = """
CREATE FUNCTION audit_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'audit: % only grows; what was recorded stays', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
""" + "".join(
    f"CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table}\n"
    "FOR EACH STATEMENT EXECUTE FUNCTION audit_only_grows();\n"
    for table in TABLES
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
    dependencies = [("common", "0002_audit")]

    operations = [
        migrations.RunSQL(ONLY_GROWS, "DROP FUNCTION audit_only_grows() CASCADE"),
        migrations.RunPython(take_rights_away, migrations.RunPython.noop),
    ]
