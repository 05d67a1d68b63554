"""What the database itself insists on, whoever asks.

- Postings come in whole entries: one statement brings all legs of an entry, they come to zero per
  asset, both ends exist and belong to one partition. `(entry, leg)` is unique and `leg <= legs`, so
  nothing can be added to an entry later.
- At commit each new entry is summed once more, alone: an entry without its legs does not commit.
- Balances are kept here, by the owner's rights. The services' role cannot write them.
- Entries, postings, accounts and fills only grow.
"""

from django.conf import settings
from django.db import migrations

# Dynamic SQL, so that each statement is planned for the tables as they are: a plan that was made and
# kept while they were empty would read them whole for ever.
POSTINGS_ARRIVE = """
CREATE FUNCTION ledger_postings_arrive() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    bad record;
BEGIN
    EXECUTE $q$
        SELECT n.entry_id, n.leg, n.account_id
        FROM new_postings n
        LEFT JOIN ledger_entry e ON e.id = n.entry_id
        LEFT JOIN ledger_ledgeraccount a ON a.id = n.account_id
        WHERE e.id IS NULL OR a.id IS NULL OR n.leg > e.legs OR a.partition <> e.partition
        LIMIT 1
    $q$ INTO bad;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: leg % of entry % does not belong on account %',
            bad.leg, bad.entry_id, bad.account_id USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    EXECUTE $q$
        SELECT n.entry_id, a.asset, sum(n.amount) AS total
        FROM new_postings n JOIN ledger_ledgeraccount a ON a.id = n.account_id
        GROUP BY n.entry_id, a.asset HAVING sum(n.amount) <> 0
        LIMIT 1
    $q$ INTO bad;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: entry % is off by % %', bad.entry_id, bad.total, bad.asset
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    EXECUTE $q$
        SELECT n.entry_id
        FROM (SELECT entry_id, count(*) AS legs FROM new_postings GROUP BY entry_id) n
        JOIN ledger_entry e ON e.id = n.entry_id
        WHERE n.legs <> e.legs
        LIMIT 1
    $q$ INTO bad;
    IF bad IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: the legs of entry % did not come together', bad.entry_id
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;

    EXECUTE $q$
        UPDATE ledger_balance b SET amount = b.amount + moved.amount
        FROM (
            SELECT account_id, sum(amount) AS amount FROM new_postings
            GROUP BY account_id HAVING sum(amount) <> 0
        ) moved
        WHERE b.account_id = moved.account_id
    $q$;
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_postings_arrive AFTER INSERT ON ledger_posting
REFERENCING NEW TABLE AS new_postings
FOR EACH STATEMENT EXECUTE FUNCTION ledger_postings_arrive();
"""

# This one runs once per entry, so its plan is kept; the settings leave it no other than two indexes.
ENTRY_BALANCES = """
CREATE FUNCTION ledger_entry_balances() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp SET enable_seqscan = off SET enable_bitmapscan = off AS $$
DECLARE
    found_legs bigint;
    is_off boolean;
BEGIN
    SELECT sum(s.legs), bool_or(s.total <> 0) INTO found_legs, is_off
    FROM (
        SELECT count(*) AS legs, sum(p.amount) AS total
        FROM ledger_posting p
        CROSS JOIN LATERAL (
            SELECT a.asset FROM ledger_ledgeraccount a WHERE a.id = p.account_id OFFSET 0
        ) a
        WHERE p.entry_id = NEW.id GROUP BY a.asset
    ) s;
    IF found_legs IS DISTINCT FROM NEW.legs OR is_off THEN
        RAISE EXCEPTION 'ledger: entry % (% %) does not balance', NEW.id, NEW.kind, NEW.reference
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER ledger_entry_balances AFTER INSERT ON ledger_entry
DEFERRABLE INITIALLY DEFERRED
FOR EACH ROW EXECUTE FUNCTION ledger_entry_balances();
"""

ACCOUNT_OPENS = """
CREATE FUNCTION ledger_account_opens() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO ledger_balance (account_id, amount, may_be_negative)
    VALUES (NEW.id, 0, NEW.kind <> 'customer');
    RETURN NULL;
END $$;

CREATE TRIGGER ledger_account_opens AFTER INSERT ON ledger_ledgeraccount
FOR EACH ROW EXECUTE FUNCTION ledger_account_opens();
"""

ONLY_GROWS = """
CREATE FUNCTION ledger_only_grows() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'ledger: % only grows; correct a mistake by another entry', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation';
END $$;
"""
APPEND_ONLY = ["ledger_ledgeraccount", "ledger_entry", "ledger_posting", "ledger_settledfill"]
DERIVED = ["ledger_balance"]  # Written by triggers, with the owner's rights.
KEPT = ["ledger_cursor", "ledger_halt", "ledger_settledorder"]  # Changed, never deleted.


def append_only(table: str) -> str:
    return f"""
CREATE TRIGGER {table}_only_grows BEFORE UPDATE OR DELETE ON {table}
FOR EACH STATEMENT EXECUTE FUNCTION ledger_only_grows();
"""


def take_rights_away(apps, schema_editor) -> None:
    """Leave the services' role what it needs. (The owner of the tables keeps its rights.)"""
    role = getattr(settings, "APP_DATABASE_ROLE", "")
    with schema_editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM pg_roles WHERE rolname = %s AND rolname <> current_user", [role]
        )
        if cursor.fetchone() is None:
            return
        name = schema_editor.quote_name(role)
        for tables, rights in (
            (APPEND_ONLY, "UPDATE, DELETE, TRUNCATE"),
            (DERIVED, "INSERT, UPDATE, DELETE, TRUNCATE"),
            (KEPT, "DELETE, TRUNCATE"),
        ):
            for table in tables:
                cursor.execute(f"REVOKE {rights} ON {table} FROM {name}")


class Migration(migrations.Migration):
    dependencies = [("ledger", "0001_initial")]

    operations = [
        migrations.RunSQL(POSTINGS_ARRIVE, "DROP FUNCTION ledger_postings_arrive() CASCADE"),
        migrations.RunSQL(ENTRY_BALANCES, "DROP FUNCTION ledger_entry_balances() CASCADE"),
        migrations.RunSQL(ACCOUNT_OPENS, "DROP FUNCTION ledger_account_opens() CASCADE"),
        migrations.RunSQL(ONLY_GROWS, "DROP FUNCTION ledger_only_grows() CASCADE"),
        *[
            migrations.RunSQL(append_only(table), f"DROP TRIGGER {table}_only_grows ON {table}")
            for table in APPEND_ONLY
        ],
        # Orders are updated while they live: room on the page keeps those updates off the indexes.
        migrations.RunSQL(
            "ALTER TABLE ledger_settledorder SET (fillfactor = 70);"
            "ALTER TABLE ledger_balance SET (fillfactor = 50);",
            migrations.RunSQL.noop,
        ),
        migrations.RunPython(take_rights_away, migrations.RunPython.noop),
    ]
