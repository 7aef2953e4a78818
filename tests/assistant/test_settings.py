"""Settings: defaults that work, every mistake found at once, and no secret in any output."""

from __future__ import annotations

import logging
import pickle
import subprocess
import sys
import traceback
from datetime import time
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from assistant.errors import BadSettings
from assistant.home import Home, find_home
from assistant.sealing import Sealer, new_key, open_sealer
from assistant.settings import Settings, ToolRisk
from assistant.settings_findings import Finding, Severity
from assistant.settings_loading import examine, load_settings

PLANTED = "planted-s3cret-value"


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return find_home(tmp_path, {})


def write(home: Home, text: str) -> None:
    home.config_file.write_text(text, encoding="utf-8")


def found(home: Home, text: str, environ: dict[str, str] | None = None) -> dict[str, Finding]:
    write(home, text)
    return {finding.key: finding for finding in examine(home, environ or {}).findings}


def test_without_a_file_the_defaults_work(home: Home):
    loaded, warnings = load_settings(home, {})
    assert warnings == ()
    assert loaded == Settings()
    assert (loaded.digest.window_start, loaded.digest.window_end) == (time(6), time(10))
    assert (loaded.digest.max_seconds, loaded.night.at, loaded.night.timezone) == (
        90,
        time(5),
        "Asia/Shanghai",
    )
    assert (loaded.llm, loaded.email, loaded.database_url) == (None, None, None)


