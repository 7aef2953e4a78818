"""The people that the device knows, by name and by voice, for the conversation and the ear."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from assistant.errors import UnknownPerson
from assistant.journal import SqlJournal
from assistant.people import Grant, Person
from assistant.people_records import Cipher, SqlPeopleStore
from hardware.audio import AudioClip
from mcp_tencent.gateway.call import Permission
from mcp_tencent.gateway.stores import in_store
from mcp_tencent.push.records import SqlDeliveryStore, SqlPreferenceStore
from mcp_tencent.serving.tokens import TokenStore
from scheduler.digest_claims import SqlDigestClaimStore
from voice.errors import VoiceprintOfOtherModel
from voice.heard import SpeakerMatch
from voice.speakers import SpeakerCheck
from voice.voiceprint import Enrolment, Level, Probe, learn
from voice.voiceprint_bytes import read_voiceprint, voiceprint_bytes

LEARNS_EVERY = timedelta(hours=20)
"""A voiceprint takes in one utterance a day at most."""
_log = logging.getLogger(__name__)

CONSOLE = Person(
    id="console",
    name="console",
    created_at=datetime(1970, 1, 1, tzinfo=UTC),
    grants=tuple(Grant(permission=one) for one in Permission),
)
"""Who types on a device that knows nobody yet: physical access makes an administrator. It has no voice."""


class KeptPeople:
    """Satisfies the conversation's `KnownPeople`.

    Args:
        people: The records.
    """

    def __init__(self, people: SqlPeopleStore) -> None:
        self._people = people

    async def person(self, name: str) -> Person | None:
        """Return the person of this id or name as they are now."""
        if name == CONSOLE.id:
            return CONSOLE
        try:
            return await in_store(lambda: self._people.get(name))
        except UnknownPerson:
            return None


class KnownVoices:
    """Satisfies the appliance's `Voices`, on the voiceprints that are kept sealed.

    Args:
        people: Where voiceprints are kept.
        check: The speaker model.
        now: The device's time.
    """

    def __init__(self, people: SqlPeopleStore, check: SpeakerCheck, now: Callable[[], datetime]) -> None:
        self._people = people
        self._check = check
        self._now = now

    @property
    def model(self) -> str:
        """The speaker model in use."""
        return self._check.model

    def known(self) -> Sequence[Enrolment]:
        """Return everybody's voiceprint of the model in use.

        Raises:
            VoiceprintOfOtherModel: nobody has one, but somebody has one of another model: enrol again.
            VoiceprintDamaged: stored bytes hold no voiceprint.
        """
        model = self._check.model
        known = [read_voiceprint(one.embedding, model=model) for one in self._people.voiceprints(model=model)]
        if known:
            return known
        earlier = sorted(self._people.get(person).name for person in self._people.enrolled_models())
        if earlier:
            raise VoiceprintOfOtherModel(
                f"the voiceprints of {', '.join(earlier)} were made with another model than {model}"
            )
        return known

    def identify(self, audio: AudioClip, level: Level, *, speech_s: float | None = None) -> SpeakerMatch:
        """Tell whose voice it is; a stranger's when in doubt. A sure match is learned from, once a day.

        Raises:
            VoiceprintOfOtherModel: as `known` does.
            VoiceprintDamaged: as `known` does.
        """
        known = self.known()
        match, probe = self._check.judge(audio, known, level, speech_s=speech_s)
        if level is Level.QUESTION and match.accepted and probe is not None:
            self._learn(next(one for one in known if one.person == match.person), probe, match)
        return match

    def _learn(self, enrolment: Enrolment, probe: Probe, match: SpeakerMatch) -> None:
        """Follow how a voice changes over weeks, not what one room sounds like today."""
        now = self._now()
        if enrolment.learned and now - enrolment.learned[-1].at < LEARNS_EVERY:
            return
        grown = learn(enrolment, probe, match, now=now)
        if grown is enrolment:
            return
        try:
            self._keep(grown, now)
        except SQLAlchemyError as error:
            _log.warning("what was learned of a voice could not be kept: %s", type(error).__name__)

    def enrol(self, person: Person, clips: Sequence[AudioClip]) -> None:
        """Learn somebody's voice, in the place of what was known of it.

        Raises:
            EnrolmentRefused: the clips do not do; it knows which one.
        """
        self._keep(self._check.enrol(person.id, clips), self._now())

    def _keep(self, enrolment: Enrolment, now: datetime) -> None:
        self._people.enrol(
            enrolment.person,
            model=enrolment.model,
            embeddings=[voiceprint_bytes(enrolment)],
            now=now,
        )


def people_store(engine: Engine, cipher: Cipher) -> SqlPeopleStore:
    """Return the records of people, with everything that is kept about them and goes when they go."""
    traces = (
        SqlJournal(engine),
        SqlPreferenceStore(engine),
        SqlDeliveryStore(engine),
        SqlDigestClaimStore(engine),
    )
    return SqlPeopleStore(engine, cipher, traces=traces)


class DevicePeople:
    """Satisfies the device tools' `People`: whoever is removed loses their tokens first.

    Args:
        people: The records.
        tokens: By which people's programs come in.
    """

    def __init__(self, people: SqlPeopleStore, tokens: TokenStore) -> None:
        self._people = people
        self._tokens = tokens

    def add(self, name: str, *, now: datetime) -> Person:
        """Add somebody; raises PersonExists."""
        return self._people.add(name, now=now)

    def get(self, person: str) -> Person:
        """Return somebody by id or name; raises UnknownPerson."""
        return self._people.get(person)

    def everybody(self) -> Sequence[Person]:
        """Return all."""
        return self._people.everybody()

    def grant(self, person: str, grant: Grant) -> Person:
        """Give somebody a permission."""
        return self._people.grant(person, grant)

    def remove(self, person: str) -> None:
        """Delete somebody with everything that is kept about them."""
        found = self._people.get(person)
        for known_as in (found.id, found.name):
            for token in self._tokens.of(known_as):
                self._tokens.revoke(token.id)
        self._people.remove(found.id)
