"""Events only grow: the database refuses to change one, or to delete one that is a year young."""

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

SQLITE = (
    """
    CREATE TRIGGER events_stay BEFORE UPDATE ON backoffice_event
    BEGIN SELECT RAISE(ABORT, 'events are never changed'); END;
    """,
    """
    CREATE TRIGGER events_remain BEFORE DELETE ON backoffice_event
    WHEN OLD.at > datetime('now', '-1 year')
    BEGIN SELECT RAISE(ABORT, 'events are kept for a year'); END;
    """,
)
POSTGRESQL = (
    """
    CREATE FUNCTION events_stay() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF TG_OP = 'UPDATE' OR OLD.at > now() - interval '1 year' THEN
        RAISE EXCEPTION 'events are kept as they are, for a year';
      END IF;
      RETURN OLD;
    END $$;
    """,
    """
    CREATE TRIGGER events_stay BEFORE UPDATE OR DELETE ON backoffice_event
    FOR EACH ROW EXECUTE FUNCTION events_stay();
    """,
)
UNDO_SQLITE = (
    "DROP TRIGGER IF EXISTS events_stay",
    "DROP TRIGGER IF EXISTS events_remain",
)
UNDO_POSTGRESQL = ("DROP TRIGGER events_stay ON backoffice_event", "DROP FUNCTION events_stay")


def guard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    run(editor, SQLITE if editor.connection.vendor == "sqlite" else POSTGRESQL)


def unguard(apps: object, editor: BaseDatabaseSchemaEditor) -> None:
    run(editor, UNDO_SQLITE if editor.connection.vendor == "sqlite" else UNDO_POSTGRESQL)


def run(editor: BaseDatabaseSchemaEditor, statements: tuple[str, ...]) -> None:
    for statement in statements:
        editor.execute(statement)


class Migration(migrations.Migration):
    dependencies = [("backoffice", "0001_initial")]
    operations = [migrations.RunPython(guard, unguard)]
