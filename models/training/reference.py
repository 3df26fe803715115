"""What the float weights say of fifty hand-written texts; the tests hold the bundle against it.

Run as `python -m models.training.reference` after `.train`.  Writes `tests/models/reference.json`.
"""

import json
import sys
from pathlib import Path

import torch

from models._heads import width
from models._text import mask
from models.training.export import LONGEST
from models.training.fit import encode, load_tokenizer, stack
from models.training.held import load
from models.training.train import STATE
from models.training.weights import base_weights

PATH = Path(__file__).resolve().parents[2] / "tests" / "models" / "reference.json"

TEXTS = (
    "The parcel arrived two weeks late and the box was crushed.",
    "Nobody answers the phone. I have been on hold for forty minutes.",
    "I love the new coat, thank you so much!",
    "Does anyone know when the store in Leeds opens on Sunday?",
    "Worst checkout experience I have ever had, the page froze three times 😡",
    "My order came today and it is even nicer than in the pictures 😍",
    "The staff were lovely but the delivery was a disaster.",
    "Your app logged me out again. Third time this week.",
    "Shoutout to Priya in support, she sorted my refund in five minutes!",
    "New opening hours from Monday: nine to six.",
    "Why was I charged twice for one pair of shoes??",
    "It stopped working after three days and support ignores my emails.",
    "Could you bring back the green rucksack? I would buy it at once.",
    "@marlow is the sale still on tomorrow?",
    "Refund please.",
    "Great quality for the price, will order again.",
    "The zip broke on the first wear. Very disappointed.",
    "They have a shop near the station, next to the bakery.",
    "I'm so happy with my new boots &amp; they arrived early",
    "Third missed delivery. I took a day off work for nothing.",
    "The voucher code from the newsletter does not work at checkout.",
    "Honestly the best customer service I have had from any retailer.",
    "The campaign starts on Friday in all shops, see https://example.org/spring",
    "Not bad at all, I was pleasantly surprised.",
    "Never again. Save your money.",
    "I ordered the blue one and got the red one.",
    "The queue was long but the cashier was friendly and quick.",
    "Has anyone tried the wool jumper? Is it itchy?",
    "My data was in your breach and I had to read about it in the news.",
    "Absolutely gorgeous dress, wore it to my sister's wedding.",
    "Size M is more like an S, order one up.",
    "The driver threw the parcel over the fence. Unbelievable.",
    "Thanks for nothing.",
    "Two for one on all mugs this week.",
    "The strap gives me a rash, is this known?",
    "I can't stop wearing these socks 😂 so soft",
    "You have lost a customer of fifteen years.",
    "The return was easy and the money was back within two days.",
    "Where do I find the care label?",
    "Smells of chemicals, even after two washes.",
    "Well done on the plastic-free packaging 👏",
    "Still waiting for an answer to my complaint from the 3rd of March.",
    "Picked up my click and collect order this morning.",
    "The website says in stock, the shop says sold out. Which is it?",
    "Beautiful window display in the town centre this year.",
    "I feel cheated: the discount was added to a higher price.",
    "It does what it says.",
    "The manager apologised and gave us a new table lamp, very kind.",
    "Is it just me or did the quality go down since last year?",
    "Recall notice: please stop using the kettle model K20.",
)


@torch.inference_mode()
def main() -> int:
    """Judge the texts in float32 and keep the logits of the heads that are shipped."""
    network = load(STATE)
    encoded = encode(load_tokenizer(base_weights() / "tokenizer.json", LONGEST), [mask(text) for text in TEXTS])
    found = [network(*stack([tokens]))[0][0, : width()].tolist() for tokens in encoded]
    lines = [
        json.dumps({"text": text, "logits": [round(value, 4) for value in logits]}, ensure_ascii=False)
        for text, logits in zip(TEXTS, found, strict=True)
    ]
    PATH.write_text("[\n" + ",\n".join(lines) + "\n]\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
