"""What every topic's models are made of."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Address = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{40}$", examples=["0x70997970C51812dc3A010C7d01b50e0d17dc79C8"])]
Hash = Annotated[str, Field(pattern=r"^0x[0-9a-fA-F]{64}$", description="32 bytes.")]
Hex = Annotated[str, Field(pattern=r"^0x([0-9a-fA-F]{2})*$", max_length=20_000)]
Amount = Annotated[str, Field(pattern=r"^[0-9]{1,78}$", description="Base units.", examples=["1500000"])]
ChainSeconds = Annotated[int, Field(ge=0, lt=2**40, description="Unix seconds of the chain's clock (UTC).")]


def labelled(words: Iterable[str], description: str | None = None) -> Any:
    """A field that holds one of the contract's words."""
    return Field(description=description, json_schema_extra={"enum": [str(word) for word in words]})


class Model(BaseModel):
    """What is sent to the service: nothing beyond what it says, so that a misspelt field is not lost in silence."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=False)


class View(BaseModel):
    """What the service answers."""


class Words(View):
    """A word or sentence in both languages."""

    zh: str
    en: str


class Currency(View):
    """What amounts of an order are counted in."""

    token: str = Field(description="The ERC-20, or the zero address: the chain's native coin.")
    symbol: str | None = Field(description="As the token says; null where it doesn't.")
    decimals: int | None = Field(description="Base units to one: 10^decimals; null where the token doesn't say.")


def moment(seconds: int | None) -> str | None:
    """A second of our clock as RFC 3339."""
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
