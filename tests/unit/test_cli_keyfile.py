"""Keys come from files that only their owner can read."""

import json
import stat
from pathlib import Path

import pytest
from eth_account import Account

from kameng_escrow.keyfile import KeyFileUnusable, new_key, read_key, write_key

KEY = bytes.fromhex("ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80")
ADDRESS = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"


def nobody() -> str:
    raise AssertionError("a raw key needs no passphrase")


def put(path: Path, text: str, mode: int = 0o600) -> Path:
    path.write_text(text)
    path.chmod(mode)
    return path


@pytest.mark.parametrize("text", [KEY.hex(), f"0x{KEY.hex()}\n", f"  {KEY.hex().upper()} \n"])
def test_raw_keys_are_read(tmp_path: Path, text: str) -> None:
    assert read_key(put(tmp_path / "key", text), nobody).address == ADDRESS


def test_what_is_written_is_read_and_is_its_owners_alone(tmp_path: Path) -> None:
    path, key = tmp_path / "key", new_key()
    write_key(path, key)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert bytes(read_key(path, nobody).key) == key
    with pytest.raises(FileExistsError):
        write_key(path, new_key())
    assert bytes(read_key(path, nobody).key) == key


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660])
def test_a_raw_key_that_others_can_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(KeyFileUnusable, match="chmod 600") as refused:
        read_key(put(tmp_path / "key", KEY.hex(), mode), nobody)
    assert "chmod 600" in refused.value.message_zh


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hello",
        KEY.hex()[:-2],
        KEY.hex() + "00",
        "0x" + "00" * 32,
        "0x" + "ff" * 32,
        "密" * 64,
        "{",
        "{}",
        '{"a": 1}',
    ],
)
def test_what_is_no_key_is_refused_without_being_quoted(tmp_path: Path, text: str) -> None:
    with pytest.raises(KeyFileUnusable) as refused:
        read_key(put(tmp_path / "key", text), nobody)
    assert KEY.hex()[:16] not in refused.value.message + refused.value.message_zh


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere", tmp_path):
        with pytest.raises(KeyFileUnusable, match="can't be read"):
            read_key(path, nobody)


def test_keystores_open_with_their_passphrase_alone(tmp_path: Path) -> None:
    keystore = Account.encrypt(KEY, "right", kdf="pbkdf2", iterations=10)
    path = put(tmp_path / "keystore", json.dumps(keystore), 0o644)  # encrypted: others may read it
    assert read_key(path, lambda: "right").address == ADDRESS
    with pytest.raises(KeyFileUnusable, match="passphrase is wrong"):
        read_key(path, lambda: "wrong")


def test_a_damaged_keystore_is_refused(tmp_path: Path) -> None:
    keystore = Account.encrypt(KEY, "right", kdf="pbkdf2", iterations=10)
    text = json.dumps(keystore)
    with pytest.raises(KeyFileUnusable, match="damaged"):
        read_key(put(tmp_path / "cut", text[:-10]), lambda: "right")
    del keystore["crypto"]["mac"]
    with pytest.raises(KeyFileUnusable, match="damaged"):
        read_key(put(tmp_path / "odd", json.dumps(keystore)), lambda: "right")
