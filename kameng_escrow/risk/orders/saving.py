"""A model as bytes, and back only where they are the bytes that were saved.

The format is Python's pickle, which can run anything; so two things stand before it. The caller names the SHA-256 that
was written down when the model was saved, and other bytes are refused unread. And the reader knows no other names than
those that a model of ours is made of: bytes that name anything else are refused where they name it.
"""

import hashlib
import io
import pickle
from typing import Any, Final

from ..errors import ModelUntrusted
from .scoring import OrderModel

_MODULES: Final = frozenset(
    {
        "kameng_escrow.risk.blending",
        "kameng_escrow.risk.columns",
        "kameng_escrow.risk.encoding",
        "kameng_escrow.risk.members",
        "kameng_escrow.risk.model",
        "kameng_escrow.risk.orders.scoring",
        "kameng_escrow.risk.statistics",
        "numpy.random._pickle",
        "numpy.random._pcg64",
        "numpy.random.bit_generator",
        "sklearn._loss._loss",
        "sklearn._loss.link",
        "sklearn._loss.loss",
        "sklearn.compose._column_transformer",
        "sklearn.ensemble._hist_gradient_boosting.binning",
        "sklearn.ensemble._hist_gradient_boosting.gradient_boosting",
        "sklearn.ensemble._hist_gradient_boosting.predictor",
        "sklearn.linear_model._logistic",
        "sklearn.preprocessing._encoders",
        "sklearn.preprocessing._function_transformer",
        "sklearn.preprocessing._label",
    }
)
_NAMES: Final = frozenset(
    {
        ("builtins", "slice"),
        ("functools", "partial"),  # of the other names here
        ("numpy", "dtype"),
        ("numpy", "ndarray"),
        *(("numpy", name) for name in ("bool_", "float32", "float64", "int32", "int64", "uint8")),
        *((f"numpy.{core}.multiarray", name) for core in ("core", "_core") for name in ("_reconstruct", "scalar")),
        *((f"numpy.{core}.numeric", "_frombuffer") for core in ("core", "_core")),
        ("pandas.core.indexes.base", "Index"),
        ("pandas.core.indexes.base", "_new_Index"),
        ("sklearn.utils.validation", "check_array"),
    }
)


def save(model: OrderModel) -> tuple[bytes, str]:
    """The model's bytes, and their SHA-256 in hex."""
    body = pickle.dumps(model, protocol=5)
    return body, hashlib.sha256(body).hexdigest()


def load(body: bytes, sha256: str) -> OrderModel:
    """The model in these bytes.

    Raises:
        ModelUntrusted: they are not those of `sha256`, name what no model of ours holds, or are of another version.
    """
    if hashlib.sha256(body).hexdigest() != sha256:
        raise ModelUntrusted(
            f"its bytes are not those of SHA-256 {sha256}, which was written down",
            f"内容与登记的 SHA-256 {sha256} 不符",
        )
    try:
        found = _Reader(io.BytesIO(body)).load()
    except ModelUntrusted:
        raise
    except Exception as error:  # of another version of ours or of its libraries, which may fail in any way
        raise ModelUntrusted(
            f"it was saved by another version ({type(error).__name__})", f"由别的版本保存（{type(error).__name__}）"
        ) from error
    if not isinstance(found, OrderModel):
        raise ModelUntrusted("there is no model of orders in it", "里面不是订单模型")
    return found


class _Reader(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module not in _MODULES or "." in name) and (module, name) not in _NAMES:
            raise ModelUntrusted(f"it names {module}.{name}, which no model holds", f"它要用 {module}.{name}")
        return super().find_class(module, name)
