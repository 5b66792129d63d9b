"""Language codes in manifests.

The labels of fastText's lid.176 (Joulin et al. 2016, arXiv 1612.03651): ISO 639-1 if there is a code, else ISO 639-3 or
a name that Wikipedia uses; and `und` for a document without letters. Other codes are errors: a filter for one would
drop all documents, and a list for one would never be used.
"""

from __future__ import annotations

import difflib
from typing import Annotated

from pydantic import AfterValidator

CODES = frozenset(
    """
af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb ckb co cs cv cy da de diq dsb dty dv el
eml en eo es et eu fa fi fr frr fy ga gd gl gn gom gu gv he hi hif hr hsb ht hu hy ia id ie ilo io is it ja jbo jv ka kk km kn ko
krc ku kv kw ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl my myv mzn nah nap nds ne new nl nn no oc
or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv
ug uk ur uz vec vep vi vls vo wa war wuu xal xmf yi yo yue zh
und
""".split()
)
ANY = "any"


def check_language(code: str) -> str:
    """Check a code and return it.

    Raises:
        ValueError: the code is unknown; the message names the nearest known code.
    """
    if code not in CODES:
        near = difflib.get_close_matches(code.lower().replace("_", "-").split("-")[0], sorted(CODES), n=1, cutoff=0.6)
        hint = f"; did you mean `{near[0]}`?" if near else ", as en, de, zh"
        raise ValueError(f"`{code}` is no code of lid.176{hint}")
    return code


def _check_language_or_any(code: str) -> str:
    return code if code == ANY else check_language(code)


Language = Annotated[str, AfterValidator(check_language)]
LanguageOrAny = Annotated[str, AfterValidator(_check_language_or_any)]
