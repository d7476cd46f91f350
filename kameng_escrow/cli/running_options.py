"""Options of the commands that run on and on, in one wording."""

from typing import Annotated

import typer

from .command import both

MetricsPort = Annotated[
    int | None,
    typer.Option(
        "--metrics",
        min=1,
        max=65_535,
        help=both(
            "在本机这个端口提供 /metrics、/healthz 和 /readyz",
            "Serve /metrics, /healthz and /readyz on this port of this machine",
        ),
    ),
]
LogJson = Annotated[
    bool,
    typer.Option("--log-json", help=both("把日志以 JSON 行写到标准错误", "Log to standard error, as lines of JSON")),
]
