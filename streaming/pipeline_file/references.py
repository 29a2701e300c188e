"""Whether the names in a pipeline file refer to what they must: keys to fields, slices to features, and so on."""

from __future__ import annotations

from contract.pipeline import HOST_SLICE, Field, Type
from contract.topics import OWN_PREFIX, commands_topic, models_topic, predictions_topic
from streaming.pipeline_file.alert_tables import check_alerts
from streaming.pipeline_file.defaults import LABEL_KEY
from streaming.pipeline_file.diagnostics import Problems, did_you_mean
from streaming.pipeline_file.read_sections import Draft

Fields = dict[str, Field | None]
"""A field that was declared wrongly is None: known by name, of no type."""

NEVER_BEGINS = ("__", ".")
NEVER_ENDS = (".internal", "-internal", ".replica")
RENAMED_END = "heartbeats"
"""Ends of topic names that the mirror leaves out, or carries under another name: tests/integration/test_mirror.py."""

KEY_TYPES = (Type.STRING, Type.INT, Type.BOOLEAN, Type.TIMESTAMP)


def check_references(draft: Draft, problems: Problems) -> None:
    """Note every name that refers to nothing, or to a field of the wrong type."""
    _check_event_roles(draft, problems)
    _check_label_roles(draft, problems)
    _check_label_key(draft, problems)
    _check_group(draft, problems)
    _check_reserved_names(draft, problems)
    _check_topics(draft, problems)
    check_alerts(draft["monitoring"], _slices(draft), problems)


def _slices(draft: Draft) -> tuple[str, ...]:
    """By which realised figures are told apart: the slices of training, and the producing host."""
    host = (HOST_SLICE,) if "host" in draft["events"] else ()
    return tuple(draft["training"].get("slices", ())) + host


def fields_of(draft: Draft, section: str) -> Fields:
    fields: Fields = draft[section].get("fields", {})
    return fields


def _check_event_roles(draft: Draft, problems: Problems) -> None:
    events, fields = draft["events"], fields_of(draft, "events")
    for name in events.get("key", ()):
        _check_role(name, fields, KEY_TYPES, "events.key", problems)
    roles = {"id": (Type.STRING, Type.INT), "time": (Type.TIMESTAMP,), "host": (Type.STRING,)}
    for role, types in roles.items():
        if role in events:
            _check_role(events[role], fields, types, f"events.{role}", problems)


def _check_label_roles(draft: Draft, problems: Problems) -> None:
    label, fields = draft["label"], fields_of(draft, "label")
    for name in label_key(draft):
        _check_role(name, fields, KEY_TYPES, "label.key", problems)
    if "time" in label:
        _check_role(label["time"], fields, (Type.TIMESTAMP,), "label.time", problems)


def label_key(draft: Draft) -> tuple[str, ...]:
    """The label's key; by default its fields have the names of the event's."""
    of_events: tuple[str, ...] = draft["events"].get("key", ())
    key: tuple[str, ...] = draft["label"].get("key", LABEL_KEY.of(of_events))
    return key


def _check_role(name: str, fields: Fields, types: tuple[Type, ...], path: str, problems: Problems) -> None:
    role = path.rpartition(".")[2]
    if not fields:
        return  # the section's fields were refused already
    if name not in fields:
        problems.add(path, f'{role}: there is no field "{name}"{did_you_mean(name, fields)}')
        return
    field = fields[name]
    if field is not None and field.type not in types:
        allowed = " or ".join(kind.value for kind in types)
        problems.add(path, f'{role}: the field "{name}" is of type {field.type.value}; it must be {allowed}')
    if field is not None and field.sensitive:
        problems.add(path, f'{role}: the field "{name}" is sensitive, and so never stored; it cannot be the {role}')


def _check_label_key(draft: Draft, problems: Problems) -> None:
    ours: tuple[str, ...] = label_key(draft)
    theirs: tuple[str, ...] = draft["events"].get("key", ())
    if len(ours) != len(theirs):
        if ours and theirs:
            problems.add("label.key", f"key: must have as many fields as [events] key: {len(theirs)}, not {len(ours)}")
        return
    for name, other in zip(ours, theirs, strict=True):
        field, twin = fields_of(draft, "label").get(name), fields_of(draft, "events").get(other)
        if field and twin and field.type != twin.type:
            both = f'"{name}" is {field.type.value}, but "{other}" of [events] key is {twin.type.value}'
            problems.add("label.key", f"key: {both}; they must be of one type")


def _check_group(draft: Draft, problems: Problems) -> None:
    for name in draft["training"].get("group", ()):
        _check_role(name, fields_of(draft, "events"), KEY_TYPES, "training.group", problems)


def _check_reserved_names(draft: Draft, problems: Problems) -> None:
    for section in ("events", "label"):
        if "as_of" in fields_of(draft, section):
            text = '"as_of" is the moment of the question in every expression; rename the field'
            problems.add(f"{section}.fields.as_of", text)
        for name, field in fields_of(draft, section).items():
            if field and field.sensitive and field.required:
                path = f"{section}.fields.{name}"
                problems.add(path, f"{name}: a sensitive field cannot be required: tables could not be built again")


def _check_topics(draft: Draft, problems: Problems) -> None:
    seen: dict[str, str] = {}
    name = draft[""].get("name", "")
    reserved = {predictions_topic(name), models_topic(name), commands_topic(name)}
    for path, topic in _topics(draft):
        if topic in reserved or topic.startswith(OWN_PREFIX):
            problems.add(path, f'topic "{topic}" is one that hotpath writes itself; choose another')
        elif topic in seen:
            problems.add(path, f'topic "{topic}" is also that of {seen[topic]}; each part needs its own')
        if why := _why_not_mirrored(topic):
            problems.add(path, f'topic "{topic}" {why}; copy its records to a topic of another name')
        seen.setdefault(topic, path)


def _why_not_mirrored(topic: str) -> str | None:
    """What keeps MirrorMaker 2 from carrying a topic under its own name; None where nothing does."""
    if begin := next((each for each in NEVER_BEGINS if topic.startswith(each)), None):
        return f'begins with "{begin}", and MirrorMaker never mirrors such a topic'
    if end := next((each for each in NEVER_ENDS if topic.endswith(each)), None):
        always = "never mirrors such a topic" if end == ".replica" else "may take such a topic for one of its own"
        return f'ends in "{end}", and MirrorMaker {always}'
    if topic.endswith(RENAMED_END):
        return f'ends in "{RENAMED_END}", and MirrorMaker gives such a topic another name in the cloud'
    return None


def _topics(draft: Draft) -> list[tuple[str, str]]:
    own = [
        (f"{section}.topic", draft[section]["topic"]) for section in ("events", "label") if "topic" in draft[section]
    ]
    return own + [("facts.topics", topic) for topic in draft["facts"].get("topics", ())]
