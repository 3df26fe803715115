"""Whether a text is English enough for the model, told from its pieces and its small words."""

import pytest

from models._familiar import is_familiar

PIECE, WORD, UNKNOWN = 1, 2, 100
PIECES = frozenset({PIECE})


@pytest.mark.parametrize(
    ("text", "tokens", "familiar"),
    [
        ("refund please", [WORD] * 2, True),
        ("unhelpful chatbots everywhere", [WORD, PIECE, WORD, PIECE, WORD], False),
        ("the unhelpful chatbots are everywhere", [WORD, WORD, PIECE, WORD, PIECE, WORD, WORD], True),
        ("they’re unhelpful chatbots", [WORD, WORD, PIECE, WORD, PIECE], True),
        ("sehr schlechter Service", [WORD, WORD, PIECE, PIECE, WORD], False),
        ("обслуживание", [WORD], False),
        ("обслуживание was truly terrible here", [WORD] * 5, True),
        ("🪿 🪿 ok", [UNKNOWN, UNKNOWN, WORD], False),
        ("🪿 ok", [UNKNOWN, WORD], True),
        (":-)", [WORD] * 3, True),
        ("", [], True),
    ],
)
def test_familiar(text: str, tokens: list[int], familiar: bool) -> None:
    assert is_familiar(text, tokens, PIECES, UNKNOWN) is familiar
