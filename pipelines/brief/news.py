"""What a publication has to tell: the verdicts, divergences and publishers that are not as a reader was last told."""

from __future__ import annotations

from typing import Any

from pipelines.brief.digest import Claim, Digest
from pipelines.landing.messages import Message, Told

CLAIMS, DIVERGENCES, PUBLISHERS = "claims", "divergences", "publishers"
NAMED = 5  # divergences and publishers of one kind that a message names


def known(digest: Digest) -> Told:
    """What a reader of the whole brief knows: each verdict, divergence and publisher, each in a word."""
    return {
        CLAIMS: {c.claim_id: c.verdict for c in digest.claims},
        DIVERGENCES: {_key(d): _opened(d.state) for d in digest.divergences},
        PUBLISHERS: {p.source_id: _word(p.answers) for p in digest.publishers if p.answers is not None},
    }


def known_before(digest: Digest) -> Told:
    """The same of the publication before, from the differences to it; of publishers, which have none, that of now."""
    now = known(digest)
    flips = {f.claim_id: f.verdict_before for f in digest.verdict_flips}
    states = {_key(c): _opened(c.state_before) for c in digest.divergence_changes}
    return now | {CLAIMS: now[CLAIMS] | flips, DIVERGENCES: now[DIVERGENCES] | states}


def still_known(before: Told, now: Told) -> Told:
    """What a reader knows after a publication; of what it no longer has, what was said last."""
    return {kind: before.get(kind, {}) | words for kind, words in now.items()}


def message(digest: Digest, before: Told, brief: str) -> Message | None:
    """The message on a publication to readers who know `before`; None if it tells nothing new.

    `brief`: where the page is.
    """
    flipped = [c for c in digest.claims if before.get(CLAIMS, {}).get(c.claim_id, c.verdict) != c.verdict]
    states = before.get(DIVERGENCES, {})
    # One that a reader never heard of counts as closed: he is told when it opens.
    moved = [d for d in digest.divergences if states.get(_key(d), "closed") != _opened(d.state)]
    answered = before.get(PUBLISHERS, {})
    words = known(digest)[PUBLISHERS]
    both = answered.keys() & words.keys()
    turned = [p for p in digest.publishers if p.source_id in both and answered[p.source_id] != words[p.source_id]]
    parts = [
        _counted(len(flipped), "verdict flipped", "verdicts flipped"),
        _counted(len(moved), "divergence", "divergences") + " opened or closed" if moved else "",
        _counted(len(turned), "publisher broke or works again", "publishers broke or work again"),
    ]
    if not any(parts):
        return None
    opened = [f"{d.title}, {d.subject_name} ({d.period_label})" for d in moved if _opened(d.state) == "open"]
    closed = [f"{d.title}, {d.subject_name} ({d.period_label})" for d in moved if _opened(d.state) == "closed"]
    lines = [
        f"Metals as of {digest.as_of}: {', '.join(p for p in parts if p)}",
        *(_flip(c, before[CLAIMS][c.claim_id]) for c in flipped),
        *_listed("Divergence opened", opened),
        *_listed("Divergence closed", closed),
        *_listed("Publisher broke", [f"{p.title}: {p.fault}" for p in turned if not p.answers]),
        *_listed("Publisher works again", [p.title for p in turned if p.answers]),
        f"Brief: {brief}",
    ]
    return Message(lines, _data(digest, before, flipped, moved, turned))


def _data(digest: Digest, before: Told, flipped: Any, moved: Any, turned: Any) -> dict[str, Any]:
    return {
        "as_of": digest.as_of.isoformat(),
        "verdict_flips": [
            {"claim_id": c.claim_id, "verdict_before": before[CLAIMS][c.claim_id], "verdict_after": c.verdict}
            for c in flipped
        ],
        "divergences": [
            {"divergence_id": d.divergence_id, "subject": d.subject, "state": _opened(d.state)} for d in moved
        ],
        "publishers": [{"source_id": p.source_id, "answers": p.answers} for p in turned],
    }


# By verdict, the readings of the decisive evidence that explain it, and how each is introduced.
_WHY = {
    "supported": {"supports": ""},
    "contradicted": {"contradicts": ""},
    "mixed": {"supports": "for it: ", "contradicts": "against it: "},
    "undetermined": {
        "too old": "its evidence is too old: ",
        "missing": "a figure is missing: ",
        "neutral": "undecided: ",
    },
    "no_data": {"missing": "a figure is missing: ", "too old": "its evidence is too old: "},
}


def _flip(claim: Claim, before: str) -> str:
    """The flip and, in a sentence, the first finding of each kind that explains the verdict."""
    found: dict[str, str] = {}
    for e in claim.evidence:
        if e.role == "decisive":
            found.setdefault("too old" if e.is_stale else e.reading, e.finding)
    why = [f"{said}{found[kind]}" for kind, said in _WHY[claim.verdict].items() if kind in found]
    if claim.verdict in ("undetermined", "no_data"):
        why = why[:1]
    because = f"Because {'; '.join(why)}." if why else "The evidence is in the brief."
    flipped = f"{claim.title} ({claim.claim_id}): {_plain(before)} -> {_plain(claim.verdict)}"
    return f"{flipped}. {claim.statement} {because}"


def _key(divergence: Any) -> str:
    return f"{divergence.divergence_id}|{divergence.subject}"


def _opened(state: str | None) -> str:
    return "closed" if state in (None, "closed") else "open"


def _word(answers: bool) -> str:
    return "answers" if answers else "broken"


def _plain(word: str) -> str:
    return word.replace("_", " ")


def _counted(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}" if number else ""


def _listed(what: str, items: list[str]) -> list[str]:
    more = [f"{what}: and {len(items) - NAMED} more"] if len(items) > NAMED else []
    return [f"{what}: {item}" for item in items[:NAMED]] + more
