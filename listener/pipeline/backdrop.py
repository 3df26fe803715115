"""What posts say that is about no topic of the operator's: moods, questions, news, usual subjects.

Called by `listener.pipeline.topics`: a post is near a topic when it is nearer to its phrases than to any of this.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

GENERAL: tuple[str, ...] = (
    "I bought it last week.",
    "It is terrible.",
    "I love it.",
    "What a day.",
    "Thank you so much!",
    "Never again.",
    "Does anyone know?",
    "We went there with my family.",
    "I am so disappointed.",
    "My cat sleeps on it.",
    "Happy birthday!",
    "It is what it is.",
    "Best shop in town.",
    "Worst company ever.",
    "A new advert on television.",
    "I have been waiting for weeks and nobody helps.",
    "This is the third time it went wrong.",
    "Nobody answers.",
    "They refuse to help.",
    "Absolutely brilliant, could not be happier.",
    "Very happy with it.",
    "So easy and quick.",
    "Great service, highly recommended.",
    "Awful service, avoid.",
    "It does not work.",
    "It stopped again.",
    "It is broken again.",
    "Can you help me?",
    "How do I do that?",
    "When does it start?",
    "Do you have it in blue?",
    "Is it worth it?",
    "Which one should I take?",
    "What is it called?",
    "Shares fell three percent on Tuesday.",
    "The company opens a new branch next year.",
    "They announced a new chief executive.",
    "They are looking for a manager in the north.",
    "The team won the match on Saturday.",
    "I saw it on the news this morning.",
    "My grandfather used to work there.",
    "Reading in the garden with a cup of tea.",
    "Cooking dinner for the children.",
    "We finished it in under an hour.",
    "Going there tomorrow with my sister.",
    "They lied to me.",
    "I want to speak to somebody.",
    "What a joke.",
    "Shame on you.",
    "You should be ashamed of yourselves.",
    "I am done with them.",
    "I will never buy from them again.",
    "Thanks to everybody, you made my day.",
    "Ten out of ten.",
    "One star.",
    "Five stars.",
    "It took far too long.",
    "I had to do it three times.",
    "It was fine, nothing special.",
    "Good morning everyone.",
    "I am a bit worried about this.",
    "It cost me a whole day.",
    "It is so small.",
    "It is far too big.",
    "The old one was better.",
    "They should bring it back.",
    "lol",
    "@user any news?",
    "Please fix this.",
    "Well done!",
    "It rained the whole weekend.",
    "The sun is out at last.",
    "Our daughter starts school in September.",
    "The dog ate my homework again.",
    "That film made me cry.",
    "New song out tonight.",
    "He scored in the last minute.",
    "The election is on Sunday.",
    "Interest rates went up again, says the central bank.",
    "Researchers found water on a distant planet.",
    "The train was full this morning.",
    "Stuck in traffic on the ring road.",
    "I planted tomatoes and roses.",
    "We painted the kitchen green.",
    "Grandma's recipe needs more butter.",
    "Off to the gym after work.",
    "My flight leaves at seven.",
    "Holiday by the sea, sand everywhere.",
    "The baby finally sleeps.",
    "I cannot find my glasses.",
    "The museum shows pictures from the twenties.",
    "She runs a small farm in the hills.",
    "My brother plays the drums.",
    "I am learning to knit.",
    "Somebody broke the window of the church.",
    "The council wants to build flats there.",
    "They sponsor the local football club.",
    "He was interviewed on the radio about politics.",
    "The logo looks like a bird.",
    "The advert with the goat is funny.",
    "The merger was announced on Thursday.",
    "Profits rose, the board is pleased.",
    "They pay no taxes here.",
    "The factory in the valley makes engines.",
    "A job fair at the town hall.",
    "I applied for an apprenticeship there.",
    "We drove there and had a look around.",
    "My wife wants the blue one.",
    "Which size do I need?",
    "Does it go with a grey carpet?",
    "The old catalogue from 1985.",
    "A photograph of the shop window at Christmas.",
    "There is a new one in our street.",
    "My neighbour has the same.",
    "I gave it to my mother for her birthday.",
    "It stands in the hall next to the mirror.",
    "It tastes of vanilla.",
    "It smells of summer.",
    "The colour is called sage.",
    "It is thirty centimetres wide.",
    "The manual is in four languages.",
    "Here is how we did it, step by step.",
    "I wrote a review on my blog.",
    "Follow me for more.",
    "Win a prize, join now.",
    "Link in my profile.",
    "What do you think of it?",
    "Tell me your favourite.",
    "Me and my friends on a Friday night.",
    "First!",
)
"""Moods, questions, news and everyday life. Their words set no topic apart."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Backdrop:
    """Sentences against which topics are told apart.

    Args:
        general: moods, questions, news and everyday life; about no topic.
        subjects: what customers usually speak of, by subject. A topic that clearly is one of these learns from its
            sentences; one that has something of it is not held against it; to all others they are counter-examples.
    """

    general: tuple[str, ...]
    subjects: Mapping[str, tuple[str, ...]]


def _read(name: str) -> dict[str, tuple[str, ...]]:
    """The sentences of a file by the subject above them."""
    text = Path(__file__).with_name(name).read_text(encoding="utf-8")
    lines = [block.splitlines() for block in text.split("\n# ")[1:]]
    return {name: tuple(sentences) for name, *sentences in lines}


_ENGLISH, _OTHERS = _read("subjects.txt"), _read("subjects_several.txt")
_EVERYDAY = "everyday life"

ENGLISH = Backdrop(general=GENERAL, subjects=_ENGLISH)
SEVERAL = Backdrop(
    general=GENERAL + _OTHERS[_EVERYDAY],
    subjects={name: sentences + _OTHERS.get(name, ()) for name, sentences in _ENGLISH.items()},
)
"""With sentences in seven more languages, so that a topic is not told apart by the language of its phrases."""


def backdrop_for(languages: Collection[str]) -> Backdrop:
    """The backdrop for texts in some languages; none: English."""
    return SEVERAL if set(languages) - {"en"} else ENGLISH
