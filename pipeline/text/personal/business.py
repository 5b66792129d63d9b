"""Marks of business: what stands beside firms, offices and practices, and not beside private persons.

In: UTF-8 bytes and offsets of n documents. Out: int32[n], row-aligned: how many marks each has. A mark is a legal form
of firms (`Ltd`, `GmbH`, `S.r.l.`), a number of a register or for value added tax, `Fax`, hours from and to, or words
for opening hours, in English, German, French, Spanish, Italian, Portuguese, Dutch and Polish. The site rule looks at
them, because a register of firms is as full of addresses and telephone numbers as one of persons.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from kernels.arrays import Bytes, Int64s

# Legal forms of the countries of these languages, as they are abbreviated after a firm's name.
_FORMS = (
    "Ltd Limited LLC L.L.C Inc Corp PLC plc LLP GmbH mbH gGmbH OHG KGaA e.K eG SARL S.A.R.L SAS EURL SASU SNC S.A.S"
    " S.p.A SpA S.r.l Srl S.n.c S.a.s S.L S.A S.L.U SLU Lda Ltda B.V BV N.V VOF z_o.o S.C Sp._j"
)
_REGISTERS = (
    "VAT USt-Id UStId HRB HRA SIRET SIREN RCS P._IVA P.IVA Partita_IVA REA CIF NIF-IVA KvK BTW NIP REGON KRS EIN BIC"
    " DUNS"
)
# Titles of professions; a name follows them, or comes before.
_TITLES_BEFORE = "Dr Dra Prof Dott Dott.ssa Avv Ing Mag Dipl Lic Arch Rag Geom"
_TITLES_AFTER = "MD DDS PhD Ph.D RN Esq CPA"
# Places of trades, professions and authorities; in any case.
_PLACES = (
    "hotel hôtel hostal hostel albergo pension gasthof gasthaus guesthouse camping restaurant restaurante ristorante"
    " restauracja trattoria pizzeria osteria café bistro brasserie taverna bar pub museum museo musée muzeum theater"
    " theatre teatro théâtre teatr klinik clinic clínica clinica clinique hospital praxis praktijk cabinet kanzlei"
    " studio gabinet przychodnia ambulatorio apotheke pharmacy pharmacie farmacia apteka department abteilung referat"
    " dezernat rathaus mairie ayuntamiento comune gemeente urząd council agency agentur agence agencia agenzia agencja"
    " makelaar immobilien realty real_estate"
)
_FAX = "fax telefax télécopie faks"
_OPEN = (
    "opening_hours open_daily business_hours hours: öffnungszeiten Öffnungszeiten sprechzeiten horaires horario orario"
    " orari horário openingstijden godziny_otwarcia"
)
# No letter or digit follows; `\b` would want one before it, and forms end with dots.
_ENDS = r"[^\w]"
# From and to: `8:00-12:00`, `9h30 à 18h00`.
_TIME = "[0-2]?[0-9][:.h][0-5][0-9]"
_FROM_TO = rf"\b{_TIME} ?(?:-|–|to|bis|a|à|tot|do) ?{_TIME}\b"


def _any_of(words: str, *, after: str = "", any_case: bool = False) -> bytes:
    """A pattern for whole words, `_` standing for a space."""
    choices = "|".join(re.escape(word.replace("_", " ")) for word in words.split())
    return rf"[^\w](?{'i' if any_case else ''}:{choices}){after or _ENDS}".encode()


_MARKS = (
    _any_of(_FORMS),
    _any_of(_REGISTERS),
    _any_of(_TITLES_BEFORE, after=r"\. "),
    _any_of(_TITLES_AFTER),
    _any_of(_PLACES, any_case=True),
    _any_of(_FAX, any_case=True),
    _any_of(_OPEN, any_case=True),
    _FROM_TO.encode(),
)


def count_business_marks(data: Bytes, offsets: Int64s) -> npt.NDArray[np.int32]:
    """How many marks of business each document has.

    Args:
        data: UTF-8 bytes.
        offsets: int64[n + 1] into `data`, less than 4 GiB apart.
    """
    places: list[int] = []

    # A short form may end within a longer one, `S.A` in `S.A.S`: what begins at one place counts once for each mark.
    def note(mark: int, start: int, _stop: int, _flags: int, _context: object) -> None:
        places.append(start * len(_MARKS) + mark)

    # A border before and after each document: what a mark stands beside is of its own document.
    borders = offsets - offsets[0]
    bordered = np.insert(data[offsets[0] : offsets[-1]], borders, 0)
    _database().scan(bordered.data, match_event_handler=note)
    ordered = np.sort(np.array(places, np.int64))
    starts = ordered[np.diff(ordered, prepend=-1) != 0] // len(_MARKS)
    documents = np.searchsorted(borders + np.arange(len(offsets)), starts, side="right") - 1
    return np.bincount(documents, minlength=len(offsets) - 1).astype(np.int32)


@cache
def _database() -> Any:
    import hyperscan

    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=list(_MARKS), ids=list(range(len(_MARKS))), flags=[hyperscan.HS_FLAG_SOM_LEFTMOST] * len(_MARKS)
    )
    return database
