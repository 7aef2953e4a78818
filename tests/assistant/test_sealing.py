"""Secrets at rest: sealed, opened, refused when the key is wrong, exposed or gone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import KeyDamaged, KeyExposed, KeyMissing, KeyNotWritable, SecretDamaged, WrongKey
from assistant.home import find_home
from assistant.sealing import (
    Sealer,
    is_sealed,
    new_key,
    open_sealer,
    read_key_file,
    write_key_file,
)
from tests.races import race

SEALER = Sealer([new_key()])


@given(st.text())
def test_a_text_comes_back(plain: str):
    sealed = SEALER.seal_text(plain)
    assert is_sealed(sealed)
    assert sealed.isascii()
    assert SEALER.unseal_text(sealed) == plain


@given(st.binary(max_size=2000))
def test_bytes_come_back(plain: bytes):
    assert SEALER.unseal(SEALER.seal(plain)) == plain


@pytest.mark.parametrize("length", [5, 6, 20])
def test_each_single_flipped_bit_is_refused(length: int):
    sealed = SEALER.seal(b"s" * length)
    for position in range(len(sealed)):
        for bit in range(8):
            altered = sealed[:position] + bytes([sealed[position] ^ (1 << bit)]) + sealed[position + 1 :]
            with pytest.raises((SecretDamaged, WrongKey)):
                SEALER.unseal(altered)


@given(st.binary(max_size=200))
def test_what_was_never_sealed_is_refused(junk: bytes):
    with pytest.raises((SecretDamaged, WrongKey)):
        SEALER.unseal(junk)


@given(st.text(max_size=200))
def test_a_text_that_only_looks_sealed_is_refused(junk: str):
    with pytest.raises((SecretDamaged, WrongKey)):
        SEALER.unseal_text(f"sealed:{junk}")


def test_two_sealings_of_one_secret_differ():
    assert SEALER.seal(b"secret") != SEALER.seal(b"secret")


def test_a_wrong_key_and_a_damaged_secret_are_told_apart():
    sealed = SEALER.seal_text("secret")
    with pytest.raises(WrongKey, match=SEALER.current_key_id):
        Sealer([new_key()]).unseal_text(sealed)
    with pytest.raises(SecretDamaged, match="altered or cut"):
        SEALER.unseal_text(sealed[:-5])


def test_an_older_key_still_opens_what_it_sealed():
    old, new = new_key(), new_key()
    sealed = Sealer([old]).seal(b"secret")
    both = Sealer([new, old])
    assert both.unseal(sealed) == b"secret"
    assert not both.is_current(sealed)
    assert both.is_current(both.seal(b"secret"))


def test_neither_keys_nor_secrets_are_shown():
    key = new_key()
    assert key not in repr(Sealer([key]))
    with pytest.raises(WrongKey) as refused:
        Sealer([key]).unseal_text(SEALER.seal_text("planted"))
    assert key not in str(refused.value)


def test_a_key_file_is_made_for_its_owner_only(tmp_path: Path):
    home = find_home(tmp_path / "new", {})
    sealer = open_sealer(home, {}, create=True)
    assert home.key_file.stat().st_mode & 0o777 == 0o600
    assert open_sealer(home, {}).current_key_id == sealer.current_key_id


def test_many_that_start_at_once_agree_on_one_key(tmp_path: Path):
    home = find_home(tmp_path, {})
    made = race([lambda: open_sealer(home, {}, create=True).current_key_id] * 10)
    assert len(set(made)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["xiaozhi.key"]


def test_without_a_key_nothing_is_made_up(tmp_path: Path):
    home = find_home(tmp_path, {})
    with pytest.raises(KeyMissing, match=r"xiaozhi\.key"):
        open_sealer(home, {})
    assert not home.key_file.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_key_that_others_can_read_is_refused_with_the_remedy(tmp_path: Path, mode: int):
    home = find_home(tmp_path, {})
    open_sealer(home, {}, create=True)
    home.key_file.chmod(mode)
    with pytest.raises(KeyExposed, match=f"{mode:04o}.*chmod 600"):
        open_sealer(home, {}, create=True)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"A" * 44, b"====", b"a b c"])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes):
    home = find_home(tmp_path, {})
    home.key_file.write_bytes(content)
    home.key_file.chmod(0o600)
    with pytest.raises(KeyDamaged):
        open_sealer(home, {})


def test_a_systemd_credential_is_the_key(tmp_path: Path):
    credentials = tmp_path / "credentials"
    credentials.mkdir()
    (credentials / "xiaozhi.key").write_text(new_key())
    (credentials / "xiaozhi.key").chmod(0o440)
    home = find_home(tmp_path / "home", {})
    environ = {"CREDENTIALS_DIRECTORY": str(credentials)}
    open_sealer(home, environ, create=True)
    assert not home.key_file.exists()
    with pytest.raises(KeyNotWritable, match="systemd"):
        write_key_file(home, environ, [new_key()])


def test_credentials_without_our_key_leave_the_key_file_in_force(tmp_path: Path):
    home = find_home(tmp_path / "home", {})
    open_sealer(home, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, create=True)
    assert len(read_key_file(home.key_file)) == 1
