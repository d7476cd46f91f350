"""EIP-55 checksums by the hundred thousand."""

from kameng_escrow.domain.merkle import fast_keccak

_UPPER = {
    digit + mark: digit.upper() if mark >= "8" else digit for digit in "0123456789abcdef" for mark in "0123456789abcdef"
}


class Checksums(dict[str, str]):
    """Checksummed addresses by their ABI word: 64 lowercase hex digits, of which the first 24 are zero.

    What was worked out is kept, since the same accounts come again and again: at most `LIMIT` of them.

    Raises:
        ValueError: the word is no address.
    """

    LIMIT = 65_536

    def __init__(self) -> None:
        super().__init__()
        self._keccak = fast_keccak()

    def __missing__(self, word: str) -> str:
        digits = word[24:]
        if word[:24] != "0" * 24 or len(digits) != 40:
            raise ValueError(f"{word} is no address")
        marks = self._keccak(digits.encode("ascii")).hex()
        try:
            checksummed = "0x" + "".join([_UPPER[digit + mark] for digit, mark in zip(digits, marks, strict=False)])
        except KeyError:
            raise ValueError(f"{word} is no address") from None
        if len(self) >= self.LIMIT:
            self.clear()
        self[word] = checksummed
        return checksummed
