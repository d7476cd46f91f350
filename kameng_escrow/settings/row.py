"""A row of the table of settings."""

from dataclasses import dataclass

from .forms import Form


@dataclass(frozen=True, slots=True)
class Setting:
    """One row of the table."""

    name: str  # the attribute of `Settings`
    env: str  # the environment variable
    flag: str  # the option on the command line
    metavar: str
    default: str  # as text; empty: none; {data} is the user's data folder
    zh: str
    en: str
    form: Form
