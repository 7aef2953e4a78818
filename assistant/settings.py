"""Every setting there is, typed, with its unit in the name, and with defaults that work without any file.

Only composition roots read settings; everything else receives values. `load_settings` in
`settings_loading.py` fills this model from the file and the environment; built directly it is all defaults
and looks at neither.
"""

from __future__ import annotations

from datetime import time
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from assistant.setting_values import (
    ChinesePhrase,
    HostName,
    MailAddress,
    Name,
    Port,
    Region,
    Secret,
    Text,
    TimeOfDay,
    TimeZoneName,
    WebAddress,
    is_loopback,
    wrong,
)

ENVIRONMENT_PREFIX = "XIAOZHI_"
ENVIRONMENT_DELIMITER = "__"


class Section(BaseModel):
    """A table of the settings file. Unknown keys are findings, and no error message repeats its input."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class RobotSettings(Section):
    """Who it is."""

    name: ChinesePhrase = Field("小智", description="what it calls itself", examples=["小智"])
    wake_phrase: ChinesePhrase = Field("你好小智", description="what wakes it", examples=["你好小智"])


class DigestSettings(Section):
    """When and how long the morning digest is spoken."""

    window_start: TimeOfDay = Field(
        time(6), description="from this local time a greeting is answered with the digest", examples=["06:00"]
    )
    window_end: TimeOfDay = Field(
        time(10), description="until this local time; the night job catches up until then", examples=["10:00"]
    )
    max_seconds: int = Field(
        90, ge=20, le=600, description="longest spoken digest, in seconds", examples=[90]
    )

    @model_validator(mode="after")
    def _window_has_a_length(self) -> DigestSettings:
        if self.window_start >= self.window_end:
            raise wrong(f"must be later than window_start ({self.window_start:%H:%M})", key="window_end")
        return self


class NightSettings(Section):
    """When the night job runs."""

    at: TimeOfDay = Field(time(5), description="local time at which the night job starts", examples=["05:00"])
    timezone: TimeZoneName = Field(
        "Asia/Shanghai",
        description="time zone of every local time in these settings",
        examples=["Asia/Shanghai"],
    )


class CloudAccount(Section):
    """One Tencent Cloud account."""

    secret_id: Secret = Field(description="API key id of a CAM sub-user", examples=["AKID…"])
    secret_key: Secret = Field(description="API key that belongs to secret_id", examples=["…"])
    regions: tuple[Region, ...] = Field(
        ("ap-guangzhou",),
        min_length=1,
        description="regions whose clusters and logs are read",
        examples=[["ap-guangzhou"]],
    )
    endpoint_url: WebAddress | None = Field(
        None,
        description="address that answers instead of Tencent Cloud, such as a local cloud",
        examples=["http://127.0.0.1:8700"],
    )


class CloudSettings(Section):
    """The clouds that are looked after."""

    accounts: dict[Name, CloudAccount] = Field(
        default_factory=dict, description="Tencent Cloud accounts, each under a short name of your choice"
    )
    default_cluster: Text | None = Field(
        None,
        description="id or name of the cluster that is meant when none is named",
        examples=["cls-a1b2c3d4"],
    )
    default_topic: Text | None = Field(
        None,
        description="id or name of the log topic that is meant when none is named",
        examples=["order-service"],
    )


class LlmSettings(Section):
    """A language model behind an OpenAI-compatible address; everything works without."""

    base_url: WebAddress = Field(
        description="address of the OpenAI-compatible API", examples=["https://api.example.com/v1"]
    )
    model: Text = Field(description="name of the model", examples=["qwen-plus"])
    api_key: Secret | None = Field(
        None, description="API key, where the endpoint wants one", examples=["sk-…"]
    )
    timeout_seconds: float = Field(
        20.0, gt=0, le=300, description="after so many seconds the rules answer instead", examples=[20]
    )


class EmailSettings(Section):
    """The mail server through which reports leave."""

    host: HostName = Field(description="name of the SMTP server", examples=["smtp.example.com"])
    port: Port = Field(587, description="port of the SMTP server", examples=[587])
    security: Literal["starttls", "tls", "none"] = Field(
        "starttls",
        description="how the connection is protected; none only to a server on this device",
        examples=["starttls"],
    )
    sender: MailAddress = Field(description="address that mails come from", examples=["xiaozhi@example.com"])
    username: Text | None = Field(
        None, description="login name, where the server wants one", examples=["xiaozhi"]
    )
    password: Secret | None = Field(None, description="password that belongs to username", examples=["…"])
    ca_file: Text | None = Field(
        None,
        description="certificates to trust besides the system's, for a server inside the company",
        examples=["/etc/ssl/company.pem"],
    )
    allowed_domains: tuple[HostName, ...] = Field(
        (), description="domains to which mail may go; empty for all", examples=[["example.com"]]
    )
    house_recipients: tuple[MailAddress, ...] = Field(
        (),
        description="addresses that get the digest and every notice, besides the people who want copies",
        examples=[["ops@example.com"]],
    )

    @model_validator(mode="after")
    def _login_is_whole_and_protected(self) -> EmailSettings:
        if (self.username is None) != (self.password is None):
            missing = "password" if self.password is None else "username"
            raise wrong("is missing: user name and password go together", key=missing)
        if self.security == "none" and not is_loopback(self.host):
            raise wrong("would show password and reports to anyone on the way", key="security")
        return self


class DingtalkRobot(Section):
    """A DingTalk group robot."""

    access_token: Secret = Field(description="access_token in the robot's webhook address", examples=["…"])
    secret: Secret = Field(description="signing secret of the robot, begins with SEC", examples=["SEC…"])
    keyword: Text | None = Field(
        None,
        description="word that every message must contain, where the group asks for one",
        examples=["日报"],
    )


class DingtalkSettings(Section):
    """DingTalk groups."""

    robots: dict[Name, DingtalkRobot] = Field(
        default_factory=dict,
        description="group robots by name; the one called default is meant without a name",
    )
    house_robots: tuple[Name, ...] | None = Field(
        None,
        description="robots whose groups get the digest and every notice; unset: the one called default",
        examples=[["default"]],
    )
    endpoint_url: WebAddress = Field(
        "https://oapi.dingtalk.com",
        description="address of the DingTalk API",
        examples=["https://oapi.dingtalk.com"],
    )

    @model_validator(mode="after")
    def _house_robots_are_known(self) -> DingtalkSettings:
        unknown = [name for name in self.house_robots or () if name not in self.robots]
        if unknown:
            raise wrong(f"names a robot that is not configured: {unknown[0]}", key="house_robots")
        return self


class WecomRobot(Section):
    """A WeCom group robot."""

    key: Secret = Field(description="key in the robot's webhook address", examples=["…"])


class WecomSettings(Section):
    """WeCom groups."""

    robots: dict[Name, WecomRobot] = Field(
        default_factory=dict,
        description="group robots by name; the one called default is meant without a name",
    )
    endpoint_url: WebAddress = Field(
        "https://qyapi.weixin.qq.com",
        description="address of the WeCom API",
        examples=["https://qyapi.weixin.qq.com"],
    )


class FeishuRobot(Section):
    """A Feishu group robot."""

    hook_token: Secret = Field(description="last part of the robot's webhook address", examples=["…"])
    secret: Secret = Field(description="signing secret of the robot", examples=["…"])


class FeishuSettings(Section):
    """Feishu groups."""

    robots: dict[Name, FeishuRobot] = Field(
        default_factory=dict,
        description="group robots by name; the one called default is meant without a name",
    )
    endpoint_url: WebAddress = Field(
        "https://open.feishu.cn", description="address of the Feishu API", examples=["https://open.feishu.cn"]
    )


class HttpSettings(Section):
    """Where the device itself listens."""

    host: HostName = Field(
        "127.0.0.1", description="address to listen on; 0.0.0.0 for the whole network", examples=["127.0.0.1"]
    )
    port: Port = Field(8750, description="port to listen on", examples=[8750])


class AudioSettings(Section):
    """Ear and mouth, by the name of the device."""

    microphone: Text | None = Field(
        None, description="name of the microphone; unset for the system's", examples=["USB PnP Audio"]
    )
    loudspeaker: Text | None = Field(
        None, description="name of the loudspeaker; unset for the system's", examples=["USB PnP Audio"]
    )
    volume_percent: int = Field(80, ge=0, le=100, description="loudness in percent", examples=[80])
    speed_percent: int = Field(
        100, ge=40, le=220, description="speed of speech; 100 is the voice's own", examples=[100]
    )


class LampSettings(Section):
    """A three-coloured LED on GPIO pins, by their BCM numbers."""

    red_pin: int = Field(17, ge=0, le=27, description="pin of the red light", examples=[17])
    green_pin: int = Field(27, ge=0, le=27, description="pin of the green light", examples=[27])
    blue_pin: int = Field(22, ge=0, le=27, description="pin of the blue light", examples=[22])
    active_high: bool = Field(True, description="false for an LED with a common anode", examples=[True])


class ButtonSettings(Section):
    """Push buttons between a GPIO pin and ground, by BCM numbers."""

    talk_pin: int | None = Field(
        None, ge=0, le=27, description="pin of the button that wakes; unset: none", examples=[5]
    )
    mute_pin: int | None = Field(
        None, ge=0, le=27, description="pin of the button that mutes; unset: none", examples=[6]
    )


class ModelSettings(Section):
    """Speech models."""

    recognizer: Text | None = Field(
        None,
        description="name of the model that recognises speech; unset: a pulled one, else the embedded one",
        examples=["vosk-model-small-cn-0.22"],
    )
    speaker: Text | None = Field(
        None,
        description="name of the model that tells voices apart; unset: a pulled one, else the embedded one",
        examples=["ecapa-small"],
    )
    wake: Text | None = Field(
        None,
        description="name of the model that listens for the wake phrase; unset: a pulled one where "
        "sherpa-onnx is installed, else the one that recognises speech",
        examples=["sherpa-onnx-kws-zipformer-wenetspeech-3.3M-2024-01-01"],
    )
    mirrors: tuple[WebAddress, ...] = Field(
        (),
        description="addresses tried before the publisher's, with the same paths behind them",
        examples=[["https://hf-mirror.com"]],
    )


class LoggingSettings(Section):
    """What is written about the run itself, to standard error."""

    level: Literal["debug", "info", "warning", "error"] = Field(
        "info", description="least level that is written", examples=["info"]
    )
    format: Literal["text", "json"] = Field(
        "text", description="lines for people or for machines", examples=["text"]
    )


class JournalSettings(Section):
    """What is remembered of conversations."""

    keep_days: int = Field(
        30, ge=1, le=3650, description="days after which a turn is forgotten", examples=[30]
    )


class ToolRisk(StrEnum):
    """How careful the gateway is with a tool of a third-party server."""

    READ = "read"
    WRITE = "write"
    DANGEROUS = "dangerous"


class McpServerSettings(Section):
    """A third-party MCP server, in the shape that other hosts use: a command to run, or a URL to call."""

    type: Literal["stdio", "http", "sse"] | None = Field(
        None, description="transport; unset: stdio for a command, http for a URL", examples=["http"]
    )
    command: Text | None = Field(
        None, description="program that speaks MCP on standard input and output", examples=["npx"]
    )
    args: tuple[SecretStr, ...] = Field(
        (), description="arguments of the command", examples=[["-y", "some-mcp-server"]]
    )
    env: dict[str, SecretStr] = Field(
        default_factory=dict, description="environment variables of the command"
    )
    cwd: Text | None = Field(None, description="folder in which the command runs", examples=["/srv"])
    url: Secret | None = Field(
        None,
        description="address of a server that speaks streamable HTTP",
        examples=["https://mcp.example.com/mcp"],
    )
    headers: dict[str, SecretStr] = Field(default_factory=dict, description="HTTP headers sent to the URL")
    disabled: bool = Field(False, description="true leaves the server out", examples=[False])
    prefix: Name | None = Field(
        None, description="word before its tools' names; unset: the server's name", examples=["github"]
    )
    tool_risks: dict[str, ToolRisk] = Field(
        default_factory=dict,
        description="risk of each tool: read, write or dangerous; tools not named are dangerous",
    )

    @model_validator(mode="after")
    def _has_one_way_to_reach_it(self) -> McpServerSettings:
        if (self.command is None) == (self.url is None):
            raise wrong("needs either command (a program to run) or url (a server to call), one of the two")
        if self.url is not None and not self.url.get_secret_value().startswith(("http://", "https://")):
            raise wrong("must begin with http:// or https://", key="url")
        if (self.command is not None) != (self.type in {None, "stdio"}) and self.type is not None:
            raise wrong("does not fit: stdio goes with command, http and sse go with url", key="type")
        return self


class Settings(BaseSettings):
    """All settings of one installation."""

    model_config = SettingsConfigDict(
        frozen=True,
        extra="forbid",
        hide_input_in_errors=True,
        env_prefix=ENVIRONMENT_PREFIX,
        env_nested_delimiter=ENVIRONMENT_DELIMITER,
        env_ignore_empty=True,
    )

    robot: RobotSettings = Field(default_factory=RobotSettings, description="who it is")
    digest: DigestSettings = Field(default_factory=DigestSettings, description="the morning digest")
    night: NightSettings = Field(default_factory=NightSettings, description="the night job")
    cloud: CloudSettings = Field(
        default_factory=CloudSettings, description="the clouds that are looked after"
    )
    database_url: Secret | None = Field(
        None,
        description="where records are kept; unset: an SQLite file in the data folder",
        examples=["postgresql://xiaozhi:…@db.example.com/xiaozhi"],
    )
    llm: LlmSettings | None = Field(None, description="a language model; unset: rules only")
    email: EmailSettings | None = Field(None, description="mail server; unset: no mail")
    dingtalk: DingtalkSettings = Field(default_factory=DingtalkSettings, description="DingTalk groups")
    wecom: WecomSettings = Field(default_factory=WecomSettings, description="WeCom groups")
    feishu: FeishuSettings = Field(default_factory=FeishuSettings, description="Feishu groups")
    http: HttpSettings = Field(default_factory=HttpSettings, description="where the device itself listens")
    audio: AudioSettings = Field(default_factory=AudioSettings, description="microphone and loudspeaker")
    lamp: LampSettings | None = Field(None, description="a lamp on GPIO pins; unset: none")
    buttons: ButtonSettings = Field(default_factory=ButtonSettings, description="buttons on GPIO pins")
    models: ModelSettings = Field(default_factory=ModelSettings, description="speech models")
    logging: LoggingSettings = Field(default_factory=LoggingSettings, description="log output")
    journal: JournalSettings = Field(default_factory=JournalSettings, description="memory of conversations")
    mcp_servers: dict[Name, McpServerSettings] = Field(
        default_factory=dict, description="third-party MCP servers, each under a short name of your choice"
    )

    @model_validator(mode="after")
    def _night_comes_before_the_digest_ends(self) -> Settings:
        if self.night.at >= self.digest.window_end:
            raise wrong(
                f"must be earlier than digest.window_end ({self.digest.window_end:%H:%M})", key="night.at"
            )
        return self

    @model_validator(mode="after")
    def _database_is_one_of_two(self) -> Settings:
        if self.database_url is not None:
            scheme = self.database_url.get_secret_value().partition("://")[0]
            if scheme not in {"sqlite", "postgresql"}:
                raise wrong("must begin with sqlite:/// or postgresql://", key="database_url")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take values from the caller only: `load_settings` reads the world, this model never does."""
        return (init_settings,)
