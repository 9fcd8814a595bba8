"""Putting back what a document of version 1 said before it was converted to version 2."""

from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from synapse_sdk.formats.dm.document import ANNOTATIONS, EXTRA, GROUPS, PAYLOADS, RELATIONS
from synapse_sdk.formats.dm.groups import groups_of_v1, v1_group
from synapse_sdk.formats.dm.kept import kept_entry, kept_payload
from synapse_sdk.formats.dm.media import is_media_id
from synapse_sdk.formats.dm.to_v1 import Downgraded, DowngradedMedia
from synapse_sdk.formats.dm.to_v2 import FindTool, Upgraded, Upgrader
from synapse_sdk.formats.dm.tools import ToolProcessor
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["restored"]


def restored(
    meta: JsonObject, media: Sequence[DowngradedMedia], upgrader: Upgrader, find_tool: FindTool
) -> dict[str, JsonValue]:
    """Return the document of version 1 that a document of version 2 was made of, with what was changed since.

    Whatever version 2 cannot say is as it was. Media keep their ids, unless some were removed, added or put in another
    order: then all are numbered by their places, and what is said about them goes along.

    Args:
        meta: The document of version 1.
        media: What the media of version 2 become.
        upgrader: Converts `meta`.
        find_tool: Finds tools.
    """
    before = {each: [*upgrader.annotations(each)] for each in upgrader.media}
    ids = _Ids(media, before, upgrader.kinds)
    entries, payloads, groups = {}, {}, {}
    for each in media:
        old, new = ids.old[each.id], ids.new[each.id]
        merged = _Merged(meta, old, each, before.get(old, []), find_tool)
        entries[new], payloads[new], groups[new] = merged.entries(), merged.payloads(), merged.groups()
    parts: dict[str, Mapping[str, JsonValue]] = {ANNOTATIONS: entries, PAYLOADS: payloads, GROUPS: groups}
    document = dict(meta)
    for key in (ANNOTATIONS, PAYLOADS, EXTRA, RELATIONS, GROUPS):
        if key in meta or any(parts.get(key, {}).values()):
            document[key] = ids.placed(meta.get(key), parts.get(key, {}))
    return document


