"""What can go wrong with a table or a model.

RiskError
├── RiskLibraryMissing    a library of `kameng-escrow[risk]` is not installed
├── TableUnreadable       a file is no table that can be read
├── TableUnusable         a table has nothing to learn from: too few rows, no column
│   ├── TargetUnusable    the column to be foretold is missing, of one kind only, or of too many
│   └── ColumnsDiffer     a table to be scored has other columns than the one that was learnt from
└── ModelUntrusted        a model's file is not the one that was saved, or holds what no model of ours holds
"""

from collections.abc import Sequence
from pathlib import Path

from kameng_escrow.errors import EscrowError, library_missing


class RiskError(EscrowError):
    """The root of what can go wrong with a table or a model."""

    code = "risk_error"


class RiskLibraryMissing(RiskError):
    """Scores need libraries that are not installed. Everything else works without them."""

    code = "risk_library_missing"

    def __init__(self, package: str) -> None:
        message, message_zh = library_missing("Scoring risks", "风险评分", package, "risk")
        super().__init__(f"{message} Orders, mirror and service work without it.")
        self.message_zh = f"{message_zh}没有它，订单、镜像和服务照常。"
        self.package = package


class TableUnreadable(RiskError):
    """A file can't be read as a table."""

    code = "table_unreadable"

    def __init__(self, path: Path | str, reason: str, reason_zh: str) -> None:
        super().__init__(f"{path} can't be read as a table: {reason}.")
        self.message_zh = f"{path} 无法当作表格读取：{reason_zh}。"
        self.path = path


class TableUnusable(RiskError):
    """There is nothing in a table to learn from."""

    code = "table_unusable"

    def __init__(self, message: str, message_zh: str, **facts: int | str) -> None:
        super().__init__(message)
        self.message_zh = message_zh
        self.fields = facts


class TargetUnusable(TableUnusable):
    """The column that is to be foretold is not there, or can't be."""

    code = "target_unusable"


class ColumnsDiffer(TableUnusable):
    """A table to be scored has not the columns that the model was fitted to."""

    code = "columns_differ"

    def __init__(self, missing: Sequence[str], extra: Sequence[str]) -> None:
        said = [f"missing are {', '.join(missing)}"] if missing else []
        said_zh = [f"缺少 {'、'.join(missing)}"] if missing else []
        if extra:
            said.append(f"not known are {', '.join(extra)}")
            said_zh.append(f"多出 {'、'.join(extra)}")
        super().__init__(
            f"The table has other columns than the one the model was fitted to: {'; '.join(said)}. Give it exactly the "
            "columns that `columns` names, or fit a new model.",
            f"表格的列与训练时不同：{'；'.join(said_zh)}。请给出模型 columns 所列的那些列，或重新训练。",
        )
        self.missing = tuple(missing)
        self.extra = tuple(extra)


class ModelUntrusted(RiskError):
    """A model's file is refused before anything in it runs."""

    code = "model_untrusted"

    def __init__(self, reason: str, reason_zh: str) -> None:
        super().__init__(
            f"The model's file is refused: {reason}. Train a new one; never load a file of unknown origin."
        )
        self.message_zh = f"拒绝读取模型文件：{reason_zh}。请重新训练；切勿读取来历不明的文件。"
