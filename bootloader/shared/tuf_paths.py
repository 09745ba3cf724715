"""Names in TUF metadata: which paths the pattern of a delegation takes in, what a target is called
on the server, and a name as part of a file's. For `tuf`, `tuf_delegations` and whoever stores what
they took.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .tuf_files import Json


def _in_set(pattern: str, at: int, character: str) -> tuple[bool, int]:
    """A shell set that opens at `pattern[at]`: (does it hold the character, index behind it)."""
    end = at + 1
    negated = pattern[end : end + 1] == "!"
    if negated:
        end += 1
    first = end
    end = pattern.find("]", first + 1)
    if end < 0:
        return character == "[", at + 1
    found = False
    i = first
    while i < end:
        if i + 2 < end and pattern[i + 1] == "-":
            found = found or pattern[i] <= character <= pattern[i + 2]
            i += 3
        else:
            found = found or pattern[i] == character
            i += 1
    return found != negated, end + 1


def _glob(pattern: str, text: str) -> bool:
    p = t = mark = 0
    star = -1
    while t < len(text):
        if p < len(pattern):
            c = pattern[p]
            if c == "*":
                star = p
                mark = t
                p += 1
                continue
            end = p + 1
            fits = c == "?" or c == text[t]
            if c == "[":
                fits, end = _in_set(pattern, p, text[t])
            if fits:
                p = end
                t += 1
                continue
        if star < 0:
            return False
        p = star + 1
        mark += 1
        t = mark
    while p < len(pattern) and pattern[p] == "*":
        p += 1
    return p == len(pattern)


def path_matches(pattern: str, path: str) -> bool:
    """True if the target path fits the shell pattern (`*`, `?`, `[a-z]`, `[!a]`); none of them
    crosses a "/".
    """
    patterns = pattern.split("/")
    parts = path.split("/")
    if len(patterns) != len(parts):
        return False
    return all(_glob(patterns[i], parts[i]) for i in range(len(parts)))


def target_name(path: str, entry: "Json", is_consistent: bool) -> str:
    """The path of a target file on the server: with consistent snapshots its hash stands before its
    name.
    """
    if not is_consistent:
        return path
    hashes = entry["hashes"]
    digest = hashes.get("sha256") or hashes.get("sha512") or sorted(hashes.items())[0][1]
    folder, slash, name = path.rpartition("/")
    return folder + slash + str(digest) + "." + name


def quoted(name: str) -> str:
    """A name as one part of a file name or URL: everything but unreserved characters as %XX."""
    out = ""
    for byte in name.encode():
        c = chr(byte)
        safe = byte < 128 and (c.isalpha() or c.isdigit() or c in "-._~")
        out += c if safe else "%%%02X" % byte
    return out
