"""The table of settings is what the settings are."""

from pathlib import Path

import pytest

from kameng_escrow.chain.deployments import default_folder
from kameng_escrow.settings import TABLE, SettingError, Settings, data_folder, language


def test_defaults_stand_where_nobody_says_otherwise() -> None:
    settings = Settings.load({"XDG_DATA_HOME": "/data"})
    assert settings.rpc_url == "http://127.0.0.1:8545"
    assert settings.chain_id is None
    assert settings.contract is None
    assert settings.key_file is None
    assert settings.timeout == 30
    assert settings.lang == "en"


def test_flags_win_over_the_environment_and_that_over_defaults() -> None:
    environ = {"KAMENG_RPC_URL": "https://one.example", "KAMENG_CHAIN_ID": "5"}
    assert Settings.load(environ).rpc_url == "https://one.example"
    settings = Settings.load(environ, rpc_url="https://two.example", chain_id=None)
    assert (settings.rpc_url, settings.chain_id) == ("https://two.example", 5)


def test_empty_means_absent() -> None:
    assert Settings.load({"KAMENG_RPC_URL": "", "KAMENG_CHAIN_ID": ""}).chain_id is None


def test_every_row_of_the_table_is_a_setting_with_words_for_it() -> None:
    assert [row.name for row in TABLE] == list(Settings.__dataclass_fields__)
    for row in TABLE:
        assert row.env.startswith("KAMENG_")
        assert row.flag == "--" + row.name.replace("_", "-")
        assert row.zh
        assert row.en


def test_settings_go_over_to_another_process() -> None:
    settings = Settings.load({"KAMENG_RPC_URL": "https://one.example", "KAMENG_KEY_FILE": "/keys/a", "LANG": "zh_CN"})
    assert Settings.load(settings.environment()) == settings


