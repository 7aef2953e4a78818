"""Networks: what torch computes is what the exported files compute."""

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed: the extra `training` brings it")

from voice.training.ctc_training import (  # noqa: E402
    CtcSchedule,
    CtcTrainer,
    Example,
    batches_of,
    examples_in,
    load_network,
    padded_batch,
    phone_error_rate,
    save_checkpoint,
)
from voice.training.recognition_data import FeatureChunk  # noqa: E402
from voice.training.recognizer_export import folded_layers  # noqa: E402
from voice.training.tdnn import CONTEXT_FRAMES, AcousticNetwork, greedy_phones, padded_to_context  # noqa: E402


def _chunk(utterances: int = 40) -> FeatureChunk:
    """Features in which each phone has a bump of its own, so that a network can learn them in a moment."""
    chance = np.random.default_rng(1)
    rows: list[np.ndarray] = []
    places: list[tuple[int, int, list[int]]] = []
    for _ in range(utterances):
        labels = [int(x) for x in chance.permutation(np.arange(1, 9))[:4]]
        features = chance.normal(0, 0.3, (60, 40))
        for position, label in enumerate(labels):
            features[8 + 12 * position : 16 + 12 * position, label] += 6
        places.append((60 * len(rows), 60, labels))
        rows.append(features.astype(np.float16))
    return FeatureChunk(features=np.concatenate(rows), utterances=places)


def test_folded_layers_compute_what_the_network_computes():
    torch.manual_seed(2)
    network = AcousticNetwork(24)
    features = torch.randn(2, 90, 40)
    network.normalise_by(np.random.default_rng(1).normal(2, 3, (50, 40)).astype(np.float32))
    for _ in range(3):
        network(features)  # statistics of batch norm
    network.eval()
    expected = network(features).detach().numpy()[0]
    layers, output = folded_layers(network)
    frames = features.numpy()[0].astype(np.float64)
    for step in (0, 3):
        centre = CONTEXT_FRAMES + 3 * step

        def at(layer: int, time: int):
            if layer < 0:
                return frames[time]
            spliced = np.concatenate([at(layer - 1, time + offset) for offset in layers[layer].offsets])
            return np.maximum(0, layers[layer].weights @ spliced + layers[layer].bias)

        logits = output.weights @ at(len(layers) - 1, centre) + output.bias
        found = logits - np.log(np.exp(logits).sum())
        assert np.allclose(found, expected[step], atol=1e-3)


def test_outputs_come_every_thirty_milliseconds():
    network = AcousticNetwork(8).eval()
    padded = torch.from_numpy(padded_to_context(np.zeros((100, 40), np.float32)))[None]
    assert network(padded).shape == (1, 34, 60)


def test_repetitions_and_blanks_are_taken_out():
    scores = torch.full((7, 60), -9.0)
    for step, phone in enumerate([0, 5, 5, 0, 5, 7, 7]):
        scores[step, phone] = 0.0
    assert greedy_phones(scores) == [5, 5, 7]


def test_batches_are_padded_to_one_length_and_never_too_large():
    chunk = _chunk()
    examples = [Example(chunk=chunk, start=s, frames=n, labels=labels) for s, n, labels in chunk.utterances]
    groups = batches_of(examples, 300, np.random.default_rng(1))
    assert sum(map(len, groups)) == len(examples)
    assert max(map(len, groups)) == 5
    batch = padded_batch(groups[0])
    assert batch.features.shape == (5, 60 + 2 * CONTEXT_FRAMES, 40)
    assert batch.output_lengths.tolist() == [20] * 5


def test_training_learns_and_its_checkpoint_is_the_network(tmp_path):
    chunk = _chunk()
    chunk.save(tmp_path / "chunks" / "one")
    minutes = iter(np.linspace(0, 1.01, 201) * 60)
    trainer = CtcTrainer(
        CtcSchedule(minutes=1.0, width=32, frames_per_batch=1_200, peak_rate=1e-2),
        seconds=lambda: float(next(minutes)),
    )
    trainer.train(tmp_path / "chunks", tmp_path / "network.pt")
    network = load_network(tmp_path / "network.pt")
    assert phone_error_rate(network, examples_in(tmp_path / "chunks")) < 0.2


def test_a_further_run_begins_with_the_checkpoint(tmp_path):
    _chunk().save(tmp_path / "chunks" / "one")
    before = AcousticNetwork(8)
    save_checkpoint(before, tmp_path / "network.pt")
    no_time_left = iter([0.0, 60.0])
    trainer = CtcTrainer(CtcSchedule(minutes=1.0, width=8, seed=1), seconds=lambda: next(no_time_left))
    trainer.train(tmp_path / "chunks", tmp_path / "further.pt", start_from=tmp_path / "network.pt")
    after = load_network(tmp_path / "further.pt")
    assert torch.equal(after.output.weight, before.output.weight)
