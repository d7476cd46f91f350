"""What is weaker for buyers without a wallet, as the package says it."""

from kameng_escrow.domain.walletless import WEAKER

from .text import Lang


def walletless_list(lang: Lang) -> str:
    """The list, a line each."""
    return "\n".join(f"- {getattr(label, lang)}" for label in WEAKER)
