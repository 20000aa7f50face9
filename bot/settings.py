"""The one door to the environment: every variable Backchat reads, in one table, read once and loudly."""

import json
import os
import re
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

SERVERS_FILE = "servers.json"
"""Where a running `backchat run` leaves the addresses of the servers it started, for commands in other terminals."""


class SettingsError(Exception):
    """A variable has a value Backchat cannot use; the text names the variable and the remedy."""


def _text(value: str) -> str:
    return value


def _positive(value: str) -> int:
    if not value.isdecimal() or int(value) < 1:
        raise ValueError("must be a whole number, 1 or more")
    return int(value)


def _level(value: str) -> str:
    if value.upper() not in {"DEBUG", "INFO", "WARNING", "ERROR"}:
        raise ValueError("must be DEBUG, INFO, WARNING or ERROR")
    return value.upper()


def _postgres(value: str) -> str:
    for scheme in ("postgres://", "postgresql://"):
        if value.startswith(scheme):
            return "postgresql+psycopg://" + value.removeprefix(scheme)
    if value.startswith("postgresql+psycopg://"):
        return value
    raise ValueError("must start with postgresql:// (Backchat runs on PostgreSQL alone)")


def _redis(value: str) -> str:
    if value.startswith(("redis://", "rediss://", "unix://")):
        return value
    raise ValueError("must start with redis://, rediss:// or unix://")


def _web_address(value: str) -> str:
    if value.startswith(("http://", "https://")):
        return value.rstrip("/")
    raise ValueError("must start with http:// or https://")


def _mail_server(value: str) -> str:
    if re.match(r"smtps?://([^@/\s]+@)?[^@/:\s]+(:\d+)?/?$", value):
        return value
    raise ValueError("must look like smtp://name:password@mail.example.org:587, or begin with smtps://")


def _mail_address(value: str) -> str:
    if re.fullmatch(r"(?:[^<>@\n]+<)?[^\s@<>]+@[^\s@<>]+>?", value) and ("<" in value) == value.endswith(">"):
        return value
    raise ValueError("must be an address such as backchat@example.org, or Backchat <backchat@example.org>")


def _issuer(value: str) -> str:
    """As it is written: providers differ in whether their name ends with a slash."""
    if re.match(r"https://[^/\s]+|http://(localhost|127\.0\.0\.1)(:\d+)?(/|$)", value):
        return value
    raise ValueError("must start with https://")


def _project(value: str) -> str:
    if re.fullmatch(r"(?:[a-z0-9.-]+:)?[a-z][a-z0-9-]{4,28}[a-z0-9]", value):
        return value
    raise ValueError("must be the project's ID, such as example-123456, and not its name or number")


def _dataset(value: str) -> str:
    if re.fullmatch(r"\w{1,1024}", value, re.ASCII):
        return value
    raise ValueError("must be letters, digits and underscores")


def _people(value: str) -> str:
    if value in {"pseudonyms", "whole"}:
        return value
    raise ValueError("must be pseudonyms or whole")


def _environment(value: str) -> str:
    if value in {"live", "test"}:
        return value
    raise ValueError("must be live or test")


def _domain(value: str) -> str:
    if re.fullmatch(r"(?:[a-z0-9-]+\.)+[a-z]{2,}", value.lower()):
        return value.lower()
    raise ValueError("must be the part of an e-mail address after the @, such as example.org")


def _folder(value: str) -> Path:
    return Path(value).expanduser().absolute()


def _keys(value: str) -> tuple[str, ...]:
    return tuple(key for part in value.split(",") if (key := part.strip()))


def _shelf(value: str) -> str:
    scheme, mark, rest = value.partition("://")
    if not mark:
        return str(_folder(value)) if value else ""
    if scheme == "s3" and rest.strip("/"):
        return value
    raise ValueError("must be a folder or s3://bucket/prefix")


def _setting(env: str, parse: Callable[[str], Any], default: str | None) -> Any:  # noqa: ANN401 (as dataclasses.field)
    return field(metadata={"env": env, "parse": parse, "default": default})


