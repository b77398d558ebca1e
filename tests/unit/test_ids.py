"""Our uuids are those of the standard library."""

from __future__ import annotations

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from plugin import ids


@given(st.uuids(), st.text(st.characters(exclude_categories=["Cs"])))
def test_a_name_based_uuid_is_that_of_the_standard_library(namespace: UUID, name: str) -> None:
    expected = uuid5(namespace, name)
    assert ids.uuid5(namespace.bytes, name) == expected.bytes
    assert ids.written(expected.bytes) == str(expected)
