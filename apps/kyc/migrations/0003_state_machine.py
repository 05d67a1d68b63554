"""Which state may follow which is the database's word, whoever writes; steps and reveals only grow."""

from django.conf import settings
from django.db import migrations

MACHINE = """
CREATE FUNCTION kyc_application_moves() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    may text[];
BEGIN
    IF NEW.state = OLD.state THEN
        RETURN NEW;
    END IF;
    may := CASE OLD.state
        WHEN 'draft' THEN ARRAY['submitted', 'withdrawn', 'expired']
        WHEN 'submitted' THEN ARRAY['checking', 'withdrawn']
        WHEN 'checking' THEN ARRAY['passed', 'referred', 'refused']
        WHEN 'passed' THEN ARRAY['approved', 'in_review', 'withdrawn']
        WHEN 'referred' THEN ARRAY['in_review', 'withdrawn']
        WHEN 'in_review' THEN ARRAY['approved', 'refused', 'more_wanted', 'referred']
        WHEN 'more_wanted' THEN ARRAY['submitted', 'withdrawn', 'expired']
        ELSE ARRAY[]::text[]
    END;
    IF NOT NEW.state = ANY (may) THEN
        RAISE EXCEPTION 'kyc: an application cannot go from % to %', OLD.state, NEW.state
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER kyc_application_moves BEFORE UPDATE OF state ON kyc_application
FOR EACH ROW EXECUTE FUNCTION kyc_application_moves();

CREATE FUNCTION kyc_application_begins() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'draft' THEN
        RAISE EXCEPTION 'kyc: an application begins as a draft'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

CREATE TRIGGER kyc_application_begins BEFORE INSERT ON kyc_application
FOR EACH ROW EXECUTE FUNCTION kyc_application_begins();

CREATE FUNCTION kyc_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'kyc: % only grows', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;

CREATE TRIGGER kyc_step_only_grows BEFORE UPDATE OR DELETE ON kyc_step
FOR EACH STATEMENT EXECUTE FUNCTION kyc_only_grows();
CREATE TRIGGER kyc_reveal_only_grows BEFORE UPDATE OR DELETE ON kyc_reveal
FOR EACH STATEMENT EXECUTE FUNCTION kyc_only_grows();
-- Writing what stands there is no change: tests put seeded rows back that way.
CREATE TRIGGER kyc_tierterms_stay BEFORE UPDATE ON kyc_tierterms
FOR EACH ROW WHEN (OLD IS DISTINCT FROM NEW) EXECUTE FUNCTION kyc_only_grows();
CREATE TRIGGER kyc_tierterms_only_grows BEFORE DELETE ON kyc_tierterms
FOR EACH STATEMENT EXECUTE FUNCTION kyc_only_grows();
"""
BACK = """
DROP FUNCTION kyc_application_moves() CASCADE;
DROP FUNCTION kyc_application_begins() CASCADE;
DROP FUNCTION kyc_only_grows() CASCADE;
"""
ONLY_GROW = ("kyc_step", "kyc_reveal", "kyc_tierterms")


def take_rights_away(apps, schema_editor) -> None:
    """Leave the services' role what it needs. (The owner of the tables keeps its rights.)"""
    role = getattr(settings, "APP_DATABASE_ROLE", "")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role]
        )
        if cursor.fetchone() is not None:
            name = schema_editor.quote_name(role)
            for table in ONLY_GROW:
                cursor.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {table} FROM {name}")


class Migration(migrations.Migration):
    dependencies = [("kyc", "0002_constraints")]

    operations = [
        migrations.RunSQL(MACHINE, BACK),
        migrations.RunPython(take_rights_away, migrations.RunPython.noop),
    ]
