"""Which revision a workload is rolled back to (pure)."""

from __future__ import annotations

from collections.abc import Sequence

from mcp_tencent.devops.diagnosis.picture import same_program
from mcp_tencent.models.workloads import Revision


def last_good(revisions: Sequence[Revision]) -> Revision | None:
    """Return the latest revision older than the present one that runs something else; None: none is kept.

    Before by age and not by number: a workload that was rolled back once must not return to what it was
    rolled back from. Something else: a restart makes a revision of its own, and returning to it changes
    nothing.
    """
    current = next((revision for revision in revisions if revision.current), None)
    if current is None:
        return None
    earlier = [
        revision
        for revision in revisions
        if not revision.current and not same_program(revision, current) and _older(revision, current)
    ]
    return max(earlier, key=lambda revision: revision.number, default=None)


def _older(revision: Revision, current: Revision) -> bool:
    if revision.created_at is None or current.created_at is None:
        return revision.number < current.number
    return revision.created_at < current.created_at


def version_of(revision: Revision) -> str:
    """Return how to call a revision: by its image's tag, else by its number."""
    for image in revision.images:
        name, _, tag = image.image.rpartition(":")
        if name and "/" not in tag:
            return tag
    return f"第{revision.number}版"
