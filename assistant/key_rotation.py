"""A new key for everything that is sealed: settings, voiceprints, checkpoints.

While it is under way the key file holds both keys, so that everything can be opened at every moment; a
rotation that was interrupted is finished by running it again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, LargeBinary, Table, select, update

from assistant.atomic_files import locked_folder
from assistant.config_file import changed_text, read_config, resealing, write_config
from assistant.database import record_metadata
from assistant.home import Home
from assistant.sealing import Sealer, new_key, read_key_file, write_key_file
from assistant.settings_loading import sealed_paths
from mcp_tencent.tables import writing

SEALED_COLUMN = "sealed"
"""Every column of this name holds what a Sealer sealed."""

_BATCH = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What was sealed anew."""

    settings: int
    records: int


def rotate_key(home: Home, environ: Mapping[str, str], engine: Engine) -> Rotation:
    """Make a new key, seal everything with it and forget the old one.

    No other process may use the database meanwhile: it would go on sealing with the old key.

    Raises:
        KeyNotWritable: systemd provides the key.
        SecretsError: the key cannot be read, or something was sealed with a key that is not here.
    """
    old_keys = read_key_file(home.key_file) if home.key_file.exists() else []
    keys = [new_key(), *old_keys]
    write_key_file(home, environ, keys)
    sealer = Sealer(keys)
    with locked_folder(home.config_dir):
        paths = sealed_paths(read_config(home.config_file))
        if paths:
            write_config(home.config_file, changed_text(home.config_file, resealing(paths, sealer)))
    records = sum(_reseal(engine, table, sealer) for table in _sealed_tables())
    write_key_file(home, environ, keys[:1])
    return Rotation(settings=len(paths), records=records)


def _sealed_tables() -> list[Table]:
    tables = record_metadata().sorted_tables
    return [table for table in tables if isinstance(_column_type(table), LargeBinary)]


def _column_type(table: Table) -> object:
    return table.columns[SEALED_COLUMN].type if SEALED_COLUMN in table.columns else None


def _reseal(engine: Engine, table: Table, sealer: Sealer) -> int:
    """Seal the rows of a table anew, some at a time, so that memory stays flat."""
    key_columns = list(table.primary_key.columns)
    statement = select(*key_columns, table.columns[SEALED_COLUMN]).order_by(*key_columns)
    done, offset = 0, 0
    while True:
        with writing(engine) as session:
            rows = session.connection().execute(statement.limit(_BATCH).offset(offset)).all()
            for *key, sealed in rows:
                if sealed is None or sealer.is_current(bytes(sealed)):
                    continue
                fresh = sealer.seal(sealer.unseal(bytes(sealed)))
                here = [column == value for column, value in zip(key_columns, key, strict=True)]
                session.connection().execute(update(table).where(*here).values({SEALED_COLUMN: fresh}))
                done += 1
        if len(rows) < _BATCH:
            return done
        offset += _BATCH
