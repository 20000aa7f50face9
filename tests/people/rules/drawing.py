"""Rules at random, each of which the checker takes."""

from typing import Any

from hypothesis import strategies as st

from bot.models.words import Channel, PropertyType
from bot.people import attributes
from bot.people.rules.failures import LABELS
from bot.people.rules.operators import SUBJECTS, Shape, Which, operators_of, value_type
from tests.people.rules.world import VALUES, World

PLACES = st.fixed_dictionaries(
    {
        "latitude": st.sampled_from([30.0, 30.4, -30.0]),
        "longitude": st.sampled_from([31.0, 31.3]),
        "km": st.sampled_from([1, 33.3, 77, 20_000]),
    }
)


def good_values(kind: PropertyType) -> list[Any]:
    """Those of the world that are written as a rule keeps them."""
    if kind is PropertyType.ARRAY:
        return ["a", "b", 1, True]
    return [value for value in VALUES[kind] if value != "" and _is_normal(kind, value)]


def _is_normal(kind: PropertyType, value: Any) -> bool:
    try:
        return bool(attributes.accept(kind, value) == value)
    except ValueError:
        return False


def values(shape: Shape, kind: PropertyType) -> st.SearchStrategy[Any]:
    one = st.sampled_from(good_values(kind)) if kind not in {PropertyType.OBJECT, PropertyType.LOCATION} else st.none()
    return {
        Shape.NONE: st.none(),
        Shape.ONE: one,
        Shape.TWO: st.lists(one, min_size=2, max_size=2).map(sorted),
        Shape.MANY: st.lists(one, min_size=1, max_size=3),
        Shape.DAYS: st.sampled_from([1, 2, 30, 36_500]),
        Shape.PLACE: PLACES,
        Shape.KEY: st.sampled_from(["k", "x", "y"]),
        Shape.CHANNEL: st.none() | st.sampled_from([Channel.WHATSAPP.value, Channel.EMAIL.value]),
        Shape.FAILURE: st.none() | st.sampled_from(sorted(LABELS)),
    }[shape]


@st.composite
def conditions(draw: st.DrawFn, world: World) -> dict[str, Any]:
    what = draw(st.sampled_from(sorted(SUBJECTS)))
    subject, kind = SUBJECTS[what], None
    told: dict[str, Any] = {"what": what}
    if subject.of is Which.ATTRIBUTE:
        kind = draw(st.sampled_from(list(PropertyType)))
        told["of"] = f"a.{kind.lower()}"
    elif subject.of is not None:
        there = {
            Which.NUMBER: world.numbers,
            Which.TOPIC: world.topics,
            Which.SEGMENT: world.segments,
            Which.BROADCAST: world.broadcasts,
        }[subject.of]
        ids: list[int | None] = [each.id for each in there]  # type: ignore[attr-defined]  # all of them have one
        told["of"] = draw(st.sampled_from([None, *ids] if subject.is_of_optional else ids))
    fitting = operators_of(what, kind)
    told["operator"] = draw(st.sampled_from(sorted(fitting)))
    value_kind = value_type(what, kind)
    if what in {"country", "language"}:
        value = draw(_codes(fitting[told["operator"]].shape, ["EG", "DE", "FR"] if what == "country" else ["ar", "en"]))
    else:
        value = draw(values(fitting[told["operator"]].shape, value_kind))
    return {name: each for name, each in (told | {"value": value}).items() if each is not None}


def _codes(shape: Shape, known: list[str]) -> st.SearchStrategy[Any]:
    one = st.sampled_from(known)
    return {Shape.ONE: one, Shape.MANY: st.lists(one, min_size=1, max_size=3)}.get(shape, st.none())


def rules(world: World) -> st.SearchStrategy[dict[str, Any]]:
    nodes = st.recursive(
        conditions(world),
        lambda inner: (
            st.lists(inner, min_size=1, max_size=3).map(lambda found: {"all": found})
            | st.lists(inner, min_size=1, max_size=3).map(lambda found: {"any": found})
            | inner.map(lambda found: {"not": found})
        ),
        max_leaves=6,
    )
    return nodes.map(lambda node: {"version": 1, **(node if "what" not in node else {"all": [node]})})