@dataclass(frozen=True)
class Settings:
    """What the process was told; docs/configuration.md explains each, and a test keeps the two in step."""

    home: Path = _setting("BACKCHAT_HOME", _folder, ".backchat")
    port: int = _setting("PORT", _positive, "8000")
    host: str = _setting("BACKCHAT_HOST", _text, "127.0.0.1")
    database_url: str = _setting("DATABASE_URL", _postgres, None)
    redis_url: str = _setting("REDIS_URL", _redis, None)
    secret_key: str = _setting("BACKCHAT_SECRET_KEY", _text, None)
    former_secret_keys: tuple[str, ...] = _setting("BACKCHAT_FORMER_SECRET_KEYS", _keys, "")
    session_hours: int = _setting("BACKCHAT_SESSION_HOURS", _positive, "12")
    session_idle_min: int = _setting("BACKCHAT_SESSION_IDLE_MIN", _positive, "120")
    oidc_issuer: str | None = _setting("BACKCHAT_OIDC_ISSUER", _issuer, None)
    oidc_client_id: str = _setting("BACKCHAT_OIDC_CLIENT_ID", _text, "")
    oidc_client_secret: str = _setting("BACKCHAT_OIDC_CLIENT_SECRET", _text, "")
    oidc_button: str = _setting("BACKCHAT_OIDC_BUTTON", _text, "Single sign-on")
    oidc_domain: str | None = _setting("BACKCHAT_OIDC_DOMAIN", _domain, None)
    oidc_domain_role: str = _setting("BACKCHAT_OIDC_DOMAIN_ROLE", _text, "viewer")
    erasure_ledger: Path = _setting("BACKCHAT_ERASURE_LEDGER", _folder, None)
    base_url: str = _setting("BACKCHAT_BASE_URL", _web_address, None)
    time_zone: str = _setting("BACKCHAT_TIME_ZONE", _text, "UTC")
    log_level: str = _setting("BACKCHAT_LOG_LEVEL", _level, "INFO")
    web_processes: int = _setting("BACKCHAT_WEB_PROCESSES", _positive, "1")
    web_threads: int = _setting("BACKCHAT_WEB_THREADS", _positive, "64")
    send_window: int = _setting("BACKCHAT_SEND_WINDOW", _positive, "16")
    send_lease_s: int = _setting("BACKCHAT_SEND_LEASE_S", _positive, "60")
    silence_s: int = _setting("BACKCHAT_SILENCE_S", _positive, "900")
    provider_timeout_s: int = _setting("BACKCHAT_PROVIDER_TIMEOUT_S", _positive, "15")
    pump_s: int = _setting("BACKCHAT_PUMP_S", _positive, "30")
    webhook_max_bytes: int = _setting("BACKCHAT_WEBHOOK_MAX_BYTES", _positive, str(4 * 1024 * 1024))
    spool: Path = _setting("BACKCHAT_SPOOL", _folder, None)
    spool_max_bytes: int = _setting("BACKCHAT_SPOOL_MAX_BYTES", _positive, str(1024**3))
    retention_days: int = _setting("BACKCHAT_RETENTION_DAYS", _positive, "30")
    media: str = _setting("BACKCHAT_MEDIA", _shelf, "")
    media_max_bytes: int = _setting("BACKCHAT_MEDIA_MAX_BYTES", _positive, str(100 * 1024 * 1024))
    s3_endpoint: str | None = _setting("BACKCHAT_S3_ENDPOINT", _web_address, None)
    s3_region: str = _setting("BACKCHAT_S3_REGION", _text, "us-east-1")
    s3_access_key: str | None = _setting("AWS_ACCESS_KEY_ID", _text, None)
    s3_secret_key: str | None = _setting("AWS_SECRET_ACCESS_KEY", _text, None)
    import_retention_days: int = _setting("BACKCHAT_IMPORT_RETENTION_DAYS", _positive, "90")
    import_max_rows: int = _setting("BACKCHAT_IMPORT_MAX_ROWS", _positive, "1000000")
    import_auto_rows: int = _setting("BACKCHAT_IMPORT_AUTO_ROWS", _positive, "1000000")
    import_sendbird_rows: int = _setting("BACKCHAT_IMPORT_SENDBIRD_ROWS", _positive, "100000")
    import_metahumans_rows: int = _setting("BACKCHAT_IMPORT_METAHUMANS_ROWS", _positive, "1000")
    bigquery_project: str | None = _setting("BACKCHAT_BIGQUERY_PROJECT", _project, None)
    bigquery_dataset: str | None = _setting("BACKCHAT_BIGQUERY_DATASET", _dataset, None)
    bigquery_people: str = _setting("BACKCHAT_BIGQUERY_PEOPLE", _people, "pseudonyms")
    bigquery_environment: str = _setting("BACKCHAT_BIGQUERY_ENVIRONMENT", _environment, "live")
    bigquery_hours: int = _setting("BACKCHAT_BIGQUERY_HOURS", _positive, "6")
    bigquery_credentials: str | None = _setting("GOOGLE_APPLICATION_CREDENTIALS", _text, None)
    bigquery_endpoint: str | None = _setting("BACKCHAT_BIGQUERY_ENDPOINT", _web_address, None)
    smtp_url: str | None = _setting("BACKCHAT_SMTP_URL", _mail_server, None)
    mail_from: str | None = _setting("BACKCHAT_MAIL_FROM", _mail_address, None)
    chat_server: str | None = _setting("BACKCHAT_CHAT_SERVER", _web_address, None)
    failpoint: str = _setting("BACKCHAT_FAILPOINT", _text, "")

    @property
    def is_https(self) -> bool:
        return self.base_url.startswith("https://")

    @property
    def bigquery_destination(self) -> str | None:
        """project.dataset; None where nothing is to be sent."""
        return f"{self.bigquery_project}.{self.bigquery_dataset}" if self.bigquery_project else None


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read the environment (or the mapping given); raises SettingsError naming the variable and the remedy."""
    env = os.environ if environ is None else environ
    values: dict[str, Any] = {f.name: _read(env, f.metadata) for f in fields(Settings)}
    servers = _servers(values["home"])
    for name in ("database_url", "redis_url"):
        if values[name] is None:
            values[name] = servers.get(name)
        if values[name] is None:
            variable = name.upper()
            raise SettingsError(
                f"{variable} is not set and no Backchat is running in {values['home']}: "
                f"start one with `make run`, or set {variable}."
            )
    if values["secret_key"] is None:
        values["secret_key"] = secret_key_of(values["home"])
    if len(values["secret_key"]) < 32:
        raise SettingsError("BACKCHAT_SECRET_KEY is shorter than 32 characters: make one with `openssl rand -hex 32`.")
    if any(len(key) < 32 for key in values["former_secret_keys"]):
        raise SettingsError("BACKCHAT_FORMER_SECRET_KEYS must be keys of 32 characters or more, with commas between.")
    if values["oidc_issuer"] and not values["oidc_client_id"]:
        raise SettingsError("BACKCHAT_OIDC_ISSUER is set: set BACKCHAT_OIDC_CLIENT_ID too, as your provider gave it.")
    if bool(values["bigquery_project"]) != bool(values["bigquery_dataset"]):
        raise SettingsError("BACKCHAT_BIGQUERY_PROJECT and BACKCHAT_BIGQUERY_DATASET go together: set both or neither.")
    if values["smtp_url"] and not values["mail_from"]:
        raise SettingsError("BACKCHAT_SMTP_URL is set: set BACKCHAT_MAIL_FROM too, the address that mail comes from.")
    home = values["home"]
    usual: dict[str, Any] = {
        "base_url": f"http://localhost:{values['port']}",
        "spool": home / "spool",
        "erasure_ledger": home / "erasures.jsonl",
    }
    values |= {name: told for name, told in usual.items() if values[name] is None}
    return Settings(**values)


def read_one(name: str, environ: Mapping[str, str] | None = None) -> Any:  # noqa: ANN401 (the setting's own type)
    """One setting by its field name, or its default, without asking for the others; for what runs before them."""
    env = os.environ if environ is None else environ
    return next(_read(env, f.metadata) for f in fields(Settings) if f.name == name)


def secret_key_of(home: Path) -> str:
    """The key kept in the data folder, made on first use; several hosts must share BACKCHAT_SECRET_KEY instead."""
    path = home / "secret-key"
    try:
        if not path.exists():
            home.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32))
        return path.read_text().strip()
    except FileExistsError:  # another process of ours was quicker
        return path.read_text().strip()
    except OSError as error:
        raise SettingsError(
            f"Cannot keep a secret key in {home} ({error.strerror}): set BACKCHAT_SECRET_KEY, "
            "or BACKCHAT_HOME to a folder that can be written."
        ) from error


def _read(env: Mapping[str, str], meta: Mapping[str, Any]) -> Any:  # noqa: ANN401 (the setting's own type)
    raw = env.get(meta["env"], "").strip() or meta["default"]
    if raw is None:
        return None
    try:
        return meta["parse"](raw)
    except ValueError as error:
        raise SettingsError(f"{meta['env']} is {_without_password(raw)!r}: {error}.") from error


def _without_password(value: str) -> str:
    return re.sub(r"(?<=//)([^@/]*?):.*@", r"\1:***@", value)


def _servers(home: Path) -> dict[str, str]:
    try:
        return dict(json.loads((home / SERVERS_FILE).read_text()))
    except (OSError, ValueError):
        return {}
