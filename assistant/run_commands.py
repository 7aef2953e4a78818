"""`xiaozhi run`: the appliance, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import gc
import logging
import os
import sys
from pathlib import Path

import typer

from assistant.command_options import HomeOption, ScenarioOption


def run(home: HomeOption = None, scenario: ScenarioOption = None) -> None:
    """Be the appliance: listen, answer, speak, work at night; until SIGTERM or Ctrl-C.

    Without a microphone or a loudspeaker it goes on with what it can do, and takes them up when they come.
    """
    import asyncio

    # A quarter of the start would go into collections that find nothing; run() enables them again.
    gc.disable()
    from mcp_tencent.serving.masking import log_to_stderr

    log_to_stderr(logging.WARNING)
    asyncio.run(_run(home, scenario))
    # Everything is closed; tearing down the native libraries would take a small board seconds more.
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


async def _run(home: Path | None, scenario: str | None) -> None:
    import asyncio
    import signal

    from assistant.installing import installed
    from assistant.run import run as be_the_appliance

    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, stopped.set)
    with installed(home, scenario) as installation:
        await be_the_appliance(installation, stopped=stopped, told=lambda line: typer.echo(line, err=True))
