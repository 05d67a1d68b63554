"""What only grows says so row by row: a statement that finds no row changes nothing."""

from django.db import migrations

BY_ROW = """
DROP TRIGGER kyc_step_only_grows ON kyc_step;
DROP TRIGGER kyc_reveal_only_grows ON kyc_reveal;
DROP TRIGGER kyc_tierterms_only_grows ON kyc_tierterms;
CREATE TRIGGER kyc_step_only_grows BEFORE UPDATE OR DELETE ON kyc_step
FOR EACH ROW EXECUTE FUNCTION kyc_only_grows();
CREATE TRIGGER kyc_reveal_only_grows BEFORE UPDATE OR DELETE ON kyc_reveal
FOR EACH ROW EXECUTE FUNCTION kyc_only_grows();
CREATE TRIGGER kyc_tierterms_only_grows BEFORE DELETE ON kyc_tierterms
FOR EACH ROW EXECUTE FUNCTION kyc_only_grows();
"""


class Migration(migrations.Migration):
    dependencies = [("kyc", "0004_tier_terms")]

    operations = [migrations.RunSQL(BY_ROW, migrations.RunSQL.noop)]
