"""``final.mdl``: Kaldi's binary form of a transition model and a plain nnet3 network, written and read back.

The layout follows Kaldi's own readers: ``hmm/transition-model.cc``, ``hmm/hmm-topology.cc``,
``nnet3/nnet-nnet.cc``, ``nnet3/am-nnet-simple.cc``, ``matrix/compressed-matrix.cc``. Every phone has one
emitting state that may repeat (the topology of CTC); its transition ids are what the decoding graph carries.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float64]
_HALF = 0.5
_STEPS_OF_16_BITS = 65_535


MFCC_CONF = """\
--use-energy=false
--num-mel-bins=40
--num-ceps=40
--low-freq=20
--high-freq=7600
--sample-frequency=16000
--dither=0.0
"""
# Beam and active states as Vosk's maintainer advises for a Raspberry Pi; speech ends after 0.5 to 1.0 s.
MODEL_CONF = """\
--min-active=200
--max-active=3000
--beam=10.0
--lattice-beam=2.0
--acoustic-scale=1.0
--frame-subsampling-factor=3
--endpoint.silence-phones=1
--endpoint.rule2.min-trailing-silence=0.5
--endpoint.rule3.min-trailing-silence=0.75
--endpoint.rule4.min-trailing-silence=1.0
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AffineLayer:
    """One layer: the frames it splices (offsets in frames of 10 ms), its weights and its bias."""

    offsets: tuple[int, ...]
    weights: Matrix
    """(outputs, inputs × spliced frames)"""
    bias: Matrix


def enter_id(phone: int) -> int:
    """Transition id of a phone's first step; phones are counted from 0, silence first."""
    return 2 * phone + 2


def loop_id(phone: int) -> int:
    """Transition id of each further step of a phone."""
    return 2 * phone + 1


def disambiguation_id(phones: int) -> int:
    """Id one past the last transition, which Vosk's ``disambig_tid.int`` names."""
    return 2 * phones + 1


class KaldiWriter:
    """Writes Kaldi's binary tokens, numbers, vectors and matrices."""

    def __init__(self) -> None:
        self.stream = BytesIO()
        self.stream.write(b"\0B")

    def token(self, name: str) -> None:
        """Write a token such as ``<Nnet3>``."""
        self.stream.write(name.encode() + b" ")

    def integer(self, value: int) -> None:
        """Write a 32-bit integer with its size in front."""
        self.stream.write(b"\x04" + struct.pack("<i", value))

    def single(self, value: float) -> None:
        """Write a 32-bit float with its size in front."""
        self.stream.write(b"\x04" + struct.pack("<f", value))

    def double(self, value: float) -> None:
        """Write a 64-bit float with its size in front."""
        self.stream.write(b"\x08" + struct.pack("<d", value))

    def integers(self, values: Sequence[int]) -> None:
        """Write a vector of integers."""
        self.stream.write(b"\x04" + struct.pack("<i", len(values)) + np.asarray(values, "<i4").tobytes())

    def vector(self, values: Sequence[float] | NDArray[np.float64]) -> None:
        """Write a vector of 32-bit floats."""
        self.token("FV")
        self.integer(len(values))
        self.stream.write(np.asarray(values, "<f4").tobytes())

    def matrix(self, values: Matrix) -> None:
        """Write a matrix in 16 bits a value over its range (``CM2``); Kaldi's Matrix::Read expands it."""
        low, high = float(values.min()), float(values.max())
        extent = (high - low) or 1e-5
        steps = np.clip(np.round((values - low) / extent * _STEPS_OF_16_BITS), 0, _STEPS_OF_16_BITS)
        self.token("CM2")
        self.stream.write(struct.pack("<ffii", low, extent, *values.shape))
        self.stream.write(steps.astype("<u2").tobytes())


