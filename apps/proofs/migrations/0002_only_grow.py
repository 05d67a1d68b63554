"""A head that was published stays as it was: the table only grows, whoever asks."""

from django.conf import settings
from django.db import migrations

ONLY_GROWS = """
CREATE FUNCTION proofs_only_grow() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'proofs: % only grows; what was published stays', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER proofs_head_only_grows BEFORE UPDATE OR DELETE ON proofs_head
FOR EACH STATEMENT EXECUTE FUNCTION proofs_only_grow();
"""


def take_rights_away(apps, schema_editor) -> None:
    """Leave the services' role what it needs. (The owner of the table keeps its rights.)"""
    role = getattr(settings, "APP_DATABASE_ROLE", "")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role]
        )
        if cursor.fetchone() is not None:
            name = schema_editor.quote_name(role)
            cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON proofs_head FROM {name}")


class Migration(migrations.Migration):
    dependencies = [("proofs", "0001_heads")]

    operations = [
        migrations.RunSQL(ONLY_GROWS, "DROP FUNCTION proofs_only_grow() CASCADE"),
        migrations.RunPython(take_rights_away, migrations.RunPython.noop),
    ]
