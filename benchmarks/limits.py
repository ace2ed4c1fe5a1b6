"""The least that Python can charge: the whole input at once, no chunks, no limits, nothing that can change."""

from __future__ import annotations

import re

from .candidates import candidate
from .workloads import Collect, Stream, body_size


@candidate("bytes.split, whole", "lines", limit=True, any_of=True)
def split(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    if stream.alternatives:
        records = re.split(b"|".join(map(re.escape, stream.alternatives)), b"".join(chunks))
    else:
        records = stream.data.split(stream.terminator)
    records.pop()
    for record in records:
        if collect:
            collect(record)


@candidate("find + slice, whole", "lines", "http", "length", limit=True)
def find_and_slice(stream: Stream, chunks: list[bytes], collect: Collect) -> None:
    data, terminator, position = stream.data, stream.terminator, 0
    if stream.framing == "length":
        while position < len(data):
            begin = position + 4
            position = begin + int.from_bytes(data[position:begin], "big")
            record = data[begin:position]
            if collect:
                collect(record)
        return
    find, step = data.find, len(terminator)
    if stream.framing == "lines":
        while (end := find(terminator, position)) >= 0:
            record = data[position:end]
            position = end + step
            if collect:
                collect(record)
        return
    while (end := find(terminator, position)) >= 0:
        head = data[position:end]
        end += step
        position = end + body_size(head)
        body = data[end:position]
        if collect:
            collect(head)
            collect(body)
