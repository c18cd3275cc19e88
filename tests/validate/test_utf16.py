"""What `validate` says of UTF-16 without a byte order mark."""

from pathlib import Path

from tests.fixtures.traffic import call


def test_the_sentence_ends_once(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes('{"events": []}\n'.encode("utf-16-le"))

    result = call("validate", tmp_path / "a")

    assert result.exit_code == 2
    assert "is not text (is it UTF-16 without a byte order mark?): line 1 has a zero byte.\n" in result.output
