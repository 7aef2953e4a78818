"""A model that sherpa-onnx loads, made of the embedded acoustic network: the official one is 32 MiB away.

A streaming transducer whose encoder is our network behind sherpa-onnx's front end and whose decoder only
knows the last token, so that the joiner can take the steps in which CTC repeats it for blanks. Its tokens are
written as those of the official model (initials, and finals with their tones), but syllables that
begin with a vowel, and so y and w, cannot be spelled.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import onnx
from numpy.typing import ArrayLike
from onnx import TensorProto, helper, numpy_helper
from pypinyin.contrib.tone_convert import tone3_to_tone

from voice.model_catalogue import SHERPA_FILES
from voice.models import EMBEDDED_FOLDER
from voice.training import mfcc
from voice.training.kaldi_model import Matrix, read_affine_layers
from voice.training.phones import FINALS, INITIALS, PHONE_INDEX

_ACOUSTIC_MODEL = EMBEDDED_FOLDER / "vosk-synth-cn" / "am" / "final.mdl"
_MEL_BINS = 80
_CHUNK_FRAMES = 24
_FRAMES_PER_STEP = 3
_FLOOR = float(np.log(np.finfo(np.float32).eps))
"""What sherpa-onnx writes where there is no energy."""
_FULL_SCALE = float(2 * np.log(32_768))
"""sherpa-onnx takes samples of -1 to 1, the network was trained on those of 16 bits."""
_SPELLED_ALIKE = {"iz": "i", "ir": "i", "v": "u", "ve": "ue", "van": "uan", "vn": "un"}
_OPSET = 17
Shapes: TypeAlias = Mapping[str, tuple[int | str | None, ...]]
Layer: TypeAlias = tuple[tuple[Matrix, Matrix], tuple[int, ...]]
"""Weights and bias, and which frames they see."""


def write_sherpa_model(folder: Path) -> Path:
    """Write the model with the official one's file names; return its folder."""
    folder.mkdir(parents=True, exist_ok=True)
    tokens = [*INITIALS, *dict.fromkeys(_SPELLED_ALIKE.get(final, final) for final in FINALS)]
    listed, encoder, decoder, joiner = (str(folder / name) for name in SHERPA_FILES)
    onnx.save(_encoder(tokens), encoder)
    onnx.save(_decoder(len(tokens) + 1), decoder)
    onnx.save(_joiner(len(tokens) + 1), joiner)
    lines = ["<blk> 0", *_token_lines(tokens)]
    Path(listed).write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder


def _token_lines(tokens: list[str]) -> list[str]:
    """Number the tokens from 1; a final has one number in all its tones, for the network hears none."""
    lines = []
    for number, token in enumerate(tokens, start=1):
        toned = () if token in INITIALS else (tone3_to_tone(f"{token}{tone}") for tone in range(1, 5))
        lines += [f"{written} {number}" for written in (token, *toned)]
    return lines


class _Graph:
    """A network being written."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []

    def constant(self, value: ArrayLike) -> str:
        array = np.asarray(value)
        array = array.astype(np.int64 if array.dtype.kind == "i" else np.float32)
        self._constants.append(numpy_helper.from_array(array, f"constant{len(self._constants)}"))
        return self._constants[-1].name

    def node(self, operation: str, *inputs: str, output: str | None = None, **how: Any) -> str:
        output = output or f"node{len(self._nodes)}"
        self._nodes.append(helper.make_node(operation, inputs, [output], **how))
        return output

    def model(
        self, inputs: Shapes, outputs: Shapes, facts: Mapping[str, object], *, takes: int = TensorProto.FLOAT
    ) -> onnx.ModelProto:
        graph = helper.make_graph(
            self._nodes,
            "graph",
            [helper.make_tensor_value_info(name, takes, inputs[name]) for name in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, outputs[name]) for name in outputs],
            self._constants,
        )
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)], ir_version=8)
        helper.set_model_props(model, {key: str(value) for key, value in facts.items()})
        return model


def _encoder(tokens: list[str]) -> onnx.ModelProto:
    """sherpa-onnx's log energies → MFCC → our network → how likely each token is."""
    graph = _Graph()
    layers = list(zip(read_affine_layers(_ACOUSTIC_MODEL), _spliced_offsets(_ACOUSTIC_MODEL), strict=True))
    context = 2 * sum(max(offsets) for _, offsets in layers)
    # The frames before this chunk come as the state; it begins as zeros, which shall mean no energy.
    before = graph.node("Transpose", "h", perm=[1, 0, 2])
    now = graph.node("Sub", "x", graph.constant(_FLOOR))
    frames = graph.node("Concat", before, now, axis=1)
    kept = graph.node("Slice", frames, *(graph.constant([at]) for at in (-context, 2**31, 1)))
    graph.node("Transpose", kept, perm=[1, 0, 2], output="next_h")
    graph.node("Identity", "c", output="next_c")
    power = graph.node("Exp", graph.node("Add", frames, graph.constant(_FLOOR + _FULL_SCALE)))
    energies = graph.node("Log", graph.node("MatMul", power, graph.constant(_wider_bands())))
    features = graph.node("MatMul", energies, graph.constant(mfcc._COSINES))
    judged = _network(graph, graph.node("Transpose", features, perm=[0, 2, 1]), layers)
    phones = graph.node("Softmax", graph.node("Transpose", judged, perm=[0, 2, 1]), axis=-1)
    graph.node("MatMul", phones, graph.constant(_tokens_of_phones(tokens)), output="encoder_out")
    facts = {"model_type": "lstm", "T": _CHUNK_FRAMES, "decode_chunk_len": _CHUNK_FRAMES,
             "num_encoder_layers": context, "d_model": _MEL_BINS, "rnn_hidden_size": 1}  # fmt: skip
    before_h, before_c = (context, "N", _MEL_BINS), (context, "N", 1)
    return graph.model(
        {"x": ("N", _CHUNK_FRAMES, _MEL_BINS), "h": before_h, "c": before_c},
        {"encoder_out": ("N", "T", len(tokens) + 1), "next_h": before_h, "next_c": before_c},
        facts,
    )


