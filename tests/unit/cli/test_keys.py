"""`dragoman keys`, and `dragoman card` with the keys that somebody trusts."""

import json
import re

import pytest

from dragoman.cli.exits import Exit
from dragoman.model import AgentCard
from dragoman.security.cards import CardSigner
from dragoman.wire.codec import encode
from tests.unit.cli.processes import run
from tests.unit.cli.test_card import answering
from tests.unit.security.cards.samples import make_card

pytestmark = pytest.mark.slow


def serve_card(card: AgentCard):
    return answering(200, encode(card), content_type="application/json")


def test_a_key_is_made_once_and_for_its_owner_alone(tmp_path):
    made = run("keys", "new", "key.json", "--kid", "2026", cwd=tmp_path)
    assert made.returncode == Exit.OK
    assert "kid        2026" in made.stdout
    assert (tmp_path / "key.json").stat().st_mode & 0o777 == 0o600
    private = json.loads((tmp_path / "key.json").read_bytes())
    again = run("keys", "new", "key.json", cwd=tmp_path)
    assert (again.returncode, json.loads((tmp_path / "key.json").read_bytes())) == (Exit.USAGE, private)
    assert "is there already" in again.stderr
    public = json.loads(run("keys", "public", "key.json", cwd=tmp_path).stdout)
    assert public == {"keys": [CardSigner(private).public_jwk]}
    assert private["d"] not in json.dumps(public)


@pytest.mark.parametrize("text", [None, "nonsense", '{"kty":"oct","k":"AA"}'])
def test_what_is_no_key_is_told(tmp_path, text):
    if text is not None:
        (tmp_path / "key.json").write_text(text)
    result = run("keys", "public", "key.json", cwd=tmp_path)
    assert result.returncode == Exit.USAGE
    assert re.match(r"✗ .*key\.json", result.stderr)


def test_a_card_is_verified_with_the_keys_that_are_trusted(tmp_path):
    signer, other = CardSigner.generate(kid="mine"), CardSigner.generate(kid="other")
    for name, one in (("mine.json", signer), ("other.json", other)):
        (tmp_path / name).write_text(json.dumps({"keys": [one.public_jwk]}))
    with serve_card(signer.sign(make_card())) as (url, _):
        good = run("card", url, "--jwks", "mine.json", cwd=tmp_path)
        bad = run("card", url, "--jwks", "other.json", cwd=tmp_path)
        script = run("card", url, "--jwks", "other.json", "--json", cwd=tmp_path)
        elsewhere = run("card", url, "--jku-allow", "https://keys.example", cwd=tmp_path)
    assert (good.returncode, "the card is signed by 'mine' (ES256)" in good.stderr) == (Exit.OK, True)
    assert (bad.returncode, bad.stdout) == (Exit.FAILED, "")
    assert "the key 'mine' is not known" in bad.stderr
    assert json.loads(script.stdout)["error"]["reason"] == "UNKNOWN_KEY"
    assert elsewhere.returncode == Exit.FAILED


def test_an_unsigned_card_is_refused_where_keys_are_given(tmp_path):
    (tmp_path / "keys.json").write_text('{"keys": []}')
    with serve_card(make_card()) as (url, _):
        result = run("card", url, "--jwks", "keys.json", cwd=tmp_path)
    assert result.returncode == Exit.FAILED
    assert "is not signed" in result.stderr


@pytest.mark.parametrize("keys", ["missing.json", "bad.json", "http://keys.example/jwks.json"])
def test_keys_that_cannot_be_used_are_told(tmp_path, keys):
    (tmp_path / "bad.json").write_text("[")
    result = run("card", "http://127.0.0.1:1", "--jwks", keys, cwd=tmp_path)
    assert result.returncode == Exit.USAGE
    assert "Traceback" not in result.stderr
