"""Our dialects write and read the golden corpus as it stands."""

import pytest

from dragoman.model import AgentCard, StreamResponse, operations
from dragoman.model.errors import ERROR_TABLE
from dragoman.wire import codec
from dragoman.wire.dialects import dialect_named, load_card, merged_card
from tests.unit.wire.dialects.corpus import CORPUS

KINDS = {error.reason: error.error for error in ERROR_TABLE}


def name_of(sample):
    return sample.path


def plain(record):
    return codec.decode_json(codec.encode(record))


def write(sample):
    match sample.what:
        case "merged card":
            return merged_card(codec.convert(AgentCard, sample.model))
        case "card":
            return dialect_named(sample.dialect).dump_card(codec.convert(AgentCard, sample.model))
        case "error":
            error = KINDS[sample.model["reason"]](sample.model["message"])
            return dialect_named(sample.dialect).dump_error(error)
        case "event":
            return dialect_named(sample.dialect).dump_event(codec.convert(StreamResponse, sample.model))
        case "webhook":
            task = codec.convert(StreamResponse, sample.model).task
            assert task is not None
            return dialect_named(sample.dialect).dump_webhook(task)
        case what:
            return write_operation(sample, what)


def write_operation(sample, what):
    dialect, operation = dialect_named(sample.dialect), operations.BY_NAME[sample.operation]
    if what == "request":
        return dialect.dump_request(operation, codec.convert(operation.request, sample.model))
    return dialect.dump_result(operation, codec.convert(operation.response, sample.model))


def read(sample):
    match sample.what:
        case "card" | "merged card":
            return plain(load_card(sample.wire))
        case "event":
            return [plain(dialect_named(sample.dialect).load_event(one)) for one in sample.wire]
        case "webhook":
            return plain(dialect_named(sample.dialect).load_webhook(sample.wire))
        case "request":
            operation = operations.BY_NAME[sample.operation]
            return plain(dialect_named(sample.dialect).load_request(operation, sample.wire))
        case _:
            operation = operations.BY_NAME[sample.operation]
            return plain(dialect_named(sample.dialect).load_result(operation, sample.wire))


def expected(sample):
    if sample.read is not None:
        return sample.read
    return [sample.model] if sample.what == "event" else sample.model


@pytest.mark.parametrize("sample", [one for one in CORPUS if one.is_written], ids=name_of)
def test_it_is_written_as_the_corpus_has_it(sample):
    assert plain(write(sample)) == sample.wire


@pytest.mark.parametrize("sample", [one for one in CORPUS if one.what != "error"], ids=name_of)
def test_it_is_read_as_the_corpus_has_it(sample):
    assert read(sample) == expected(sample)


@pytest.mark.parametrize("sample", [one for one in CORPUS if one.what == "error"], ids=name_of)
def test_an_error_is_known_again_by_its_details_whatever_its_code(sample):
    error = dialect_named(sample.dialect).load_error(sample.wire)
    assert type(error) is KINDS[sample.model["reason"]]
    assert error.message == sample.model["message"]


@pytest.mark.parametrize("sample", CORPUS, ids=name_of)
def test_a_shape_says_where_it_comes_from(sample):
    assert sample.origin


def test_every_dialect_has_every_operation_that_it_knows():
    for name in ("0.3", "0.2", "0.3 proto", "0.1"):
        dialect = dialect_named(name)
        known = (
            {operation.name for operation in dialect.methods.values()}
            - {
                operations.GET_EXTENDED_CARD.name,
                operations.SEND_STREAMING_MESSAGE.name,  # its request is that of SendMessage, its answers are the events
            }
        )
        written = {one.operation for one in CORPUS if one.dialect == name and one.what == "request"}
        assert written == known
