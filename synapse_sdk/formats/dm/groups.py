"""Annotations that belong together: `annotationGroups` in version 1, `group_id` and the bucket `group` in version 2.

An annotation of version 2 has one `group_id`. What that cannot say is in the bucket `group`: the class of a group, and
members that are in another group as well.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from synapse_sdk.formats.dm.attributes import (
    attribute,
    classification_of,
    label_and_attributes,
    read_attributes,
)
from synapse_sdk.formats.dm.values import as_list, as_object, as_text, derived_id, list_if_any
from synapse_sdk.types import JsonObject, JsonValue

__all__ = ["Group", "add_groups", "groups_of_v1", "groups_of_v2", "v1_group"]

TOOL = "annotationGroup"
TREE, FLAT = "annotationList", "annotationIds"
"""The two shapes in which version 1 names the members of a group."""


@dataclass(slots=True)
class Group:
    """Annotations of one medium that belong together."""

    id: str
    members: list[str] = field(default_factory=list)
    """Their ids."""
    classification: JsonObject | None = None
    """What is said about the group, as version 1 has it."""


def groups_of_v1(entries: JsonValue) -> Iterator[tuple[Group, JsonObject]]:
    """Yield the groups of a medium of version 1, with the entry that each is from.

    Raises:
        ValueError: They are none.
    """
    for entry in list_if_any(entries, "annotationGroups"):
        found = as_object(entry, "a group")
        said, members = found.get("classification"), [*dict.fromkeys(_members(found))]
        group = Group(
            id=as_text(found.get("id") or derived_id(TOOL, members), "the id of a group"),
            members=members,
            classification=None if said is None else as_object(said, "the classification of a group"),
        )
        yield group, found


def groups_of_v2(annotations: Iterable[JsonObject], bucket: JsonValue) -> dict[str, Group]:
    """Return the groups of a medium of version 2.

    Args:
        annotations: All annotations of the medium, with ids.
        bucket: Its bucket `group`.

    Raises:
        ValueError: They are none.
    """
    groups: dict[str, Group] = {}
    seen: set[tuple[str, str]] = set()
    for annotation in annotations:
        owner = annotation.get("group_id")
        if owner is None or owner == "":
            continue
        name, member = as_text(owner, "group_id"), as_text(annotation["id"], "id")
        if (name, member) not in seen:
            seen.add((name, member))
            groups.setdefault(name, Group(name)).members.append(member)
    named: set[str] = set()
    for entry in list_if_any(bucket, "group"):
        found = as_object(entry, "a group")
        members = [as_text(each, "a member of a group") for each in as_list(found.get("data"), "data of a group")]
        group_id = as_text(found.get("id") or derived_id("group", members), "the id of a group")
        named.add(group_id)
        group = groups.setdefault(group_id, Group(group_id))
        group.members = [*dict.fromkeys(members + group.members)]
        label, attributes = found.get("classification"), [*read_attributes(found.get("attrs"))]
        if label or attributes:
            text = as_text(label or "", "the classification of a group")
            group.classification = classification_of(text, attributes)
    # Those that only annotations name come first: it is the first one of version 1 that annotations will name again.
    return dict(sorted(groups.items(), key=lambda pair: pair[0] in named))


def add_groups(groups: Iterable[Group], annotations: Mapping[str, dict[str, JsonValue]]) -> list[JsonValue]:
    """Give annotations of version 2 their `group_id`, and return what the bucket `group` has to say besides.

    Args:
        groups: The groups, whose members must be there.
        annotations: The annotations of their medium by id.
    """
    bucket: list[JsonValue] = []
    for group in groups:
        is_shared = False
        for member in group.members:
            owner = annotations[member].setdefault("group_id", group.id)
            is_shared = is_shared or owner != group.id
        label, attributes = label_and_attributes(group.classification)
        if is_shared or label or attributes:
            attrs = [attribute(name, value) for name, value in attributes]
            bucket.append({"id": group.id, "classification": label, "attrs": attrs, "data": [*group.members]})
    return bucket


def v1_group(group: Group, entry: JsonObject | None = None) -> dict[str, JsonValue]:
    """Return a group as version 1 has it.

    Args:
        group: The group. One that says nothing but its members gets the shape that all programs read; one that says
            more has its members in both.
        entry: What version 1 said about it before; its shape is kept.
    """
    members: list[JsonValue] = [*group.members]
    tree: list[JsonValue] = [{"annotationId": member, "children": []} for member in members]
    if entry is not None:
        shapes = {FLAT: members, TREE: tree}
        return {**entry, **{key: value for key, value in shapes.items() if key in entry}}
    if group.classification is None:
        return {"id": group.id, FLAT: members}
    return {
        "id": group.id,
        "tool": TOOL,
        "isLocked": False,
        "classification": group.classification,
        TREE: tree,
        FLAT: members,
    }


def _members(entry: JsonObject) -> Iterator[str]:
    for member in list_if_any(entry.get(FLAT), FLAT):
        yield as_text(member, "a member of a group")
    waiting = [*list_if_any(entry.get(TREE), TREE)][::-1]
    while waiting:
        found = as_object(waiting.pop(), "a member of a group")
        yield as_text(found.get("annotationId"), "annotationId")
        waiting += [*list_if_any(found.get("children"), "children")][::-1]
