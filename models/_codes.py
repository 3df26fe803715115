"""The languages that can be told apart, by their codes; too many more would only be confused with these.

Called by `models._languages` and, to check a configuration without loading anything, by `models.bundled`.
"""

_CODES = (
    "af am ar az be bg bn ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr ht hu hy id is it ja ka kk km "
    "kn ko lt lv mk ml mn mr ms my ne nl no pa pl ps pt ro ru si sk sl so sq sr sv sw ta te th tl tr uk ur uz vi "
    "xh zh zu"
)
KNOWN = frozenset(_CODES.split())
SAME = {"ary": "ar", "arz": "ar", "nn": "no", "yue": "zh", "wuu": "zh"}
"""Close relatives that the detector tells apart and nobody configures."""
