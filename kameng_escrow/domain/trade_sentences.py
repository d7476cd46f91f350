"""What is said of texts, listings and listing documents that can't be read, in English and Chinese."""

from .labels import Label

TRADE_SENTENCES: dict[str, Label] = {
    "TextUnfit": Label(
        "{field} has the character {character} at position {position}, which does not belong in a text: take it out.",
        "{field} 的第 {position} 个字符（从 0 数起）是 {character}，不能出现在文字里：请删去。",
    ),
    "TextLength": Label(
        "{field} has {length} characters: write from {min} to {max}.",
        "{field} 有 {length} 个字符：请写 {min} 到 {max} 个。",
    ),
    "MalformedDeliveryKey": Label(
        "{field} is {given}, which is no delivery key: give an age recipient, age1 and 58 more characters.",
        "{field} 为 {given}，不是收货公钥：请填写 age 公钥（age1 加 58 个字符）。",
    ),
    "UnknownCategory": Label(
        "{field} is {given}, which is no category: give one of {known}, or your own as x- and lowercase words.",
        "{field} 为 {given}，没有这个分类：请填写 {known} 之一，或以 x- 加小写单词自定分类。",
    ),
    "WrongMembers": Label(
        "{field} lacks members ({missing}) or has others than its version knows ({unknown}): give the document whole "
        "and unchanged.",
        "{field} 缺少成员（{missing}），或有该版本没有的成员（{unknown}）：请提供完整、未改动的文件。",
    ),
    "UnknownVersion": Label(
        "{field} is {given}, and this package reads {known}: upgrade it, or ask for the document that was made first.",
        "{field} 为 {given}，而本软件包读的是 {known}：请升级软件包，或索取最初生成的文件。",
    ),
}
