"""Where everything lies: settings, data and speech models, in one folder or in the XDG folders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The folders of one installation. Nothing here exists until it is needed.

    Attributes:
        config_dir: settings file, key file, policy.
        data_dir: database, backups, recordings for enrolment.
        models_dir: speech models.
    """

    config_dir: Path
    data_dir: Path
    models_dir: Path

    @property
    def config_file(self) -> Path:
        """The settings file; it may be absent."""
        return self.config_dir / "config.toml"

    @property
    def policy_file(self) -> Path:
        """The healing policy; where it is absent the defaults hold."""
        return self.config_dir / "policy.yaml"

    @property
    def audit_anchor_file(self) -> Path:
        """Repeats the end of the audit chain, away from the database that holds it."""
        return self.config_dir / "audit-anchor.json"

    @property
    def key_file(self) -> Path:
        """The key that seals secrets, unless systemd provides one; made when first needed."""
        return self.config_dir / "xiaozhi.key"

    @property
    def database_file(self) -> Path:
        """The SQLite file that is used when no database_url is set."""
        return self.data_dir / "xiaozhi.db"

    @property
    def database_url(self) -> str:
        """The URL of `database_file`."""
        return f"sqlite:///{self.database_file}"


def find_home(directory: Path | None, environ: Mapping[str, str]) -> Home:
    """Return the folders: `directory`, else `$XIAOZHI_HOME`, else the XDG base directories.

    Follows the XDG Base Directory Specification: a relative path in an XDG variable is ignored.
    """
    chosen = directory or (Path(environ["XIAOZHI_HOME"]) if environ.get("XIAOZHI_HOME") else None)
    if chosen is not None:
        root = chosen.expanduser().absolute()
        return Home(config_dir=root, data_dir=root / "data", models_dir=root / "models")
    config = _xdg_folder(environ, "XDG_CONFIG_HOME", ".config")
    data = _xdg_folder(environ, "XDG_DATA_HOME", ".local/share")
    return Home(config_dir=config, data_dir=data, models_dir=data / "models")


def _xdg_folder(environ: Mapping[str, str], variable: str, fallback: str) -> Path:
    given = Path(environ.get(variable, ""))
    folder = given if given.is_absolute() else Path(environ.get("HOME") or Path.home()) / fallback
    return folder / "xiaozhi"
