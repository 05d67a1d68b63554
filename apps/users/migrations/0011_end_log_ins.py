from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("users", "0010_factor_resets"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="login",
            options={"permissions": (("end_log_ins", "Can end the log-ins of people"),)},
        ),
    ]
