"""What a password must be: long. No rules about kinds of characters; what everybody guesses first is refused."""

from __future__ import annotations

import unicodedata
from itertools import pairwise

from listener.core.errors import Refused

SHORTEST = 12
"""Characters; a passphrase of a few words is longer anyway."""
LONGEST = 1000

_LIST = """
    passwordpassword password1234 password12345 password123456 password123! password1234! passw0rd1234
    p@ssw0rd1234 p@ssword1234 mypassword123 newpassword1 newpassword123 changeme1234 changemeplease
    changethispassword letmeinletmein letmein12345 letmeinplease welcome12345 welcome123456 welcomewelcome
    administrator admin1234567 adminadminadmin administrator1 qwertyuiopas qwertyuiop12 qwertyuiop123
    qwertyuiop[] qwerty123456 qwerty1234567 qwertyqwerty qwertyuiopasdf qwertyuiopasdfghjkl qazwsxedcrfv
    1qaz2wsx3edc 1q2w3e4r5t6y 1q2w3e4r5t6y7u 123qweasdzxc q1w2e3r4t5y6 asdfghjkl123 asdfghjklzxcvbnm
    zxcvbnm12345 azertyuiop12 qwertzuiop12 abcdefghijkl abcdefghijklmnopqrstuvwxyz abcd12345678 abc123456789
    abc123abc123 a1b2c3d4e5f6 aa1234567890 iloveyou1234 iloveyouiloveyou iloveyousomuch 123456789012
    1234567890123 12345678901234 123456789123 1234567891011 123123123123 123456123456 123456789abc 012345678910
    098765432109 0987654321098 987654321098 987654321012 1234567890qw 1234567890ab 121212121212 112233445566
    147258369147 111222333444 footballfootball liverpool1234 manchesterunited superman1234 batmanbatman
    dragondragon sunshine1234 princess1234 monkey123456 trustno1trustno1 computer1234 internet1234 secret123456
    secretsecret supersecret1 supersecretpassword thisismypassword correcthorsebatterystaple companyname123
    customerservice customerservice1 listenerlistener password passw0rd p@ssword p@ssw0rd mypassword letmein
    welcome admin changeme default qwerty qwertyuiop qwertz azerty iloveyou secret listener summer winter spring
    autumn january february march april june july august september october november december
"""

COMMONEST = frozenset(_LIST.split())
"""What people choose first: the long ones whole, and the short ones as the stem before figures and marks."""


def plain(password: str) -> str:
    """A password as it is judged and hashed: the same however a keyboard composes its characters."""
    return unicodedata.normalize("NFKC", password)


def check_password(password: str, *known: str) -> str:
    """A password that may be chosen, as it is to be hashed.

    Args:
        password: as it was typed or pasted.
        known: what everybody knows of the account: handle, name, the installation's name.

    Raises:
        Refused: it is too short, too long or too easily guessed; says which.
    """
    chosen = plain(password)
    if len(chosen) < SHORTEST:
        raise Refused(
            f"a password has at least {SHORTEST} characters; a few words that do not belong together are easy"
        )
    if len(chosen) > LONGEST:
        raise Refused(f"a password has at most {LONGEST} characters")
    if _guessed(chosen.casefold(), tuple(word.casefold().replace(" ", "") for word in known if word.strip())):
        raise Refused("that password is among the first that anybody would try; take another one")
    return chosen


def _guessed(folded: str, known: tuple[str, ...]) -> bool:
    """Whether it is common, a run of neighbours, a short piece repeated, or little beside what everybody knows."""
    steps = {ord(after) - ord(before) for before, after in pairwise(folded)}
    repeated = any(folded == (folded[:width] * len(folded))[: len(folded)] for width in range(1, 4))
    joined = folded.replace(" ", "")
    rest = joined
    for word in sorted(known, key=len, reverse=True):
        rest = rest.replace(word, "")
    common = joined in COMMONEST or joined.strip("!.?_-#*1234567890") in COMMONEST
    return common or repeated or steps in ({1}, {-1}) or len(rest) < min(len(joined), 5)