def _network(graph: _Graph, features: str, layers: Sequence[Layer]) -> str:
    """The acoustic network: one step for three frames from its first layer on, ReLU but for the last."""
    judged, frames_per_step = features, 1
    for (weights, bias), offsets in layers:
        if frames_per_step > 1:
            judged = graph.node("Relu", judged)
        kernel = graph.constant(weights.reshape(len(bias), len(offsets), -1).transpose(0, 2, 1))
        spacing = (offsets[1] - offsets[0]) // frames_per_step if len(offsets) > 1 else 1
        stride = _FRAMES_PER_STEP // frames_per_step
        judged = graph.node(
            "Conv", judged, kernel, graph.constant(bias), dilations=[spacing], strides=[stride]
        )
        frames_per_step = _FRAMES_PER_STEP
    return judged


def _spliced_offsets(path: Path) -> list[tuple[int, ...]]:
    """Which frames of 10 ms each layer of a model splices, around the one that is judged."""
    wiring = path.read_bytes().decode("latin-1")
    inputs = re.findall(r"^component-node name=\S+\.affine \S+ input=(.+)$", wiring, re.MULTILINE)
    found = []
    for each in inputs:
        before_and_after = [int(offset) for offset in re.findall(r"Offset\([^,]+, (-?\d+)\)", each)]
        found.append(tuple(sorted({0, *before_and_after})))
    return found


def _wider_bands() -> Matrix:
    """Weights that join sherpa-onnx's 80 bands to the network's 40: wide triangles, at narrow peaks."""
    low, high = (1127 * np.log(1 + hertz / 700) for hertz in (mfcc.LOW_HZ, mfcc.HIGH_HZ))
    peaks = np.linspace(low, high, _MEL_BINS + 2)[1:-1, None]
    wide = np.linspace(low, high, mfcc.COEFFICIENTS + 2)
    return np.asarray(np.maximum(0, 1 - np.abs(peaks - wide[1:-1]) / (wide[1] - wide[0])))


def _tokens_of_phones(tokens: list[str]) -> Matrix:
    """Which token is written for each phone; blank stays blank."""
    found = np.zeros((len(PHONE_INDEX), len(tokens) + 1))
    for phone, index in PHONE_INDEX.items():
        written = _SPELLED_ALIKE.get(phone, phone)
        found[index, tokens.index(written) + 1 if written in tokens else 0] = 1
    return found


def _decoder(tokens: int) -> onnx.ModelProto:
    """Tell the last token, as a one among zeros."""
    graph = _Graph()
    told = graph.node("Gather", graph.constant(np.eye(tokens)), "y", axis=0)
    graph.node("Squeeze", told, graph.constant([1]), output="decoder_out")
    facts = {"vocab_size": tokens, "context_size": 1}
    return graph.model({"y": ("N", 1)}, {"decoder_out": ("N", tokens)}, facts, takes=TensorProto.INT64)


def _joiner(tokens: int) -> onnx.ModelProto:
    """Count for blank what repeats the last token."""
    graph = _Graph()
    repeated = graph.node("Mul", "encoder_out", "decoder_out")
    others = graph.node("Sub", "encoder_out", repeated)
    how_likely = graph.node("ReduceSum", repeated, graph.constant([-1]), keepdims=1)
    as_blank = graph.node("Mul", how_likely, graph.constant(np.eye(tokens)[0]))
    joined = graph.node("Add", others, as_blank)
    graph.node("Log", graph.node("Max", joined, graph.constant(1e-10)), output="logit")
    shape = ("N", tokens)
    return graph.model({"encoder_out": shape, "decoder_out": shape}, {"logit": shape}, {"joiner_dim": tokens})
