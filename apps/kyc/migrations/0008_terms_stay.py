"""Terms stay as they were written, whichever of the triggers before this one a database has."""

from django.db import migrations

STAY = """
DROP TRIGGER IF EXISTS kyc_tierterms_stay ON kyc_tierterms;
DROP TRIGGER IF EXISTS kyc_tierterms_only_grows ON kyc_tierterms;
CREATE TRIGGER kyc_tierterms_only_grows BEFORE UPDATE OR DELETE ON kyc_tierterms
FOR EACH ROW EXECUTE FUNCTION kyc_only_grows();
"""


class Migration(migrations.Migration):
    dependencies = [("kyc", "0007_reveals")]

    operations = [migrations.RunSQL(STAY, migrations.RunSQL.noop)]
