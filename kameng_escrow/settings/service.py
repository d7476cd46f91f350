"""The settings of the platform service."""

from .forms import ORIGIN, PATH, TEXT, whole
from .row import Setting

ROWS: tuple[Setting, ...] = (
    Setting(
        name="fingerprint_keys_file",
        env="KAMENG_FINGERPRINT_KEYS_FILE",
        flag="--fingerprint-keys-file",
        metavar="FILE",
        default="",
        zh="卡密指纹的密钥文件（权限 0600，每行一个名称和 64 位十六进制，新的在前）；没有就不查重",
        en="The keys that fingerprints of codes are made with (mode 0600; a name and 64 hex digits a line, the newest "
        "first); without it, nobody notices a code that is sold twice",
        form=PATH,
    ),
    Setting(
        name="public_url",
        env="KAMENG_PUBLIC_URL",
        flag="--public-url",
        metavar="URL",
        default="http://127.0.0.1:8080",
        zh="大家访问这个服务的地址：登录签名绑定它的域名，浏览器的写请求只认它；不是 http 时会话 cookie 带 Secure",
        en="Where people reach the service: sign-ins are bound to its domain, browsers may write from it only; unless "
        "it is http, session cookies are Secure",
        form=ORIGIN,
    ),
    Setting(
        name="listen",
        env="KAMENG_LISTEN",
        flag="--listen",
        metavar="HOST:PORT",
        default="127.0.0.1:8080",
        zh="服务监听的主机和端口",
        en="Host and port that the service listens on",
        form=TEXT,
    ),
    Setting(
        name="proxies",
        env="KAMENG_PROXIES",
        flag="--proxies",
        metavar="N",
        default="0",
        zh="前面有几层反向代理：按 X-Forwarded-For 从右数第几个认来访地址；0 表示不看它",
        en="Reverse proxies in front: which address of X-Forwarded-For, counted from the right, is the visitor's; 0: "
        "it is not looked at",
        form=whole(0, 8),
    ),
    Setting(
        name="session_hours",
        env="KAMENG_SESSION_HOURS",
        flag="--session-hours",
        metavar="N",
        default="168",
        zh="登录后多少小时不用就要重新登录",
        en="Hours without use after which a session ends",
        form=whole(1, 2_160),
    ),
    Setting(
        name="explorer_url",
        env="KAMENG_EXPLORER_URL",
        flag="--explorer-url",
        metavar="URL",
        default="",
        zh="区块浏览器的地址，交易链接指向那里；缺省为这条链众所周知的那个",
        en="The block explorer that links to transactions lead to; without it, the chain's well-known one",
        form=ORIGIN,
    ),
    Setting(
        name="rate_limit",
        env="KAMENG_RATE_LIMIT",
        flag="--rate-limit",
        metavar="N",
        default="1200",
        zh="每个登录账户或 API 密钥每分钟最多多少个请求",
        en="Requests a minute that each account or API key may make",
        form=whole(1, 10_000_000),
    ),
    Setting(
        name="rate_limit_anonymous",
        env="KAMENG_RATE_LIMIT_ANONYMOUS",
        flag="--rate-limit-anonymous",
        metavar="N",
        default="240",
        zh="每个来访地址未登录时每分钟最多多少个请求",
        en="Requests a minute that each address may make without having signed in",
        form=whole(1, 10_000_000),
    ),
)
