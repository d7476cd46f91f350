"""Why the system refused, in both languages."""

import errno

_ZH = {
    errno.ENOENT: "没有这个文件或文件夹",
    errno.EACCES: "没有权限",
    errno.EPERM: "不允许",
    errno.EISDIR: "它是一个文件夹",
    errno.ENOTDIR: "路径中有一段不是文件夹",
    errno.EEXIST: "已经存在",
    errno.EROFS: "磁盘是只读的",
    errno.ENOSPC: "磁盘满了",
    errno.EDQUOT: "配额用完了",
    errno.ENAMETOOLONG: "名字太长",
    errno.EMFILE: "打开的文件太多",
}


def reasons(error: OSError) -> tuple[str, str]:
    """(zh, en), without a full stop."""
    en = error.strerror or str(error)
    return _ZH.get(error.errno or 0, en), en
