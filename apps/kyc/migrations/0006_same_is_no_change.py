"""What only grows may be written again as it is: that changes nothing."""

from django.db import migrations

SAME = """
CREATE OR REPLACE FUNCTION kyc_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        IF NEW IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE EXCEPTION 'kyc: % only grows', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
DROP TRIGGER IF EXISTS kyc_tierterms_stay ON kyc_tierterms;
"""


class Migration(migrations.Migration):
    dependencies = [("kyc", "0005_rows_only_grow")]

    operations = [migrations.RunSQL(SAME, migrations.RunSQL.noop)]