def test_the_model_by_itself_looks_at_neither_file_nor_environment(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("XIAOZHI_NIGHT__AT", "04:00")
    assert Settings().night.at == time(5)


def test_the_environment_outranks_the_file_and_the_file_the_defaults(home: Home):
    write(home, '[night]\nat = "04:30"\n[digest]\nmax_seconds = 60\n[audio]\nmicrophone = "USB"\n')
    loaded, _ = load_settings(home, {"XIAOZHI_NIGHT__AT": "04:45", "XIAOZHI_AUDIO__VOLUME_PERCENT": "30"})
    assert (loaded.night.at, loaded.digest.max_seconds) == (time(4, 45), 60)
    assert (loaded.audio.microphone, loaded.audio.volume_percent) == ("USB", 30)


def test_toml_times_and_empty_variables_are_understood(home: Home):
    write(home, "[night]\nat = 04:30:00\n")
    loaded, _ = load_settings(home, {"XIAOZHI_NIGHT__AT": "", "XIAOZHI_HOME": "/elsewhere"})
    assert loaded.night.at == time(4, 30)


def test_several_accounts_may_come_from_file_and_environment(home: Home):
    sealed = open_sealer(home, {}, create=True).seal_text
    write(
        home,
        f"""
        [cloud.accounts.prod]
        secret_id = "{sealed("AKID-1")}"
        secret_key = "{sealed(PLANTED)}"
        regions = ["ap-guangzhou", "ap-shanghai-fsi"]
        """,
    )
    environ = {
        "XIAOZHI_CLOUD__ACCOUNTS__LAB__SECRET_ID": "AKID-2",
        "XIAOZHI_CLOUD__ACCOUNTS__LAB__SECRET_KEY": PLANTED,
        "XIAOZHI_CLOUD__ACCOUNTS__LAB__ENDPOINT_URL": "http://127.0.0.1:8700/",
        "XIAOZHI_CLOUD__ACCOUNTS__LAB__REGIONS": '["ap-beijing"]',
    }
    loaded, warnings = load_settings(home, environ)
    prod, lab = loaded.cloud.accounts["prod"], loaded.cloud.accounts["lab"]
    assert warnings == ()
    assert prod.secret_key.get_secret_value() == lab.secret_key.get_secret_value() == PLANTED
    assert prod.regions == ("ap-guangzhou", "ap-shanghai-fsi")
    assert (lab.endpoint_url, lab.regions) == ("http://127.0.0.1:8700", ("ap-beijing",))


@pytest.mark.parametrize("spelling", ["mcpServers", "mcp_servers"])
def test_third_party_servers_are_written_as_other_hosts_write_them(home: Home, spelling: str):
    write(
        home,
        f"""
        [{spelling}.github]
        command = "npx"
        args = ["-y", "server"]
        [{spelling}.github.env]
        TOKEN = "{open_sealer(home, {}, create=True).seal_text(PLANTED)}"
        [{spelling}.github.tool_risks]
        search = "read"
        """,
    )
    loaded, warnings = load_settings(home, {})
    server = loaded.mcp_servers["github"]
    assert server.env["TOKEN"].get_secret_value() == PLANTED
    assert [one.get_secret_value() for one in server.args] == ["-y", "server"]
    assert server.tool_risks == {"search": ToolRisk.READ}
    assert {one.key for one in warnings} == {"mcp_servers.github.args[0]", "mcp_servers.github.args[1]"}


BAD = """
wake_phrase = "你好"
[robot]
nmae = "小智"
name = 5
[digest]
max_seconds = 5
window_start = "11:00"
[night]
at = 6
timezone = "Asia/Shangai"
[cloud.accounts.prod]
secret_id = "planted-s3cret-value"
regions = ["ap-guangzhou", "Guangzhou"]
[cloud.accounts."生产"]
secret_id = "planted-s3cret-value"
secret_key = "planted-s3cret-value"
[llm]
api_kye = "planted-s3cret-value"
[email]
host = "smtp://planted-s3cret-value"
security = "ssl"
sender = "nobody"
[http]
port = 70000
[mcpServers.git]
command = "npx"
url = "http://u:planted-s3cret-value@h"
"""


def test_everything_that_is_wrong_is_found_at_once(home: Home):
    findings = found(home, BAD, {"XIAOZHI_LLM__TIMEOUT_SECONDS": "900", "XIAOZHI_NIGHT__TIEM": "1"})
    errors = {key for key, finding in findings.items() if finding.severity is Severity.ERROR}
    assert errors == {
        "wake_phrase",
        "robot.nmae",
        "robot.name",
        "digest.max_seconds",
        "digest.window_end",
        "night.at",
        "night.tiem",
        "night.timezone",
        "cloud.accounts.prod.secret_key",
        "cloud.accounts.prod.regions[1]",
        "cloud.accounts.生产",
        "llm.api_kye",
        "llm.base_url",
        "llm.model",
        "llm.timeout_seconds",
        "email.host",
        "email.security",
        "email.sender",
        "http.port",
        "mcp_servers.git",
    }


@pytest.mark.parametrize(
    ("key", "value", "problem", "remedy"),
    [
        ("wake_phrase", None, "is no setting", "robot.wake_phrase"),
        ("robot.nmae", None, "is no setting", "Did you mean robot.name?"),
        ("digest.max_seconds", "5", "greater than or equal to 20", "[digest] max_seconds = 90"),
        ("digest.window_end", None, "later than window_start (11:00)", "a local time as HH:MM"),
        ("night.at", "6", "time of day", '[night] at = "05:00"'),
        ("night.timezone", "Asia/Shangai", "no time zone", '"Asia/Shanghai"'),
        ("cloud.accounts.prod.secret_key", None, "is missing", "config set cloud.accounts.prod.secret_key"),
        ("cloud.accounts.prod.regions[1]", "Guangzhou", "code of a region", 'regions = ["ap-guangzhou"]'),
        ("llm.api_kye", None, "is no setting", "llm.api_key"),
        ("email.security", "ssl", "'starttls', 'tls' or 'none'", "one of starttls, tls, none"),
        ("http.port", "70000", "less than or equal to 65535", "a whole number from 1 to 65535"),
        ("mcp_servers.git", None, "either command", "[mcp_servers.git]"),
        (
            "llm.timeout_seconds",
            "900",
            "less than or equal to 300",
            "XIAOZHI_LLM__TIMEOUT_SECONDS to, for example, 20",
        ),
    ],
)
def test_a_finding_names_key_value_problem_and_remedy(
    home: Home, key: str, value: str | None, problem: str, remedy: str
):
    finding = found(home, BAD, {"XIAOZHI_LLM__TIMEOUT_SECONDS": "900"})[key]
    assert finding.value == value
    assert problem in finding.problem
    assert remedy in finding.remedy


def test_a_bad_setting_refuses_to_start_with_all_findings(home: Home):
    write(home, BAD)
    with pytest.raises(BadSettings) as refused:
        load_settings(home, {})
    assert len(refused.value.findings) > 15
    assert all(str(finding) in str(refused.value) for finding in refused.value.findings)


def test_rules_between_sections_are_kept(home: Home):
    findings = found(home, '[night]\nat = "11:00"\n')
    assert findings["night.at"].problem == "must be earlier than digest.window_end (10:00)"
    assert found(home, 'database_url = "mysql://h/x"')["database_url"].value is None


def test_a_password_is_not_sent_unprotected(home: Home):
    text = '[email]\nhost="h"\nsender="a@b.cn"\nusername="u"\npassword="x"\nsecurity="none"'
    assert "to anyone" in found(home, text)["email.security"].problem
    assert found(home, text.replace('username="u"\n', ""))["email.username"].problem.startswith("is missing")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[night\nat = 1", ":1:7"),
        ("a = 1\nb = 'x\n", ":3:1"),
        ("x = 1\nx = 2", ":2:6"),
        ("[llm]\napi_key = planted-s3cret-value", ":2:11"),
        ('[llm]\napi_key = "planted-s3cret-value', ":2:32"),
    ],
)
def test_a_syntax_error_is_placed_and_repeats_nothing(home: Home, text: str, place: str):
    findings = found(home, text)
    assert list(findings) == ["config.toml"]
    assert findings["config.toml"].origin.endswith(place)
    assert "s3cret" not in str(findings)


