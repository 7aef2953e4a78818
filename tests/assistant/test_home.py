"""Where everything lies."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.home import find_home


def test_the_option_outranks_the_variable(tmp_path: Path):
    home = find_home(tmp_path / "option", {"XIAOZHI_HOME": "/variable", "HOME": "/h"})
    assert home.config_file == tmp_path / "option" / "config.toml"
    assert home.data_dir == tmp_path / "option" / "data"
    assert home.models_dir == tmp_path / "option" / "models"


def test_the_variable_outranks_the_xdg_folders():
    home = find_home(None, {"XIAOZHI_HOME": "/variable", "XDG_CONFIG_HOME": "/config", "HOME": "/h"})
    assert home.key_file == Path("/variable/xiaozhi.key")


def test_the_xdg_folders_are_kept_apart():
    home = find_home(None, {"XDG_CONFIG_HOME": "/config", "XDG_DATA_HOME": "/data", "HOME": "/h"})
    assert home.config_dir == Path("/config/xiaozhi")
    assert home.database_url == "sqlite:////data/xiaozhi/xiaozhi.db"
    assert home.models_dir == Path("/data/xiaozhi/models")


@pytest.mark.parametrize("unset", ["", "relative/folder"])
def test_without_a_usable_variable_the_defaults_of_xdg_hold(unset: str):
    home = find_home(None, {"XDG_CONFIG_HOME": unset, "HOME": "/h"})
    assert (home.config_dir, home.data_dir) == (Path("/h/.config/xiaozhi"), Path("/h/.local/share/xiaozhi"))
