"""All failures of the mind. Each has a sentence to be spoken, and a hint for whoever sits at the console.

AssistantError
├── FeatureNotInstalled           an extra that was left out at installation
├── NothingToSay                  a text without a word in it
├── RecordingNotWritten           a sound file cannot be written there
├── SettingsError
│   ├── BadSettings               one or more settings cannot be used; carries all findings
│   ├── UnknownSetting            a key that no setting has
│   └── SettingsFileError         the file cannot be read or written
│       └── SettingsSyntaxWrong   it is not TOML; knows where
├── SecretsError
│   ├── KeyMissing                something is sealed, and there is no key
│   ├── KeyExposed                others can read the key file
│   ├── KeyDamaged                the key file holds no key
│   ├── KeyNotWritable            the key is provided from outside and cannot be changed here
│   ├── WrongKey                  sealed with another key
│   └── SecretDamaged             sealed with our key, but altered since
├── DatabaseError
│   ├── DatabaseUnsupported       neither SQLite nor PostgreSQL, or its driver is not installed
│   ├── DatabaseUnavailable       no answer, access refused, or locked for too long
│   ├── DatabaseDamaged           the file is no sound database
│   ├── DatabaseNewer             written by a later version of this program
│   └── DatabaseInUse             another process holds it
├── PeopleError
│   ├── UnknownPerson             nobody has this id or name
│   ├── NobodyEnrolled            no voice is known, so that nobody could be recognised
│   ├── WhoAsks                   nobody says who types, and it cannot be told
│   └── PersonExists              the name is taken
├── BackupError
│   ├── BackupNotPossible         there is nothing here that can be backed up this way
│   ├── BackupTargetUnusable      the file cannot be written, or exists
│   └── BackupDamaged             the archive is incomplete, altered or not ours
├── LlmError
│   ├── LlmUnavailable            no answer in time, none at all, or an error of the endpoint
│   ├── LlmRefused                the model will not answer
│   └── LlmAnswerInvalid          the answer is not what was asked for, not even repaired
├── DigestMissing                 there is no digest of that date
└── NotOnThisDevice               this process has no ear, no mouth, or no clock of its own
"""

# ruff: noqa: N818 - an error is named for what happened; the base class says that it is one

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from collections.abc import Sequence

    from assistant.settings_findings import Finding


class AssistantError(Exception):
    """The root: the text of the exception is one sentence in English for the console.

    Attributes:
        spoken: one short sentence in Chinese that may be spoken to anybody; names no data.
        hint: what to do about it, for the console.
        exit_code: the exit status of a command that ends with it.
    """

    spoken: ClassVar[str] = "出了点问题，请看控制台。"
    hint: str = "Run 'xiaozhi doctor' to see what is wrong."
    exit_code: ClassVar[int] = 1


class FeatureNotInstalled(AssistantError):
    """A command needs packages that were left out at installation.

    Args:
        message: what is missing.
        extra: the extra of the package xiaozhi that brings it.
    """

    spoken = "这个功能还没有安装。"
    hint = "Install xiaozhi with the extra that brings it."

    def __init__(self, message: str, *, extra: str) -> None:
        super().__init__(message)
        self.hint = f"Install it with: pip install 'xiaozhi[{extra}]'"


class NothingToSay(AssistantError):
    """A text that holds nothing to be spoken."""

    spoken = "没有可以说的内容。"
    hint = "Give a sentence, such as: xiaozhi say 你好"


class RecordingNotWritten(AssistantError):
    """A sound file cannot be written."""

    spoken = "声音文件写不进去。"
    hint = "Choose a file in a folder that exists and can be written."


class SettingsError(AssistantError):
    """Something is wrong with the settings."""

    spoken = "我的设置有问题，请检查配置。"
    hint = "Run 'xiaozhi config check' to see every finding with its remedy."


class BadSettings(SettingsError):
    """Settings that cannot be used.

    Attributes:
        findings: everything that was found, errors and warnings, in the order of the keys.
    """

    spoken = "配置里有写错的地方，请改好再启动我。"

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(findings)
        listed = "".join(f"\n  {finding}" for finding in self.findings)
        super().__init__(f"the settings cannot be used:{listed}")


class UnknownSetting(SettingsError):
    """A key that no setting has."""

    spoken = "没有这一项设置。"
    hint = "Run 'xiaozhi config show --all' to see every key."


class SettingsFileError(SettingsError):
    """The settings file cannot be read or written."""

    spoken = "配置文件读写不了。"
    hint = "Check that the file and its folder exist and belong to the user that runs xiaozhi."


class SettingsSyntaxWrong(SettingsFileError):
    """The settings file is not TOML.

    Attributes:
        problem: what is wrong, without any text of the file: that might be a piece of a secret.
        place: where, such as `:3:5` for line 3 column 5.
        remedy: what to do about it.
    """

    spoken = "配置文件的格式不对，请检查一下。"
    hint = "Correct the place that is named; 'xiaozhi config check' shows it again."

    def __init__(self, problem: str, *, place: str, remedy: str) -> None:
        self.problem = problem
        self.place = place
        self.remedy = remedy
        super().__init__(f"config.toml{place} {problem}. {remedy}")


class SecretsError(AssistantError):
    """A secret cannot be sealed or opened."""

    spoken = "密钥有问题，我打不开保存的密码。"
    hint = "Run 'xiaozhi config check' to see which secrets are concerned."