def write_model(path: Path, layers: Sequence[AffineLayer], output: AffineLayer) -> None:
    """Write the model: each layer followed by ReLU, the output by a logarithmic softmax, no priors."""
    writer = KaldiWriter()
    _write_transitions(writer, phones=len(output.bias))
    components = [(f"layer{k}", layer, "RectifiedLinearComponent") for k, layer in enumerate(layers)]
    components.append(("output", output, "LogSoftmaxComponent"))
    writer.token("<Nnet3>")
    inputs = layers[0].weights.shape[1] // len(layers[0].offsets)
    writer.stream.write(("\n" + _wiring(components, inputs) + "\n\n").encode())
    writer.token("<NumComponents>")
    writer.integer(2 * len(components))
    for name, layer, nonlinearity in components:
        _write_affine(writer, f"{name}.affine", layer)
        _write_nonlinearity(writer, f"{name}.nonlinear", nonlinearity, len(layer.bias))
    writer.token("</Nnet3>")
    for name in ("<LeftContext>", "<RightContext>"):  # Kaldi computes them anew on loading
        writer.token(name)
        writer.integer(0)
    writer.token("<Priors>")
    writer.vector([])
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(writer.stream.getvalue())


def write_configuration(folder: Path) -> None:
    """Write ``conf/`` of a Vosk model."""
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    (folder / "conf" / "mfcc.conf").write_text(MFCC_CONF)
    (folder / "conf" / "model.conf").write_text(MODEL_CONF)


def _write_transitions(writer: KaldiWriter, *, phones: int) -> None:
    writer.token("<TransitionModel>")
    writer.token("<Topology>")
    writer.integers(range(1, phones + 1))
    writer.integers([-1] + [0] * phones)
    for value in (1, 2):  # one topology entry of two states
        writer.integer(value)
    writer.integer(0)  # the emitting state: pdf class 0, two ways on
    writer.integer(2)
    for target in (0, 1):
        writer.integer(target)
        writer.single(_HALF)
    for value in (-1, 0):  # the final state: no pdf, no way on
        writer.integer(value)
    writer.token("</Topology>")
    writer.token("<Triples>")
    writer.integer(phones)
    for phone in range(phones):
        for value in (phone + 1, 0, phone):
            writer.integer(value)
    writer.token("</Triples>")
    writer.token("<LogProbs>")
    writer.vector([0.0] + [float(np.log(_HALF))] * (2 * phones))
    writer.token("</LogProbs>")
    writer.token("</TransitionModel>")


def _wiring(components: Sequence[tuple[str, AffineLayer, str]], inputs: int) -> str:
    lines, before = [f"input-node name=input dim={inputs}"], "input"
    for name, layer, _ in components:
        spliced = [f"Offset({before}, {offset})" if offset else before for offset in layer.offsets]
        source = f"Append({', '.join(spliced)})" if len(spliced) > 1 else spliced[0]
        lines.append(f"component-node name={name}.affine component={name}.affine input={source}")
        lines.append(f"component-node name={name}.nonlinear component={name}.nonlinear input={name}.affine")
        before = f"{name}.nonlinear"
    lines.append(f"output-node name=output input={before} objective=linear")
    return "\n".join(lines)


def _write_affine(writer: KaldiWriter, name: str, layer: AffineLayer) -> None:
    writer.token("<ComponentName>")
    writer.token(name)
    writer.token("<FixedAffineComponent>")
    writer.token("<LinearParams>")
    writer.matrix(layer.weights)
    writer.token("<BiasParams>")
    writer.vector(layer.bias)
    writer.token("</FixedAffineComponent>")


def _write_nonlinearity(writer: KaldiWriter, name: str, kind: str, size: int) -> None:
    writer.token("<ComponentName>")
    writer.token(name)
    writer.token(f"<{kind}>")
    writer.token("<Dim>")
    writer.integer(size)
    for statistic in ("<ValueAvg>", "<DerivAvg>"):
        writer.token(statistic)
        writer.vector([])
    writer.token("<Count>")
    writer.double(0.0)
    writer.token(f"</{kind}>")


def read_affine_layers(path: Path) -> list[tuple[Matrix, Matrix]]:
    """Read back weights and bias of every affine layer of a model written here, in order."""
    content, found, at = path.read_bytes(), [], 0
    while (at := content.find(b"<LinearParams> CM2 ", at)) >= 0:
        at += len(b"<LinearParams> CM2 ")
        low, extent, rows, columns = struct.unpack_from("<ffii", content, at)
        at += struct.calcsize("<ffii")
        steps = np.frombuffer(content, "<u2", rows * columns, at).reshape(rows, columns)
        at += 2 * rows * columns + len(b"<BiasParams> FV \x04")
        (size,) = struct.unpack_from("<i", content, at)
        bias = np.frombuffer(content, "<f4", size, at + 4).astype(np.float64)
        found.append((low + steps.astype(np.float64) * extent / _STEPS_OF_16_BITS, bias))
    return found