class _Ids:
    """Which medium of version 2 is which of version 1, and what it is called from now on."""

    def __init__(
        self, media: Sequence[DowngradedMedia], before: Mapping[str, Sequence[Upgraded]], kinds: Mapping[str, str]
    ) -> None:
        self.old: dict[str, str] = {}
        """Id by place to id in version 1; empty for a new medium."""
        self.new: dict[str, str] = {}
        """Id by place to id from now on."""
        self._kept: dict[str, str] = {}
        for kind in dict.fromkeys([*kinds.values(), *(each.kind for each in media)]):
            there = [each for each in media if each.kind == kind]
            known = [each for each in before if kinds[each] == kind]
            old = _matches(there, known, before)
            self.old |= {each.id: name for each, name in zip(there, old, strict=True)}
            left = [name for name in known if name not in old]
            is_as_before = all(old) and old == sorted(old, key=known.index) and not any(before[name] for name in left)
            names = old if is_as_before else [each.id for each in there]
            self.new |= {each.id: name for each, name in zip(there, names, strict=True)}
            self._kept |= {name: name for name in left if is_as_before}
        self._kept |= {name: self.new[place] for place, name in self.old.items() if name}

    def placed(self, before: JsonValue, now: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
        """Return what is said about media, under their ids from now on.

        Args:
            before: What version 1 said, by its ids.
            now: What is to be said instead, by ids from now on.
        """
        there: Mapping[str, JsonValue] = before if isinstance(before, Mapping) else {}
        found: dict[str, JsonValue] = {}
        for media, value in there.items():
            name = self._kept.get(media, "") if is_media_id(media) else media
            if name:
                found[name] = now.get(name, value)
        return found | {media: value for media, value in now.items() if value and media not in found}


def _matches(
    media: Sequence[DowngradedMedia], known: Sequence[str], before: Mapping[str, Sequence[Upgraded]]
) -> list[str]:
    """Return which medium of version 1 each of version 2 is: the one with most of its annotations, else its place."""
    places: dict[str, list[int]] = defaultdict(list)
    for at, name in enumerate(known):
        for annotation_id in {str(entry.get("id")) for entry, _, _ in before[name]}:
            places[annotation_id].append(at)
    found: list[int | None] = [None] * len(media)
    free = set(range(len(known)))
    for number, each in enumerate(media):
        votes = Counter(at for one in each.annotations for at in places.get(str(one.v2["id"]), ()) if at in free)
        if votes:
            best = max(votes, key=lambda at: (votes[at], at == number, -at))
            found[number] = best
            free.discard(best)
    for number in range(len(media)):
        if found[number] is None and number in free and (len(known) == len(media) or not before[known[number]]):
            found[number] = number
            free.discard(number)
    return ["" if at is None else known[at] for at in found]


@dataclass(slots=True)
class _Pair:
    """An annotation before it was converted, and what it is now."""

    entry: JsonValue
    payload: JsonValue


class _Merged:
    """What is said about one medium: now, and before where it is the same."""

    def __init__(
        self, meta: JsonObject, old: str, media: DowngradedMedia, before: Sequence[Upgraded], find_tool: FindTool
    ) -> None:
        self._meta, self._old, self._media = meta, old, media
        waiting: dict[tuple[str, str], deque[Upgraded]] = defaultdict(deque)
        for upgraded in before:
            waiting[str(upgraded[0]["id"]), str(upgraded[0]["tool"])].append(upgraded)
        # By the place of the object in memory: two entries may have one id.
        self._entries: dict[int, _Pair | None] = {id(entry): None for entry, _, _ in before}
        self._payloads: dict[int, _Pair | None] = {id(payload): None for _, payload, _ in before if payload}
        self._added: list[Downgraded] = []
        self._late: list[JsonValue] = []
        for each in media.annotations:
            known = waiting.get((str(each.v2["id"]), each.tool))
            if not known:
                self._added.append(each)
                continue
            entry, payload, v2 = known.popleft()
            prior = _there_and_back(find_tool(each.tool), each.tool, v2)
            pair = _Pair(kept_entry(entry, prior, each), kept_payload(payload, prior, each))
            self._entries[id(entry)] = pair
            if payload is not None:
                self._payloads[id(payload)] = pair
            elif len(each.payload) > 1:
                self._late.append(each.payload)

    def entries(self) -> list[JsonValue]:
        """Return the entries in `annotations`, in the order in which they were; new ones come behind."""
        old = [*self._old_list(ANNOTATIONS)]
        pairs = [self._entries.get(id(each), _Pair(each, None)) for each in old]
        added: list[JsonValue] = [each.entry for each in self._added]
        return [pair.entry for pair in pairs if pair is not None] + added

    def payloads(self) -> list[JsonValue]:
        """Return the entries in `annotationsData`, likewise."""
        old = [*self._old_list(PAYLOADS)]
        pairs = [self._payloads.get(id(each), _Pair(None, each)) for each in old]
        added: list[JsonValue] = [each.payload for each in self._added]
        return [pair.payload for pair in pairs if pair is not None] + self._late + added

    def groups(self) -> list[JsonValue]:
        """Return the groups; if version 2 speaks of none, as they were."""
        old, now = [*self._old_list(GROUPS)], self._media.groups
        if not now:
            return old
        there = {str(each.v2["id"]) for each in self._media.annotations}
        found: list[JsonValue] = []
        left = dict(now)
        for group, entry in groups_of_v1(old):
            members = [member for member in group.members if member in there]
            changed = left.pop(group.id, None)
            if changed is None:
                found += [] if members else [entry]
                continue
            is_same = set(changed.members) == set(members)
            found.append(entry if is_same else v1_group(changed, entry))
        return found + [v1_group(group) for group in left.values()]

    def _old_list(self, key: str) -> Iterator[JsonValue]:
        by_media = self._meta.get(key)
        values = by_media.get(self._old) if isinstance(by_media, Mapping) else None
        yield from values if isinstance(values, list | tuple) else ()


def _there_and_back(processor: ToolProcessor, tool: str, v2: JsonObject) -> Downgraded | None:
    try:
        return Downgraded(tool, v2, *processor.to_v1(v2))
    except (ValueError, LookupError, TypeError):  # it could be converted there, but not back
        return None
