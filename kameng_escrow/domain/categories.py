"""What kinds of goods there are: a list that everybody shares, and room for a platform's own words."""

import re
from enum import StrEnum

from .inputs import Malformed
from .labels import Label

OWN = re.compile(r"x-[a-z0-9]+(?:-[a-z0-9]+){0,3}")  # a platform's own category
LONGEST = 32  # characters


class Category(StrEnum):
    """The categories with a name in both languages."""

    GameCard = "game-card"
    GameTopUp = "game-top-up"
    GiftCard = "gift-card"
    PhoneCredit = "phone-credit"
    MobileData = "mobile-data"
    FuelCard = "fuel-card"
    Streaming = "streaming"
    SoftwareKey = "software-key"
    AppStore = "app-store"
    Membership = "membership"
    Voucher = "voucher"
    Other = "other"


CATEGORY_LABELS: dict[Category, Label] = {
    Category.GameCard: Label("game cards", "游戏点卡"),
    Category.GameTopUp: Label("game top-ups", "游戏充值"),
    Category.GiftCard: Label("gift cards", "礼品卡"),
    Category.PhoneCredit: Label("phone credit", "话费充值"),
    Category.MobileData: Label("mobile data", "流量充值"),
    Category.FuelCard: Label("fuel cards", "加油卡"),
    Category.Streaming: Label("video and music", "影音会员"),
    Category.SoftwareKey: Label("software keys", "软件激活码"),
    Category.AppStore: Label("app store credit", "应用商店充值"),
    Category.Membership: Label("memberships", "会员权益"),
    Category.Voucher: Label("vouchers", "兑换券"),
    Category.Other: Label("other", "其他"),
}


class UnknownCategory(Malformed):
    """Neither a category of the list, nor ``x-`` and lowercase words."""

    field: str
    given: str
    known: str


def check_category(value: str, field: str) -> None:
    """Passes a category: one of the list, or a platform's own such as ``x-steam-wallet``.

    Raises:
        UnknownCategory: it is neither.
    """
    if value in set(Category) or (len(value) <= LONGEST and OWN.fullmatch(value)):
        return
    raise UnknownCategory(field, value[:LONGEST], ", ".join(Category))


def category_label(value: str) -> Label:
    """How a category is called; a platform's own by its words."""
    if value in set(Category):
        return CATEGORY_LABELS[Category(value)]
    own = value.removeprefix("x-").replace("-", " ")
    return Label(own, own)