def test_a_file_that_is_no_text_is_a_finding(home: Home):
    home.config_file.write_bytes(b"a = 1\nb = \xff\xfe")
    finding = examine(home, {}).findings[0]
    assert finding.origin.endswith("config.toml:2")
    assert "UTF-8" in finding.remedy


def test_stray_variables_of_an_orchestrator_only_warn(home: Home):
    environ = {"XIAOZHI_SERVICE_HOST": "10.0.0.1", "XIAOZHI_PORT": "tcp://10.0.0.1:80"}
    loaded, warnings = load_settings(home, environ)
    assert loaded == Settings()
    assert [finding.severity for finding in warnings] == [Severity.WARNING] * 2


def test_plain_secrets_are_accepted_with_a_warning(home: Home):
    write(home, f'[dingtalk.robots.default]\naccess_token = "{PLANTED}"\nsecret = "{PLANTED}"\n')
    loaded, warnings = load_settings(home, {})
    assert loaded.dingtalk.robots
    assert loaded.dingtalk.robots["default"].secret.get_secret_value() == PLANTED
    assert {finding.key for finding in warnings} == {
        "dingtalk.robots.default.access_token",
        "dingtalk.robots.default.secret",
    }
    assert all("config seal" in finding.remedy for finding in warnings)


def test_what_cannot_be_opened_is_named_with_its_cause(home: Home):
    sealed = Sealer([new_key()]).seal_text(PLANTED)
    text = f'[wecom.robots.default]\nkey = "{sealed}"\n'
    assert "no key file" in found(home, text)["wecom.robots.default.key"].problem
    open_sealer(home, {}, create=True)
    assert "sealed with key" in found(home, text)["wecom.robots.default.key"].problem
    own = open_sealer(home, {}).seal_text(PLANTED)
    assert (
        "altered or cut"
        in found(home, f'[wecom.robots.default]\nkey = "{own[:-9]}"\n')["wecom.robots.default.key"].problem
    )
    home.key_file.chmod(0o644)
    assert (
        "chmod 600"
        in found(home, f'[wecom.robots.default]\nkey = "{own}"\n')["wecom.robots.default.key"].problem
    )


def test_a_sealed_text_where_no_secret_belongs_is_a_finding(home: Home):
    sealed = open_sealer(home, {}, create=True).seal_text(PLANTED)
    finding = found(home, f'[robot]\nname = "{sealed}"\n')["robot.name"]
    assert finding.problem == "is sealed, but is no secret"
    assert finding.value == "sealed:…"


