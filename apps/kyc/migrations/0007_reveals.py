"""A reveal belongs to an application: its answers are revealed, too, and not only its papers."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("kyc", "0006_same_is_no_change")]

    operations = [
        migrations.AddField(
            model_name="reveal",
            name="application",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reveals",
                to="kyc.application",
                default=0,  # The table is empty: nobody could look at anything so far.
            ),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name="reveal",
            name="reason_code",
            field=models.CharField(max_length=40, default=""),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="reveal",
            name="document",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reveals",
                to="kyc.document",
            ),
        ),
        migrations.AddConstraint(
            model_name="reveal",
            constraint=models.CheckConstraint(
                condition=~models.Q(reason="") & ~models.Q(reason_code=""),
                name="kyc_reveal_has_a_reason",
            ),
        ),
    ]
