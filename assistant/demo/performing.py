"""The body of `xiaozhi demo`."""

from __future__ import annotations

import asyncio
import logging
import signal
import tempfile
from pathlib import Path

from rich.console import Console

from assistant.demo.errors import DemoStepFailed
from assistant.demo.narrator import Narrator
from assistant.demo.stage import Stage, set_stage
from assistant.demo.story import Story
from mcp_tencent.local_cloud.server import kubeconfig_file
from mcp_tencent.serving.masking import log_to_stderr


def perform(out: Path, *, serve: bool = False, play: bool = False, console: Console | None = None) -> None:
    """Tell the whole story on a fresh local cloud; writes digest.wav, digest.html, mail.eml, transcript.json.

    Args:
        out: Folder for them; it is made.
        serve: Whether the local cloud stays until Ctrl-C.
        play: Whether it is heard over the loudspeaker.
        console: Where it is narrated.

    Raises:
        DemoStepFailed: A step did not come out as it should; the transcript is written all the same.
    """
    log_to_stderr(logging.CRITICAL)
    out.mkdir(parents=True, exist_ok=True)
    asyncio.run(_perform(out, serve, play, Narrator(console or Console(highlight=False))))


async def _perform(out: Path, serve: bool, play: bool, narrator: Narrator) -> None:
    narrator.chapter("本地云", "an imitation of Tencent Cloud on this machine")
    failure: DemoStepFailed | None = None
    with tempfile.TemporaryDirectory(prefix="xiaozhi-demo-") as folder:
        async with set_stage(Path(folder), aloud=play) as stage:
            cloud = stage.cloud
            narrator.note(f"{cloud.scenario.title}：{len(cloud.cluster_ids)}个集群，{cloud.url}")
            narrator.keep("cloud", scenario=cloud.scenario.name, clusters=list(cloud.cluster_ids))
            try:
                await Story(stage, narrator, out).tell()
                narrator.chapter(f"完成，用时{narrator.seconds:.0f}秒", str(out))
            except DemoStepFailed as failed:
                failure = failed
                narrator.keep("failed", why=str(failed))
            (out / "transcript.json").write_text(narrator.transcript(), encoding="utf-8")
            if serve:
                await _served(stage, narrator)
    if failure is not None:
        raise failure


async def _served(stage: Stage, narrator: Narrator) -> None:
    """Leave the local cloud to whoever wants to look, until SIGINT or SIGTERM."""
    stopped, loop = asyncio.Event(), asyncio.get_running_loop()
    for one in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(one, stopped.set)
    key = stage.cloud.credentials
    with kubeconfig_file(stage.cloud) as path:
        narrator.console.print(f"Tencent Cloud API  {stage.cloud.url}  {key.secret_id}  {key.secret_key}")
        narrator.console.print(f"Kubernetes         export KUBECONFIG={path}; kubectl get pods -A")
        narrator.console.print("Stop with Ctrl-C.")
        await stopped.wait()
