"""Finds orders whose clock has run out, and settles them. Anyone may; this is somebody who does."""

from .settling import BATCH, SettlingReport, settle_due

__all__ = ["BATCH", "SettlingReport", "settle_due"]
