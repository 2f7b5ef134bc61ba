"""The text of a PDF as Typst writes it: what a reader hears, in the order of the pages."""

import re
import zlib

_OBJECT = re.compile(rb"(\d+) 0 obj\b(.*?)\bendobj", re.DOTALL)
_STREAM = re.compile(rb"\bstream\r?\n")
_TOKEN = re.compile(rb"/(\w+) [\d.\-]+ Tf|\(((?:\\.|[^\\()])*)\)|\b(ET)\b", re.DOTALL)
_ESCAPE = re.compile(rb"\\([0-7]{1,3}|.)", re.DOTALL)
_NAMED = {b"n": b"\n", b"r": b"\r", b"t": b"\t", b"b": b"\b", b"f": b"\f"}


def text_of(pdf):
    """Return the text of a PDF; blocks of text are set apart by a space."""
    objects = dict(_objects(pdf))
    said = []
    for body in objects.values():
        page = re.search(rb"/Type/Page\b(?!s)", body)
        if page:
            content, resources = (
                int(re.search(rb"/%s (\d+) 0 R" % key, body)[1])
                for key in (b"Contents", b"Resources")
            )
            fonts = _fonts(objects[resources], objects)
            said.append(_shown(objects[content], fonts))
    return " ".join("".join(said).split())


def _fonts(resources, objects):
    """Return the letters of each font of a page."""
    listed = re.search(rb"/Font<<(.*?)>>", resources, re.DOTALL)
    found = {}
    for name, number in re.findall(rb"/(\w+) (\d+) 0 R", listed[1]):
        unicode = re.search(rb"/ToUnicode (\d+) 0 R", objects[int(number)])
        found[name] = _letters(objects[int(unicode[1])])
    return found


def _objects(pdf):
    for number, body in _OBJECT.findall(pdf):
        packed = _STREAM.search(body)
        plain = body
        if packed and b"FlateDecode" in body:
            plain = body[: packed.start()] + zlib.decompressobj().decompress(body[packed.end() :])
        if b"/ObjStm" in body:
            yield from _packed(plain)
        yield int(number), plain


def _packed(plain):
    count, first = (int(re.search(rb"/%s (\d+)" % key, plain)[1]) for key in (b"N", b"First"))
    content = plain[plain.index(b">>") + 2 :].lstrip()
    numbers = [int(one) for one in content[:first].split()[: 2 * count]]
    starts = numbers[1::2]
    for number, start, end in zip(numbers[::2], starts, [*starts[1:], len(content)], strict=True):
        yield number, content[first + start : first + end]


def _letters(cmap):
    found = {}
    for code, text in re.findall(rb"<([0-9A-Fa-f]+)>\s*<([0-9A-Fa-f]+)>\s*\n", cmap):
        found[int(code, 16)] = bytes.fromhex(text.decode()).decode("utf-16-be")
    return found


def _shown(content, fonts):
    """Return what a stream of a page shows, a space after each run of text."""
    letters, said = {}, []
    for font, string, end in _TOKEN.findall(content):
        if font:
            letters = fonts.get(font, {})
        elif end:
            said.append(" ")
        else:
            codes = _ESCAPE.sub(_unescaped, string)
            said += [
                letters.get(int.from_bytes(codes[place : place + 2], "big"), "")
                for place in range(0, len(codes), 2)
            ]
    return "".join(said)


def _unescaped(found):
    code = found[1]
    return bytes([int(code, 8)]) if code.isdigit() else _NAMED.get(code, code)
