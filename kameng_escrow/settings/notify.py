"""The settings of webhooks and notifications."""

from .forms import CONTACT, HOSTS, PATH, one_of
from .row import Setting

ROWS: tuple[Setting, ...] = (
    Setting(
        name="seal_key_file",
        env="KAMENG_SEAL_KEY_FILE",
        flag="--seal-key-file",
        metavar="FILE",
        default="",
        zh="加密数据库中 webhook 密钥和通知地址的密钥文件（每行 32 字节的 base64，第一行用于加密，权限 0600）；"
        "不填则明文存放",
        en="Keys that seal webhook secrets and people's addresses in the store (32 bytes in base64 a line, the first "
        "seals; mode 0600); without it they lie there as they are",
        form=PATH,
    ),
    Setting(
        name="webhook_loopback",
        env="KAMENG_WEBHOOK_LOOPBACK",
        flag="--webhook-loopback",
        metavar="yes|no",
        default="no",
        zh="允许 webhook 端点在本机（可用 http）；只限链号 31337 或 1337 的本地链",
        en="Whether webhook endpoints may be on this machine, by http too: on a local chain (id 31337 or 1337) only",
        form=one_of("yes", "no"),
    ),
    Setting(
        name="mail_file",
        env="KAMENG_MAIL_FILE",
        flag="--mail-file",
        metavar="FILE",
        default="",
        zh="邮件服务器的 Apprise 地址所在文件，如 mailtos://用户:口令@主机?from=地址（权限 0600）；不填则不发邮件",
        en="The file with the mail server's Apprise URL: mailtos://user:password@host?from=address (mode 0600); "
        "without it there is no mail",
        form=PATH,
    ),
    Setting(
        name="telegram_token_file",
        env="KAMENG_TELEGRAM_TOKEN_FILE",
        flag="--telegram-token-file",
        metavar="FILE",
        default="",
        zh="本服务 Telegram 机器人的令牌所在文件（权限 0600）；不填则用户自带机器人",
        en="The file with the token of the service's Telegram bot (mode 0600); without it people bring their own bots",
        form=PATH,
    ),
    Setting(
        name="push_key_file",
        env="KAMENG_PUSH_KEY_FILE",
        flag="--push-key-file",
        metavar="FILE",
        default="",
        zh="Web Push 的 VAPID 私钥文件（P-256，PEM，权限 0600）；不填则没有浏览器推送",
        en="The VAPID key for Web Push (P-256, PEM, mode 0600); without it browsers are not pushed to",
        form=PATH,
    ),
    Setting(
        name="push_contact",
        env="KAMENG_PUSH_CONTACT",
        flag="--push-contact",
        metavar="mailto:ADDRESS|URL",
        default="",
        zh="推送服务出问题时联系谁（mailto: 或 https:）；缺省是 public_url",
        en="Whom push services may complain to (mailto: or https:); without it, the public URL",
        form=CONTACT,
    ),
    Setting(
        name="notify_hosts",
        env="KAMENG_NOTIFY_HOSTS",
        flag="--notify-hosts",
        metavar="HOST,HOST…",
        default="",
        zh="除 api.day.app 和 ntfy.sh 外，Bark 和 ntfy 通知还可以发往哪些主机（可带端口，只走 https）",
        en="Hosts beside api.day.app and ntfy.sh that Bark and ntfy messages may go to (with ports where they have "
        "any; https only)",
        form=HOSTS,
    ),
)
