"""What the simulation refuses.

EscrowError
└── SimulationError     nothing was simulated, or not all of it
    ├── BadParameter    a file of parameters says what no market can be: fix the line that it names
    ├── ReportUnavailable   the report needs libraries that are not installed
    ├── NoHistory       nothing has happened yet that advice could rest on
    ├── ReplayLost      the process that replayed is gone: it is tried again
    └── MarketStuck     the market could not come to its end: a venue that no longer answers
"""

from kameng_escrow.errors import EscrowError, library_missing


class SimulationError(EscrowError):
    """Nothing was simulated, or not all of it."""

    code = "simulation_error"

    def __init__(self, message: str, message_zh: str) -> None:
        super().__init__(message)
        self.message_zh = message_zh


class BadParameter(SimulationError):
    """A parameter that is unknown, missing or out of bounds; `path` is its place in the file."""

    code = "bad_parameter"

    def __init__(self, path: str, given: object, allowed: str, allowed_zh: str) -> None:
        super().__init__(
            f"The parameter {path} is {given!r}, and should be {allowed}: fix it in the file.",
            f"参数 {path} 的值是 {given!r}，应为{allowed_zh}：请在参数文件中改正。",
        )
        self.path = path
        self.given = given
        self.allowed = allowed


class ReportUnavailable(SimulationError):
    """The report needs jinja2 and matplotlib, which the extra `risk` installs."""

    code = "report_unavailable"

    def __init__(self, package: str) -> None:
        super().__init__(*library_missing("The report", "报告", package, "risk"))
        self.package = package


class MarketStuck(SimulationError):
    """Orders stay open although their clocks have run out and somebody settles."""

    code = "market_stuck"

    def __init__(self, open_orders: int, at: int) -> None:
        super().__init__(
            f"{open_orders} orders are still open at Unix second {at}, long after their last deadline: "
            "the venue settles nothing; look at its keeper and its node.",
            f"到 Unix 秒 {at}，仍有 {open_orders} 笔订单未结束，而最后的期限早已过去：没有人结算；"
            "请检查 keeper 和节点。",
        )
        self.open_orders = open_orders
        self.at = at


class NoHistory(SimulationError):
    """There is no order that has ended, so nothing can be advised."""

    code = "no_history"

    def __init__(self, group: str) -> None:
        super().__init__(
            f"Of {group} no order has ended yet: nothing can be advised. Run the mirror, or come back later.",
            f"{group} 还没有任何已结束的订单，无法给出建议：请先运行镜像，或稍后再来。",
        )
        self.group = group


class ReplayLost(SimulationError):
    """The process that replayed a history ended without an answer; `exit_code` as `subprocess` has it."""

    code = "replay_lost"

    def __init__(self, exit_code: int) -> None:
        super().__init__(
            f"The process that replays ended with {exit_code} and without an answer: it is tried again. If that goes "
            "on, look whether the machine is out of memory, or run `kameng policy advise` and see what it says.",
            f"重放历史的进程以 {exit_code} 结束，没有给出结果：稍后会再试。如果一直如此，请检查内存是否不足，"
            "或运行 kameng policy advise 看它怎么说。",
        )
        self.exit_code = exit_code
