"""Where cancellations and disputes are heading, by category, seller and policy, and what changed."""

from .changes import Change
from .conformal import Coverage
from .outlook import Ahead, Outlook, Weekday, make_outlook
from .series import By, Clock, Ended, Measure, Series, date_of, make_series

__all__ = [
    "Ahead",
    "By",
    "Change",
    "Clock",
    "Coverage",
    "Ended",
    "Measure",
    "Outlook",
    "Series",
    "Weekday",
    "date_of",
    "make_outlook",
    "make_series",
]
