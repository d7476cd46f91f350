"""The service's routes as methods: made from the interface's description by `make docs`. Not to be edited."""

from abc import ABC, abstractmethod
from typing import Any, Literal

from . import types
from .calls import Call, make_call


class Operations(ABC):
    """Every route of the service; each returns what it answers. Raises `PlatformError`."""

    @abstractmethod
    def _call(self, call: Call) -> Any: ...

    def list_orders(
        self,
        *,
        state: list[Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]] | None = None,
        role: list[types.Capacity] | None = None,
        sort: types.Sorting | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.OrdersView:
        """The caller's orders: those it buys, sells, runs the platform of or mediates. Orders opened meanwhile don't shift the pages."""
        answer: types.OrdersView = self._call(
            make_call(
                "GET",
                "/v1/orders",
                query={"state": state, "role": role, "sort": sort, "limit": limit, "cursor": cursor},
            )
        )
        return answer

    def read_order(self, order_id: str) -> types.OrderDetailView:
        """One order, its clock (what happens when by itself), and what the caller may do now."""
        answer: types.OrderDetailView = self._call(make_call("GET", "/v1/orders/{}", order_id))
        return answer

    def read_history(self, order_id: str) -> types.HistoryView:
        """All that happened to the order on the chain, with the transactions."""
        answer: types.HistoryView = self._call(make_call("GET", "/v1/orders/{}/history", order_id))
        return answer

    def about(self) -> types.AboutView:
        """Which contract this service serves, and how far its mirror has come."""
        answer: types.AboutView = self._call(make_call("GET", "/v1/about"))
        return answer

    def problem_kind(self, code: str) -> types.ProblemKindView:
        """What a problem's `type` leads to: the kind of error that the SDK raises by that name."""
        answer: types.ProblemKindView = self._call(make_call("GET", "/v1/problems/{}", code))
        return answer

    def healthz(self) -> types.HealthView:
        """Whether the process should be left running."""
        answer: types.HealthView = self._call(make_call("GET", "/healthz"))
        return answer

    def readyz(self) -> types.HealthView:
        """Whether what it says may be relied upon: the store can be read, and the mirror is not behind the node."""
        answer: types.HealthView = self._call(make_call("GET", "/readyz"))
        return answer

    def sign_in_challenge(self) -> types.ChallengeView:
        """What a wallet has to sign. The nonce lives for ten minutes and is good for one sign-in."""
        answer: types.ChallengeView = self._call(make_call("POST", "/v1/sign-in/challenge"))
        return answer

    def sign_in(self, body: types.SignIn) -> types.MeView:
        """Signs in with a wallet's signature (EIP-4361; contracts by ERC-1271 and ERC-6492) and sets the session's cookie, which no script can read."""
        answer: types.MeView = self._call(make_call("POST", "/v1/sign-in", body=body))
        return answer

    def who_am_i(self) -> types.MeView:
        """The account that calls."""
        answer: types.MeView = self._call(make_call("GET", "/v1/me"))
        return answer

    def sign_out(self, body: types.SignOut, *, idempotency_key: str | None = None) -> types.SignedOutView:
        """Ends this session, or all of the account's."""
        answer: types.SignedOutView = self._call(
            make_call("POST", "/v1/sign-out", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def create_api_key(self, body: types.NewKey, *, idempotency_key: str | None = None) -> types.KeySecretView:
        """Makes a key that acts for the signed-in account within its scopes. The secret is shown this once."""
        answer: types.KeySecretView = self._call(
            make_call("POST", "/v1/api-keys", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def list_api_keys(self) -> types.KeysView:
        """The account's keys, the newest first."""
        answer: types.KeysView = self._call(make_call("GET", "/v1/api-keys"))
        return answer

    def rotate_api_key(
        self, key_id: str, body: types.RotateKey, *, idempotency_key: str | None = None
    ) -> types.KeySecretView:
        """Makes a key in another's place; the old one is taken a while longer, so that nothing stands still."""
        answer: types.KeySecretView = self._call(
            make_call("POST", "/v1/api-keys/{}/rotate", key_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def revoke_api_key(self, key_id: str) -> types.KeyView:
        """Ends a key at once."""
        answer: types.KeyView = self._call(make_call("DELETE", "/v1/api-keys/{}", key_id))
        return answer

    def store_delivery(
        self, order_id: str, body: types.NewDelivery, *, idempotency_key: str | None = None
    ) -> types.StoredView:
        """Keeps codes that are encrypted to their buyer, before their commitment goes on the chain. Refuses codes that were delivered in another order (409, `codes_sold_before`), unless that is allowed."""
        answer: types.StoredView = self._call(
            make_call(
                "POST", "/v1/orders/{}/deliveries", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def list_deliveries(self, order_id: str) -> types.DeliveriesView:
        """What was stored for the order, and how far each delivery has come. Nothing of what is in them."""
        answer: types.DeliveriesView = self._call(make_call("GET", "/v1/orders/{}/deliveries", order_id))
        return answer

    def read_payload(self, order_id: str, delivery_id: str) -> types.PayloadView:
        """The encrypted codes, for the buyer alone, once it is final on the chain that they were delivered. Before, it answers 409 `not_released` with the blocks that are left: who could read earlier could read and cancel."""
        answer: types.PayloadView = self._call(
            make_call("GET", "/v1/orders/{}/deliveries/{}/payload", order_id, delivery_id)
        )
        return answer

    def erase_deliveries(self, order_id: str, *, idempotency_key: str | None = None) -> types.ErasedView:
        """Erases the codes of a closed order, and what was disclosed of them. Hashes and commitments stay."""
        answer: types.ErasedView = self._call(
            make_call("POST", "/v1/orders/{}/deliveries/erase", order_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def read_tag_keys(self, order_id: str) -> types.TagKeysView:
        """The keys with which the order's seller makes tags of codes, so that the same code sold twice is found."""
        answer: types.TagKeysView = self._call(make_call("GET", "/v1/orders/{}/tag-keys", order_id))
        return answer

    def check_codes(
        self, order_id: str, body: types.CodeCheck, *, idempotency_key: str | None = None
    ) -> types.DuplicatesView:
        """Which of the order's codes were delivered in another order, before they are stored."""
        answer: types.DuplicatesView = self._call(
            make_call(
                "POST",
                "/v1/orders/{}/deliveries/check-codes",
                order_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    def disclose(
        self, order_id: str, body: types.NewDisclosure, *, idempotency_key: str | None = None
    ) -> types.DisclosureView:
        """Shows the mediator one unit without the others, or with the order's key all of them, while the order is in dispute. A unit that was not committed to is refused."""
        answer: types.DisclosureView = self._call(
            make_call(
                "POST", "/v1/orders/{}/disclosures", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def list_disclosures(self, order_id: str) -> types.DisclosuresView:
        """What the parties disclosed, each held against the chain. For them and the mediators; not for the platform."""
        answer: types.DisclosuresView = self._call(make_call("GET", "/v1/orders/{}/disclosures", order_id))
        return answer

    def prepare_deliver_many(
        self, body: types.ManyDeliveries, *, idempotency_key: str | None = None
    ) -> types.DeliverManyView:
        """An unsigned transaction that delivers many orders at once. The contract skips those that are late by then."""
        answer: types.DeliverManyView = self._call(
            make_call("POST", "/v1/deliveries/prepare", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def read_receipt(self, order_id: str) -> types.ReceiptView:
        """The order's terms receipt: deployment, terms, policy, the rules in words, listing document and offer."""
        answer: types.ReceiptView = self._call(make_call("GET", "/v1/orders/{}/receipt", order_id))
        return answer

    def receive_dispute(
        self, order_id: str, body: types.SignedDispute, *, idempotency_key: str | None = None
    ) -> types.ReceiptView:
        """The receipt with the dispute that the buyer signed, for a watchtower. Nothing of it is kept here."""
        answer: types.ReceiptView = self._call(
            make_call("POST", "/v1/orders/{}/receipt", order_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def prepare_dispute(self, order_id: str, *, units: int, evidence: str | None = None) -> types.DisputeToSignView:
        """A dispute for the buyer to sign beforehand. Whoever has it can post it as soon as the order is Delivered."""
        answer: types.DisputeToSignView = self._call(
            make_call("GET", "/v1/orders/{}/receipt/dispute", order_id, query={"units": units, "evidence": evidence})
        )
        return answer

    def list_rooms(self, *, limit: int | None = None, cursor: str | None = None) -> types.RoomsView:
        """The rooms of the orders that the caller buys or sells, the latest entry first, with how much is unread."""
        answer: types.RoomsView = self._call(make_call("GET", "/v1/rooms", query={"limit": limit, "cursor": cursor}))
        return answer

    def read_room(
        self, order_id: str, *, after: int | None = None, before: int | None = None, limit: int | None = None
    ) -> types.RoomView:
        """What was said and what happened, in its order. Keep `head`: it proves later that nothing before was touched."""
        answer: types.RoomView = self._call(
            make_call("GET", "/v1/orders/{}/room", order_id, query={"after": after, "before": before, "limit": limit})
        )
        return answer

    def say(self, order_id: str, body: types.NewMessage, *, idempotency_key: str | None = None) -> types.EntryView:
        """Says something in the room. The answer's `head` is the receipt."""
        answer: types.EntryView = self._call(
            make_call(
                "POST", "/v1/orders/{}/room/messages", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def mark_read(self, order_id: str, body: types.ReadUpTo, *, idempotency_key: str | None = None) -> types.DoneView:
        """Says that the caller has read every entry up to one. The others in the room see it."""
        answer: types.DoneView = self._call(
            make_call(
                "POST", "/v1/orders/{}/room/read", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def send_file(
        self, order_id: str, content: bytes, *, name: str | None = None, idempotency_key: str | None = None
    ) -> types.FileView:
        """Sends a file, as the body. Its type is told by its content; pictures are encoded anew, without where they were taken. Others see it once an entry shows it; within a day, or it is forgotten."""
        answer: types.FileView = self._call(
            make_call(
                "POST",
                "/v1/orders/{}/room/files",
                order_id,
                query={"name": name},
                content=content,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    def read_file(self, order_id: str, file_id: str) -> bytes:
        """A file, as an attachment. It is checked against its hash before the first byte is sent."""
        answer: bytes = self._call(make_call("GET", "/v1/orders/{}/room/files/{}", order_id, file_id, raw=True))
        return answer

    def export_transcript(self, order_id: str) -> bytes:
        """The whole log, the dispute's papers and the files in one archive, which `kameng transcript verify` checks."""
        answer: bytes = self._call(make_call("GET", "/v1/orders/{}/room/transcript", order_id, raw=True))
        return answer

    def list_proposals(self, order_id: str) -> types.ProposalsView:
        """The splits that were proposed, the newest first, and whether each can still be paid."""
        answer: types.ProposalsView = self._call(make_call("GET", "/v1/orders/{}/proposals", order_id))
        return answer

    def propose_split(
        self, order_id: str, body: types.NewProposal, *, idempotency_key: str | None = None
    ) -> types.ProposalView:
        """Proposes a split. It is bound to the order as it stands, and void once that changes."""
        answer: types.ProposalView = self._call(
            make_call(
                "POST", "/v1/orders/{}/proposals", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def read_proposal(self, order_id: str, proposal_id: str) -> types.ProposalView:
        """One of them, with the typed data that a party's wallet signs."""
        answer: types.ProposalView = self._call(make_call("GET", "/v1/orders/{}/proposals/{}", order_id, proposal_id))
        return answer

    def sign_proposal(
        self, order_id: str, proposal_id: str, body: types.SplitSignature, *, idempotency_key: str | None = None
    ) -> types.ProposalView:
        """Adds the caller's signature, once it is found to be its own. Nobody is given it before both are there."""
        answer: types.ProposalView = self._call(
            make_call(
                "POST",
                "/v1/orders/{}/proposals/{}/signature",
                order_id,
                proposal_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    def withdraw_proposal(
        self, order_id: str, proposal_id: str, *, idempotency_key: str | None = None
    ) -> types.ProposalView:
        """Takes a proposal back, or turns it down. Once both have signed, only `revise` on the chain makes sure."""
        answer: types.ProposalView = self._call(
            make_call(
                "POST",
                "/v1/orders/{}/proposals/{}/withdraw",
                order_id,
                proposal_id,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    def read_agreement(self, order_id: str, proposal_id: str) -> types.AgreementView:
        """All that `agree` takes, once both have signed: either party sends it, or has it relayed."""
        answer: types.AgreementView = self._call(
            make_call("GET", "/v1/orders/{}/proposals/{}/agreement", order_id, proposal_id)
        )
        return answer

    def list_dispute_reasons(self) -> types.ReasonsView:
        """The reasons for which a buyer may dispute."""
        answer: types.ReasonsView = self._call(make_call("GET", "/v1/dispute-reasons"))
        return answer

    def read_dispute(self, order_id: str) -> types.DisputeView:
        """The order's dispute: its clock and what happens by itself, the papers that the chain carries, all evidence."""
        answer: types.DisputeView = self._call(make_call("GET", "/v1/orders/{}/dispute", order_id))
        return answer

    def write_dispute_paper(
        self, order_id: str, body: types.NewPaper, *, idempotency_key: str | None = None
    ) -> types.WrittenPaperView:
        """Writes what the buyer says, with the root of the room's log. Nobody else sees it before `dispute` has taken its hash to the chain."""
        answer: types.WrittenPaperView = self._call(
            make_call(
                "POST", "/v1/orders/{}/dispute/paper", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def read_own_paper(self, order_id: str, paper_hash: str) -> types.PaperView:
        """A paper that the caller wrote itself, whether its hash is on the chain or not."""
        answer: types.PaperView = self._call(make_call("GET", "/v1/orders/{}/dispute/papers/{}", order_id, paper_hash))
        return answer

    def file_evidence(
        self, order_id: str, body: types.NewEvidence, *, idempotency_key: str | None = None
    ) -> types.EntryView:
        """Files evidence, until half the time of mediation is over."""
        answer: types.EntryView = self._call(
            make_call(
                "POST",
                "/v1/orders/{}/dispute/evidence",
                order_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    def preview_ruling(
        self, order_id: str, body: types.NewPreview, *, idempotency_key: str | None = None
    ) -> types.PreviewView:
        """What findings would award, and who would get what by that. Nothing is kept."""
        answer: types.PreviewView = self._call(
            make_call(
                "POST", "/v1/orders/{}/dispute/preview", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def write_ruling(
        self, order_id: str, body: types.NewRuling, *, idempotency_key: str | None = None
    ) -> types.RulingView:
        """Writes the mediator's findings and grounds, for `rule` to take award and hash to the chain. The parties read them from then on."""
        answer: types.RulingView = self._call(
            make_call(
                "POST", "/v1/orders/{}/dispute/ruling", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def read_queue(
        self, *, over: bool | None = None, limit: int | None = None, cursor: str | None = None
    ) -> types.QueueView:
        """The disputes that the caller may judge now or later, those first in which its time runs out first, and what the clock pays in each if nobody rules, with what was foreseen of it; and orders that are likely to come. Those in which it has a conflict of interest are not among them."""
        answer: types.QueueView = self._call(
            make_call("GET", "/v1/mediation/queue", query={"over": over, "limit": limit, "cursor": cursor})
        )
        return answer

    def list_conflicts(self) -> types.ConflictsView:
        """The conflicts of interest that were declared about the caller, or by it."""
        answer: types.ConflictsView = self._call(make_call("GET", "/v1/mediation/conflicts"))
        return answer

    def declare_conflict(self, body: types.NewConflict, *, idempotency_key: str | None = None) -> types.ConflictView:
        """Declares a conflict of interest with an account, or in one order: as the mediator, or as a platform that the mediator works for."""
        answer: types.ConflictView = self._call(
            make_call("POST", "/v1/mediation/conflicts", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def withdraw_conflict(self, conflict_id: str) -> types.ConflictView:
        """Takes a declaration back that the caller made."""
        answer: types.ConflictView = self._call(make_call("DELETE", "/v1/mediation/conflicts/{}", conflict_id))
        return answer

    def read_mediator_record(self, mediator: str) -> types.RecordView:
        """How a mediator has done, counted from the chain's events: rulings, silence, time, awards."""
        answer: types.RecordView = self._call(make_call("GET", "/v1/mediators/{}/record", mediator))
        return answer

    def list_categories(self) -> types.CategoriesView:
        """What kinds of goods there are."""
        answer: types.CategoriesView = self._call(make_call("GET", "/v1/categories"))
        return answer

    def list_listings(
        self,
        *,
        q: str | None = None,
        category: str | None = None,
        seller: str | None = None,
        platform: str | None = None,
        policy_id: str | None = None,
        token: str | None = None,
        at_most: str | None = None,
        in_stock: bool | None = None,
        sort: types.ListingSorting | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.ListingsView:
        """What is on sale. Listings made meanwhile don't shift the pages."""
        answer: types.ListingsView = self._call(
            make_call(
                "GET",
                "/v1/listings",
                query={
                    "q": q,
                    "category": category,
                    "seller": seller,
                    "platform": platform,
                    "policy_id": policy_id,
                    "token": token,
                    "at_most": at_most,
                    "in_stock": in_stock,
                    "sort": sort,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )
        return answer

    def create_listing(self, body: types.NewListing, *, idempotency_key: str | None = None) -> types.ListingView:
        """Makes a listing of the caller's, as a draft or on sale at once."""
        answer: types.ListingView = self._call(
            make_call("POST", "/v1/listings", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def list_my_listings(
        self,
        *,
        role: str | None = None,
        state: list[str] | None = None,
        acceptance: list[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.ListingsView:
        """The caller's own listings, or those under its policies, in whatever state; the newest first."""
        answer: types.ListingsView = self._call(
            make_call(
                "GET",
                "/v1/my/listings",
                query={"role": role, "state": state, "acceptance": acceptance, "limit": limit, "cursor": cursor},
            )
        )
        return answer

    def read_listing(self, listing_id: str) -> types.ListingView:
        """One listing. Drafts, and what a platform has not accepted, only its seller and platform see."""
        answer: types.ListingView = self._call(make_call("GET", "/v1/listings/{}", listing_id))
        return answer

    def change_listing(self, listing_id: str, body: types.ListingChanges) -> types.ListingView:
        """Changes a listing of the caller's, puts it on sale, pauses or withdraws it."""
        answer: types.ListingView = self._call(make_call("PATCH", "/v1/listings/{}", listing_id, body=body))
        return answer

    def change_stock(
        self, listing_id: str, body: types.StockChange, *, idempotency_key: str | None = None
    ) -> types.ListingView:
        """Puts units of a listing of the caller's on the shelf, or takes free ones off. Orders that are short get theirs first."""
        answer: types.ListingView = self._call(
            make_call(
                "POST", "/v1/listings/{}/stock", listing_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def decide_listing(
        self, listing_id: str, body: types.Decision, *, idempotency_key: str | None = None
    ) -> types.ListingView:
        """Accepts a listing under a policy of the caller's, or refuses it: then it is not shown."""
        answer: types.ListingView = self._call(
            make_call(
                "POST", "/v1/listings/{}/decision", listing_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def read_trade_desk(self) -> types.TradeDeskView:
        """Whether the caller, as a platform, looks at listings before they are shown."""
        answer: types.TradeDeskView = self._call(make_call("GET", "/v1/trade-desk"))
        return answer

    def set_trade_desk(self, body: types.TradeDesk) -> types.TradeDeskView:
        """Says so. What is shown already stays."""
        answer: types.TradeDeskView = self._call(make_call("PUT", "/v1/trade-desk", body=body))
        return answer

    def summarize_terms(self, body: types.Sketch) -> types.SummaryView:
        """What terms and their policy come to, before anybody agrees to them. Nothing is kept."""
        answer: types.SummaryView = self._call(make_call("POST", "/v1/summaries", body=body))
        return answer

    def check_listing_document(self, body: types.DocumentCheck) -> types.DocumentView:
        """Whether a listing document is the one of an order's terms, and tells nothing else than its rules. Nothing is kept."""
        answer: types.DocumentView = self._call(make_call("POST", "/v1/listing-documents/check", body=body))
        return answer

    def create_quote(self, body: types.NewQuote, *, idempotency_key: str | None = None) -> types.QuoteView:
        """Quotes units of a listing to a buyer, and holds them for ten minutes. The caller is the buyer, or the platform of the listing's policy."""
        answer: types.QuoteView = self._call(
            make_call("POST", "/v1/quotes", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def list_quotes(
        self,
        *,
        hold: list[str] | None = None,
        short: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.QuotesView:
        """The quotes that the caller asked for, got as buyer, or gave as seller; the newest first."""
        answer: types.QuotesView = self._call(
            make_call("GET", "/v1/quotes", query={"hold": hold, "short": short, "limit": limit, "cursor": cursor})
        )
        return answer

    def read_quote(self, quote_id: str) -> types.QuoteView:
        """One quote, for the buyer, who asked, the seller and its operators, and the platform."""
        answer: types.QuoteView = self._call(make_call("GET", "/v1/quotes/{}", quote_id))
        return answer

    def give_up_quote(self, quote_id: str, *, idempotency_key: str | None = None) -> types.QuoteView:
        """Lets a quote lapse, so that its units go back. With a live offer they stay until that has run out."""
        answer: types.QuoteView = self._call(
            make_call("POST", "/v1/quotes/{}/give-up", quote_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def prepare_offer(self, quote_id: str, *, seconds: int | None = None) -> types.TypedDataView:
        """What the seller, or an operator with the right to accept, signs to promise accepting the order."""
        answer: types.TypedDataView = self._call(
            make_call("GET", "/v1/quotes/{}/offer", quote_id, query={"seconds": seconds})
        )
        return answer

    def make_offer(self, quote_id: str, body: types.NewOffer, *, idempotency_key: str | None = None) -> types.OfferView:
        """Takes a signed offer of the seller's, after checking all that the contract will check."""
        answer: types.OfferView = self._call(
            make_call("POST", "/v1/quotes/{}/offers", quote_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def list_offer_requests(self, *, wait: int | None = None, after: str | None = None) -> types.OfferRequestsView:
        """Live quotes without an offer that the caller could make one for: as their seller, or as its operator with the right to accept. For programs that make offers by themselves."""
        answer: types.OfferRequestsView = self._call(
            make_call("GET", "/v1/offer-requests", query={"wait": wait, "after": after})
        )
        return answer

    def read_quote_of_order(self, order_id: str) -> types.QuoteView:
        """The quote that an order was made with, and its listing document."""
        answer: types.QuoteView = self._call(make_call("GET", "/v1/orders/{}/quote", order_id))
        return answer

    def prepare_move(
        self, order_id: str, body: types.PrepareMove, *, idempotency_key: str | None = None
    ) -> types.PapersView:
        """What the caller needs for a move of the order. It is tried on the chain first: what the contract would refuse is the answer. For a move that others may bring, the action to sign is there too."""
        answer: types.PapersView = self._call(
            make_call("POST", "/v1/orders/{}/prepare", order_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def prepare_opening(self, body: types.PrepareOpening, *, idempotency_key: str | None = None) -> types.PapersView:
        """What the caller needs to open and pay for an order: as its buyer or for it. With `pay_by` the payment to sign."""
        answer: types.PapersView = self._call(
            make_call("POST", "/v1/prepare/opening", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def prepare_a_deed(self, body: Any, *, idempotency_key: str | None = None) -> types.PapersView:
        """What the caller needs for something beside orders: bonds, credits, fees, operators, policies, deposits."""
        answer: types.PapersView = self._call(
            make_call("POST", "/v1/prepare/deed", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def create_relay(self, body: Any, *, idempotency_key: str | None = None) -> types.RelayView:
        """Takes on what somebody signed, to be brought to the chain at the platform's cost. It is tried first: what the contract would refuse is the answer, and costs nothing. `Location` tells what became of it. The same signed thing again is the same relay while it is under way."""
        answer: types.RelayView = self._call(
            make_call("POST", "/v1/relays", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def read_relay(self, relay_id: str) -> types.RelayView:
        """Where a relay stands: for who asked for it, the platform that pays, and those who have to do with its order."""
        answer: types.RelayView = self._call(make_call("GET", "/v1/relays/{}", relay_id))
        return answer

    def list_order_relays(self, order_id: str) -> types.RelaysView:
        """What was taken on for an order, the newest first."""
        answer: types.RelaysView = self._call(make_call("GET", "/v1/orders/{}/relays", order_id))
        return answer

    def prepare_deposit(
        self, body: types.PrepareDeposit, *, idempotency_key: str | None = None
    ) -> types.DepositPapersView:
        """What it takes to pay for terms by a plain transfer: the address, what the buyer may sign, what to be careful of. Terms that nothing could open from there are refused."""
        answer: types.DepositPapersView = self._call(
            make_call("POST", "/v1/prepare/deposit", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def create_deposit(self, body: types.NewDeposit, *, idempotency_key: str | None = None) -> types.DepositView:
        """Has the deposit address of an order watched: once the price lies there under enough blocks, the order opens with the seller's offer, or with the buyer's signature of the terms. What is too much or too late goes to refundTo."""
        answer: types.DepositView = self._call(
            make_call("POST", "/v1/deposits", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def read_deposit(self, deposit_id: str) -> types.DepositView:
        """What has come to the deposit address of the order of that id, which need not be opened yet: for its parties and its platform."""
        answer: types.DepositView = self._call(make_call("GET", "/v1/deposits/{}", deposit_id))
        return answer

    def walletless(self) -> types.WarningsView:
        """What is weaker for a buyer without a wallet than for one who has one: to be said before it is too late."""
        answer: types.WarningsView = self._call(make_call("GET", "/v1/walletless"))
        return answer

    def read_reputation(self, address: str, *, at_block: int | None = None) -> types.ReputationView:
        """What an account's closed orders say of it, as a buyer and as a seller. From final events only; `kameng reputation --from-chain` gets the same from any node."""
        answer: types.ReputationView = self._call(
            make_call("GET", "/v1/reputations/{}", address, query={"at_block": at_block})
        )
        return answer

    def make_statement(
        self,
        *,
        since: str,
        until: str,
        scope: Literal["party", "platform"] | None = None,
        formats: str | None = None,
        lang: Literal["zh", "en"] | None = None,
    ) -> bytes:
        """The orders that closed in a period, as an archive with a manifest. `kameng verify` checks every line against any node."""
        answer: bytes = self._call(
            make_call(
                "GET",
                "/v1/statements",
                query={"since": since, "until": until, "scope": scope, "formats": formats, "lang": lang},
                raw=True,
            )
        )
        return answer

    def read_audit(
        self, *, before: int | None = None, subject: str | None = None, limit: int | None = None
    ) -> types.AuditView:
        """What the caller's own staff, people and API keys, did here. Others' entries are not shown, nor counted."""
        answer: types.AuditView = self._call(
            make_call("GET", "/v1/audit", query={"before": before, "subject": subject, "limit": limit})
        )
        return answer

    def see_erasure(self) -> types.ErasureView:
        """What would go if the account asked to have its own erased. Nothing goes by looking."""
        answer: types.ErasureView = self._call(make_call("GET", "/v1/erasure"))
        return answer

    def erase(self, *, idempotency_key: str | None = None) -> types.ErasureView:
        """Erases what is the account's own and no record of a transaction: channels, sessions (this one too), kept answers, codes of closed orders that it bought. Hashes, and what is on the chain, stay."""
        answer: types.ErasureView = self._call(
            make_call("POST", "/v1/erasure", idempotency_key=idempotency_key, once=True)
        )
        return answer

    def list_anomalies(
        self,
        platform: str,
        *,
        kind: list[Literal["velocity", "ring", "price", "disputer", "code_reuse", "mediator_bias", "failure"]]
        | None = None,
        severity: list[Literal["low", "medium", "high"]] | None = None,
        who: str | None = None,
        updated_since: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.AnomaliesView:
        """Alarms about the platform's own orders, those raised last first. The same finding again brings its alarm up to date. They say what was seen; what it means is for people to find out."""
        answer: types.AnomaliesView = self._call(
            make_call(
                "GET",
                "/v1/platforms/{}/anomalies",
                platform,
                query={
                    "kind": kind,
                    "severity": severity,
                    "who": who,
                    "updated_since": updated_since,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )
        return answer

    def list_trends(
        self,
        platform: str,
        *,
        measure: Literal["cancelled", "disputed"] | None = None,
        by: Literal["all", "category", "seller", "policy"] | None = None,
        name: str | None = None,
        clock: Literal["UTC", "Asia/Shanghai"] | None = None,
    ) -> types.OutlooksView:
        """Counts by day, what is to be expected with intervals, and what changed since when; made anew once a day is over. Empty before the first day is."""
        answer: types.OutlooksView = self._call(
            make_call(
                "GET",
                "/v1/platforms/{}/trends",
                platform,
                query={"measure": measure, "by": by, "name": name, "clock": clock},
            )
        )
        return answer

    def read_risk(self, order_id: str) -> types.RiskView:
        """An order's scores and warnings. Platform and mediators see all of it; seller and buyer what is said of the seller, and nothing of the buyer."""
        answer: types.RiskView = self._call(make_call("GET", "/v1/orders/{}/risk", order_id))
        return answer

    def answer_stock(
        self, order_id: str, body: types.NewStockAnswer, *, idempotency_key: str | None = None
    ) -> types.RiskWarningView:
        """The seller's answer when it is asked whether the goods are there. It binds nobody: who has none declines."""
        answer: types.RiskWarningView = self._call(
            make_call(
                "POST", "/v1/orders/{}/stock-answer", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def list_warnings(
        self,
        platform: str,
        *,
        kind: Literal["confirm_stock", "caution", "stricter_policy", "mediator"] | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> types.RiskWarningsView:
        """Warnings about orders under the platform's policies, the latest first, and how often each kind was right."""
        answer: types.RiskWarningsView = self._call(
            make_call(
                "GET", "/v1/platforms/{}/warnings", platform, query={"kind": kind, "before": before, "limit": limit}
            )
        )
        return answer

    def list_policy_advice(
        self,
        platform: str,
        *,
        policy: str | None = None,
        category: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> types.PolicyAdvicesView:
        """Reports on which windows and bonds would have served better, category by category, the latest first; made anew every few days and kept, so that a review can compare them. Empty before 60 orders of a category have ended."""
        answer: types.PolicyAdvicesView = self._call(
            make_call(
                "GET",
                "/v1/platforms/{}/policy-advice",
                platform,
                query={"policy": policy, "category": category, "before": before, "limit": limit},
            )
        )
        return answer

    def webhook_event_types(self) -> types.EventTypesView:
        """What can be subscribed to, and what somebody may let go because of it: such types are for final endpoints."""
        answer: types.EventTypesView = self._call(make_call("GET", "/v1/webhooks/event-types"))
        return answer

    def list_webhooks(self) -> types.EndpointsView:
        """The account's endpoints."""
        answer: types.EndpointsView = self._call(make_call("GET", "/v1/webhooks"))
        return answer

    def create_webhook(
        self, body: types.NewEndpoint, *, idempotency_key: str | None = None
    ) -> types.EndpointSecretView:
        """Makes an endpoint for the orders in which the account is buyer, seller or mediator, or whose platform it is. The secret is shown this once."""
        answer: types.EndpointSecretView = self._call(
            make_call("POST", "/v1/webhooks", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def get_webhook(self, endpoint_id: str) -> types.EndpointView:
        """One of the account's endpoints."""
        answer: types.EndpointView = self._call(make_call("GET", "/v1/webhooks/{}", endpoint_id))
        return answer

    def change_webhook(self, endpoint_id: str, body: types.ChangedEndpoint) -> types.EndpointView:
        """Changes an endpoint; what waits goes to the new address."""
        answer: types.EndpointView = self._call(make_call("PATCH", "/v1/webhooks/{}", endpoint_id, body=body))
        return answer

    def delete_webhook(self, endpoint_id: str) -> types.EndpointsView:
        """Deletes an endpoint with its log; answers with those that are left."""
        answer: types.EndpointsView = self._call(make_call("DELETE", "/v1/webhooks/{}", endpoint_id))
        return answer

    def rotate_webhook(
        self, endpoint_id: str, body: types.RotateSecret, *, idempotency_key: str | None = None
    ) -> types.EndpointSecretView:
        """Makes a new secret, shown this once; messages are signed with both for a while."""
        answer: types.EndpointSecretView = self._call(
            make_call(
                "POST", "/v1/webhooks/{}/rotate", endpoint_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def disable_webhook(self, endpoint_id: str, *, idempotency_key: str | None = None) -> types.EndpointView:
        """Sends nothing there any more."""
        answer: types.EndpointView = self._call(
            make_call("POST", "/v1/webhooks/{}/disable", endpoint_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def enable_webhook(self, endpoint_id: str, *, idempotency_key: str | None = None) -> types.EndpointView:
        """Sends there again; what happened meanwhile comes by recovering."""
        answer: types.EndpointView = self._call(
            make_call("POST", "/v1/webhooks/{}/enable", endpoint_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def test_webhook(self, endpoint_id: str, *, idempotency_key: str | None = None) -> types.WebhookDeliveryView:
        """Has a `webhook.tested` sent; one that waits already is sent now. What became of it is in the log."""
        answer: types.WebhookDeliveryView = self._call(
            make_call("POST", "/v1/webhooks/{}/test", endpoint_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def recover_webhook(
        self, endpoint_id: str, body: types.Recover, *, idempotency_key: str | None = None
    ) -> types.RecoveredView:
        """Has all sent that was given up or missed since then, 29 days ago at most."""
        answer: types.RecoveredView = self._call(
            make_call(
                "POST", "/v1/webhooks/{}/recover", endpoint_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def list_webhook_deliveries(
        self,
        endpoint_id: str,
        *,
        stage: list[types.Stage] | None = None,
        order_id: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> types.WebhookDeliveriesView:
        """What was sent to an endpoint and what became of it. Kept for thirty days."""
        answer: types.WebhookDeliveriesView = self._call(
            make_call(
                "GET",
                "/v1/webhooks/{}/deliveries",
                endpoint_id,
                query={"stage": stage, "order_id": order_id, "before": before, "limit": limit},
            )
        )
        return answer

    def replay_webhook(
        self, endpoint_id: str, delivery_id: str, *, idempotency_key: str | None = None
    ) -> types.WebhookDeliveryView:
        """Has a message sent again, with the id that it had."""
        answer: types.WebhookDeliveryView = self._call(
            make_call(
                "POST",
                "/v1/webhooks/{}/deliveries/{}/replay",
                endpoint_id,
                delivery_id,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    def get_notification_preferences(self) -> types.PreferencesModel:
        """How the account wants to be told."""
        answer: types.PreferencesModel = self._call(make_call("GET", "/v1/notifications/preferences"))
        return answer

    def set_notification_preferences(self, body: types.PreferencesModel) -> types.PreferencesModel:
        """Takes how the account wants to be told."""
        answer: types.PreferencesModel = self._call(make_call("PUT", "/v1/notifications/preferences", body=body))
        return answer

    def get_push_key(self) -> types.PushKeyView:
        """What a browser subscribes with."""
        answer: types.PushKeyView = self._call(make_call("GET", "/v1/notifications/push-key"))
        return answer

    def list_channels(self) -> types.ChannelsView:
        """The account's channels."""
        answer: types.ChannelsView = self._call(make_call("GET", "/v1/notifications/channels"))
        return answer

    def add_channel(self, body: types.NewChannel, *, idempotency_key: str | None = None) -> types.ChannelView:
        """Makes a channel and sends a code there; nothing else is sent before that was shown."""
        answer: types.ChannelView = self._call(
            make_call("POST", "/v1/notifications/channels", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    def send_channel_code(self, channel_id: str, *, idempotency_key: str | None = None) -> types.ChannelsView:
        """Sends another code, in place of the one before."""
        answer: types.ChannelsView = self._call(
            make_call(
                "POST", "/v1/notifications/channels/{}/code", channel_id, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def verify_channel(
        self, channel_id: str, body: types.Code, *, idempotency_key: str | None = None
    ) -> types.ChannelView:
        """Shows the code that was sent there."""
        answer: types.ChannelView = self._call(
            make_call(
                "POST",
                "/v1/notifications/channels/{}/verify",
                channel_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    def stop_channel(self, channel_id: str, *, idempotency_key: str | None = None) -> types.ChannelView:
        """Sends nothing there any more."""
        answer: types.ChannelView = self._call(
            make_call(
                "POST", "/v1/notifications/channels/{}/stop", channel_id, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def resume_channel(self, channel_id: str, *, idempotency_key: str | None = None) -> types.ChannelView:
        """Sends there again."""
        answer: types.ChannelView = self._call(
            make_call(
                "POST", "/v1/notifications/channels/{}/resume", channel_id, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    def remove_channel(self, channel_id: str) -> types.ChannelsView:
        """Forgets a channel and what was sent there; answers with those that are left."""
        answer: types.ChannelsView = self._call(make_call("DELETE", "/v1/notifications/channels/{}", channel_id))
        return answer

    def list_notification_messages(self, *, before: int | None = None, limit: int | None = None) -> types.MessagesView:
        """What the account was told, and will be. Kept for thirty days."""
        answer: types.MessagesView = self._call(
            make_call("GET", "/v1/notifications/messages", query={"before": before, "limit": limit})
        )
        return answer

    def opt_out(self, channel_id: str, topic: str, mac: str) -> types.OptedOutView:
        """Stops a channel, or mutes a topic: by the page's button, or by a mail program's (RFC 8058). No signing in."""
        answer: types.OptedOutView = self._call(make_call("POST", "/opt-out/{}/{}/{}", channel_id, topic, mac))
        return answer


class AsyncOperations(ABC):
    """Every route of the service; each is awaited. Raises `PlatformError`."""

    @abstractmethod
    async def _call(self, call: Call) -> Any: ...

    async def list_orders(
        self,
        *,
        state: list[Literal["None", "Opened", "Accepted", "Delivered", "Disputed", "Closed"]] | None = None,
        role: list[types.Capacity] | None = None,
        sort: types.Sorting | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.OrdersView:
        """The caller's orders: those it buys, sells, runs the platform of or mediates. Orders opened meanwhile don't shift the pages."""
        answer: types.OrdersView = await self._call(
            make_call(
                "GET",
                "/v1/orders",
                query={"state": state, "role": role, "sort": sort, "limit": limit, "cursor": cursor},
            )
        )
        return answer

    async def read_order(self, order_id: str) -> types.OrderDetailView:
        """One order, its clock (what happens when by itself), and what the caller may do now."""
        answer: types.OrderDetailView = await self._call(make_call("GET", "/v1/orders/{}", order_id))
        return answer

    async def read_history(self, order_id: str) -> types.HistoryView:
        """All that happened to the order on the chain, with the transactions."""
        answer: types.HistoryView = await self._call(make_call("GET", "/v1/orders/{}/history", order_id))
        return answer

    async def about(self) -> types.AboutView:
        """Which contract this service serves, and how far its mirror has come."""
        answer: types.AboutView = await self._call(make_call("GET", "/v1/about"))
        return answer

    async def problem_kind(self, code: str) -> types.ProblemKindView:
        """What a problem's `type` leads to: the kind of error that the SDK raises by that name."""
        answer: types.ProblemKindView = await self._call(make_call("GET", "/v1/problems/{}", code))
        return answer

    async def healthz(self) -> types.HealthView:
        """Whether the process should be left running."""
        answer: types.HealthView = await self._call(make_call("GET", "/healthz"))
        return answer

    async def readyz(self) -> types.HealthView:
        """Whether what it says may be relied upon: the store can be read, and the mirror is not behind the node."""
        answer: types.HealthView = await self._call(make_call("GET", "/readyz"))
        return answer

    async def sign_in_challenge(self) -> types.ChallengeView:
        """What a wallet has to sign. The nonce lives for ten minutes and is good for one sign-in."""
        answer: types.ChallengeView = await self._call(make_call("POST", "/v1/sign-in/challenge"))
        return answer

    async def sign_in(self, body: types.SignIn) -> types.MeView:
        """Signs in with a wallet's signature (EIP-4361; contracts by ERC-1271 and ERC-6492) and sets the session's cookie, which no script can read."""
        answer: types.MeView = await self._call(make_call("POST", "/v1/sign-in", body=body))
        return answer

    async def who_am_i(self) -> types.MeView:
        """The account that calls."""
        answer: types.MeView = await self._call(make_call("GET", "/v1/me"))
        return answer

    async def sign_out(self, body: types.SignOut, *, idempotency_key: str | None = None) -> types.SignedOutView:
        """Ends this session, or all of the account's."""
        answer: types.SignedOutView = await self._call(
            make_call("POST", "/v1/sign-out", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def create_api_key(self, body: types.NewKey, *, idempotency_key: str | None = None) -> types.KeySecretView:
        """Makes a key that acts for the signed-in account within its scopes. The secret is shown this once."""
        answer: types.KeySecretView = await self._call(
            make_call("POST", "/v1/api-keys", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def list_api_keys(self) -> types.KeysView:
        """The account's keys, the newest first."""
        answer: types.KeysView = await self._call(make_call("GET", "/v1/api-keys"))
        return answer

    async def rotate_api_key(
        self, key_id: str, body: types.RotateKey, *, idempotency_key: str | None = None
    ) -> types.KeySecretView:
        """Makes a key in another's place; the old one is taken a while longer, so that nothing stands still."""
        answer: types.KeySecretView = await self._call(
            make_call("POST", "/v1/api-keys/{}/rotate", key_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def revoke_api_key(self, key_id: str) -> types.KeyView:
        """Ends a key at once."""
        answer: types.KeyView = await self._call(make_call("DELETE", "/v1/api-keys/{}", key_id))
        return answer

    async def store_delivery(
        self, order_id: str, body: types.NewDelivery, *, idempotency_key: str | None = None
    ) -> types.StoredView:
        """Keeps codes that are encrypted to their buyer, before their commitment goes on the chain. Refuses codes that were delivered in another order (409, `codes_sold_before`), unless that is allowed."""
        answer: types.StoredView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/deliveries", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def list_deliveries(self, order_id: str) -> types.DeliveriesView:
        """What was stored for the order, and how far each delivery has come. Nothing of what is in them."""
        answer: types.DeliveriesView = await self._call(make_call("GET", "/v1/orders/{}/deliveries", order_id))
        return answer

    async def read_payload(self, order_id: str, delivery_id: str) -> types.PayloadView:
        """The encrypted codes, for the buyer alone, once it is final on the chain that they were delivered. Before, it answers 409 `not_released` with the blocks that are left: who could read earlier could read and cancel."""
        answer: types.PayloadView = await self._call(
            make_call("GET", "/v1/orders/{}/deliveries/{}/payload", order_id, delivery_id)
        )
        return answer

    async def erase_deliveries(self, order_id: str, *, idempotency_key: str | None = None) -> types.ErasedView:
        """Erases the codes of a closed order, and what was disclosed of them. Hashes and commitments stay."""
        answer: types.ErasedView = await self._call(
            make_call("POST", "/v1/orders/{}/deliveries/erase", order_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def read_tag_keys(self, order_id: str) -> types.TagKeysView:
        """The keys with which the order's seller makes tags of codes, so that the same code sold twice is found."""
        answer: types.TagKeysView = await self._call(make_call("GET", "/v1/orders/{}/tag-keys", order_id))
        return answer

    async def check_codes(
        self, order_id: str, body: types.CodeCheck, *, idempotency_key: str | None = None
    ) -> types.DuplicatesView:
        """Which of the order's codes were delivered in another order, before they are stored."""
        answer: types.DuplicatesView = await self._call(
            make_call(
                "POST",
                "/v1/orders/{}/deliveries/check-codes",
                order_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    async def disclose(
        self, order_id: str, body: types.NewDisclosure, *, idempotency_key: str | None = None
    ) -> types.DisclosureView:
        """Shows the mediator one unit without the others, or with the order's key all of them, while the order is in dispute. A unit that was not committed to is refused."""
        answer: types.DisclosureView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/disclosures", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def list_disclosures(self, order_id: str) -> types.DisclosuresView:
        """What the parties disclosed, each held against the chain. For them and the mediators; not for the platform."""
        answer: types.DisclosuresView = await self._call(make_call("GET", "/v1/orders/{}/disclosures", order_id))
        return answer

    async def prepare_deliver_many(
        self, body: types.ManyDeliveries, *, idempotency_key: str | None = None
    ) -> types.DeliverManyView:
        """An unsigned transaction that delivers many orders at once. The contract skips those that are late by then."""
        answer: types.DeliverManyView = await self._call(
            make_call("POST", "/v1/deliveries/prepare", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def read_receipt(self, order_id: str) -> types.ReceiptView:
        """The order's terms receipt: deployment, terms, policy, the rules in words, listing document and offer."""
        answer: types.ReceiptView = await self._call(make_call("GET", "/v1/orders/{}/receipt", order_id))
        return answer

    async def receive_dispute(
        self, order_id: str, body: types.SignedDispute, *, idempotency_key: str | None = None
    ) -> types.ReceiptView:
        """The receipt with the dispute that the buyer signed, for a watchtower. Nothing of it is kept here."""
        answer: types.ReceiptView = await self._call(
            make_call("POST", "/v1/orders/{}/receipt", order_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def prepare_dispute(
        self, order_id: str, *, units: int, evidence: str | None = None
    ) -> types.DisputeToSignView:
        """A dispute for the buyer to sign beforehand. Whoever has it can post it as soon as the order is Delivered."""
        answer: types.DisputeToSignView = await self._call(
            make_call("GET", "/v1/orders/{}/receipt/dispute", order_id, query={"units": units, "evidence": evidence})
        )
        return answer

    async def list_rooms(self, *, limit: int | None = None, cursor: str | None = None) -> types.RoomsView:
        """The rooms of the orders that the caller buys or sells, the latest entry first, with how much is unread."""
        answer: types.RoomsView = await self._call(
            make_call("GET", "/v1/rooms", query={"limit": limit, "cursor": cursor})
        )
        return answer

    async def read_room(
        self, order_id: str, *, after: int | None = None, before: int | None = None, limit: int | None = None
    ) -> types.RoomView:
        """What was said and what happened, in its order. Keep `head`: it proves later that nothing before was touched."""
        answer: types.RoomView = await self._call(
            make_call("GET", "/v1/orders/{}/room", order_id, query={"after": after, "before": before, "limit": limit})
        )
        return answer

    async def say(
        self, order_id: str, body: types.NewMessage, *, idempotency_key: str | None = None
    ) -> types.EntryView:
        """Says something in the room. The answer's `head` is the receipt."""
        answer: types.EntryView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/room/messages", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def mark_read(
        self, order_id: str, body: types.ReadUpTo, *, idempotency_key: str | None = None
    ) -> types.DoneView:
        """Says that the caller has read every entry up to one. The others in the room see it."""
        answer: types.DoneView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/room/read", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def send_file(
        self, order_id: str, content: bytes, *, name: str | None = None, idempotency_key: str | None = None
    ) -> types.FileView:
        """Sends a file, as the body. Its type is told by its content; pictures are encoded anew, without where they were taken. Others see it once an entry shows it; within a day, or it is forgotten."""
        answer: types.FileView = await self._call(
            make_call(
                "POST",
                "/v1/orders/{}/room/files",
                order_id,
                query={"name": name},
                content=content,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    async def read_file(self, order_id: str, file_id: str) -> bytes:
        """A file, as an attachment. It is checked against its hash before the first byte is sent."""
        answer: bytes = await self._call(make_call("GET", "/v1/orders/{}/room/files/{}", order_id, file_id, raw=True))
        return answer

    async def export_transcript(self, order_id: str) -> bytes:
        """The whole log, the dispute's papers and the files in one archive, which `kameng transcript verify` checks."""
        answer: bytes = await self._call(make_call("GET", "/v1/orders/{}/room/transcript", order_id, raw=True))
        return answer

    async def list_proposals(self, order_id: str) -> types.ProposalsView:
        """The splits that were proposed, the newest first, and whether each can still be paid."""
        answer: types.ProposalsView = await self._call(make_call("GET", "/v1/orders/{}/proposals", order_id))
        return answer

    async def propose_split(
        self, order_id: str, body: types.NewProposal, *, idempotency_key: str | None = None
    ) -> types.ProposalView:
        """Proposes a split. It is bound to the order as it stands, and void once that changes."""
        answer: types.ProposalView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/proposals", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def read_proposal(self, order_id: str, proposal_id: str) -> types.ProposalView:
        """One of them, with the typed data that a party's wallet signs."""
        answer: types.ProposalView = await self._call(
            make_call("GET", "/v1/orders/{}/proposals/{}", order_id, proposal_id)
        )
        return answer

    async def sign_proposal(
        self, order_id: str, proposal_id: str, body: types.SplitSignature, *, idempotency_key: str | None = None
    ) -> types.ProposalView:
        """Adds the caller's signature, once it is found to be its own. Nobody is given it before both are there."""
        answer: types.ProposalView = await self._call(
            make_call(
                "POST",
                "/v1/orders/{}/proposals/{}/signature",
                order_id,
                proposal_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    async def withdraw_proposal(
        self, order_id: str, proposal_id: str, *, idempotency_key: str | None = None
    ) -> types.ProposalView:
        """Takes a proposal back, or turns it down. Once both have signed, only `revise` on the chain makes sure."""
        answer: types.ProposalView = await self._call(
            make_call(
                "POST",
                "/v1/orders/{}/proposals/{}/withdraw",
                order_id,
                proposal_id,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    async def read_agreement(self, order_id: str, proposal_id: str) -> types.AgreementView:
        """All that `agree` takes, once both have signed: either party sends it, or has it relayed."""
        answer: types.AgreementView = await self._call(
            make_call("GET", "/v1/orders/{}/proposals/{}/agreement", order_id, proposal_id)
        )
        return answer

    async def list_dispute_reasons(self) -> types.ReasonsView:
        """The reasons for which a buyer may dispute."""
        answer: types.ReasonsView = await self._call(make_call("GET", "/v1/dispute-reasons"))
        return answer

    async def read_dispute(self, order_id: str) -> types.DisputeView:
        """The order's dispute: its clock and what happens by itself, the papers that the chain carries, all evidence."""
        answer: types.DisputeView = await self._call(make_call("GET", "/v1/orders/{}/dispute", order_id))
        return answer

    async def write_dispute_paper(
        self, order_id: str, body: types.NewPaper, *, idempotency_key: str | None = None
    ) -> types.WrittenPaperView:
        """Writes what the buyer says, with the root of the room's log. Nobody else sees it before `dispute` has taken its hash to the chain."""
        answer: types.WrittenPaperView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/dispute/paper", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def read_own_paper(self, order_id: str, paper_hash: str) -> types.PaperView:
        """A paper that the caller wrote itself, whether its hash is on the chain or not."""
        answer: types.PaperView = await self._call(
            make_call("GET", "/v1/orders/{}/dispute/papers/{}", order_id, paper_hash)
        )
        return answer

    async def file_evidence(
        self, order_id: str, body: types.NewEvidence, *, idempotency_key: str | None = None
    ) -> types.EntryView:
        """Files evidence, until half the time of mediation is over."""
        answer: types.EntryView = await self._call(
            make_call(
                "POST",
                "/v1/orders/{}/dispute/evidence",
                order_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    async def preview_ruling(
        self, order_id: str, body: types.NewPreview, *, idempotency_key: str | None = None
    ) -> types.PreviewView:
        """What findings would award, and who would get what by that. Nothing is kept."""
        answer: types.PreviewView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/dispute/preview", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def write_ruling(
        self, order_id: str, body: types.NewRuling, *, idempotency_key: str | None = None
    ) -> types.RulingView:
        """Writes the mediator's findings and grounds, for `rule` to take award and hash to the chain. The parties read them from then on."""
        answer: types.RulingView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/dispute/ruling", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def read_queue(
        self, *, over: bool | None = None, limit: int | None = None, cursor: str | None = None
    ) -> types.QueueView:
        """The disputes that the caller may judge now or later, those first in which its time runs out first, and what the clock pays in each if nobody rules, with what was foreseen of it; and orders that are likely to come. Those in which it has a conflict of interest are not among them."""
        answer: types.QueueView = await self._call(
            make_call("GET", "/v1/mediation/queue", query={"over": over, "limit": limit, "cursor": cursor})
        )
        return answer

    async def list_conflicts(self) -> types.ConflictsView:
        """The conflicts of interest that were declared about the caller, or by it."""
        answer: types.ConflictsView = await self._call(make_call("GET", "/v1/mediation/conflicts"))
        return answer

    async def declare_conflict(
        self, body: types.NewConflict, *, idempotency_key: str | None = None
    ) -> types.ConflictView:
        """Declares a conflict of interest with an account, or in one order: as the mediator, or as a platform that the mediator works for."""
        answer: types.ConflictView = await self._call(
            make_call("POST", "/v1/mediation/conflicts", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def withdraw_conflict(self, conflict_id: str) -> types.ConflictView:
        """Takes a declaration back that the caller made."""
        answer: types.ConflictView = await self._call(make_call("DELETE", "/v1/mediation/conflicts/{}", conflict_id))
        return answer

    async def read_mediator_record(self, mediator: str) -> types.RecordView:
        """How a mediator has done, counted from the chain's events: rulings, silence, time, awards."""
        answer: types.RecordView = await self._call(make_call("GET", "/v1/mediators/{}/record", mediator))
        return answer

    async def list_categories(self) -> types.CategoriesView:
        """What kinds of goods there are."""
        answer: types.CategoriesView = await self._call(make_call("GET", "/v1/categories"))
        return answer

    async def list_listings(
        self,
        *,
        q: str | None = None,
        category: str | None = None,
        seller: str | None = None,
        platform: str | None = None,
        policy_id: str | None = None,
        token: str | None = None,
        at_most: str | None = None,
        in_stock: bool | None = None,
        sort: types.ListingSorting | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.ListingsView:
        """What is on sale. Listings made meanwhile don't shift the pages."""
        answer: types.ListingsView = await self._call(
            make_call(
                "GET",
                "/v1/listings",
                query={
                    "q": q,
                    "category": category,
                    "seller": seller,
                    "platform": platform,
                    "policy_id": policy_id,
                    "token": token,
                    "at_most": at_most,
                    "in_stock": in_stock,
                    "sort": sort,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )
        return answer

    async def create_listing(self, body: types.NewListing, *, idempotency_key: str | None = None) -> types.ListingView:
        """Makes a listing of the caller's, as a draft or on sale at once."""
        answer: types.ListingView = await self._call(
            make_call("POST", "/v1/listings", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def list_my_listings(
        self,
        *,
        role: str | None = None,
        state: list[str] | None = None,
        acceptance: list[str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.ListingsView:
        """The caller's own listings, or those under its policies, in whatever state; the newest first."""
        answer: types.ListingsView = await self._call(
            make_call(
                "GET",
                "/v1/my/listings",
                query={"role": role, "state": state, "acceptance": acceptance, "limit": limit, "cursor": cursor},
            )
        )
        return answer

    async def read_listing(self, listing_id: str) -> types.ListingView:
        """One listing. Drafts, and what a platform has not accepted, only its seller and platform see."""
        answer: types.ListingView = await self._call(make_call("GET", "/v1/listings/{}", listing_id))
        return answer

    async def change_listing(self, listing_id: str, body: types.ListingChanges) -> types.ListingView:
        """Changes a listing of the caller's, puts it on sale, pauses or withdraws it."""
        answer: types.ListingView = await self._call(make_call("PATCH", "/v1/listings/{}", listing_id, body=body))
        return answer

    async def change_stock(
        self, listing_id: str, body: types.StockChange, *, idempotency_key: str | None = None
    ) -> types.ListingView:
        """Puts units of a listing of the caller's on the shelf, or takes free ones off. Orders that are short get theirs first."""
        answer: types.ListingView = await self._call(
            make_call(
                "POST", "/v1/listings/{}/stock", listing_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def decide_listing(
        self, listing_id: str, body: types.Decision, *, idempotency_key: str | None = None
    ) -> types.ListingView:
        """Accepts a listing under a policy of the caller's, or refuses it: then it is not shown."""
        answer: types.ListingView = await self._call(
            make_call(
                "POST", "/v1/listings/{}/decision", listing_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def read_trade_desk(self) -> types.TradeDeskView:
        """Whether the caller, as a platform, looks at listings before they are shown."""
        answer: types.TradeDeskView = await self._call(make_call("GET", "/v1/trade-desk"))
        return answer

    async def set_trade_desk(self, body: types.TradeDesk) -> types.TradeDeskView:
        """Says so. What is shown already stays."""
        answer: types.TradeDeskView = await self._call(make_call("PUT", "/v1/trade-desk", body=body))
        return answer

    async def summarize_terms(self, body: types.Sketch) -> types.SummaryView:
        """What terms and their policy come to, before anybody agrees to them. Nothing is kept."""
        answer: types.SummaryView = await self._call(make_call("POST", "/v1/summaries", body=body))
        return answer

    async def check_listing_document(self, body: types.DocumentCheck) -> types.DocumentView:
        """Whether a listing document is the one of an order's terms, and tells nothing else than its rules. Nothing is kept."""
        answer: types.DocumentView = await self._call(make_call("POST", "/v1/listing-documents/check", body=body))
        return answer

    async def create_quote(self, body: types.NewQuote, *, idempotency_key: str | None = None) -> types.QuoteView:
        """Quotes units of a listing to a buyer, and holds them for ten minutes. The caller is the buyer, or the platform of the listing's policy."""
        answer: types.QuoteView = await self._call(
            make_call("POST", "/v1/quotes", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def list_quotes(
        self,
        *,
        hold: list[str] | None = None,
        short: bool | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.QuotesView:
        """The quotes that the caller asked for, got as buyer, or gave as seller; the newest first."""
        answer: types.QuotesView = await self._call(
            make_call("GET", "/v1/quotes", query={"hold": hold, "short": short, "limit": limit, "cursor": cursor})
        )
        return answer

    async def read_quote(self, quote_id: str) -> types.QuoteView:
        """One quote, for the buyer, who asked, the seller and its operators, and the platform."""
        answer: types.QuoteView = await self._call(make_call("GET", "/v1/quotes/{}", quote_id))
        return answer

    async def give_up_quote(self, quote_id: str, *, idempotency_key: str | None = None) -> types.QuoteView:
        """Lets a quote lapse, so that its units go back. With a live offer they stay until that has run out."""
        answer: types.QuoteView = await self._call(
            make_call("POST", "/v1/quotes/{}/give-up", quote_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def prepare_offer(self, quote_id: str, *, seconds: int | None = None) -> types.TypedDataView:
        """What the seller, or an operator with the right to accept, signs to promise accepting the order."""
        answer: types.TypedDataView = await self._call(
            make_call("GET", "/v1/quotes/{}/offer", quote_id, query={"seconds": seconds})
        )
        return answer

    async def make_offer(
        self, quote_id: str, body: types.NewOffer, *, idempotency_key: str | None = None
    ) -> types.OfferView:
        """Takes a signed offer of the seller's, after checking all that the contract will check."""
        answer: types.OfferView = await self._call(
            make_call("POST", "/v1/quotes/{}/offers", quote_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def list_offer_requests(
        self, *, wait: int | None = None, after: str | None = None
    ) -> types.OfferRequestsView:
        """Live quotes without an offer that the caller could make one for: as their seller, or as its operator with the right to accept. For programs that make offers by themselves."""
        answer: types.OfferRequestsView = await self._call(
            make_call("GET", "/v1/offer-requests", query={"wait": wait, "after": after})
        )
        return answer

    async def read_quote_of_order(self, order_id: str) -> types.QuoteView:
        """The quote that an order was made with, and its listing document."""
        answer: types.QuoteView = await self._call(make_call("GET", "/v1/orders/{}/quote", order_id))
        return answer

    async def prepare_move(
        self, order_id: str, body: types.PrepareMove, *, idempotency_key: str | None = None
    ) -> types.PapersView:
        """What the caller needs for a move of the order. It is tried on the chain first: what the contract would refuse is the answer. For a move that others may bring, the action to sign is there too."""
        answer: types.PapersView = await self._call(
            make_call("POST", "/v1/orders/{}/prepare", order_id, body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def prepare_opening(
        self, body: types.PrepareOpening, *, idempotency_key: str | None = None
    ) -> types.PapersView:
        """What the caller needs to open and pay for an order: as its buyer or for it. With `pay_by` the payment to sign."""
        answer: types.PapersView = await self._call(
            make_call("POST", "/v1/prepare/opening", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def prepare_a_deed(self, body: Any, *, idempotency_key: str | None = None) -> types.PapersView:
        """What the caller needs for something beside orders: bonds, credits, fees, operators, policies, deposits."""
        answer: types.PapersView = await self._call(
            make_call("POST", "/v1/prepare/deed", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def create_relay(self, body: Any, *, idempotency_key: str | None = None) -> types.RelayView:
        """Takes on what somebody signed, to be brought to the chain at the platform's cost. It is tried first: what the contract would refuse is the answer, and costs nothing. `Location` tells what became of it. The same signed thing again is the same relay while it is under way."""
        answer: types.RelayView = await self._call(
            make_call("POST", "/v1/relays", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def read_relay(self, relay_id: str) -> types.RelayView:
        """Where a relay stands: for who asked for it, the platform that pays, and those who have to do with its order."""
        answer: types.RelayView = await self._call(make_call("GET", "/v1/relays/{}", relay_id))
        return answer

    async def list_order_relays(self, order_id: str) -> types.RelaysView:
        """What was taken on for an order, the newest first."""
        answer: types.RelaysView = await self._call(make_call("GET", "/v1/orders/{}/relays", order_id))
        return answer

    async def prepare_deposit(
        self, body: types.PrepareDeposit, *, idempotency_key: str | None = None
    ) -> types.DepositPapersView:
        """What it takes to pay for terms by a plain transfer: the address, what the buyer may sign, what to be careful of. Terms that nothing could open from there are refused."""
        answer: types.DepositPapersView = await self._call(
            make_call("POST", "/v1/prepare/deposit", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def create_deposit(self, body: types.NewDeposit, *, idempotency_key: str | None = None) -> types.DepositView:
        """Has the deposit address of an order watched: once the price lies there under enough blocks, the order opens with the seller's offer, or with the buyer's signature of the terms. What is too much or too late goes to refundTo."""
        answer: types.DepositView = await self._call(
            make_call("POST", "/v1/deposits", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def read_deposit(self, deposit_id: str) -> types.DepositView:
        """What has come to the deposit address of the order of that id, which need not be opened yet: for its parties and its platform."""
        answer: types.DepositView = await self._call(make_call("GET", "/v1/deposits/{}", deposit_id))
        return answer

    async def walletless(self) -> types.WarningsView:
        """What is weaker for a buyer without a wallet than for one who has one: to be said before it is too late."""
        answer: types.WarningsView = await self._call(make_call("GET", "/v1/walletless"))
        return answer

    async def read_reputation(self, address: str, *, at_block: int | None = None) -> types.ReputationView:
        """What an account's closed orders say of it, as a buyer and as a seller. From final events only; `kameng reputation --from-chain` gets the same from any node."""
        answer: types.ReputationView = await self._call(
            make_call("GET", "/v1/reputations/{}", address, query={"at_block": at_block})
        )
        return answer

    async def make_statement(
        self,
        *,
        since: str,
        until: str,
        scope: Literal["party", "platform"] | None = None,
        formats: str | None = None,
        lang: Literal["zh", "en"] | None = None,
    ) -> bytes:
        """The orders that closed in a period, as an archive with a manifest. `kameng verify` checks every line against any node."""
        answer: bytes = await self._call(
            make_call(
                "GET",
                "/v1/statements",
                query={"since": since, "until": until, "scope": scope, "formats": formats, "lang": lang},
                raw=True,
            )
        )
        return answer

    async def read_audit(
        self, *, before: int | None = None, subject: str | None = None, limit: int | None = None
    ) -> types.AuditView:
        """What the caller's own staff, people and API keys, did here. Others' entries are not shown, nor counted."""
        answer: types.AuditView = await self._call(
            make_call("GET", "/v1/audit", query={"before": before, "subject": subject, "limit": limit})
        )
        return answer

    async def see_erasure(self) -> types.ErasureView:
        """What would go if the account asked to have its own erased. Nothing goes by looking."""
        answer: types.ErasureView = await self._call(make_call("GET", "/v1/erasure"))
        return answer

    async def erase(self, *, idempotency_key: str | None = None) -> types.ErasureView:
        """Erases what is the account's own and no record of a transaction: channels, sessions (this one too), kept answers, codes of closed orders that it bought. Hashes, and what is on the chain, stay."""
        answer: types.ErasureView = await self._call(
            make_call("POST", "/v1/erasure", idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def list_anomalies(
        self,
        platform: str,
        *,
        kind: list[Literal["velocity", "ring", "price", "disputer", "code_reuse", "mediator_bias", "failure"]]
        | None = None,
        severity: list[Literal["low", "medium", "high"]] | None = None,
        who: str | None = None,
        updated_since: int | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> types.AnomaliesView:
        """Alarms about the platform's own orders, those raised last first. The same finding again brings its alarm up to date. They say what was seen; what it means is for people to find out."""
        answer: types.AnomaliesView = await self._call(
            make_call(
                "GET",
                "/v1/platforms/{}/anomalies",
                platform,
                query={
                    "kind": kind,
                    "severity": severity,
                    "who": who,
                    "updated_since": updated_since,
                    "limit": limit,
                    "cursor": cursor,
                },
            )
        )
        return answer

    async def list_trends(
        self,
        platform: str,
        *,
        measure: Literal["cancelled", "disputed"] | None = None,
        by: Literal["all", "category", "seller", "policy"] | None = None,
        name: str | None = None,
        clock: Literal["UTC", "Asia/Shanghai"] | None = None,
    ) -> types.OutlooksView:
        """Counts by day, what is to be expected with intervals, and what changed since when; made anew once a day is over. Empty before the first day is."""
        answer: types.OutlooksView = await self._call(
            make_call(
                "GET",
                "/v1/platforms/{}/trends",
                platform,
                query={"measure": measure, "by": by, "name": name, "clock": clock},
            )
        )
        return answer

    async def read_risk(self, order_id: str) -> types.RiskView:
        """An order's scores and warnings. Platform and mediators see all of it; seller and buyer what is said of the seller, and nothing of the buyer."""
        answer: types.RiskView = await self._call(make_call("GET", "/v1/orders/{}/risk", order_id))
        return answer

    async def answer_stock(
        self, order_id: str, body: types.NewStockAnswer, *, idempotency_key: str | None = None
    ) -> types.RiskWarningView:
        """The seller's answer when it is asked whether the goods are there. It binds nobody: who has none declines."""
        answer: types.RiskWarningView = await self._call(
            make_call(
                "POST", "/v1/orders/{}/stock-answer", order_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def list_warnings(
        self,
        platform: str,
        *,
        kind: Literal["confirm_stock", "caution", "stricter_policy", "mediator"] | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> types.RiskWarningsView:
        """Warnings about orders under the platform's policies, the latest first, and how often each kind was right."""
        answer: types.RiskWarningsView = await self._call(
            make_call(
                "GET", "/v1/platforms/{}/warnings", platform, query={"kind": kind, "before": before, "limit": limit}
            )
        )
        return answer

    async def list_policy_advice(
        self,
        platform: str,
        *,
        policy: str | None = None,
        category: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> types.PolicyAdvicesView:
        """Reports on which windows and bonds would have served better, category by category, the latest first; made anew every few days and kept, so that a review can compare them. Empty before 60 orders of a category have ended."""
        answer: types.PolicyAdvicesView = await self._call(
            make_call(
                "GET",
                "/v1/platforms/{}/policy-advice",
                platform,
                query={"policy": policy, "category": category, "before": before, "limit": limit},
            )
        )
        return answer

    async def webhook_event_types(self) -> types.EventTypesView:
        """What can be subscribed to, and what somebody may let go because of it: such types are for final endpoints."""
        answer: types.EventTypesView = await self._call(make_call("GET", "/v1/webhooks/event-types"))
        return answer

    async def list_webhooks(self) -> types.EndpointsView:
        """The account's endpoints."""
        answer: types.EndpointsView = await self._call(make_call("GET", "/v1/webhooks"))
        return answer

    async def create_webhook(
        self, body: types.NewEndpoint, *, idempotency_key: str | None = None
    ) -> types.EndpointSecretView:
        """Makes an endpoint for the orders in which the account is buyer, seller or mediator, or whose platform it is. The secret is shown this once."""
        answer: types.EndpointSecretView = await self._call(
            make_call("POST", "/v1/webhooks", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def get_webhook(self, endpoint_id: str) -> types.EndpointView:
        """One of the account's endpoints."""
        answer: types.EndpointView = await self._call(make_call("GET", "/v1/webhooks/{}", endpoint_id))
        return answer

    async def change_webhook(self, endpoint_id: str, body: types.ChangedEndpoint) -> types.EndpointView:
        """Changes an endpoint; what waits goes to the new address."""
        answer: types.EndpointView = await self._call(make_call("PATCH", "/v1/webhooks/{}", endpoint_id, body=body))
        return answer

    async def delete_webhook(self, endpoint_id: str) -> types.EndpointsView:
        """Deletes an endpoint with its log; answers with those that are left."""
        answer: types.EndpointsView = await self._call(make_call("DELETE", "/v1/webhooks/{}", endpoint_id))
        return answer

    async def rotate_webhook(
        self, endpoint_id: str, body: types.RotateSecret, *, idempotency_key: str | None = None
    ) -> types.EndpointSecretView:
        """Makes a new secret, shown this once; messages are signed with both for a while."""
        answer: types.EndpointSecretView = await self._call(
            make_call(
                "POST", "/v1/webhooks/{}/rotate", endpoint_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def disable_webhook(self, endpoint_id: str, *, idempotency_key: str | None = None) -> types.EndpointView:
        """Sends nothing there any more."""
        answer: types.EndpointView = await self._call(
            make_call("POST", "/v1/webhooks/{}/disable", endpoint_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def enable_webhook(self, endpoint_id: str, *, idempotency_key: str | None = None) -> types.EndpointView:
        """Sends there again; what happened meanwhile comes by recovering."""
        answer: types.EndpointView = await self._call(
            make_call("POST", "/v1/webhooks/{}/enable", endpoint_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def test_webhook(self, endpoint_id: str, *, idempotency_key: str | None = None) -> types.WebhookDeliveryView:
        """Has a `webhook.tested` sent; one that waits already is sent now. What became of it is in the log."""
        answer: types.WebhookDeliveryView = await self._call(
            make_call("POST", "/v1/webhooks/{}/test", endpoint_id, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def recover_webhook(
        self, endpoint_id: str, body: types.Recover, *, idempotency_key: str | None = None
    ) -> types.RecoveredView:
        """Has all sent that was given up or missed since then, 29 days ago at most."""
        answer: types.RecoveredView = await self._call(
            make_call(
                "POST", "/v1/webhooks/{}/recover", endpoint_id, body=body, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def list_webhook_deliveries(
        self,
        endpoint_id: str,
        *,
        stage: list[types.Stage] | None = None,
        order_id: str | None = None,
        before: int | None = None,
        limit: int | None = None,
    ) -> types.WebhookDeliveriesView:
        """What was sent to an endpoint and what became of it. Kept for thirty days."""
        answer: types.WebhookDeliveriesView = await self._call(
            make_call(
                "GET",
                "/v1/webhooks/{}/deliveries",
                endpoint_id,
                query={"stage": stage, "order_id": order_id, "before": before, "limit": limit},
            )
        )
        return answer

    async def replay_webhook(
        self, endpoint_id: str, delivery_id: str, *, idempotency_key: str | None = None
    ) -> types.WebhookDeliveryView:
        """Has a message sent again, with the id that it had."""
        answer: types.WebhookDeliveryView = await self._call(
            make_call(
                "POST",
                "/v1/webhooks/{}/deliveries/{}/replay",
                endpoint_id,
                delivery_id,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    async def get_notification_preferences(self) -> types.PreferencesModel:
        """How the account wants to be told."""
        answer: types.PreferencesModel = await self._call(make_call("GET", "/v1/notifications/preferences"))
        return answer

    async def set_notification_preferences(self, body: types.PreferencesModel) -> types.PreferencesModel:
        """Takes how the account wants to be told."""
        answer: types.PreferencesModel = await self._call(make_call("PUT", "/v1/notifications/preferences", body=body))
        return answer

    async def get_push_key(self) -> types.PushKeyView:
        """What a browser subscribes with."""
        answer: types.PushKeyView = await self._call(make_call("GET", "/v1/notifications/push-key"))
        return answer

    async def list_channels(self) -> types.ChannelsView:
        """The account's channels."""
        answer: types.ChannelsView = await self._call(make_call("GET", "/v1/notifications/channels"))
        return answer

    async def add_channel(self, body: types.NewChannel, *, idempotency_key: str | None = None) -> types.ChannelView:
        """Makes a channel and sends a code there; nothing else is sent before that was shown."""
        answer: types.ChannelView = await self._call(
            make_call("POST", "/v1/notifications/channels", body=body, idempotency_key=idempotency_key, once=True)
        )
        return answer

    async def send_channel_code(self, channel_id: str, *, idempotency_key: str | None = None) -> types.ChannelsView:
        """Sends another code, in place of the one before."""
        answer: types.ChannelsView = await self._call(
            make_call(
                "POST", "/v1/notifications/channels/{}/code", channel_id, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def verify_channel(
        self, channel_id: str, body: types.Code, *, idempotency_key: str | None = None
    ) -> types.ChannelView:
        """Shows the code that was sent there."""
        answer: types.ChannelView = await self._call(
            make_call(
                "POST",
                "/v1/notifications/channels/{}/verify",
                channel_id,
                body=body,
                idempotency_key=idempotency_key,
                once=True,
            )
        )
        return answer

    async def stop_channel(self, channel_id: str, *, idempotency_key: str | None = None) -> types.ChannelView:
        """Sends nothing there any more."""
        answer: types.ChannelView = await self._call(
            make_call(
                "POST", "/v1/notifications/channels/{}/stop", channel_id, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def resume_channel(self, channel_id: str, *, idempotency_key: str | None = None) -> types.ChannelView:
        """Sends there again."""
        answer: types.ChannelView = await self._call(
            make_call(
                "POST", "/v1/notifications/channels/{}/resume", channel_id, idempotency_key=idempotency_key, once=True
            )
        )
        return answer

    async def remove_channel(self, channel_id: str) -> types.ChannelsView:
        """Forgets a channel and what was sent there; answers with those that are left."""
        answer: types.ChannelsView = await self._call(make_call("DELETE", "/v1/notifications/channels/{}", channel_id))
        return answer

    async def list_notification_messages(
        self, *, before: int | None = None, limit: int | None = None
    ) -> types.MessagesView:
        """What the account was told, and will be. Kept for thirty days."""
        answer: types.MessagesView = await self._call(
            make_call("GET", "/v1/notifications/messages", query={"before": before, "limit": limit})
        )
        return answer

    async def opt_out(self, channel_id: str, topic: str, mac: str) -> types.OptedOutView:
        """Stops a channel, or mutes a topic: by the page's button, or by a mail program's (RFC 8058). No signing in."""
        answer: types.OptedOutView = await self._call(make_call("POST", "/opt-out/{}/{}/{}", channel_id, topic, mac))
        return answer