@pytest.mark.parametrize(
    "url", ["127.0.0.1:8545", "ftp://host", "http://", "http://host:99999", "http://[::1", "ws://h"]
)
def test_an_address_that_is_no_url_is_refused_unquoted(url: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.load({"KAMENG_RPC_URL": url + "/v3/secret"})
    assert refused.value.setting == "KAMENG_RPC_URL"
    assert "secret" not in refused.value.message + refused.value.message_zh  # API keys hide in URLs


@pytest.mark.parametrize(
    ("env", "value"),
    [
        ("KAMENG_CHAIN_ID", "mainnet"),
        ("KAMENG_CHAIN_ID", "0"),
        ("KAMENG_CHAIN_ID", "-1"),
        ("KAMENG_CHAIN_ID", "１"),
        ("KAMENG_TIMEOUT", "0"),
        ("KAMENG_TIMEOUT", "soon"),
        ("KAMENG_TIMEOUT", "nan"),
        ("KAMENG_TIMEOUT", "1e9"),
        ("KAMENG_LANG", "fr"),
        ("KAMENG_KEEPER_MAX_FEE", "1.5"),
        ("KAMENG_KEEPER_MAX_FEE", "none"),
        ("KAMENG_KEEPER_BUDGET", "-1"),
        ("KAMENG_KEEPER_BUDGET", "9" * 31),
        ("KAMENG_KEEPER_LOW_BALANCE", "１"),
    ],
)
def test_values_of_the_wrong_form_are_refused(env: str, value: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.load({env: value})
    assert refused.value.setting == env
    assert refused.value.message_zh


def test_a_setting_that_does_not_exist_is_a_mistake_of_ours() -> None:
    with pytest.raises(TypeError, match="password"):
        Settings.load({}, password="x")


@pytest.mark.parametrize(
    ("environ", "lang"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LC_ALL": "en_US", "LANG": "zh_CN"}, "en"),
        ({"LC_MESSAGES": "zh_TW", "LANG": "en_US"}, "zh"),
    ],
)
def test_the_language_is_the_locales(environ: dict[str, str], lang: str) -> None:
    assert language("", environ) == lang
    assert language("zh", environ) == "zh"


def test_records_and_store_lie_in_one_folder_and_the_sdk_agrees(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    monkeypatch.delenv("KAMENG_DEPLOYMENTS", raising=False)
    environ = {"XDG_DATA_HOME": "/data"}
    settings = Settings.load(environ)
    assert settings.deployments == default_folder() == data_folder(environ) / "deployments"
    assert Path(settings.store) == data_folder(environ) / "store.sqlite"


def test_further_nodes_are_a_list_and_survive_the_environment() -> None:
    given = {
        "KAMENG_RPC_FALLBACKS": " https://two.example/key , http://three.example,",
        "KAMENG_WS_URL": "wss://one.example",
    }
    settings = Settings.load(given)
    assert settings.rpc_fallbacks == ("https://two.example/key", "http://three.example")
    assert settings.ws_url == "wss://one.example"
    assert Settings.load(settings.environment()) == settings
    bare = Settings.load({})
    assert (bare.rpc_fallbacks, bare.ws_url) == ((), None)
    assert not {"KAMENG_RPC_FALLBACKS", "KAMENG_WS_URL"} & bare.environment().keys()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("KAMENG_RPC_FALLBACKS", "https://fine.example,nonsense"),
        ("KAMENG_RPC_FALLBACKS", "ws://fine.example"),
        ("KAMENG_WS_URL", "https://fine.example"),
        ("KAMENG_WS_URL", "ws://:0"),
    ],
)
def test_nodes_that_are_none_are_refused_by_the_settings_name(setting: str, value: str) -> None:
    with pytest.raises(SettingError) as caught:
        Settings.load({setting: value})
    assert caught.value.setting == setting
    assert value not in caught.value.message  # there may be a key in it


def test_a_settings_file_gives_way_to_the_environment(tmp_path: Path) -> None:
    file = tmp_path / "kameng.toml"
    file.write_text(
        'rpc_url = "https://file.example"\nchain_id = 7\nrpc_fallbacks = ["http://a", "http://b"]\n', "utf-8"
    )
    environ = {"KAMENG_CONFIG": str(file), "KAMENG_CHAIN_ID": "5"}
    settings = Settings.load(environ)
    assert (settings.rpc_url, settings.chain_id) == ("https://file.example", 5)
    assert settings.rpc_fallbacks == ("http://a", "http://b")
    assert Settings.load(settings.environment()) == settings


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('passwort = "x"', "passwort"),
        ("rpc_url = [1]", "rpc_url"),
        ("proxies = true", "proxies"),
        ("rpc_url = ", "can't be read"),
        ('config = "other.toml"', "config"),
    ],
)
def test_a_settings_file_that_is_none_is_refused(tmp_path: Path, content: str, said: str) -> None:
    file = tmp_path / "kameng.toml"
    file.write_text(content, "utf-8")
    with pytest.raises(SettingError, match=said) as refused:
        Settings.load({"KAMENG_CONFIG": str(file)})
    assert refused.value.setting == "KAMENG_CONFIG"
    with pytest.raises(SettingError, match="No such file"):
        Settings.load({}, config=str(tmp_path / "missing.toml"))


@pytest.mark.parametrize(
    ("given", "origin"),
    [
        ("https://Escrow.Example:443/", "https://escrow.example"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("https://[::1]:8443", "https://[::1]:8443"),
    ],
)
def test_an_origin_is_as_browsers_send_it(given: str, origin: str) -> None:
    assert Settings.load({"KAMENG_PUBLIC_URL": given}).public_url == origin


@pytest.mark.parametrize(
    "given", ["escrow.example", "https://a.example/shop", "https://me@a.example", "ftp://a", "https://"]
)
def test_what_is_no_origin_is_refused(given: str) -> None:
    with pytest.raises(SettingError) as refused:
        Settings.load({"KAMENG_PUBLIC_URL": given})
    assert refused.value.setting == "KAMENG_PUBLIC_URL"
