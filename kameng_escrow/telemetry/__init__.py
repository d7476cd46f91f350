"""What a process says about itself to machines: metrics, health, and logs by the line."""

from .logs import log_to
from .server import Health, serve

__all__ = ["Health", "log_to", "serve"]
