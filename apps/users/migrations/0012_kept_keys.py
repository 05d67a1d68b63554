"""Keys that outlive the key of keys, sealed under it."""

import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0011_end_log_ins"),
    ]

    operations = [
        migrations.CreateModel(
            name="KeptKey",
            fields=[
                (
                    "name",
                    models.CharField(max_length=40, primary_key=True, serialize=False),
                ),
                ("sealed", models.BinaryField()),
                ("made_at", models.DateTimeField(default=django.utils.timezone.now)),
            ],
        ),
    ]
