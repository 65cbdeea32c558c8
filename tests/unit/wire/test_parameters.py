"""Service parameters and versions (SPEC 3.6, PAR-07, VER-*, D-13 to D-15)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dragoman.model import Generation, VersionNotSupportedError
from dragoman.wire.parameters import ServiceParameters, dump_parameters, load_parameters, negotiate
from tests.unit.wire.strategies import THOROUGH

ALL = frozenset(Generation)


def load(*headers, query=b""):
    return load_parameters([(name.encode(), value.encode("latin-1")) for name, value in headers], query)


def test_headers_are_read():
    found = load(("host", "x"), ("a2a-version", " 1.0 "), ("a2a-extensions", "https://a/1, https://b/1"))
    assert found == ServiceParameters("1.0", ("https://a/1", "https://b/1"))


def test_nothing_is_nothing():
    assert load() == load(("a2a-version", ""), ("a2a-extensions", " , ")) == ServiceParameters("", ())


def test_several_lines_are_merged():
    """SPEC 3.6."""
    assert load(("a2a-extensions", "a,b"), ("a2a-extensions", "c, a")).extensions == ("a", "b", "c")
    assert load(("a2a-version", "1.0"), ("a2a-version", "1.0")).version == "1.0"


def test_two_versions_are_none_that_is_served():
    with pytest.raises(VersionNotSupportedError, match=r"'1\.0,0\.3' is not of the form"):
        negotiate(load(("a2a-version", "1.0"), ("a2a-version", "0.3")).version)


@pytest.mark.parametrize("query", [b"A2A-Version=1.0&x=1", "a2a-version=1.0", b"x=1&A2A-VERSION=1.0"])
def test_the_query_may_say_it(query):
    """D-13, PAR-07."""
    assert load(query=query).version == "1.0"


def test_the_query_may_name_extensions():
    assert load(query=b"A2A-Extensions=https%3A%2F%2Fa%2F1,b&a2a-extensions=c").extensions == (
        "https://a/1",
        "b",
        "c",
    )


def test_the_header_wins_over_the_query():
    """D-13."""
    found = load(("a2a-version", "1.0"), query=b"A2A-Version=0.3&A2A-Extensions=x")
    assert found == ServiceParameters("1.0", ("x",))


def test_what_is_dumped_is_loaded():
    parameters = ServiceParameters("1.0", ("a", "b"))
    assert load(*[(name.lower(), value) for name, value in dump_parameters(parameters)]) == parameters
    assert dump_parameters(ServiceParameters("1.0")) == [("A2A-Version", "1.0")]


@THOROUGH
@given(
    st.lists(
        st.tuples(st.sampled_from([b"a2a-version", b"a2a-extensions", b"x"]), st.binary(max_size=12)),
        max_size=4,
    ),
    st.binary(max_size=12) | st.binary(max_size=12).map(lambda value: b"a2a-version=" + value),
)
def test_arbitrary_headers_raise_only_the_declared_error(headers, query):
    version = load_parameters(headers, query).version
    try:
        negotiate(version)
    except VersionNotSupportedError as error:
        assert len(str(error)) < 500  # noqa: PT017 — any other error fails the test by itself


def test_the_own_version_is_served():
    assert negotiate("1.0") is Generation.V1_0


def test_no_version_means_0_3():
    """VER-07, D-14."""
    assert negotiate("", supported=ALL) is Generation.V0_3
    with pytest.raises(
        VersionNotSupportedError, match=r"means 0\.3.*send the header 'A2A-Version: 1\.0'"
    ) as raised:
        negotiate("")
    assert raised.value.metadata == {"supportedVersions": "1.0"}


def test_no_version_is_served_as_the_latest_by_a_lenient_server_without_0_3():
    """D-14."""
    assert negotiate("", strict=False) is Generation.V1_0
    assert negotiate("", strict=False, supported=ALL) is Generation.V0_3


@pytest.mark.parametrize("version", ["1.1", "1.7", "1.9999"])
def test_a_newer_minor_version_is_served_by_a_lenient_server_only(version):
    """D-15."""
    assert negotiate(version, strict=False) is Generation.V1_0
    with pytest.raises(VersionNotSupportedError):
        negotiate(version)


@pytest.mark.parametrize("strict", [True, False])
@pytest.mark.parametrize(
    "version",
    [
        "0.3",
        "0.9",
        "2.0",
        "1",
        "1.",
        ".0",
        "v1.0",
        "01.0",
        "1.00",
        "1.0-rc",
        "one",
        "١.٠",
        "1.0\n",
        "9" * 5000,
    ],
)
def test_other_versions_are_refused(version, strict):
    """VER-06."""
    with pytest.raises(VersionNotSupportedError) as raised:
        negotiate(version, strict=strict)
    assert raised.value.metadata == {"supportedVersions": "1.0"}
    assert len(raised.value.message) < 300


def test_a_patch_number_does_not_matter():
    """VER-02."""
    assert negotiate("1.0.3") is Generation.V1_0
    assert negotiate("0.3.7", supported=ALL) is Generation.V0_3
    for version in ("0.3.7", "1.0.", "1.0.x", "1.0.0.0"):
        with pytest.raises(VersionNotSupportedError):
            negotiate(version)


@pytest.mark.parametrize("generation", Generation)
def test_every_generation_is_served_when_supported(generation):
    assert negotiate(generation.value, supported=ALL) is generation


def test_the_metadata_names_every_supported_version():
    with pytest.raises(VersionNotSupportedError) as raised:
        negotiate("0.4", supported=ALL)
    assert raised.value.metadata == {"supportedVersions": "1.0,0.3,0.2,0.1"}