def secret_settings() -> Settings:
    account = {"secret_id": PLANTED, "secret_key": PLANTED}
    server = {"url": f"https://x/{PLANTED}", "headers": {"Authorization": PLANTED}}
    return Settings(
        cloud={"accounts": {"prod": account}},
        database_url=f"postgresql://u:{PLANTED}@h/x",
        llm={"base_url": "https://x", "model": "m", "api_key": PLANTED},
        mcp_servers={"x": server},
    )


def test_settings_do_not_show_their_secrets(caplog: pytest.LogCaptureFixture):
    made = secret_settings()
    with caplog.at_level(logging.DEBUG):
        logging.getLogger("test").info("settings %s %r", made, made)
    shown = [
        repr(made),
        str(made),
        f"{made.cloud}",
        str(made.model_dump()),
        made.model_dump_json(),
        caplog.text,
    ]
    assert not any(PLANTED in text for text in shown)


def test_refused_settings_do_not_show_secrets_in_message_or_traceback(home: Home):
    write(home, BAD)
    with pytest.raises(BadSettings) as refused:
        load_settings(home, {"XIAOZHI_LLM__API_KEY": PLANTED, "XIAOZHI_EMAIL__PASSWORD": PLANTED})
    report = "".join(traceback.format_exception(refused.value))
    # The host of a mail server is no secret: it is shown so that the mistake can be seen.
    assert PLANTED not in report.replace("smtp://planted-s3cret-value", "")
    assert PLANTED not in repr(examine(home, {})).replace("smtp://planted-s3cret-value", "")


@pytest.mark.parametrize(
    "text",
    [
        'llm = "planted-s3cret-value"',
        'cloud = "planted-s3cret-value"',
        '[cloud]\naccounts = "planted-s3cret-value"',
        '[cloud.accounts]\nprod = "planted-s3cret-value"',
        '[cloud.accounts.x]\nsecret_id = ["planted-s3cret-value"]\nsecret_key = {a = "planted-s3cret-value"}',
        '[llm]\nbase_url = "https://u:planted-s3cret-value@h/v1"\nmodel = "m"',
        'secret_key = "planted-s3cret-value"',
        '[dingtalk.robots.default]\ntoken = "planted-s3cret-value"',
        '[mcpServers.x]\nurl = "ftp://planted-s3cret-value"',
        '[mcpServers.x]\ncommand = "x"\nargs = "planted-s3cret-value"',
        '[mcpServers.x]\ncommand = "x"\nenv = ["planted-s3cret-value"]',
        'database_url = "planted-s3cret-value://x"',
    ],
)
def test_a_secret_in_the_wrong_place_is_not_repeated(home: Home, text: str):
    findings = found(home, text)
    assert any(finding.severity is Severity.ERROR for finding in findings.values())
    assert PLANTED not in repr(findings)
    assert not any(PLANTED in str(finding) for finding in findings.values())


VALUES: st.SearchStrategy[object] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=10), inner, max_size=3),
    max_leaves=6,
)
TOP_KEYS = st.sampled_from([*Settings.model_fields, "mcpServers", "unknown"])


@given(values=st.dictionaries(TOP_KEYS, VALUES, max_size=4))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_values_give_settings_or_findings(home: Home, values: dict[str, object]):
    from assistant.settings_loading import examine_values

    examined = examine_values(values, home, {})
    errors = [finding for finding in examined.findings if finding.severity is Severity.ERROR]
    assert (examined.settings is None) == bool(errors)
    assert all(finding.key and finding.remedy for finding in examined.findings)


def test_findings_can_travel_between_processes(home: Home):
    write(home, BAD)
    findings = examine(home, {}).findings
    assert pickle.loads(pickle.dumps(findings)) == findings


def test_settings_are_read_without_database_or_cloud_libraries():
    program = (
        "import sys, assistant.settings_loading\n"
        "heavy = {'sqlalchemy', 'sqlmodel', 'alembic', 'tencentcloud', 'lightkube', 'dbos', 'cryptography'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
