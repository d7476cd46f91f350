"""Listings, quotes and offers as JSON: what `schemas.trade` describes."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from kameng_escrow.domain.categories import category_label
from kameng_escrow.domain.labels import label_of
from kameng_escrow.domain.policy import Policy
from kameng_escrow.domain.summary import Summary, summarize
from kameng_escrow.domain.summary_text import TEXT_VERSION
from kameng_escrow.domain.typed_data import Domain, offer_typed_data
from kameng_escrow.store.service import quotes
from kameng_escrow.store.service.trade_rows import ListingRow, OfferRow, QuoteRow, StockRow

from .order_views import closing_view, terms_view, words
from .schemas.common import moment


def listing_view(row: ListingRow, stock: StockRow, account: str | None) -> dict[str, Any]:
    """A `ListingView` for an account; None: somebody who has not signed in."""
    label = category_label(row.category)
    inside = account in (row.seller, row.platform)
    return {
        "id": row.id,
        "seller": row.seller,
        "pay_to": row.pay_to,
        "platform": row.platform,
        "policy_id": row.policy_id,
        "revision": row.revision,
        "state": row.state.label,
        "acceptance": row.acceptance.label,
        "acceptance_reason": row.acceptance_reason if inside else None,
        "title": row.title,
        "category": row.category,
        "category_label": {"zh": label.zh, "en": label.en},
        "description": row.description,
        "currency": _currency(row.token, row.symbol, row.decimals),
        "unit_price": str(row.unit_price),
        "min_units": row.min_units,
        "max_units": row.max_units,
        "buyer_cap": row.buyer_cap,
        "available": stock.available,
        "stock": stock_view(stock) if inside else None,
        "created_at": moment(row.created_at),
        "updated_at": moment(row.updated_at),
    }


def stock_view(stock: StockRow) -> dict[str, int]:
    """A `StockView`."""
    return {name: getattr(stock, name) for name in ("stocked", "available", "held", "reserved", "spent")}


def summary_view(summary: Summary, english: Sequence[str], chinese: Sequence[str]) -> dict[str, Any]:
    """A `SummaryView`: facts, and their words as they were or are put."""
    return {
        "text_version": TEXT_VERSION,
        "latest": summary.latest,
        "stages": [
            {
                "state": stage.state.label,
                "state_label": words(stage.state),
                "lasts": stage.lasts,
                "latest_end": stage.latest_end,
                "timeout": closing_view(stage.timeout),
                "options": [
                    {
                        "who": str(option.who),
                        "by_operator": option.by_operator,
                        "move": str(option.move),
                        "after": option.after,
                        "until": option.until,
                        "closing": closing_view(option.closing),
                    }
                    for option in stage.options
                ],
                "watches": [asdict(watch) for watch in stage.watches],
            }
            for stage in summary.stages
        ],
        "leavings": [
            {
                "state": label_of(leaving.state).en,
                "who": str(leaving.who),
                "move": None if leaving.move is None else str(leaving.move),
                "until": leaving.until,
                "cost": str(leaving.cost),
            }
            for leaving in summary.leavings
        ],
        "en": list(english),
        "zh": list(chinese),
    }


def quote_view(row: QuoteRow, policy: Policy, offers: Sequence[OfferRow]) -> dict[str, Any]:
    """A `QuoteView`."""
    terms, document = quotes.terms_of(row), row.document
    told = document["summary"]
    return {
        "id": row.id,
        "listing_id": row.listing_id,
        "listing_revision": row.listing_revision,
        "order_id": row.order_id,
        "account": row.account,
        "units": row.units,
        "currency": document["currency"],
        "terms": terms_view(terms),
        "policy": asdict(policy),
        "document": document,
        "summary": {
            **summary_view(summarize(terms, policy), told["en"], told["zh"]),
            "text_version": told["version"],
        },
        "created_at": moment(row.created_at),
        "expires_at": moment(row.expires_at),
        "hold": row.hold.label,
        "backed": row.backed,
        "offer_expiry": row.offer_expiry,
        "offers": [offer_view(offer) for offer in offers],
    }


def offer_view(row: OfferRow) -> dict[str, Any]:
    """An `OfferView`."""
    return {
        "id": row.id,
        "expiry": row.expiry,
        "revision": row.revision,
        "operator": row.operator,
        "signature": "0x" + row.signature.hex(),
        "created_at": moment(row.created_at),
    }


def offer_request_view(row: QuoteRow, policy: Policy, revision: int, domain: Domain) -> dict[str, Any]:
    """An `OfferRequestView`."""
    expiry = row.open_by + 1
    return {
        "quote": quote_view(row, policy, ()),
        "revision": revision,
        "typed_data": offer_typed_data(row.order_id, revision=revision, expiry=expiry, domain=domain),
    }


def _currency(token: str, symbol: str, decimals: int) -> dict[str, Any]:
    return {"token": token, "symbol": symbol, "decimals": decimals}
