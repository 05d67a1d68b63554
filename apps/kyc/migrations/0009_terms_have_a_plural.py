from django.db import migrations


class Migration(migrations.Migration):
    """Name the terms of tiers as the back office shows them."""

    dependencies = [("kyc", "0008_terms_stay")]

    operations = [
        migrations.AlterModelOptions(
            name="tierterms",
            options={
                "verbose_name": "terms of a tier",
                "verbose_name_plural": "terms of a tier",
            },
        ),
    ]
