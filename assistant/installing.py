"""What a command works on: the configured installation, or an embedded local cloud in real time."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from assistant.command_options import require_local_cloud
from assistant.home import find_home
from assistant.servers import Installation, configured, on_local_cloud
from assistant.settings_loading import load_settings


@contextmanager
def installed(home: Path | None, scenario: str | None) -> Iterator[Installation]:
    """Compose what the settings say, or an embedded cloud; records lie in the home in either case.

    Args:
        home: Folder of settings and data; with a scenario and without a home, one that is thrown away.
        scenario: Name or file of the embedded cloud's scenario; None for the configured clouds.
    """
    if scenario is None:
        place = find_home(home, os.environ)
        settings, _ = load_settings(place, os.environ)
        yield configured(place, settings, os.environ)
        return
    require_local_cloud()
    from mcp_tencent.local_cloud.server import LocalCloud

    with tempfile.TemporaryDirectory() as scratch:
        place = find_home(home or (Path(scratch) if "XIAOZHI_HOME" not in os.environ else None), os.environ)
        settings, _ = load_settings(place, os.environ)
        with LocalCloud(scenario) as cloud:
            yield on_local_cloud(place, settings, os.environ, cloud)
