from django.db import migrations


class Migration(migrations.Migration):
    """Operators get a right of their own to open, pause and halt markets."""

    dependencies = [("markets", "0004_listings")]

    operations = [
        migrations.AlterModelOptions(
            name="market",
            options={
                "permissions": [
                    ("list_market", "Can list a market"),
                    ("delist_market", "Can delist a market"),
                    ("set_market_state", "Can open, pause and halt a market"),
                ]
            },
        ),
    ]
