"""A voiceprint as bytes, to be sealed and kept: with the version of the format and the name of the model."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Literal

import numpy as np
from pydantic import (
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    ValidationError,
)

from voice.errors import VoiceprintDamaged, VoiceprintOfOtherModel
from voice.voiceprint import MAX_LEARNED, Embedding, Enrolment, Learned


def _embedding(encoded: object) -> Embedding:
    if isinstance(encoded, np.ndarray):
        return encoded
    try:
        vector = np.frombuffer(base64.b64decode(str(encoded), validate=True), dtype="<f4").astype(np.float32)
    except binascii.Error as error:
        raise ValueError("an embedding is base64 text") from error
    if not len(vector) or not np.isfinite(vector).all() or abs(float(np.linalg.norm(vector)) - 1) > 1e-3:
        raise ValueError("an embedding has length 1")
    return vector


def _encoded(embedding: Embedding) -> str:
    return base64.b64encode(embedding.astype("<f4").tobytes()).decode("ascii")


_Vector = Annotated[Embedding, BeforeValidator(_embedding), PlainSerializer(_encoded, return_type=str)]


class _LearnedFile(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True)

    at: AwareDatetime
    embedding: _Vector
    score: float


class _EnrolmentFile(BaseModel):
    model_config = ConfigDict(extra="forbid", arbitrary_types_allowed=True, allow_inf_nan=False)

    version: Literal[1] = 1
    person: str
    model: str
    clips: list[_Vector] = Field(min_length=1)
    own_scores: list[float]
    learned: list[_LearnedFile] = Field(default=[], max_length=MAX_LEARNED)


def voiceprint_bytes(enrolment: Enrolment) -> bytes:
    """Return the voiceprint as bytes. They are biometric data: seal them before they are written anywhere."""
    content = _EnrolmentFile(
        person=enrolment.person,
        model=enrolment.model,
        clips=list(enrolment.clips),
        own_scores=list(enrolment.own_scores),
        learned=[
            _LearnedFile(at=one.at, embedding=one.embedding, score=one.score) for one in enrolment.learned
        ],
    )
    return content.model_dump_json().encode()


def read_voiceprint(content: bytes, *, model: str) -> Enrolment:
    """Read a voiceprint back.

    Args:
        content: as `voiceprint_bytes` made it.
        model: the speaker model in use.

    Raises:
        VoiceprintDamaged: it is none, or one of a later format.
        VoiceprintOfOtherModel: it was made with another model, so the person has to enrol again.
    """
    try:
        found = _EnrolmentFile.model_validate_json(content)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(one) for one in first["loc"])
        raise VoiceprintDamaged(f"stored bytes hold no voiceprint: {place} {first['msg']}") from error
    if found.model != model:
        raise VoiceprintOfOtherModel(
            f"the voiceprint of {found.person} was made with {found.model}, in use is {model}"
        )
    if {len(clip) for clip in found.clips} != {len(found.clips[0])}:
        raise VoiceprintDamaged("stored bytes hold no voiceprint: embeddings of different lengths")
    return Enrolment(
        person=found.person,
        model=found.model,
        clips=tuple(found.clips),
        own_scores=tuple(found.own_scores),
        learned=tuple(Learned(at=one.at, embedding=one.embedding, score=one.score) for one in found.learned),
    )
