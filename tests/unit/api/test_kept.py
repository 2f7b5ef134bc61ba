"""What is kept, and what goes when there is no room."""

from riskmark.api.kept import Kept


def test_an_answer_is_found_under_its_address_and_tag_alone():
    kept = Kept()

    kept.keep("/a", "1", b"one")

    assert kept.find("/a", "1") == b"one"
    assert kept.find("/a", "2") is None
    assert kept.find("/b", "1") is None


def test_what_was_not_asked_for_longest_goes_first():
    kept = Kept(most_bytes=10)
    kept.keep("/a", "1", b"aaaa")
    kept.keep("/b", "1", b"bbbb")
    kept.find("/a", "1")

    kept.keep("/c", "1", b"cccc")

    assert kept.find("/b", "1") is None
    assert kept.find("/a", "1") == b"aaaa"
    assert kept.find("/c", "1") == b"cccc"


def test_what_is_kept_twice_counts_once_and_what_is_too_large_not_at_all():
    kept = Kept(most_bytes=10)
    for _ in range(5):
        kept.keep("/a", "1", b"aaaaaa")
    kept.keep("/b", "1", b"b" * 11)

    kept.keep("/c", "1", b"cccc")

    assert kept.find("/a", "1") == b"aaaaaa"
    assert kept.find("/b", "1") is None
    assert kept.find("/c", "1") == b"cccc"
