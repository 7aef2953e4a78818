"""The composition root: settings become clouds, a database, a gateway and servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from assistant.database import Database, open_database
from assistant.home import Home
from assistant.settings import Settings
from assistant.settings_loading import load_settings
from mcp_tencent.gateway.audit_trail import AuditTrail


def database_url(home: Home, settings: Settings) -> str:
    """Return where records are kept."""
    return settings.database_url.get_secret_value() if settings.database_url else home.database_url


def open_records(home: Home, settings: Settings) -> Database:
    """Open the database that the settings name, on the newest schema."""
    return open_database(database_url(home, settings))


@contextmanager
def open_audit(home: Home, environ: Mapping[str, str]) -> Iterator[AuditTrail]:
    """Open the audit chain, with the anchor that tells whether its end was cut off."""
    settings, _ = load_settings(home, environ)
    with open_records(home, settings) as database:
        yield AuditTrail(database.engine, home.audit_anchor_file)
