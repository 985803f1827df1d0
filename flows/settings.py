"""Settings: environment variables `NYCKELTAL_*`, else defaults. Command-line options win over both."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from transforms.delivery import Limits
from warehouse.memory import LEAST_MEMORY_MB, MEMORY_MB

HELSINKI = ZoneInfo("Europe/Helsinki")


class Settings(BaseSettings):
    """What may be set from outside. Sizes are bytes."""

    model_config = SettingsConfigDict(env_prefix="NYCKELTAL_", extra="ignore", populate_by_name=True)

    home: Path = Field(
        default=Path("nyckeltal-home"), description="Directory that holds inbox, landing, lake, warehouse and published files."
    )
    as_of: date | None = Field(
        default=None, description="Day to compute for, instead of today in Helsinki; decides what is provisional."
    )
    wait_seconds: float = Field(default=0.0, ge=0, description="How long to wait for another run to end before exit code 75.")
    settle_seconds: float = Field(
        default=1.0, ge=0, description="A file in the inbox that changes within this time is left for the next run."
    )
    scratch: Path | None = Field(
        default=None, description="Where `plan` makes its scratch, which needs the warehouse's size; left out: the system's place for it."
    )
    memory_mb: int = Field(
        default=MEMORY_MB,
        ge=LEAST_MEMORY_MB,
        description="Memory (MB of 10^6 bytes) that DuckDB may hold for the warehouse, and three quarters of it for each published "
        "file that is written; what is more goes to the disk. Python's own, some 400 MB, come on top.",
    )
    port: int = Field(default=47421, ge=1024, le=65535, description="Loopback port of the Prefect server that `up` starts.")
    api_url: str | None = Field(
        default=None,
        validation_alias=AliasChoices("NYCKELTAL_API_URL", "PREFECT_API_URL"),
        description="Prefect API to send events to; left out: that of `nyckeltal up` on this home, if it runs.",
    )
    api_auth: SecretStr | None = Field(
        default=None,
        validation_alias=AliasChoices("NYCKELTAL_API_AUTH", "PREFECT_API_AUTH_STRING"),
        description="user:password of that API; left out: the secret that `nyckeltal up` made.",
    )
    keep_generations: int = Field(default=3, ge=1, description="Published generations kept on disk.")
    keep_refused_days: int = Field(default=90, ge=1, description="Files refused at the door are kept so long.")
    keep_withdrawn_days: int = Field(
        default=365, ge=1, description="Originals and lake files of withdrawn or refused deliveries are kept so long."
    )
    keep_superseded_days: int = Field(default=1095, ge=1, description="The same of superseded deliveries.")
    keep_personal_days: int = Field(
        default=30,
        ge=1,
        description="Originals of sources that hold personal data (contacts, surveys) are kept so long after the load.",
    )
    max_delimited_bytes: int = Field(default=Limits().delimited_bytes, gt=0, description="Largest delimited text file.")
    max_other_bytes: int = Field(default=Limits().other_bytes, gt=0, description="Largest file of any other format.")
    max_unpacked_bytes: int = Field(default=Limits().unpacked_bytes, gt=0, description="Largest unpacked size of a zip or XLSX.")
    max_unpacked_ratio: int = Field(
        default=Limits().unpacked_ratio, gt=0, description="Largest ratio of unpacked to packed size."
    )
    max_zip_members: int = Field(default=Limits().zip_members, gt=0, description="Most files in one zip.")
    max_xml_depth: int = Field(default=Limits().xml_depth, gt=0, description="Deepest nesting of XML elements.")
    max_line_bytes: int = Field(default=Limits().line_bytes, gt=0, description="Longest line of a delimited file.")
    max_reader_bytes: int = Field(
        default=Limits().reader_bytes,
        gt=0,
        description="Memory that reading a file of at most 50 MB may take, beyond that of an idle process; larger ones up to fourfold.",
    )
    max_reader_seconds: float = Field(
        default=Limits().reader_seconds, gt=0, description="How long reading a file of at most 50 MB may take; larger ones longer."
    )

    def limits(self) -> Limits:
        return Limits(
            delimited_bytes=self.max_delimited_bytes,
            other_bytes=self.max_other_bytes,
            unpacked_bytes=self.max_unpacked_bytes,
            unpacked_ratio=self.max_unpacked_ratio,
            zip_members=self.max_zip_members,
            xml_depth=self.max_xml_depth,
            line_bytes=self.max_line_bytes,
            reader_bytes=self.max_reader_bytes,
            reader_seconds=self.max_reader_seconds,
        )

    def today(self) -> date:
        """The day that figures are computed for."""
        return self.as_of or datetime.now(HELSINKI).date()
