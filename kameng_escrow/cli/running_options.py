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
InFlight = Annotated[
    int,
    typer.Option("--in-flight", min=1, max=64, help=both("最多同时有几笔交易等着上链", "Transactions that wait")),
]
StuckAfter = Annotated[
    float,
    typer.Option(
        "--stuck-after",
        min=1,
        max=3600,
        help=both("几秒不上链就加价重发", "Seconds unmined until it is offered for more"),
    ),
]
Patience = Annotated[
    float,
    typer.Option(
        "--patience",
        min=0,
        max=3600,
        help=both("--once 时多少秒没有进展就结束", "--once: seconds without progress until it ends"),
    ),
]
Poll = Annotated[float, typer.Option("--poll", min=0.05, max=60, help=both("隔几秒看一次", "Seconds between looks"))]
