"""Outcomes and what follows from them."""

from riskmark.domain.reasons import AnswerReason
from riskmark.providers.outcomes import CONSEQUENCES, MAX_DETAIL, Circuit, Outcome, Stopped


def test_every_reason_has_a_consequence():
    assert set(CONSEQUENCES) == set(AnswerReason)


def test_only_a_whole_answer_ends_the_chain():
    ends = {reason for reason, one in CONSEQUENCES.items() if not one.asks_next}

    assert ends == {AnswerReason.OK}


def test_what_a_key_or_a_plan_forbids_closes_the_provider_for_the_run_and_is_not_retried():
    for reason in (AnswerReason.AUTH, AnswerReason.ENDPOINT_NOT_IN_PLAN):
        consequence = Outcome(reason).consequence

        assert consequence.circuit is Circuit.OPENS_FOR_RUN
        assert not consequence.is_retried


def test_a_provider_s_words_are_made_fit_to_be_stored():
    stop = Stopped(AnswerReason.BAD_PAYLOAD, "a\x00b\n" + "c" * 1000)

    assert stop.outcome.detail.startswith("a b c")
    assert len(stop.outcome.detail) == MAX_DETAIL