class KeyMissing(SecretsError):
    """Something is sealed, and there is no key to open it."""

    spoken = "找不到密钥文件，我打不开保存的密码。"
    hint = "Put the key file back (a backup made with --with-key holds it), or set the secrets again."


class KeyExposed(SecretsError):
    """Other users can read the key file."""

    spoken = "密钥文件的权限太宽，我先不用它。"
    hint = "Run chmod 600 on the key file; rotate the key when others may have read it."


class KeyDamaged(SecretsError):
    """The key file does not hold a key."""

    spoken = "密钥文件坏了。"
    hint = "Put the key file back from a backup, or delete it and set the secrets again."


class KeyNotWritable(SecretsError):
    """The key comes from outside, such as a systemd credential, and cannot be changed here."""

    spoken = "这把密钥不归我管，我不能更换它。"
    hint = "Change the systemd credential xiaozhi.key where it is defined."


class WrongKey(SecretsError):
    """Sealed with a key that is not here."""

    spoken = "密钥不对，我打不开保存的密码。"
    hint = "Put the key back that it was sealed with, or set the secret again with 'xiaozhi config set'."


class SecretDamaged(SecretsError):
    """Sealed with our key, but altered or cut since."""

    spoken = "保存的密码损坏了。"
    hint = "Set the secret again with 'xiaozhi config set'."


class DatabaseError(AssistantError):
    """The database cannot be used."""

    spoken = "数据库有问题，我现在记不了东西。"
    hint = "Run 'xiaozhi doctor'; check database_url and the disk."


class DatabaseUnsupported(DatabaseError):
    """Neither SQLite nor PostgreSQL, or the driver is not installed."""

    spoken = "这种数据库我用不了。"
    hint = "Use sqlite:///FILE, or postgresql://HOST/NAME (pip install 'xiaozhi[postgres]')."


class DatabaseUnavailable(DatabaseError):
    """No answer, access refused, or locked for too long."""

    spoken = "数据库连不上。"
    hint = "Check that the database runs, that database_url is right and that the disk is not full."
    exit_code = 5


class DatabaseDamaged(DatabaseError):
    """The file is not a sound database."""

    spoken = "数据库文件损坏了。"
    hint = "Restore a backup with 'xiaozhi restore FILE'; the damaged file is kept beside it."


class DatabaseNewer(DatabaseError):
    """The database was written by a later version of this program."""

    spoken = "数据库的版本比我新，请先升级我。"
    hint = "Upgrade xiaozhi, or restore a backup that was made before the upgrade."


class DatabaseInUse(DatabaseError):
    """Another process holds the database, and the act needs it alone."""

    spoken = "数据库正在使用，请先停下我再操作。"
    hint = "Stop the service (systemctl stop xiaozhi) and every other xiaozhi command, then try again."


class PeopleError(AssistantError):
    """Something about a person cannot be done."""

    spoken = "人员信息有问题。"
    hint = "Run 'xiaozhi people list'."


class UnknownPerson(PeopleError):
    """Nobody has this id or name."""

    spoken = "我不认识这个人。"


class NobodyEnrolled(PeopleError):
    """No voice is known, so that nobody could be recognised."""

    spoken = "我还不认识任何人的声音，请先登记声纹。"
    hint = "Run: xiaozhi people add NAME, then: xiaozhi people enrol NAME FILE FILE FILE FILE FILE"
    exit_code = 4


class WhoAsks(PeopleError):
    """Nobody says who types, and it cannot be told."""

    spoken = "请说明是谁在提问。"
    hint = "Name somebody of 'xiaozhi people list' with --as."
    exit_code = 2


class PersonExists(PeopleError):
    """The name is taken."""

    spoken = "已经有人叫这个名字了。"
    hint = "Choose another name; 'xiaozhi people list' shows those that are taken."


class BackupError(AssistantError):
    """A backup cannot be made or restored."""

    spoken = "备份没有成功。"
    hint = "Nothing was changed."


class BackupNotPossible(BackupError):
    """There is nothing here that can be backed up this way."""

    spoken = "这个数据库不能这样备份。"
    hint = "Back up PostgreSQL with pg_dump; an SQLite database exists after the first start."


class BackupTargetUnusable(BackupError):
    """The archive cannot be written there."""

    spoken = "备份文件写不进去。"
    hint = "Choose a new file in a folder that can be written, with enough free space."


class BackupDamaged(BackupError):
    """The archive is incomplete, altered, or no backup of ours."""

    spoken = "备份文件损坏了，我没有动现在的数据。"
    hint = "Use another backup; nothing was changed."


class LlmError(AssistantError):
    """The language model is of no help just now; the rules do without."""

    spoken = "大模型暂时用不了。"
    hint = "Check the settings under llm; everything works without a language model."


class LlmUnavailable(LlmError):
    """No answer in time, none at all, or an error of the endpoint."""

    exit_code = 5


class LlmRefused(LlmError):
    """The model will not answer."""

    spoken = "大模型不肯回答。"


class LlmAnswerInvalid(LlmError):
    """The answer is not what was asked for, not even after one repair."""

    spoken = "大模型的回答不合要求。"


class DigestMissing(AssistantError):
    """There is no digest of that date."""

    spoken = "还没有这一天的日报。"
    hint = "Run 'xiaozhi night' to write today's; 'xiaozhi digest --date D' shows an earlier one."


class NotOnThisDevice(AssistantError):
    """This process has no ear, no mouth, or no clock of its own."""

    spoken = "这件事要在小智设备上才能做。"
    hint = "Say it to the running appliance, or use the command of the same purpose (xiaozhi --help)."
