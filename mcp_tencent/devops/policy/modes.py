"""Healing modes: what the device may do by itself, chosen for namespaces, kept in the database."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sqlalchemy import Column, Engine, Text, delete
from sqlmodel import Field, Session, SQLModel, col, select

from mcp_tencent.devops.policy.model import HealingMode
from mcp_tencent.tables import UtcDateTime, changed_rows, reading, writing

EVERYWHERE = ""
"""Instead of a cluster or namespace: all of them."""
_FALLEN_BACK = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeChoice:
    """A mode that was chosen."""

    cluster_id: str = EVERYWHERE
    namespace: str = EVERYWHERE
    mode: HealingMode
    chosen_by: str
    """The person, or the guard."""
    reason: str = ""
    """In Chinese, where a guard chose it."""
    chosen_at: datetime


@dataclass(frozen=True, slots=True)
class ModeBook:
    """All choices at one moment."""

    choices: tuple[ModeChoice, ...]
    fallen_back: ModeChoice | None
    """Set while a guard has put the whole device back to observing."""

    def mode_of(self, cluster_id: str, namespace: str) -> HealingMode:
        """Return the mode of a namespace: of the narrowest choice that fits; observe where there is none."""
        if self.fallen_back is not None:
            return HealingMode.OBSERVE
        chosen = {(choice.cluster_id, choice.namespace): choice.mode for choice in self.choices}
        for place in ((cluster_id, namespace), (EVERYWHERE, namespace), (EVERYWHERE, EVERYWHERE)):
            if place in chosen:
                return chosen[place]
        return HealingMode.OBSERVE


class ModeStore(Protocol):
    """The memory of healing modes. Calls block; they are made off the event loop."""

    def book(self) -> ModeBook:
        """Return all choices."""
        ...

    def choose(self, choice: ModeChoice) -> None:
        """Set the mode of a namespace, or everywhere; the latter forgets what was chosen for namespaces.

        A choice of a person also ends a fall-back.
        """
        ...

    def fall_back(self, *, by: str, reason: str, at: datetime) -> None:
        """Put the whole device back to observing until a person chooses again; choices are kept."""
        ...


class HealingModeRow(SQLModel, table=True):
    """The mode of one namespace; `""` is all of them, `"*"` a fall-back."""

    __tablename__ = "healing_modes"

    cluster_id: str = Field(primary_key=True, max_length=64)
    namespace: str = Field(primary_key=True, max_length=253)
    mode: str = Field(max_length=16)
    chosen_by: str = Field(max_length=128)
    reason: str = Field(sa_column=Column(Text, nullable=False))
    chosen_at: datetime = Field(sa_column=Column(UtcDateTime, nullable=False))


class SqlModeStore:
    """Keeps healing modes in the database; satisfies `ModeStore`."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def book(self) -> ModeBook:
        """Return all choices."""
        with reading(self._engine) as session:
            rows = session.exec(
                select(HealingModeRow).order_by(col(HealingModeRow.cluster_id), col(HealingModeRow.namespace))
            ).all()
        return ModeBook(
            choices=tuple(_choice(row) for row in rows if row.namespace != _FALLEN_BACK),
            fallen_back=next((_choice(row) for row in rows if row.namespace == _FALLEN_BACK), None),
        )

    def choose(self, choice: ModeChoice) -> None:
        """Set the mode of a namespace, or everywhere; ends a fall-back."""
        with writing(self._engine) as session:
            if choice.cluster_id == EVERYWHERE and choice.namespace == EVERYWHERE:
                changed_rows(session, delete(HealingModeRow))
            elif choice.cluster_id == EVERYWHERE:
                # Wherever the namespace is: what was chosen for it in one cluster no longer counts.
                changed_rows(
                    session, delete(HealingModeRow).where(col(HealingModeRow.namespace) == choice.namespace)
                )
            changed_rows(session, delete(HealingModeRow).where(col(HealingModeRow.namespace) == _FALLEN_BACK))
            _put(session, choice)

    def fall_back(self, *, by: str, reason: str, at: datetime) -> None:
        """Put the whole device back to observing until a person chooses again."""
        choice = ModeChoice(
            namespace=_FALLEN_BACK, mode=HealingMode.OBSERVE, chosen_by=by, reason=reason, chosen_at=at
        )
        with writing(self._engine) as session:
            _put(session, choice)


def _put(session: Session, choice: ModeChoice) -> None:
    session.merge(
        HealingModeRow(
            cluster_id=choice.cluster_id,
            namespace=choice.namespace,
            mode=choice.mode,
            chosen_by=choice.chosen_by,
            reason=choice.reason,
            chosen_at=choice.chosen_at,
        )
    )


def _choice(row: HealingModeRow) -> ModeChoice:
    return ModeChoice(**row.model_dump(exclude={"mode"}), mode=HealingMode(row.mode))
