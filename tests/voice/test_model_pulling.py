"""Models fetched from a real HTTP server that has ranges, cut connections, wrong files and refusals."""

from __future__ import annotations

import errno
import hashlib
import io
import random
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from voice.errors import ModelArchiveUnsafe, ModelChecksumWrong, ModelDiskFull, ModelSourceFailed
from voice.model_archives import unpack
from voice.model_catalogue import CATALOGUE, ModelFormat, ModelUse, RemoteFile, SpeechModel
from voice.model_fetcher_httpx import HttpxFetcher
from voice.model_pulling import ModelPuller, PullProgress
from voice.models import ModelState, look_at_models, read_record, verify_model

NOW = datetime(2026, 11, 21, tzinfo=UTC)
REQUIRED = ("am/final.mdl", "conf/model.conf")


def zip_of(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        for name, content in files.items():
            zipped.writestr(name, content)
    return buffer.getvalue()


MODEL_FILES = {f"small-cn/{name}": name.encode() * 20_000 for name in REQUIRED}
ARCHIVE = zip_of(MODEL_FILES)


class FileServer:
    """Serves files with ranges; may cut connections after so many bytes, or ignore ranges."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.cut_after: int | None = None
        self.cuts_left = 0
        self.ranges = True
        self.asked: list[tuple[str, str | None]] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer._serve(self)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        wanted = request.headers.get("Range")
        self.asked.append((request.path, wanted))
        content = self.files.get(request.path)
        if content is None:
            request.send_error(404)
            return
        tag = f'"{hashlib.sha256(content).hexdigest()[:8]}"'
        start = int(re.findall(r"\d+", wanted)[0]) if wanted and self.ranges else 0
        if request.headers.get("If-Range", tag) != tag:
            start = 0
        if start and start >= len(content):
            request.send_response(416)
            request.send_header("Content-Range", f"bytes */{len(content)}")
            request.send_header("Content-Length", "0")
            request.end_headers()
            return
        request.send_response(206 if start else 200)
        if start:
            request.send_header("Content-Range", f"bytes {start}-{len(content) - 1}/{len(content)}")
        request.send_header("ETag", tag)
        request.send_header("Content-Length", str(len(content) - start))
        request.end_headers()
        part = content[start:]
        if self.cut_after is not None and self.cuts_left:
            self.cuts_left -= 1
            part = part[: self.cut_after]
        request.wfile.write(part)


@pytest.fixture
def server() -> Iterator[FileServer]:
    server = FileServer()
    server.files["/models/small-cn.zip"] = ARCHIVE
    yield server
    server.close()


def model_at(*addresses: str, sha256: str | None = None, content: bytes = ARCHIVE) -> SpeechModel:
    return SpeechModel(
        name="small-cn",
        use=ModelUse.RECOGNIZER,
        format=ModelFormat.VOSK,
        licence="MIT",
        required_files=REQUIRED,
        remote_files=(
            RemoteFile(
                path="small-cn.zip", addresses=addresses, sha256=sha256 or hashlib.sha256(content).hexdigest()
            ),
        ),
        download_bytes=len(ARCHIVE),
        installed_bytes=600_000,
        in_archive=True,
    )


@pytest.fixture
def model(server) -> SpeechModel:
    return model_at(f"{server.url}/models/small-cn.zip")


def puller(folder: Path, **options) -> ModelPuller:
    return ModelPuller(folder, HttpxFetcher(timeout_s=5), **options)


def test_a_model_arrives_whole_with_its_record_and_nothing_else_is_left(tmp_path, server, model):
    told: list[PullProgress] = []
    record = puller(tmp_path).pull(model, now=NOW, on_progress=told.append)
    assert (tmp_path / "small-cn" / "am" / "final.mdl").read_bytes() == MODEL_FILES["small-cn/am/final.mdl"]
    assert record.arrived_sha256 == hashlib.sha256(ARCHIVE).hexdigest()
    assert read_record(tmp_path / "small-cn") == record
    assert told[-1] == PullProgress(file="small-cn.zip", done_bytes=len(ARCHIVE), total_bytes=len(ARCHIVE))
    assert not list((tmp_path / ".downloads").iterdir())


def test_cut_connections_are_taken_up_where_they_ended(tmp_path, server, model):
    server.cut_after, server.cuts_left = 100_000, 3
    puller(tmp_path).pull(model, now=NOW)
    starts = [int(re.findall(r"\d+", wanted)[0]) for _, wanted in server.asked if wanted]
    assert len(starts) == 3
    assert starts == sorted(starts)
    assert starts[0] >= 50_000


def test_an_interrupted_pull_goes_on_the_next_time(tmp_path, server, model):
    part_way = puller(tmp_path)
    server.cut_after, server.cuts_left = 150_000, 1

    def interrupt(progress: PullProgress) -> None:
        if progress.done_bytes >= 150_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        part_way.pull(model, now=NOW, on_progress=interrupt)
    server.cut_after = None
    puller(tmp_path).pull(model, now=NOW)
    assert server.asked[-1][1] is not None
    assert (tmp_path / "small-cn").is_dir()


def test_a_server_without_ranges_sends_all_of_it_again(tmp_path, server, model):
    server.ranges, server.cut_after, server.cuts_left = False, 100_000, 1
    puller(tmp_path).pull(model, now=NOW)
    assert (tmp_path / "small-cn").is_dir()


def test_a_file_that_changed_between_two_parts_is_fetched_anew(tmp_path, server):
    other = zip_of({**MODEL_FILES, "small-cn/README": b"newer"})
    model = model_at(f"{server.url}/models/small-cn.zip", content=other)

    def change(progress: PullProgress) -> None:
        server.files["/models/small-cn.zip"] = other

    server.cut_after, server.cuts_left = 100_000, 1
    puller(tmp_path).pull(model, now=NOW, on_progress=change)
    assert (tmp_path / "small-cn" / "README").read_bytes() == b"newer"


def test_a_wrong_sum_is_refused_and_needs_a_yes_to_exactly_what_arrived(tmp_path, server):
    model = model_at(f"{server.url}/models/small-cn.zip", sha256="0" * 64)
    with pytest.raises(ModelChecksumWrong) as raised:
        puller(tmp_path).pull(model, now=NOW)
    assert not (tmp_path / "small-cn").exists()
    assert "--accept-sha256" in raised.value.hint
    with pytest.raises(ModelChecksumWrong):
        puller(tmp_path).pull(model, now=NOW, accepted_sha256="1" * 64)
    record = puller(tmp_path).pull(model, now=NOW, accepted_sha256=raised.value.arrived_sha256)
    assert (record.expected_sha256, record.arrived_sha256) == ("0" * 64, raised.value.arrived_sha256)


def test_the_next_address_helps_when_one_has_no_such_file(tmp_path, server):
    model = model_at(f"{server.url}/gone.zip", f"{server.url}/models/small-cn.zip")
    record = puller(tmp_path).pull(model, now=NOW)
    assert record.addresses == (f"{server.url}/models/small-cn.zip",)


def test_a_mirror_of_the_settings_is_asked_first_with_the_same_path(tmp_path, server):
    model = model_at("https://unreachable.invalid/models/small-cn.zip")
    record = puller(tmp_path, mirrors=[server.url + "/"]).pull(model, now=NOW)
    assert record.addresses == (f"{server.url}/models/small-cn.zip",)


def test_when_nobody_has_it_every_address_is_named(tmp_path, server):
    model = model_at(f"{server.url}/gone.zip", "http://127.0.0.1:1/small-cn.zip")
    with pytest.raises(ModelSourceFailed, match=r"404.*127\.0\.0\.1:1"):
        puller(tmp_path).pull(model, now=NOW)


def test_a_file_without_end_is_given_up(tmp_path, server, model):
    server.files["/models/small-cn.zip"] = b"x" * (len(ARCHIVE) * 5)
    with pytest.raises(ModelSourceFailed, match="far more"):
        puller(tmp_path).pull(model, now=NOW)


def test_without_room_nothing_is_fetched(tmp_path, server, model):
    with pytest.raises(ModelDiskFull, match="MiB are free"):
        puller(tmp_path, free_bytes=lambda _: 1024).pull(model, now=NOW)
    assert server.asked == []


class FullDisk(HttpxFetcher):
    """A disk that is full in the middle of a file."""

    def fetch(self, address, into, *, most_bytes, on_bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_meanwhile_is_said_to(tmp_path, model):
    with pytest.raises(ModelDiskFull, match="became full"):
        ModelPuller(tmp_path, FullDisk()).pull(model, now=NOW)


def test_a_failed_pull_leaves_the_installed_model_alone(tmp_path, server, model):
    puller(tmp_path).pull(model, now=NOW)
    before = read_record(tmp_path / "small-cn")
    with pytest.raises(ModelChecksumWrong):
        puller(tmp_path).pull(model_at(f"{server.url}/models/small-cn.zip", sha256="0" * 64), now=NOW)
    assert read_record(tmp_path / "small-cn") == before


def test_pulling_again_replaces_what_was_there(tmp_path, server, model):
    puller(tmp_path).pull(model, now=NOW)
    (tmp_path / "small-cn" / "stray").write_text("x")
    puller(tmp_path).pull(model, now=NOW)
    assert not (tmp_path / "small-cn" / "stray").exists()


@pytest.mark.parametrize(
    "files",
    [
        {"../outside": b"x"},
        {"/etc/outside": b"x"},
        {"a/../../outside": b"x"},
        {"..\\outside": b"x"},
        {"big": b"0" * 2_000_000},
    ],
)
def test_an_archive_that_leads_out_or_grows_is_refused(tmp_path, files):
    archive = tmp_path / "a.zip"
    archive.write_bytes(zip_of(files))
    inside = tmp_path / "inside"
    inside.mkdir()
    with pytest.raises(ModelArchiveUnsafe):
        unpack(archive, inside, most_bytes=1_000_000)
    assert not list(tmp_path.glob("**/outside"))


def test_links_in_a_tar_archive_are_refused(tmp_path):
    archive, inside = tmp_path / "a.tar.bz2", tmp_path / "inside"
    inside.mkdir()
    with tarfile.open(archive, "w:bz2") as tarred:
        link = tarfile.TarInfo("link")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tarred.addfile(link)
    with pytest.raises(ModelArchiveUnsafe):
        unpack(archive, inside, most_bytes=1_000_000)


@pytest.mark.parametrize("content", [b"", b"<html>not found</html>", ARCHIVE[:5_000]])
def test_what_is_no_archive_is_refused(tmp_path, content):
    archive, inside = tmp_path / "a.zip", tmp_path / "inside"
    archive.write_bytes(content)
    inside.mkdir()
    with pytest.raises(ModelArchiveUnsafe):
        unpack(archive, inside, most_bytes=1_000_000)


@pytest.mark.parametrize("packing", ["w:bz2", "w:gz", "w:xz"])
def test_an_archive_damaged_in_the_middle_is_refused(tmp_path, packing):
    archive, inside = tmp_path / "a.tar", tmp_path / "inside"
    inside.mkdir()
    content = random.Random(1).randbytes(3_000_000)
    with tarfile.open(archive, packing) as tarred:
        entry = tarfile.TarInfo("model/encoder.onnx")
        entry.size = len(content)
        tarred.addfile(entry, io.BytesIO(content))
    packed = archive.read_bytes()
    archive.write_bytes(packed[:2_000_000] + bytes(1_000) + packed[2_001_000:])
    with pytest.raises(ModelArchiveUnsafe, match="no sound archive"):
        unpack(archive, inside, most_bytes=10_000_000)


def test_another_model_under_the_right_name_is_refused(tmp_path, server):
    other = zip_of({"x/README": b"hello"})
    server.files["/models/small-cn.zip"] = other
    with pytest.raises(ModelArchiveUnsafe, match="is not in it"):
        puller(tmp_path).pull(model_at(f"{server.url}/models/small-cn.zip", content=other), now=NOW)


@contextmanager
def installed(folder: Path, server: FileServer) -> Iterator[SpeechModel]:
    official = CATALOGUE[0]
    files = {f"{official.name}/{name}": name.encode() * 9 for name in official.required_files}
    content = zip_of(files)
    server.files["/vosk.zip"] = content
    remote = RemoteFile(path="vosk.zip", addresses=(f"{server.url}/vosk.zip",))
    puller(folder).pull(replace(official, remote_files=(remote,)), now=NOW)
    yield official


def test_a_pulled_model_is_sound_until_a_file_of_it_changes(tmp_path, server):
    with installed(tmp_path, server) as official:
        status = next(one for one in look_at_models(tmp_path) if one.model is official)
        assert status.state is ModelState.PULLED
        assert verify_model(status) == ()
        changed = tmp_path / official.name / "conf" / "mfcc.conf"
        changed.write_bytes(changed.read_bytes()[::-1])
        assert verify_model(status) == ("conf/mfcc.conf has been changed since it was installed",)
        changed.unlink()
        damaged = next(one for one in look_at_models(tmp_path) if one.model is official)
        assert damaged.state is ModelState.DAMAGED
